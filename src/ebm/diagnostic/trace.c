/* trace.c — a run of chains that notes one number of each after every few steps, and what the series says. */
#include "base/options.h"
#include "ebm/sampler/chain_state.h"

#include <math.h>
#include <string.h>

double ebm_scalar_column(const double *x, int64_t dim, void *context)
{
    const int64_t *column = context;
    return column && *column >= 0 && *column < dim ? x[*column] : NAN;
}

/* Of the first temperature only, when there are several. */
static int64_t stride_of(const ebm_chains *c) { return c->ladder ? c->rungs : 1; }

/* x has room for all chains; `energy` likewise, when f is NULL. */
static gibbs_status note(ebm_chains *c, const ebm_trace_options *o, double *x, double *energy, double *into,
                         gibbs_error *error)
{
    int64_t stride = stride_of(c), dim = c->model->dim;
    ebm_chains_get(c, x);
    gibbs_status status = o->f ? GIBBS_OK : ebm_model_energy(c->model, x, c->rows, energy, NULL, error);
    for (int64_t r = 0; r < c->rows && !status; r += stride) {
        double f = into[r / stride] = o->f ? o->f(x + r * dim, dim, o->context) : energy[r];
        if (!isfinite(f))
            status = gibbs_fail_row(error, GIBBS_DATA, r, "trace: %s is %g at the chain of row %lld",
                                    o->f ? "options.f" : "the energy", f, (long long)r + 1);
    }
    return status;
}

static gibbs_status record(ebm_chains *c, const ebm_trace_options *o, double *x, double *energy, double *series,
                           gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    int64_t chains = c->rows / stride_of(c);
    for (int64_t t = 0; t < o->steps && !status; t++) {
        status = ebm_chains_run(c, o->every, o->seed, o->step0, error);
        if (!status) status = note(c, o, x, energy, series + t * chains, error);
    }
    return status;
}

static void moments(const double *series, int64_t n, ebm_trace *trace)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += series[i];
    trace->mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += (series[i] - trace->mean) * (series[i] - trace->mean);
    trace->sd = sqrt(squares / (double)(n - 1));
}

static gibbs_status judge(const ebm_chains *c, const ebm_trace_options *o, const double *series, ebm_trace *result,
                          gibbs_error *error)
{
    int64_t chains = c->rows / stride_of(c);
    ebm_trace trace = {.acceptance = ebm_chains_acceptance(c)};
    gibbs_status status = ebm_effective_size(series, o->steps, chains, &c->alloc, &trace.ess, error);
    if (!status) status = ebm_split_r_hat(series, o->steps, chains, 1, &c->alloc, &trace.r_hat, error);
    if (status) return status;
    moments(series, o->steps * chains, &trace);
    trace.standard_error = trace.sd / sqrt(trace.ess);
    *result = trace;
    return GIBBS_OK;
}

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_trace_options, steps, 1000, '[', 4, INFINITY, ')'),
    GIBBS_OPTION(ebm_trace_options, every, 1, '[', 1, INFINITY, ')'),
};

static gibbs_status check(const ebm_chains *c, ebm_trace_options *o, int64_t *count, gibbs_error *error)
{
    if (!c->rows) return gibbs_fail(error, GIBBS_ARGUMENT, "trace: run before a start");
    gibbs_status status = gibbs_options_fill("trace", numbers, GIBBS_COUNT(numbers), o, error);
    if (status) return status;
    if (!gibbs_mul_size(o->steps, c->rows, count))
        return gibbs_fail(error, GIBBS_SIZE, "trace: %lld steps of %lld chains are too many", (long long)o->steps,
                          (long long)c->rows);
    return GIBBS_OK;
}

gibbs_status ebm_chains_trace(ebm_chains *c, const ebm_trace_options *options, double *series, ebm_trace *result,
                              gibbs_error *error)
{
    GIBBS_REQUIRE("trace", c && result, error);
    ebm_trace_options filled = options ? *options : (ebm_trace_options){0}, *o = &filled;
    int64_t count = 0;
    gibbs_status status = check(c, o, &count, error);
    if (status) return status;
    double *own = series ? NULL : gibbs_alloc(&c->alloc, (size_t)count, sizeof *own);
    double *x = gibbs_alloc(&c->alloc, (size_t)(c->rows * c->model->dim), sizeof *x);
    double *energy = gibbs_alloc(&c->alloc, (size_t)c->rows, sizeof *energy);
    if ((series || own) && x && energy) status = record(c, o, x, energy, series ? series : own, error);
    else status = gibbs_fail(error, GIBBS_MEMORY, "trace: out of memory");
    if (!status) status = judge(c, o, series ? series : own, result, error);
    gibbs_release(&c->alloc, energy);
    gibbs_release(&c->alloc, x);
    gibbs_release(&c->alloc, own);
    return status;
}
