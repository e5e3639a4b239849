/* pseudo.c — pseudo-likelihood of pairwise models, value and gradient, beside X·J and Xᵀ·R by the same kernels; one
 * thread, float32. In each of ROUNDS rounds both are timed, one after the other, in time of the processor; of each the
 * fastest round counts. */
#include "pseudo.h"

#include "json.h"

#include <gibbs/ebm.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7 };

typedef struct model_case {
    const char *name;
    gibbs_status (*make)(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error);
    int64_t sites, labels, rows; /* labels 1: spins */
} model_case;

static const model_case cases[] = {
    {"ising", ebm_model_ising, 200, 1, 2000},
    {"mrf", ebm_model_mrf, 126, 21, 1000},
    {"potts", ebm_model_potts, 126, 21, 1000},
};

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

static uint64_t state = 88172645463325252u;
static uint64_t word(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* ---- What is timed ---- */

typedef struct contest {
    const model_case *of;
    int64_t dim;
    float *x, *residual, *J;
    ebm_model *model;
    ebm_objective *objective;
    ad_tape *tape;
    ad_plan *plan;
    ad_workspace *workspace;
} contest;

static gibbs_status ours(contest *c, gibbs_error *error)
{
    const model_case *of = c->of;
    ebm_mrf_spec spec = {.space = {.variables = of->sites, .labels = of->labels > 1 ? of->labels : 0,
                                   .one_hot = of->labels > 1}, .dtype = GIBBS_FLOAT32};
    ebm_loss_options options = {.space = spec.space, .threads = 1};
    gibbs_status status = of->make(&spec, &c->model, error);
    if (!status) status = ebm_objective_new(c->model, &ebm_loss_pseudo_likelihood, &options, &c->objective, error);
    if (!status) status = ebm_objective_bind(c->objective, c->x, of->rows, error);
    if (status) return status;
    float *theta = ebm_model_theta(c->model);
    for (int64_t k = 0; k < ebm_model_size(c->model); k++) theta[k] = 0.01f * (float)sin((double)k);
    return GIBBS_OK;
}

static gibbs_status products(contest *c, gibbs_error *error)
{
    c->tape = ad_tape_new(GIBBS_FLOAT32, NULL);
    if (!c->tape) return GIBBS_MEMORY;
    ad_axis rows = ad_axis_new(c->tape, "rows");
    ad_var x = ad_input(rows, "x", ad_vec(c->dim)), r = ad_input(rows, "r", ad_vec(c->dim));
    ad_var J = ad_parameter(c->tape, "J", ad_mat(c->dim, c->dim));
    ad_var output[2] = {ad_matmul(x, J), ad_batch_matmul(rows, x, r)};
    gibbs_status status = ad_compile(output, 2, NULL, &c->plan, error);
    if (!status) status = ad_workspace_new(c->plan, &c->workspace, error);
    if (!status) status = ad_bind(c->workspace, x, c->x, error);
    if (!status) status = ad_bind(c->workspace, r, c->residual, error);
    if (!status) status = ad_bind(c->workspace, J, c->J, error);
    return status ? status : ad_set_rows(c->workspace, rows, c->of->rows, error);
}

static gibbs_status fill(contest *c)
{
    const model_case *of = c->of;
    c->x = calloc((size_t)(of->rows * c->dim), sizeof *c->x);
    c->residual = calloc((size_t)(of->rows * c->dim), sizeof *c->residual);
    c->J = calloc((size_t)(c->dim * c->dim), sizeof *c->J);
    if (!c->x || !c->residual || !c->J) return GIBBS_MEMORY;
    for (int64_t v = 0; v < of->rows * of->sites; v++) {
        if (of->labels == 1) c->x[v] = (float)(word() >> 63);
        else c->x[v * of->labels + (int64_t)(word() % (uint64_t)of->labels)] = 1;
    }
    for (int64_t k = 0; k < c->dim * c->dim; k++) c->J[k] = 0.01f * (float)sin((double)k);
    for (int64_t k = 0; k < of->rows * c->dim; k++) c->residual[k] = 0.01f * (float)cos((double)k);
    return GIBBS_OK;
}

static gibbs_status race(contest *c, double best[2], gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    for (int round = 0; round < ROUNDS && !status; round++) {
        double value, begun = seconds();
        status = ebm_objective_evaluate(c->objective, &value, error);
        double between = seconds();
        if (!status) status = ad_run(c->workspace, &(ad_run_options){.threads = 1}, error);
        best[0] = fmin(best[0], between - begun);
        best[1] = fmin(best[1], seconds() - between);
    }
    return status;
}

static void finish(contest *c)
{
    ad_workspace_free(c->workspace);
    ad_plan_free(c->plan);
    ad_tape_free(c->tape);
    ebm_objective_free(c->objective);
    ebm_model_free(c->model);
    free(c->x);
    free(c->residual);
    free(c->J);
}

gibbs_status bench_pseudo_print(gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    for (size_t k = 0; k < sizeof cases / sizeof *cases && !status; k++) {
        contest c = {.of = &cases[k], .dim = cases[k].sites * cases[k].labels};
        double best[2] = {INFINITY, INFINITY};
        char name[96];
        status = fill(&c);
        if (!status) status = ours(&c, error);
        if (!status) status = products(&c, error);
        if (!status) status = race(&c, best, error);
        finish(&c);
        snprintf(name, sizeof name, "%s, %lld x %lld, %lld rows", cases[k].name, (long long)cases[k].sites,
                 (long long)cases[k].labels, (long long)cases[k].rows);
        json_begin();
        json_text("pseudo_likelihood", name);
        json_number("ours_ms", 1e3 * best[0]);
        json_number("products_ms", 1e3 * best[1]);
        json_number("ratio", best[0] / best[1]);
        json_end();
    }
    return status;
}
