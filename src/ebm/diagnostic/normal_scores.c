/* normal_scores.c — numbers by their ranks (Vehtari et al. 2021 §4). */
#include "normal.h"
#include "split_chains.h"

#include <math.h>
#include <stdlib.h>

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

static gibbs_status by_ranks(const char *what, ebm_halves *h, bool folded, gibbs_error *error)
{
    ranked *order = gibbs_alloc(&h->alloc, (size_t)(h->count * h->length), sizeof *order);
    if (!order) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", what);
    if (folded) fold(h, order);
    score(h, order);
    gibbs_release(&h->alloc, order);
    return GIBBS_OK;
}

gibbs_status ebm_halves_score(const char *what, ebm_halves *h, gibbs_error *error)
{
    return by_ranks(what, h, false, error);
}

gibbs_status ebm_halves_score_folded(const char *what, ebm_halves *h, gibbs_error *error)
{
    return by_ranks(what, h, true, error);
}
