/* ais.c — annealed importance sampling (Neal 2001), forward from a base density and in reverse from the model (Burda,
 * Grosse & Salakhutdinov 2015). One walk along the path serves both: at β_k the weight takes the factor
 * exp(−(E_{β_{k+1}} − E_{β_k})(x)) = exp(−(β_{k+1} − β_k)(E + log q)(x)), then x moves by transitions that keep
 * exp(−E_{β_{k+1}}); after the last factor nothing moves. */
#include "base/options.h"
#include "ebm/model/conditioned.h"
#include "ebm/model/program.h"
#include "ebm/proposal/draw.h"
#include "ebm/proposal/record_proposal.h"
#include "ebm/sampler/chains.h"
#include "weights.h"

#include <math.h>
#include <string.h>

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_ais_options, bridges, 1000, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ebm_ais_options, steps, 1, '[', 1, INFINITY, ')'),
};

static gibbs_status check_beta(const ebm_ais_options *o, gibbs_error *error)
{
    if (!o->beta) return GIBBS_OK;
    for (int64_t k = 0; k < o->bridges; k++)
        if (!(o->beta[k] < o->beta[k + 1]))
            return gibbs_fail(error, GIBBS_ARGUMENT, "ais: β goes from %g to %g at bridge %lld; it must rise",
                              o->beta[k], o->beta[k + 1], (long long)k + 1);
    if (o->beta[0] == 0 && o->beta[o->bridges] == 1) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "ais: β goes from %g to %g, not from 0 to 1", o->beta[0],
                      o->beta[o->bridges]);
}

static gibbs_status check(const ebm_model *model, ebm_ais_options *o, int64_t rows, gibbs_error *error)
{
    gibbs_status status = gibbs_options_fill("ais", numbers, GIBBS_COUNT(numbers), o, error);
    if (status) return status;
    if (rows < 2)
        return gibbs_fail(error, GIBBS_ARGUMENT, "ais: %lld row%s; at least 2 are needed", (long long)rows,
                          gibbs_plural(rows));
    if (o->chain.inverse_temperatures || o->chain.temperatures)
        return gibbs_fail(error, GIBBS_ARGUMENT, "ais: the path sets the temperatures, the options must not");
    status = check_beta(o, error);
    if (!status)
        status =
            ebm_refuse_conditional("ais", model, "ebm_predict tells log Z(x) of each x by labels or points", error);
    return status ? status : ebm_proposal_check("ais", o->base, model->dim, false, error);
}

/* ---- The walk ---- */

typedef struct walk {
    ebm_ais_options o; /* filled in */
    ebm_chains *chains;
    bool reverse;
    gibbs_dtype dtype;
    int64_t rows;
    double *log_weight;
} walk;

static double beta_at(const walk *w, int64_t k)
{
    int64_t bridge = w->reverse ? w->o.bridges - k : k;
    return w->o.beta ? w->o.beta[bridge] : (double)bridge / (double)w->o.bridges;
}

static gibbs_status weigh(walk *w, double rise, gibbs_error *error)
{
    const void *energy, *log_q;
    gibbs_status status = ebm_chains_evaluate(w->chains, &energy, &log_q, error);
    for (int64_t r = 0; !status && r < w->rows; r++) {
        double E = ebm_number(w->dtype, energy, r), q = ebm_number(w->dtype, log_q, r);
        if (isnan(E + q) || E + q == -INFINITY)
            return gibbs_fail_row(error, GIBBS_NUMERIC, r, "ais: E is %g and log q is %g at row %lld", E, q,
                                  (long long)r + 1);
        w->log_weight[r] -= rise * (E + q);
    }
    return status;
}

/* Evaluated at the β that the chains move at next, since what they keep belongs to it; the weight does not mind. */
static gibbs_status cross(walk *w, int64_t k, gibbs_error *error)
{
    double here = beta_at(w, k), there = beta_at(w, k + 1);
    ebm_chains_set_beta(w->chains, k + 1 < w->o.bridges ? there : here);
    gibbs_status status = weigh(w, there - here, error);
    if (status || k + 1 == w->o.bridges) return status;
    return ebm_chains_move(w->chains, w->o.steps, w->o.seed, 0, error);
}

