/* Losses when memory runs out: every allocation fails once, each time with MEMORY and nothing leaked; a bind that fails
 * leaves what was bound as it was; and after the first step nothing more is allocated for as many rows, except by
 * losses that look at them. */
#include "loss_helpers.h"
#include "support/alloc.h"

enum { ROWS = 12, MORE_ROWS = 40, DIM = 2 };

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_sum(ad_softplus(x)), theta[0]);
}
static ad_var critic(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[0], ad_sin(x));
}
static ad_var critic_of_y(ad_var row, const ad_var *theta, void *context)
{
    return critic(ad_slice(row, 0, 1, DIM - 1), theta, context);
}

typedef struct job {
    const ebm_loss *loss;
    const ebm_proposal *q;
    const ebm_points *points;
    double *x;
    bool conditional;
} job;

static ebm_model *make(const gibbs_allocator *a, bool conditional)
{
    const ebm_parameter p = {"k", {0, {0}}, EBM_INIT_CONSTANT, 0.7};
    ebm_model_spec spec = {0};
    spec.dim = DIM, spec.parameters = &p, spec.parameter_count = 1, spec.energy = energy, spec.allocator = a;
    static const double labels[] = {0, 1};
    ebm_model *model;
    if (conditional) spec.given = 1, spec.labels = labels, spec.label_count = 2;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* After a bind that failed: the value is that of the step before, and with points drawn anew there is one. */
static void expect_as_before(ebm_objective *o, const job *j, uint64_t k, double value)
{
    double now = NAN;
    if (k) {
        cr_expect(!ebm_objective_evaluate(o, &now, NULL) && now == value, "%s: %g after a failed bind, %g before",
                  j->loss->name, now, value);
        cr_expect(!ebm_objective_refresh(o, 1, k, NULL) && !ebm_objective_evaluate(o, &now, NULL) && isfinite(now));
    } else {
        cr_expect_eq(ebm_objective_evaluate(o, &now, NULL), GIBBS_UNBOUND);
        cr_expect_eq(ebm_objective_refresh(o, 1, k, NULL), GIBBS_UNBOUND);
    }
}

static gibbs_status step(ebm_objective *o, const job *j, uint64_t k, int64_t rows, double *value, gibbs_error *error)
{
    gibbs_status status = ebm_objective_bind(o, j->x, rows, error);
    if (status) return expect_as_before(o, j, k, *value), status;
    status = ebm_objective_refresh(o, 1, k, error);
    return status ? status : ebm_objective_evaluate(o, value, error);
}

/* Two steps and one of more rows; `again` is how often the second one allocated. */
static gibbs_status run(const job *j, ebm_model *model, counting_alloc *count, int64_t *again, gibbs_error *error)
{
    ebm_objective *o;
    ebm_loss_options options = {0};
    options.proposal = j->q;
    options.points = j->points;
    options.field = j->conditional ? critic_of_y : critic;
    options.restart = 0.5;
    if (j->conditional && j->loss == &ebm_loss_pcd) options.proposal = NULL; /* starts anew at the data */
    options.buffer = 3 * ROWS;
    options.threads = 2;
    gibbs_status status = ebm_objective_new(model, j->loss, &options, &o, error);
    cr_assert_eq(status == GIBBS_OK, o != NULL);
    if (status) return status;
    double value = NAN;
    status = step(o, j, 0, ROWS, &value, error);
    *again = -count->calls;
    if (!status) status = step(o, j, 1, ROWS, &value, error);
    *again += count->calls;
    if (!status) status = step(o, j, 2, MORE_ROWS, &value, error);
    ebm_objective_free(o);
    return status;
}

static void fail_each(const job *j)
{
    int64_t total = 0, again;
    for (int64_t at = 0; at <= total; at++) { /* 0: none fails, and all are counted */
        counting_alloc count = {0};
        gibbs_allocator a = counting_allocator(&count);
        gibbs_error error = {GIBBS_OK, "", -1, -1};
        ebm_model *model = make(&a, j->conditional);
        int64_t before = count.live;
        count.calls = 0;
        count.fail_at = at;
        gibbs_status status = run(j, model, &count, &again, &error);
        if (!at) total = count.calls;
        cr_expect(status == (at ? GIBBS_MEMORY : GIBBS_OK), "%s, allocation %d: %s", j->loss->name, (int)at,
                  error.message);
        cr_expect(at || again == 0, "%s allocates %d times", j->loss->name, (int)again);
        cr_expect(count.live == before, "%s, allocation %d leaks", j->loss->name, (int)at);
        ebm_model_free(model);
        cr_expect_eq(count.live, 0);
    }
    cr_expect(total > 10, "%s: %d allocations", j->loss->name, (int)total);
}

Test(loss_memory, every_allocation_fails_once)
{
    static const ebm_loss *const losses[] = {
        &ebm_loss_ml_is, &ebm_loss_exact_ml, &ebm_loss_cd, &ebm_loss_pcd, &ebm_loss_improved_cd,
        &ebm_loss_score_matching, &ebm_loss_weighted_score_matching, &ebm_loss_denoising,
        &ebm_loss_denoising_autoencoder, &ebm_loss_sliced, &ebm_loss_sliced_reduced, &ebm_loss_nce,
        &ebm_loss_conditional_nce, &ebm_loss_ranking_nce, &ebm_loss_pseudo_likelihood, &ebm_loss_ratio_matching,
        &ebm_loss_ksd_rbf, &ebm_loss_ksd_imq, &ebm_loss_stein, &ebm_loss_stein_hutchinson, &ebm_loss_energy_penalty,
        &ebm_loss_conditional_ml, &ebm_loss_batch_ranking_nce, &ebm_loss_ml_resampled, &ebm_loss_ml_mh,
    };
    double *x = normals(MORE_ROWS * DIM, 0, 1, 3), *bits = calloc(MORE_ROWS * DIM, sizeof *bits);
    ebm_data data = table(x, ROWS, DIM);
    ebm_proposal *q[2];
    ebm_points points[2];
    ebm_space space = {.variables = DIM, .labels = 3, .values = (double[]){-4, 0, 4}};
    q[0] = test_proposal(&energies[GAUSSIAN2]);
    OK(ebm_proposal_regression_fit(&data, 1, INFINITY, 1.5, NULL, &q[1], ERROR));
    OK(ebm_points_space(&space, NULL, &points[0], ERROR));
    space.variables = DIM - 1;
    OK(ebm_points_space(&space, NULL, &points[1], ERROR));
    for (int k = 0; k < COUNT(losses); k++)
        for (int of_y = 0; of_y < 2; of_y++) {
            bool fits = losses[k]->models != (of_y ? EBM_MODELS_WHOLE : EBM_MODELS_CONDITIONAL);
            bool discrete = losses[k]->check_row || losses[k] == &ebm_loss_conditional_ml;
            if (fits) fail_each(&(job){losses[k], q[of_y], &points[of_y], discrete ? bits : x, of_y});
        }
    for (int k = 0; k < 2; k++) ebm_points_free(&points[k]), ebm_proposal_free(q[k]);
    free(x), free(bits);
}

/* The calls without an objective. */
static gibbs_status sum_of(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_loss *loss;
    gibbs_status status = ebm_loss_sum(&(ebm_loss_term){&ebm_loss_cd, 1}, 1, a, &loss, error);
    cr_assert_eq(status == GIBBS_OK, loss != NULL);
    ebm_loss_free(loss);
    return status;
}

static gibbs_status states_of(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_points points;
    gibbs_status status = ebm_points_space(&(ebm_space){.variables = 2}, a, &points, error);
    cr_expect(!status || (!points.x && !points.log_weight));
    ebm_points_free(&points);
    return status;
}

static gibbs_status box_of(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_points points;
    gibbs_status status = ebm_points_box(1, &(ebm_box){{0}, {1}, 5, 0}, a, &points, error);
    ebm_points_free(&points);
    return status;
}

static gibbs_status ksd_of(const gibbs_allocator *a, gibbs_error *error)
{
    counting_alloc *count = a->context;
    int64_t fail_at = count->fail_at;
    count->fail_at = 0;
    ebm_model *model = make(a, false);
    double x[ROWS * DIM];
    for (int i = 0; i < ROWS * DIM; i++) x[i] = sin(i);
    count->calls = 0;
    count->fail_at = fail_at;
    ebm_data data = {.rows = ROWS, .cols = DIM, .x = x, .allocator = *a};
    ebm_ksd result;
    gibbs_status status = ebm_ksd_test(model, &data, NULL, &result, error);
    cr_expect(status ? isnan(result.p_value) : result.p_value > 0);
    ebm_model_free(model);
    return status;
}

Test(loss_memory, sums_points_and_tests)
{
    gibbs_status (*const jobs[])(const gibbs_allocator *, gibbs_error *) = {sum_of, states_of, box_of, ksd_of};
    for (int k = 0; k < COUNT(jobs); k++) {
        int64_t total = 0;
        for (int64_t at = 0; at <= total; at++) {
            counting_alloc count = {.fail_at = at};
            gibbs_allocator a = counting_allocator(&count);
            gibbs_error error = {GIBBS_OK, "", -1, -1};
            gibbs_status status = jobs[k](&a, &error);
            if (!at) total = count.calls;
            cr_expect(status == (at ? GIBBS_MEMORY : GIBBS_OK), "%d, allocation %d: %s", k, (int)at, error.message);
            cr_expect_eq(count.live, 0, "%d, allocation %d leaks", k, (int)at);
        }
        cr_expect(total > 0);
    }
}
