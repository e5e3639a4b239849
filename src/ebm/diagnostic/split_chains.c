/* split_chains.c — chains in halves, and the variances within and between them. */
#include "split_chains.h"

#include <math.h>

static gibbs_status check(const char *what, const double *series, int64_t steps, int64_t chains, gibbs_error *error)
{
    int64_t count;
    if (!series) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a required pointer is NULL", what);
    if (steps < 4 || chains < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld steps of %lld chains; at least 4 of 1 are needed", what,
                          (long long)steps, (long long)chains);
    if (!gibbs_mul_size(steps, chains, &count) || count > PTRDIFF_MAX / 16)
        return gibbs_fail(error, GIBBS_SIZE, "%s: %lld steps of %lld chains are too many", what, (long long)steps,
                          (long long)chains);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(series[i]))
            return gibbs_fail(error, GIBBS_DATA, "%s: %g at step %lld of chain %lld", what, series[i],
                              (long long)(i / chains) + 1, (long long)(i % chains) + 1);
    return GIBBS_OK;
}

gibbs_status ebm_halves_new(const char *what, const double *series, int64_t steps, int64_t chains,
                            const gibbs_allocator *allocator, ebm_halves *h, gibbs_error *error)
{
    *h = (ebm_halves){.alloc = gibbs_allocator_or_default(allocator), .count = 2 * chains, .length = steps / 2};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_status status = check(what, series, steps, chains, error);
    if (status) return status;
    h->x = gibbs_alloc(&h->alloc, (size_t)(h->count * h->length), sizeof *h->x);
    h->mean = gibbs_alloc(&h->alloc, (size_t)h->count, sizeof *h->mean);
    if (!h->x || !h->mean) {
        ebm_halves_free(h);
        return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", what);
    }
    for (int64_t s = 0; s < h->count; s++) {
        int64_t first = s % 2 ? steps - h->length : 0;
        for (int64_t t = 0; t < h->length; t++) h->x[s * h->length + t] = series[(first + t) * chains + s / 2];
    }
    ebm_halves_measure(h);
    return GIBBS_OK;
}

void ebm_halves_free(ebm_halves *h)
{
    gibbs_release(&h->alloc, h->x);
    gibbs_release(&h->alloc, h->mean);
    h->x = h->mean = NULL;
}

static double mean_of(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static double variance_of(const double *x, int64_t n, double mean)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)(n - 1);
}

void ebm_halves_measure(ebm_halves *h)
{
    h->within = 0;
    for (int64_t s = 0; s < h->count; s++) {
        const double *x = h->x + s * h->length;
        h->mean[s] = mean_of(x, h->length);
        h->within += variance_of(x, h->length, h->mean[s]) / (double)h->count;
    }
    h->between = variance_of(h->mean, h->count, mean_of(h->mean, h->count));
}

double ebm_halves_variance(const ebm_halves *h)
{
    return h->within * (double)(h->length - 1) / (double)h->length + h->between;
}

gibbs_status ebm_halves_check(const char *what, const ebm_halves *h, gibbs_error *error)
{
    int64_t i = 1, n = h->count * h->length;
    while (i < n && h->x[i] == h->x[0]) i++;
    return i < n ? GIBBS_OK : gibbs_fail(error, GIBBS_NUMERIC, "%s: all numbers of the series are %g", what, h->x[0]);
}