static gibbs_status walk_along(walk *w, gibbs_error *error)
{
    if (w->o.steps > ebm_chains_most(w->chains))
        return gibbs_fail(error, GIBBS_SIZE, "ais: %lld steps at each β; at most %lld", (long long)w->o.steps,
                          (long long)ebm_chains_most(w->chains));
    memset(w->log_weight, 0, (size_t)w->rows * sizeof *w->log_weight);
    gibbs_status status = GIBBS_OK;
    for (int64_t k = 0; k < w->o.bridges && !status; k++) status = cross(w, k, error);
    return status;
}

/* ---- Estimates ---- */

static gibbs_status estimate(const walk *w, const gibbs_allocator *a, ebm_ais *result, gibbs_error *error)
{
    ebm_importance found;
    gibbs_status status = ebm_weigh("ais", GIBBS_FLOAT64, w->log_weight, w->rows, false, a, NULL, &found, error);
    if (status) return status;
    *result = (ebm_ais){.log_z = w->reverse ? -found.log_z : found.log_z, .ess = found.ess, .k = found.k,
                        .standard_error = found.standard_error, .largest = found.largest,
                        .acceptance = ebm_chains_acceptance(w->chains)};
    return GIBBS_OK;
}

/* Nothing of the caller's is written unless all went well. */
static gibbs_status finish(walk *w, const gibbs_allocator *a, double *log_weight, double *x, ebm_ais *result,
                           gibbs_error *error)
{
    ebm_ais found;
    gibbs_status status = walk_along(w, error);
    if (!status) status = estimate(w, a, &found, error);
    if (status) return status;
    if (log_weight) memcpy(log_weight, w->log_weight, (size_t)w->rows * sizeof *log_weight);
    if (x) ebm_chains_get(w->chains, x);
    *result = found;
    return GIBBS_OK;
}

static gibbs_status open_walk(ebm_model *model, walk *w, gibbs_error *error)
{
    w->dtype = model->dtype;
    w->log_weight = gibbs_alloc(&model->alloc, (size_t)w->rows, sizeof *w->log_weight);
    if (!w->log_weight) return gibbs_fail(error, GIBBS_MEMORY, "ais: out of memory for %lld rows", (long long)w->rows);
    return ebm_chains_new_path(model, &w->o.chain, w->o.base, &w->chains, error);
}

static void close_walk(const ebm_model *model, walk *w)
{
    ebm_chains_free(w->chains);
    gibbs_release(&model->alloc, w->log_weight);
}

gibbs_status ebm_ais_forward(ebm_model *model, const ebm_ais_options *options, int64_t rows, double *log_weight,
                             double *x, ebm_ais *result, gibbs_error *error)
{
    GIBBS_REQUIRE("ais_forward", model && options && result, error);
    walk w = {.o = *options, .rows = rows};
    gibbs_status status = check(model, &w.o, rows, error);
    if (status) return status;
    ebm_draw *draw = NULL;
    status = open_walk(model, &w, error);
    if (!status) status = ebm_draw_new(options->base, model->dtype, &model->alloc, &draw, error);
    if (!status) status = ebm_draw_run(draw, rows, options->seed, 0, error);
    if (!status) status = ebm_chains_start_native(w.chains, ebm_draw_y(draw), rows, error);
    if (!status) status = finish(&w, &model->alloc, log_weight, x, result, error);
    ebm_draw_free(draw);
    close_walk(model, &w);
    return status;
}

gibbs_status ebm_ais_reverse(ebm_model *model, const ebm_ais_options *options, const double *x, int64_t rows,
                             double *log_weight, ebm_ais *result, gibbs_error *error)
{
    GIBBS_REQUIRE("ais_reverse", model && options && x && result, error);
    walk w = {.o = *options, .rows = rows, .reverse = true};
    gibbs_status status = check(model, &w.o, rows, error);
    if (status) return status;
    status = open_walk(model, &w, error);
    if (!status) status = ebm_chains_start(w.chains, x, rows, error);
    if (!status) status = finish(&w, &model->alloc, log_weight, NULL, result, error);
    close_walk(model, &w);
    return status;
}
