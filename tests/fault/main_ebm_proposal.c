/* Every allocation of the functions that make proposals fails in turn: MEMORY comes back, there is no proposal, nothing
 * is lost, and the call works when memory is back. A plain program: Criterion's own memory would be in the way. */
#include "support/alloc.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static double x[] = {0, 1, 2, 0.5, 4, 4}, bits[] = {0, 1, 1, 1, 0, 0};
static const ebm_data data = {.rows = 3, .cols = 2, .x = x}, binary = {.rows = 3, .cols = 2, .x = bits};
static const double zero[] = {0, 0}, one[] = {1, 1}, half[] = {0.5, 0.5}, unit[] = {1, 0, 0, 1};
static ebm_proposal *part; /* of mixtures and products; made with the usual allocator */

typedef gibbs_status make_fn(const gibbs_allocator *a, ebm_proposal **q, gibbs_error *error);

#define MAKER(name, call)                                                                  \
    static gibbs_status name(const gibbs_allocator *a, ebm_proposal **q, gibbs_error *error) { return call; }
MAKER(diagonal, ebm_proposal_gaussian_diagonal(2, zero, one, a, q, error))
MAKER(full, ebm_proposal_gaussian_full(2, zero, unit, a, q, error))
MAKER(gaussian_fit, ebm_proposal_gaussian_fit(&data, 1, 2, a, q, error))
MAKER(student, ebm_proposal_student_t(2, zero, one, 3, a, q, error))
MAKER(student_fit, ebm_proposal_student_t_fit(&data, 3, 2, a, q, error))
MAKER(widened, ebm_proposal_widened(part, 2, a, q, error))
MAKER(uniform, ebm_proposal_uniform(2, zero, one, a, q, error))
MAKER(uniform_fit, ebm_proposal_uniform_fit(&data, 2, a, q, error))
MAKER(bernoulli, ebm_proposal_bernoulli(2, half, 0, 1, a, q, error))
MAKER(bernoulli_fit, ebm_proposal_bernoulli_fit(&binary, 0, 1, 1, a, q, error))
MAKER(kernels, ebm_proposal_kernel_density(&data, NULL, a, q, error))
MAKER(mixture, ebm_proposal_mixture(1, NULL, (const ebm_proposal *const *)&part, a, q, error))
MAKER(product, ebm_proposal_product(1, (const ebm_proposal *const *)&part, a, q, error))
MAKER(regression, ebm_proposal_regression(1, unit, part, a, q, error))

/* Least squares take their memory from the table's allocator. */
static gibbs_status regression_fit(const gibbs_allocator *a, ebm_proposal **q, gibbs_error *error)
{
    ebm_data table = data;
    table.allocator = *a;
    return ebm_proposal_regression_fit(&table, 1, INFINITY, 1.5, a, q, error);
}

/* Its own memory is q's allocator's. */
static gibbs_status left_out(const gibbs_allocator *a, ebm_proposal **q, gibbs_error *error)
{
    double log_q[3];
    gibbs_status status = ebm_proposal_kernel_density(&data, one, a, q, error);
    if (!status) status = ebm_proposal_kernel_density_left_out(*q, log_q, error);
    if (status) ebm_proposal_free(*q), *q = NULL;
    return status;
}

/* What a proposal, weights and a series are put to. */
static gibbs_status used(const gibbs_allocator *a, ebm_proposal **q, gibbs_error *error)
{
    double y[6], log_q[3], ess, r_hat;
    ebm_importance importance;
    int64_t index[3];
    gibbs_status status = ebm_proposal_gaussian_diagonal(2, zero, one, a, q, error);
    if (!status) status = ebm_proposal_sample(*q, 3, 1, 0, a, y, log_q, error);
    if (!status) status = ebm_proposal_log_density(*q, x, 3, a, log_q, error);
    if (!status) status = ebm_resample(one, 2, 3, 1, 1, a, index, error);
    if (!status) status = ebm_importance_of(x, 6, 1, a, y, &importance, error);
    if (!status) status = ebm_effective_size(x, 6, 1, a, &ess, error);
    if (!status) status = ebm_split_r_hat(x, 6, 1, 1, a, &r_hat, error);
    if (status) ebm_proposal_free(*q), *q = NULL;
    return status;
}

