/* Every allocation of the model functions fails in turn: the call says MEMORY, leaks nothing, leaves what the caller
 * owns alone, and works again when memory is back. A plain program, because leaks do not fail a Criterion test. */
#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/alloc.h"
#include "support/sanitized.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
enum { ROWS = 70000, DIM = 2 };

static char folder[] = "/tmp/gibbs-fault-XXXXXX", path[sizeof folder + 8];
static int failed;

static void expect(int ok, const char *what, const char *name, int64_t k)
{
    if (ok) return;
    fprintf(stderr, "%s, failure %lld: %s\n", name, (long long)k, what);
    failed = 1;
}

/* ---- Calls ---------------------------------------------------------------------------------------------------- */

static const int64_t widths[] = {6, 5};
static const double points[ROWS * DIM] = {1, 2, 0.5, -1};

/* What a call may read, and where it writes. */
typedef struct fixture {
    gibbs_allocator alloc;
    gibbs_dtype dtype;
    ebm_model *model;
    double energy[ROWS], gradient[ROWS * DIM];
    ebm_quadrature quadrature;
    double mean;
} fixture;

static gibbs_status new_mlp(fixture *f, gibbs_error *error)
{
    ebm_mlp_spec spec = {
        .dim = DIM, .widths = widths, .layers = 2, .base_sd = 1, .dtype = f->dtype, .seed = 1, .allocator = &f->alloc};
    return ebm_model_mlp(&spec, &f->model, error);
}

static gibbs_status new_gaussian(fixture *f, gibbs_error *error)
{
    return ebm_model_gaussian(DIM, f->dtype, &f->alloc, &f->model, error);
}

static ad_var mixed(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_add(ad_logsumexp(ad_mul(theta[0], x)), ad_mul(theta[1], ad_sum(ad_tanh(x))));
}

static gibbs_status new_own(fixture *f, gibbs_error *error)
{
    static const ebm_parameter parameters[] = {{"w", {1, {DIM}}, EBM_INIT_NORMAL, 1},
                                               {"s", {0, {0}}, EBM_INIT_CONSTANT, 1}};
    ebm_model_spec spec = {0};
    spec.dtype = f->dtype;
    spec.dim = DIM;
    spec.parameters = parameters;
    spec.parameter_count = COUNT(parameters);
    spec.energy = mixed;
    spec.allocator = &f->alloc;
    return ebm_model_new(&spec, &f->model, error);
}

static gibbs_status energy(fixture *f, gibbs_error *error)
{
    return ebm_model_energy(f->model, points, ROWS, f->energy, NULL, error);
}

static gibbs_status gradient(fixture *f, gibbs_error *error)
{
    return ebm_model_energy(f->model, points, ROWS, f->energy, f->gradient, error);
}

static gibbs_status integrate(fixture *f, gibbs_error *error)
{
    ebm_box box = {{-9, -9}, {9, 9}, 50, 0};
    return ebm_integrate(f->model, &box, &f->quadrature, error);
}

static gibbs_status log_likelihood(fixture *f, gibbs_error *error)
{
    ebm_data data = {.rows = ROWS, .cols = DIM, .x = (double *)points};
    return ebm_mean_log_likelihood(f->model, &data, 1, &f->mean, error);
}

static gibbs_status draw(fixture *f, gibbs_error *error)
{
    const ebm_data start = {.rows = 2, .cols = DIM, .x = (double *)points};
    const ebm_draw_options options = {.warm_up = 3, .steps = 100, .r_hat = INFINITY};
    return ebm_model_draw(f->model, &start, 3, &options, f->gradient, NULL, error);
}

static gibbs_status save(fixture *f, gibbs_error *error)
{
    return ebm_model_save(f->model, path, error);
}
static gibbs_status load(fixture *f, gibbs_error *error)
{
    return ebm_model_load(f->model, path, error);
}

/* `make` is under test when `call` is NULL. The file is there for `load`, and gone for `save`. */
static const struct fault_case {
    const char *name;
    gibbs_status (*make)(fixture *f, gibbs_error *error), (*call)(fixture *f, gibbs_error *error);
} cases[] = {
    {"ebm_model_new", new_own, NULL},
    {"ebm_model_gaussian", new_gaussian, NULL},
    {"ebm_model_mlp", new_mlp, NULL},
    {"ebm_model_energy", new_mlp, energy},
    {"ebm_model_energy with gradient", new_mlp, gradient},
    {"ebm_model_energy of one's own", new_own, gradient},
    {"ebm_integrate", new_gaussian, integrate},
    {"ebm_mean_log_likelihood", new_gaussian, log_likelihood},
    {"ebm_model_draw", new_gaussian, draw},
    {"ebm_model_save", new_mlp, save},
    {"ebm_model_load", new_mlp, load},
};

