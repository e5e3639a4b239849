/* model_sample.c — where what a model varies by comes from: the first of exact points, weights and chains that can be
 * had. Chains are drawn once until they are mixed, and then noted again and again, as far apart as they take to
 * forget. */
#include "model_sample.h"

#include "ebm/log_z/weights.h"
#include "ebm/objective/source.h"
#include "ebm/space/space.h"

#include <math.h>
#include <string.h>

enum { NOTES = 32, FEW_STATES = 4096, LEAST_WORTH = 500 };

static gibbs_status room(ebm_model_sample *s, int64_t rows, int64_t dim, bool weighted, gibbs_error *error)
{
    s->rows = (ebm_weighed_rows){.count = rows};
    s->rows.x = s->x = gibbs_alloc(&s->alloc, (size_t)rows, (size_t)dim * sizeof *s->x);
    if (weighted) s->rows.weight = s->weight = gibbs_alloc(&s->alloc, (size_t)rows, sizeof *s->weight);
    if (s->x && (s->weight || !weighted)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_MEMORY, "standard errors: out of memory for %lld rows", (long long)rows);
}

/* Shares become weights of mean 1, which count rows. */
static void count_shares(ebm_model_sample *s)
{
    for (int64_t r = 0; r < s->rows.count; r++) s->weight[r] *= (double)s->rows.count;
    s->rows.seen = (double)s->rows.count;
}

/* ---- All states, or the nodes of a quadrature ---- */

static gibbs_status of_points(ebm_model *m, const ebm_points *p, ebm_model_sample *s, gibbs_error *error)
{
    if (p->dim != m->dim)
        return gibbs_fail(error, GIBBS_SHAPE, "standard errors: the points have %lld columns, the model %lld",
                          (long long)p->dim, (long long)m->dim);
    gibbs_status status = room(s, p->rows, p->dim, true, error);
    if (status) return status;
    memcpy(s->x, p->x, (size_t)(p->rows * p->dim) * sizeof *s->x);
    status = ebm_model_energy(m, p->x, p->rows, s->weight, NULL, error);
    for (int64_t r = 0; r < p->rows; r++) s->weight[r] = p->log_weight[r] - s->weight[r];
    if (!status)
        status = ebm_weigh("standard errors", GIBBS_FLOAT64, s->weight, p->rows, false, &s->alloc, s->weight, NULL,
                           error);
    if (status) return status;
    count_shares(s);
    s->worth = INFINITY;
    return GIBBS_OK;
}

/* ---- Draws of a proposal ---- */

/* Whether they are of use is told by *good. */
static gibbs_status of_weights(ebm_model *m, const ebm_proposal *q, const ebm_errors_options *o, ebm_model_sample *s,
                               bool *good, gibbs_error *error)
{
    ebm_importance worth;
    gibbs_status status = room(s, o->rows, m->dim, true, error);
    if (status) return status;
    status = ebm_importance_sample(m, q, o->rows, o->seed, s->x, s->weight, &worth, error);
    *good = !status && !(worth.k > 0.5) && worth.ess >= LEAST_WORTH;
    if (*good) count_shares(s);
    if (*good) s->worth = worth.ess;
    return status == GIBBS_MEMORY ? status : GIBBS_OK;
}

/* ---- Chains ---- */

/* From the end of the first note on. */
static gibbs_status more_notes(ebm_model *m, const ebm_chain_options *chain, const ebm_draw_report *report,
                               int64_t each, uint64_t seed, ebm_model_sample *s, gibbs_error *error)
{
    ebm_chain_options o = *chain;
    ebm_chains *chains;
    o.step = report->step;
    /* R̂ = 1 + τ/n over the last stretch */
    double forget = fmax(report->r_hat - 1, 0) * (double)(report->steps + 100) / 2;
    int64_t apart = isfinite(forget) ? 1 + (int64_t)(2 * forget) : 100;
    gibbs_status status = ebm_chains_new(m, &o, &chains, error);
    if (!status) status = ebm_chains_start(chains, s->x, each, error);
    for (int k = 1; !status && k < NOTES; k++) {
        status = ebm_chains_run(chains, apart, seed, 0, error);
        if (!status) ebm_chains_get(chains, s->x + k * each * m->dim);
    }
    ebm_chains_free(chains);
    return status;
}

