/* draws_summary.c — what draws say of each column (Vehtari et al. 2021 §3–4). */
#include "split_chains.h"

#include <gibbs/draws.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Type 7: between the order statistics around (n − 1)p. */
static double quantile(const double *sorted, int64_t n, double p)
{
    double place = (double)(n - 1) * p;
    int64_t below = (int64_t)place;
    if (below + 1 >= n) return sorted[n - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* The effective size of the series, as it is or of its normal scores; NaN where it never changes. */
static gibbs_status effective(const ebm_draws *d, const double *series, bool scores, double *ess, gibbs_error *error)
{
    ebm_halves h;
    *ess = NAN;
    gibbs_status status = ebm_halves_new("draws", series, d->draws, d->chains, &d->allocator, &h, error);
    if (status) return status;
    if (scores) status = ebm_halves_score("draws", &h, error);
    if (!status && h.within > 0) *ess = ebm_halves_effective_size(&h);
    ebm_halves_free(&h);
    return status;
}

/* The share of draws at most q: 1 or 0 of each. */
static gibbs_status tail(const ebm_draws *d, const double *series, double q, double *flags, double *ess,
                         gibbs_error *error)
{
    for (int64_t i = 0; i < d->draws * d->chains; i++) flags[i] = series[i] <= q;
    return effective(d, flags, false, ess, error);
}

static void moments(const double *series, int64_t n, ebm_draws_summary *s)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += series[i];
    s->mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += (series[i] - s->mean) * (series[i] - s->mean);
    s->sd = sqrt(squares / (double)(n - 1));
}

/* `work` has room for the series. */
static gibbs_status summarise(const ebm_draws *d, const double *series, double *work, ebm_draws_summary *s,
                              gibbs_error *error)
{
    int64_t n = d->draws * d->chains;
    double low, high, ess;
    gibbs_status status = effective(d, series, false, &ess, error); /* numbers that are not finite are found here */
    if (status) return status;
    moments(series, n, s);
    memcpy(work, series, (size_t)n * sizeof *work);
    qsort(work, (size_t)n, sizeof *work, compare);
    s->q5 = quantile(work, n, 0.05), s->median = quantile(work, n, 0.5), s->q95 = quantile(work, n, 0.95);
    s->r_hat = s->ess_bulk = s->ess_tail = s->mcse = NAN;
    if (work[0] == work[n - 1]) return GIBBS_OK;
    status = effective(d, series, true, &s->ess_bulk, error);
    if (!status) status = tail(d, series, s->q5, work, &low, error);
    if (!status) status = tail(d, series, s->q95, work, &high, error);
    if (!status) status = ebm_split_r_hat(series, d->draws, d->chains, 1, &d->allocator, &s->r_hat, error);
    if (status) return status;
    s->mcse = s->sd / sqrt(ess);
    s->ess_tail = fmin(low, high);
    return GIBBS_OK;
}

gibbs_status ebm_draws_summarise(const ebm_draws *d, ebm_draws_summary *summary, gibbs_error *error)
{
    GIBBS_REQUIRE("draws", d && d->x && summary, error);
    ebm_draws own = *d; /* filled in by hand, it may have none */
    own.allocator = gibbs_allocator_or_default(d->allocator.alloc ? &d->allocator : NULL);
    int64_t n = d->draws * d->chains;
    double *series = gibbs_alloc(&own.allocator, 2 * (size_t)n, sizeof *series);
    gibbs_status status = series ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "draws: out of memory");
    for (int64_t k = 0; k < d->cols && !status; k++) {
        for (int64_t i = 0; i < n; i++) series[i] = d->x[i * d->cols + k];
        status = summarise(&own, series, series + n, &summary[k], error);
    }
    gibbs_release(&own.allocator, series);
    return status;
}
