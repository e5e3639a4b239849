/* effective_size.c — the effective sample size of several chains: Stan's definition, autocorrelations over all halves
 * (Vehtari et al. 2021 §3.2) summed over Geyer's (1992) initial monotone sequence. Lags are computed until the sum
 * ends, which for chains that mix is soon. */
#include "split_chains.h"

#include <gibbs/ebm.h>
#include <math.h>

static const char NAME[] = "effective size";

/* ρ_t = 1 − (W − mean autocovariance at lag t)/var⁺, divisor `length`; W is that of lag 0 with divisor length − 1. */
static double correlation(const ebm_halves *h, int64_t lag)
{
    double sum = 0;
    for (int64_t s = 0; s < h->count; s++) {
        const double *x = h->x + s * h->length;
        for (int64_t t = 0; t + lag < h->length; t++) sum += (x[t] - h->mean[s]) * (x[t + lag] - h->mean[s]);
    }
    return 1 - (h->within - sum / (double)(h->count * h->length)) / ebm_halves_variance(h);
}

/* τ = −1 + 2 Σ (ρ_2k + ρ_2k+1) over the pairs before the first that is not positive, none counted as more than the one
 * before it. The even ρ of the pair after them is added when it is positive: chains that alternate need it. */
static double autocorrelation_time(const ebm_halves *h)
{
    double even = 1, pair = 1 + correlation(h, 1), least = INFINITY, sum = 0;
    for (int64_t lag = 2; pair > 0 && lag + 2 < h->length; lag += 2) {
        least = fmin(least, pair);
        sum += least;
        even = correlation(h, lag);
        pair = even + correlation(h, lag + 1);
    }
    return -1 + 2 * sum + fmax(even, 0);
}

double ebm_halves_effective_size(const ebm_halves *h)
{
    double n = (double)(h->count * h->length);
    return n / fmax(autocorrelation_time(h), 1 / log10(n));
}

gibbs_status ebm_effective_size(const double *series, int64_t steps, int64_t chains, const gibbs_allocator *allocator,
                                double *ess, gibbs_error *error)
{
    GIBBS_REQUIRE("effective size", ess, error);
    ebm_halves h;
    gibbs_status status = ebm_halves_new(NAME, series, steps, chains, allocator, &h, error);
    if (status) return status;
    status = ebm_halves_check(NAME, &h, error);
    if (!status) *ess = ebm_halves_effective_size(&h);
    ebm_halves_free(&h);
    return status;
}