static ad_var bowl(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_sum(ad_square(x)));
}

static gibbs_status following(const gibbs_allocator *a, ebm_proposal **q, gibbs_error *error)
{
    const ebm_parameter p = {"t", ad_scalar(), EBM_INIT_CONSTANT, 0.5};
    const ebm_following_options o = {.rows = 100};
    ebm_model_spec spec = {.dim = 2, .parameters = &p, .parameter_count = 1, .energy = bowl, .allocator = a};
    ebm_model *model;
    *q = NULL;
    gibbs_status status = ebm_model_new(&spec, &model, error);
    if (!status) status = ebm_proposal_following(model, part, &o, a, q, error);
    const ebm_audit_options look = {.rows = 100};
    static const ebm_chain_options chain = {.step = 0.5};
    static const ebm_draw_options draw = {.chain = &chain, .warm_up = 1, .steps = 100, .r_hat = INFINITY};
    const ebm_ratio_options way = {.draw = &draw, .rows = 10, .points = 1};
    ebm_bridge_estimate bridge;
    ebm_ratio ratio;
    ebm_audit audit;
    if (!status) status = ebm_bridge_sampling(x, 2, x, 3, a, &bridge, error);
    if (!status) status = ebm_log_z_ratio(model, half, one, &data, &way, &ratio, error);
    if (!status) status = ebm_audit_proposal(model, part, &look, &audit, error);
    if (!status) ebm_audit_free(&audit);
    else ebm_proposal_free(*q), *q = NULL;
    ebm_model_free(model);
    return status;
}

static const struct {
    const char *name;
    make_fn *make;
} makers[] = {
    {"gaussian_diagonal", diagonal}, {"gaussian_full", full},        {"gaussian_fit", gaussian_fit},
    {"student_t", student},          {"student_t_fit", student_fit}, {"uniform", uniform},
    {"uniform_fit", uniform_fit},    {"bernoulli", bernoulli},       {"bernoulli_fit", bernoulli_fit},
    {"kernel_density", kernels},     {"mixture", mixture},           {"product", product},
    {"left_out", left_out},          {"used", used},              {"regression", regression},
    {"regression_fit", regression_fit}, {"widened", widened},       {"following", following},
};

static int failed;

static void expect(int good, const char *what, const char *name, int64_t k)
{
    if (!good) failed = 1, fprintf(stderr, "%s, allocation %lld: %s\n", name, (long long)k, what);
}

/* Allocation k fails. Returns whether there was such an allocation. */
static int fault(const char *name, make_fn *make, int64_t k)
{
    counting_alloc count = {.fail_at = k};
    gibbs_allocator a = counting_allocator(&count);
    gibbs_error error = {.status = GIBBS_OK};
    ebm_proposal *q = (ebm_proposal *)&count;
    gibbs_status status = make(&a, &q, &error);
    int hit = count.failures > 0;
    expect(!hit || (status == GIBBS_MEMORY && error.status == status && strstr(error.message, "memory")),
           error.message, name, k);
    expect(!hit || !q, "there is a proposal", name, k);
    expect(hit || (status == GIBBS_OK && count.live >= 1), "it does not work with enough memory", name, k);
    if (!hit) ebm_proposal_free(q);
    expect(count.live == 0, "memory leaked", name, k);
    return hit;
}

int main(void)
{
    if (ebm_proposal_gaussian_diagonal(2, zero, one, NULL, &part, NULL)) return 2;
    for (int i = 0; i < COUNT(makers); i++) {
        int64_t k = 1;
        while (fault(makers[i].name, makers[i].make, k)) k++;
        expect(k > 1, "nothing was allocated", makers[i].name, 0);
        printf("%s: %lld allocations\n", makers[i].name, (long long)k - 1);
    }
    ebm_proposal_free(part);
    return failed;
}
