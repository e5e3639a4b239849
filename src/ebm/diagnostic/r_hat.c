/* r_hat.c — split R̂ (Gelman et al. 2013 §11.4), plain or of normal scores (Vehtari et al. 2021 §4). */
#include "normal.h"
#include "split_chains.h"

#include <gibbs/ebm.h>
#include <math.h>
#include <stdlib.h>

static const char NAME[] = "split R-hat";

static double r_hat(const ebm_halves *h) { return sqrt(ebm_halves_variance(h) / h->within); }

/* ---- Normal scores ---- */

typedef struct ranked {
    double value;
    int64_t place;
} ranked;

static int by_value(const void *a, const void *b)
{
    double x = ((const ranked *)a)->value, y = ((const ranked *)b)->value;
    return (x > y) - (x < y);
}

static void sort(const ebm_halves *h, ranked *order)
{
    int64_t n = h->count * h->length;
    for (int64_t i = 0; i < n; i++) order[i] = (ranked){h->x[i], i};
    qsort(order, (size_t)n, sizeof *order, by_value);
}

/* x becomes Φ⁻¹((r − 3/8)/(n + 1/4)), r the rank; equal numbers share the average of theirs. */
static void score(ebm_halves *h, ranked *order)
{
    int64_t n = h->count * h->length, end;
    sort(h, order);
    for (int64_t first = 0; first < n; first = end) {
        for (end = first + 1; end < n && order[end].value == order[first].value;) end++;
        double rank = 0.5 * (double)(first + 1 + end), z = ebm_normal_quantile((rank - 0.375) / ((double)n + 0.25));
        for (int64_t i = first; i < end; i++) h->x[order[i].place] = z;
    }
    ebm_halves_measure(h);
}

/* x becomes its distance to the median. n is even. */
static void fold(ebm_halves *h, ranked *order)
{
    int64_t n = h->count * h->length;
    sort(h, order);
    double median = 0.5 * (order[n / 2 - 1].value + order[n / 2].value);
    for (int64_t i = 0; i < n; i++) h->x[i] = fabs(h->x[i] - median);
}

/* Distances that are all equal, as of two values, say nothing: their R̂ is NaN, which fmax leaves out. */
static double larger_of_ranked(ebm_halves *plain, ebm_halves *folded, ranked *order)
{
    score(plain, order);
    fold(folded, order);
    score(folded, order);
    return fmax(r_hat(plain), r_hat(folded));
}

static gibbs_status ranked_r_hat(const double *series, int64_t steps, int64_t chains, ebm_halves *h, double *out,
                                 gibbs_error *error)
{
    ebm_halves folded;
    gibbs_status status = ebm_halves_new(NAME, series, steps, chains, &h->alloc, &folded, error);
    if (status) return status;
    ranked *order = gibbs_alloc(&h->alloc, (size_t)(h->count * h->length), sizeof *order);
    if (order) *out = larger_of_ranked(h, &folded, order);
    else status = gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", NAME);
    gibbs_release(&h->alloc, order);
    ebm_halves_free(&folded);
    return status;
}

gibbs_status ebm_split_r_hat(const double *series, int64_t steps, int64_t chains, int ranks,
                             const gibbs_allocator *allocator, double *out, gibbs_error *error)
{
    GIBBS_REQUIRE("split R-hat", out, error);
    ebm_halves h;
    gibbs_status status = ebm_halves_new(NAME, series, steps, chains, allocator, &h, error);
    if (status) return status;
    status = ebm_halves_check(NAME, &h, error);
    if (!status && ranks) status = ranked_r_hat(series, steps, chains, &h, out, error);
    else if (!status) *out = r_hat(&h);
    ebm_halves_free(&h);
    return status;
}
