/* draws.c — chains run for their draws. */
#include "base/options.h"
#include "ebm/sampler/chain_state.h"

#include <gibbs/draws.h>

#include <math.h>
#include <string.h>

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_draws_options, draws, 1000, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ebm_draws_options, thin, 1, '[', 1, INFINITY, ')'),
};

static gibbs_status copy_names(const char *const *names, ebm_draws *d, gibbs_error *error)
{
    if (!names) return GIBBS_OK;
    d->names = gibbs_alloc_zero(&d->allocator, (size_t)d->cols, sizeof *d->names);
    bool good = d->names;
    for (int64_t k = 0; good && k < d->cols; k++) {
        if (!names[k]) return gibbs_fail(error, GIBBS_ARGUMENT, "draws: column %lld has no name", (long long)k + 1);
        d->names[k] = gibbs_strdup(&d->allocator, names[k]);
        good = d->names[k];
    }
    return good ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "draws: out of memory");
}

static gibbs_status make_room(const ebm_chains *c, const ebm_draws_options *o, ebm_draws *d, gibbs_error *error)
{
    int64_t rows, count;
    *d = (ebm_draws){.chains = c->rows / (c->ladder ? c->rungs : 1), .draws = o->draws, .cols = c->model->dim,
                     .thin = o->thin, .allocator = c->alloc};
    if (!gibbs_mul_size(d->chains, d->draws, &rows) || !gibbs_mul_size(rows, d->cols, &count))
        return gibbs_fail(error, GIBBS_SIZE, "draws: %lld of %lld chains are too many", (long long)o->draws,
                          (long long)d->chains);
    d->x = gibbs_alloc(&d->allocator, (size_t)count, sizeof *d->x);
    d->energy = gibbs_alloc(&d->allocator, (size_t)rows, sizeof *d->energy);
    if (!d->x || !d->energy) return gibbs_fail(error, GIBBS_MEMORY, "draws: out of memory for %lld numbers",
                                               (long long)count);
    return copy_names(o->names, d, error);
}

/* Where all chains are: those that count go to `into`. */
static void keep(const ebm_chains *c, const double *all, ebm_draws *d, int64_t draw)
{
    int64_t stride = c->rows / d->chains;
    double *into = d->x + draw * d->chains * d->cols;
    for (int64_t k = 0; k < d->chains; k++)
        memcpy(into + k * d->cols, all + k * stride * d->cols, (size_t)d->cols * sizeof *into);
}

static gibbs_status record(ebm_chains *c, const ebm_draws_options *o, double *all, ebm_draws *d, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    for (int64_t t = 0; t < d->draws && !status; t++) {
        status = ebm_chains_run(c, o->thin, o->seed, o->step0, error);
        if (status) break;
        ebm_chains_get(c, all);
        keep(c, all, d, t);
        status = ebm_model_energy(c->model, d->x + t * d->chains * d->cols, d->chains, d->energy + t * d->chains, NULL,
                                  error);
    }
    d->step = ebm_chains_step(c);
    d->acceptance = ebm_chains_acceptance(c);
    return status;
}

gibbs_status ebm_chains_draws(ebm_chains *c, const ebm_draws_options *options, ebm_draws *out, gibbs_error *error)
{
    GIBBS_REQUIRE("draws", c && out, error);
    ebm_draws_options o = options ? *options : (ebm_draws_options){0};
    *out = (ebm_draws){0};
    if (!c->rows) return gibbs_fail(error, GIBBS_ARGUMENT, "draws: run before a start");
    gibbs_status status = gibbs_options_fill("draws", numbers, GIBBS_COUNT(numbers), &o, error);
    if (status) return status;
    status = make_room(c, &o, out, error);
    double *all = gibbs_alloc(&c->alloc, (size_t)(c->rows * c->model->dim), sizeof *all);
    if (!status && !all) status = gibbs_fail(error, GIBBS_MEMORY, "draws: out of memory");
    if (!status) status = record(c, &o, all, out, error);
    gibbs_release(&c->alloc, all);
    if (status) ebm_draws_free(out);
    return status;
}

void ebm_draws_free(ebm_draws *d)
{
    if (!d || !d->allocator.release) return;
    for (int64_t k = 0; d->names && k < d->cols; k++) gibbs_release(&d->allocator, d->names[k]);
    gibbs_release(&d->allocator, d->names);
    gibbs_release(&d->allocator, d->x);
    gibbs_release(&d->allocator, d->energy);
    *d = (ebm_draws){0};
}