static gibbs_status of_chains(ebm_model *m, const ebm_data *start, const ebm_draw_options *draw,
                              const ebm_errors_options *o, ebm_model_sample *s, gibbs_error *error)
{
    bool ladder = draw->chain->temperatures > 0;
    int64_t each = ladder ? o->rows : (o->rows + NOTES - 1) / NOTES, rows = ladder ? each : each * NOTES;
    ebm_draw_report report;
    gibbs_status status = room(s, rows, m->dim, false, error);
    if (!status) status = ebm_model_draw(m, start, each, draw, s->x, &report, error);
    if (!status && !ladder) status = more_notes(m, draw->chain, &report, each, draw->seed + 1, s, error);
    s->worth = (double)rows;
    return status;
}

/* What a fit of this loss would move the model by: sweeps where it sees states alone. */
static ebm_chain_options chain_of(const ebm_loss *loss, const ebm_loss_options *o, bool discrete)
{
    ebm_chain_options chain = ebm_loss_chain(o);
    if (!chain.sampler) chain.sampler = loss->sampler;
    if (!chain.sampler || chain.sampler == &ebm_ula) chain.sampler = discrete ? &ebm_gibbs : &ebm_mala;
    if (chain.sampler != &ebm_independence_mh) chain.proposal = NULL;
    return chain;
}

static gibbs_status of_loss(ebm_model *m, const ebm_data *start, const ebm_loss *loss, const ebm_loss_options *lo,
                            const ebm_errors_options *o, ebm_model_sample *s, gibbs_error *error)
{
    ebm_space space;
    ebm_points points;
    bool discrete = loss->check_row != NULL, good = false;
    gibbs_status status = discrete ? ebm_space_of_rows("standard errors", &lo->space, m->dim, &space, error) : GIBBS_OK;
    if (!status && discrete && ebm_space_size(&space) > 0 && ebm_space_size(&space) <= FEW_STATES) {
        status = ebm_points_space(&space, &s->alloc, &points, error);
        if (status) return status;
        status = of_points(m, &points, s, error);
        ebm_points_free(&points);
        return status;
    }
    if (!status && !discrete && lo->proposal) status = of_weights(m, lo->proposal, o, s, &good, error);
    if (status || good) return status;
    ebm_model_sample_free(s);
    const ebm_chain_options chain = chain_of(loss, lo, discrete);
    return of_chains(m, start, &(ebm_draw_options){.chain = &chain, .seed = o->seed}, o, s, error);
}

static gibbs_status make(ebm_model *m, const ebm_data *start, const ebm_loss *loss, const ebm_loss_options *lo,
                         const ebm_errors_options *o, ebm_model_sample *s, gibbs_error *error)
{
    static const ebm_chain_options plain;
    const ebm_points *points = o->points ? o->points : loss->noise == EBM_NOISE_POINTS ? lo->points : NULL;
    if (points) return of_points(m, points, s, error);
    if (!o->draw) return of_loss(m, start, loss, lo, o, s, error);
    ebm_draw_options draw = *o->draw;
    if (!draw.chain) draw.chain = &plain;
    return of_chains(m, start, &draw, o, s, error);
}

/* At a boundary one row has all of the model, and there is no variance that rounding does not make. */
static gibbs_status check_spread(const ebm_model_sample *s, int64_t dim, gibbs_error *error)
{
    int64_t same = 0;
    double largest = 0;
    while (same < s->rows.count && !memcmp(s->x, s->x + same * dim, (size_t)dim * sizeof *s->x)) same++;
    for (int64_t r = 0; s->weight && r < s->rows.count; r++) largest = fmax(largest, s->weight[r]);
    if (same < s->rows.count && !(largest > (1 - 1e-9) * s->rows.seen)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_NUMERIC, "standard errors by the model: at these parameters it has one row and no "
                      "other: they are at a boundary, or run away");
}

gibbs_status ebm_model_sample_new(ebm_model *twin, const ebm_data *start, const ebm_loss *loss,
                                  const ebm_loss_options *loss_options, const ebm_errors_options *options,
                                  ebm_model_sample *sample, gibbs_error *error)
{
    *sample = (ebm_model_sample){.alloc = twin->alloc};
    gibbs_status status = ebm_refuse_conditional("standard errors by the model", twin,
                                                 "take the sandwich, or EBM_ERRORS_BOOTSTRAP", error);
    if (!status) status = make(twin, start, loss, loss_options, options, sample, error);
    if (!status) status = check_spread(sample, twin->dim, error);
    if (status) ebm_model_sample_free(sample);
    return status;
}

void ebm_model_sample_free(ebm_model_sample *s)
{
    gibbs_release(&s->alloc, s->x);
    gibbs_release(&s->alloc, s->weight);
    *s = (ebm_model_sample){.alloc = s->alloc};
}
