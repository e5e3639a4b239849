/* Every allocation of the energies that ship, and of what is computed with them exactly, fails in turn: the call says
 * MEMORY, leaks nothing, writes no result, and works when memory is back. A plain program, because leaks do not fail a
 * Criterion test. */
#include <gibbs/ebm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/alloc.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
enum { PARTS = 2 };

static int failed;

static void expect(int ok, const char *what, const char *name, int64_t k)
{
    if (ok) return;
    fprintf(stderr, "%s, failure %lld: %s\n", name, (long long)k, what);
    failed = 1;
}

/* What a case may use: its model, and parts made beforehand with memory that does not fail. */
typedef struct fixture {
    gibbs_allocator alloc;
    gibbs_dtype dtype;
    ebm_model *model, *part[PARTS], *given; /* the last one conditional */
    double out[8];
} fixture;

/* ---- Models ---------------------------------------------------------------------------------------------------- */

static const int64_t edges[] = {0, 1, 1, 2}, label_counts[] = {2, 3, 2};
static const double labels[] = {0, 1, 2};

static ad_var squares(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_square(x), theta[0]);
}
static const ebm_parameter scale = {"scale", {0, {0}}, EBM_INIT_CONSTANT, 1};

static gibbs_status new_rbm(fixture *f, gibbs_error *error)
{
    ebm_rbm_spec spec = {.visible = 2, .hidden = 3, .gaussian = 1, .learn_sd = 1, .dtype = f->dtype,
                         .allocator = &f->alloc};
    return ebm_model_rbm(&spec, &f->model, error);
}
static gibbs_status new_ising(fixture *f, gibbs_error *error)
{
    ebm_mrf_spec spec = {{.variables = 3}, edges, 2, f->dtype, &f->alloc};
    return ebm_model_ising(&spec, &f->model, error);
}
static gibbs_status new_potts(fixture *f, gibbs_error *error)
{
    ebm_mrf_spec spec = {{.variables = 3, .labels_of = label_counts, .one_hot = 1}, edges, 2, f->dtype, &f->alloc};
    return ebm_model_potts(&spec, &f->model, error);
}
static gibbs_status new_mrf(fixture *f, gibbs_error *error)
{
    ebm_mrf_spec spec = {{.variables = 3, .one_hot = 1}, NULL, 0, f->dtype, &f->alloc};
    return ebm_model_mrf(&spec, &f->model, error);
}
static gibbs_status new_exponential(fixture *f, gibbs_error *error)
{
    ebm_exponential_spec spec = {.dim = 2, .dtype = f->dtype, .allocator = &f->alloc};
    return ebm_model_exponential(&spec, &f->model, error);
}
static gibbs_status new_experts(fixture *f, gibbs_error *error)
{
    ebm_experts_spec spec = {.dim = 2, .experts = 2, .learn_weights = 1, .dtype = f->dtype, .seed = 1,
                             .allocator = &f->alloc};
    return ebm_model_experts(&spec, &f->model, error);
}
static gibbs_status new_gaussian(fixture *f, gibbs_error *error)
{
    return ebm_model_gaussian(2, f->dtype, &f->alloc, &f->model, error);
}
static gibbs_status new_sum(fixture *f, gibbs_error *error)
{
    return ebm_model_sum(f->part, NULL, PARTS, &f->model, error);
}
static gibbs_status new_tempered(fixture *f, gibbs_error *error)
{
    return ebm_model_tempered(f->part[0], 2, &f->model, error);
}
static gibbs_status new_mixture(fixture *f, gibbs_error *error)
{
    return ebm_model_mixture(f->part, PARTS, &f->model, error);
}
static gibbs_status new_regression(fixture *f, gibbs_error *error)
{
    ebm_regression_spec spec = {.response = EBM_SOFTMAX, .given = 2, .labels = 3, .pinned = 1, .dtype = f->dtype,
                                .features = {squares, 2, &scale, 1, NULL}, .allocator = &f->alloc};
    return ebm_model_regression(&spec, &f->model, error);
}
static gibbs_status new_chain(fixture *f, gibbs_error *error)
{
    ebm_chain_crf_spec spec = {.given = 4, .length = 2, .labels = 2, .dtype = f->dtype, .allocator = &f->alloc};
    return ebm_model_chain_crf(&spec, &f->model, error);
}
static gibbs_status new_bilinear(fixture *f, gibbs_error *error)
{
    ebm_bilinear_spec spec = {.given = 2, .modelled = 1, .width = 2, .labels = labels, .label_count = 3,
                              .dtype = f->dtype, .allocator = &f->alloc};
    return ebm_model_bilinear(&spec, &f->model, error);
}
static ad_var row_energy(ad_var row, const ad_var *theta, void *context)
{
    return ad_sum(squares(row, theta, context));
}
static gibbs_status new_conditional(fixture *f, gibbs_error *error)
{
    ebm_model_spec spec = {0};
    spec.dim = 3, spec.dtype = f->dtype, spec.allocator = &f->alloc, spec.energy = row_energy;
    spec.parameters = &scale, spec.parameter_count = 1;
    spec.given = 2, spec.labels = labels, spec.label_count = 3;
    return ebm_model_new(&spec, &f->model, error);
}
static gibbs_status new_given_mixture(fixture *f, gibbs_error *error)
{
    ebm_model *parts[] = {f->given, f->given};
    return ebm_model_mixture(parts, 2, &f->model, error);
}

/* ---- Calls ----------------------------------------------------------------------------------------------------- */