/* ---- Faults --------------------------------------------------------------------------------------------------- */

/* Numbers no call would write. */
static void mark(fixture *f)
{
    for (int i = 0; i < ROWS; i++) f->energy[i] = 7e7;
    for (int i = 0; i < ROWS * DIM; i++) f->gradient[i] = 7e7;
    f->quadrature = (ebm_quadrature){7e7, 7e7, EBM_CANNOT_BE_TOLD, 7e7};
    f->mean = 7e7;
}

static int marked(const fixture *f)
{
    int same = f->quadrature.log_z == 7e7 && f->quadrature.widen == 7e7 && f->mean == 7e7;
    for (int i = 0; i < ROWS; i++) same = same && f->energy[i] == 7e7;
    for (int i = 0; i < ROWS * DIM; i++) same = same && f->gradient[i] == 7e7;
    return same;
}

/* A file with parameters of another seed, for `load`. */
static void write_file(gibbs_dtype dtype)
{
    ebm_mlp_spec spec = {.dim = DIM, .widths = widths, .layers = 2, .dtype = dtype, .seed = 2};
    ebm_model *model;
    if (ebm_model_mlp(&spec, &model, NULL) || ebm_model_save(model, path, NULL)) exit(3);
    ebm_model_free(model);
}

static gibbs_status run(const struct fault_case *c, fixture *f, gibbs_error *error)
{
    return c->call ? c->call(f, error) : c->make(f, error);
}

static void expect_failure(const struct fault_case *c, fixture *f, counting_alloc *count, int64_t k)
{
    gibbs_error error = {.status = GIBBS_OK};
    double before[256], after[256];
    int64_t live = count->live;
    if (c->call) ebm_model_get(f->model, before);
    gibbs_status status = run(c, f, &error);
    if (!count->failures) return;
    expect(status == GIBBS_MEMORY && error.status == status && error.message[0], error.message, c->name, k);
    expect(marked(f), "results were written", c->name, k);
    expect(c->call != save || access(path, F_OK), "a file was written", c->name, k);
    if (!c->call) {
        expect(!f->model, "there is a model", c->name, k);
        expect(count->live == live, "memory leaked", c->name, k);
        return;
    }
    ebm_model_get(f->model, after);
    expect(!memcmp(before, after, (size_t)ebm_model_size(f->model) * sizeof *before), "parameters changed", c->name, k);
}

/* Allocation k of the call fails. Returns whether there was such an allocation. */
static int fault(const struct fault_case *c, fixture *f, int64_t k)
{
    counting_alloc count = {0};
    gibbs_error error = {.status = GIBBS_OK};
    f->alloc = counting_allocator(&count);
    f->model = NULL;
    mark(f);
    if (c->call && c->make(f, &error)) exit(2);
    if (c->call == save) unlink(path);
    else write_file(f->dtype);
    count.fail_at = count.calls + k;
    expect_failure(c, f, &count, k);
    int failures = (int)count.failures;
    count.fail_at = 0;
    if (failures) expect(run(c, f, &error) == GIBBS_OK, "does not work with memory back", c->name, k);
    ebm_model_free(f->model);
    expect(count.live == 0, "memory leaked", c->name, k);
    return failures;
}

int main(void)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f || !mkdtemp(folder)) return 2;
    snprintf(path, sizeof path, "%s/model", folder);
    for (int i = 0; i < 2 * COUNT(cases); i++) {
        const struct fault_case *c = &cases[i / 2];
        f->dtype = i & 1 ? GIBBS_FLOAT32 : GIBBS_FLOAT64;
        int64_t k = 1;
        while (!in_sweep(k + i, 5) || fault(c, f, k)) k++;
        expect(k > 1, "nothing was allocated", c->name, 0);
        printf("%s: %lld allocations\n", c->name, (long long)k - 1);
    }
    unlink(path);
    rmdir(folder);
    free(f);
    return failed;
}