static gibbs_status enumerate(fixture *f, gibbs_error *error)
{
    return ebm_enumerate(f->model, NULL, f->out, NULL, error);
}
static gibbs_status log_z(fixture *f, gibbs_error *error)
{
    return ebm_model_log_z(f->model, f->out, error);
}
static gibbs_status maxent(fixture *f, gibbs_error *error)
{
    const double mu[] = {0.25, 0.5}, x[] = {0, 0, 0, 1, 1, 0, 1, 1};
    return ebm_maxent(f->model, mu, x, NULL, 4, f->out, error);
}
static gibbs_status weights(fixture *f, gibbs_error *error)
{
    double x[] = {0, 1, 2, 3};
    ebm_data data = {.rows = 2, .cols = 2, .x = x};
    return ebm_model_mixture_weights(f->model, &data, 0, f->out, f->out + 2, error);
}

/* Saves what the case made, and opens it once more. */
static gibbs_status save_and_open(fixture *f, gibbs_error *error)
{
    char path[] = "/tmp/gibbs-fault-energies-XXXXXX";
    ebm_model *opened;
    int file = mkstemp(path);
    if (file < 0) return GIBBS_IO;
    gibbs_status status = ebm_model_save(f->model, path, error);
    if (!status) status = ebm_model_open(path, NULL, &f->alloc, &opened, error);
    if (!status) ebm_model_free(opened);
    close(file), unlink(path);
    return status;
}

/* `make` is under test when `call` is NULL. */
static const struct fault_case {
    const char *name;
    gibbs_status (*make)(fixture *f, gibbs_error *error), (*call)(fixture *f, gibbs_error *error);
} cases[] = {
    {"ebm_model_rbm", new_rbm, NULL},
    {"ebm_model_ising", new_ising, NULL},
    {"ebm_model_potts", new_potts, NULL},
    {"ebm_model_mrf", new_mrf, NULL},
    {"ebm_model_exponential", new_exponential, NULL},
    {"ebm_model_experts", new_experts, NULL},
    {"ebm_model_sum", new_sum, NULL},
    {"ebm_model_tempered", new_tempered, NULL},
    {"ebm_model_mixture", new_mixture, NULL},
    {"ebm_model_regression", new_regression, NULL},
    {"ebm_model_chain_crf", new_chain, NULL},
    {"ebm_model_bilinear", new_bilinear, NULL},
    {"a conditional model", new_conditional, NULL},
    {"a mixture of conditional models", new_given_mixture, NULL},
    {"ebm_enumerate", new_ising, enumerate},
    {"ebm_model_log_z of an RBM", new_rbm, log_z},
    {"ebm_model_log_z of a Gaussian", new_gaussian, log_z},
    {"ebm_model_log_z of experts", new_experts, log_z},
    {"ebm_model_log_z of a mixture", new_mixture, log_z},
    {"a file of a Potts model", new_potts, save_and_open},
    {"a file of experts", new_experts, save_and_open},
    {"a file of a mixture", new_mixture, save_and_open},
    {"a file of embeddings", new_bilinear, save_and_open},
    {"ebm_maxent", new_exponential, maxent},
    {"ebm_model_mixture_weights", new_mixture, weights},
};

/* ---- Faults ---------------------------------------------------------------------------------------------------- */

static void make_parts(fixture *f)
{
    for (int k = 0; k < PARTS; k++) ebm_model_gaussian(2, f->dtype, &f->alloc, &f->part[k], NULL);
    new_conditional(f, NULL);
    f->given = f->model;
    f->model = NULL;
}

static int untouched(const fixture *f)
{
    for (int i = 0; i < COUNT(f->out); i++)
        if (f->out[i] != 7e7) return 0;
    return 1;
}

/* Allocation k of the call fails. Returns whether there was such an allocation. */
static int fault(const struct fault_case *c, fixture *f, int64_t k)
{
    counting_alloc count = {0};
    gibbs_error error = {.status = GIBBS_OK};
    f->alloc = counting_allocator(&count);
    make_parts(f);
    if (c->call && c->make(f, &error)) return expect(0, error.message, c->name, k), 0;
    for (int i = 0; i < COUNT(f->out); i++) f->out[i] = 7e7;
    gibbs_status (*call)(fixture *, gibbs_error *) = c->call ? c->call : c->make;
    int64_t live = count.live;
    count.fail_at = count.calls + k;
    gibbs_status status = call(f, &error);
    int failures = (int)count.failures;
    count.fail_at = 0;
    if (failures) {
        expect(status == GIBBS_MEMORY && error.status == status && error.message[0], error.message, c->name, k);
        expect(untouched(f), "a result was written", c->name, k);
        expect(c->call || (!f->model && count.live == live), "memory leaked, or there is a model", c->name, k);
        expect(call(f, &error) == GIBBS_OK, "does not work with memory back", c->name, k);
    } else expect(status == GIBBS_OK, error.message, c->name, k);
    ebm_model_free(f->model);
    ebm_model_free(f->given);
    for (int i = 0; i < PARTS; i++) ebm_model_free(f->part[i]);
    expect(count.live == 0, "memory leaked", c->name, k);
    return failures;
}

int main(void)
{
    for (int i = 0; i < 2 * COUNT(cases); i++) {
        const struct fault_case *c = &cases[i / 2];
        fixture f = {.dtype = i % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64};
        int64_t k = 1;
        while (fault(c, &f, k)) k++;
        expect(k > 1, "no allocation: the check does not reach the call", c->name, k);
    }
    return failed;
}
