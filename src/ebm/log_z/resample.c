/* resample.c — rows drawn in proportion to their weights. Weights are taken relative to the largest one, so that
 * neither large ones overflow nor small ones vanish in the sum. */
#include "ebm/model/model.h"

#include <Random123/philox.h>
#include <math.h>

/* Uniform on (0, 1), a function of seed and i. */
static double uniform(uint64_t seed, int64_t i)
{
    philox4x64_ctr_t counter = {{(uint64_t)i, 0, 0, 0}};
    philox4x64_key_t key = {{seed, EBM_STREAM_RESAMPLE}};
    return ((double)(philox4x64(counter, key).v[0] >> 12) + 0.5) * 0x1p-52;
}

/* The largest weight; 0 with an error when there is no distribution. */
static double find_largest(const double *weight, int64_t rows, gibbs_error *error)
{
    double largest = 0;
    for (int64_t r = 0; r < rows; r++) {
        if (!(weight[r] >= 0 && isfinite(weight[r]))) {
            gibbs_fail_row(error, GIBBS_DATA, r, "resample: the weight is %g at row %lld", weight[r],
                           (long long)r + 1);
            return 0;
        }
        if (weight[r] > largest) largest = weight[r];
    }
    if (largest == 0) gibbs_fail(error, GIBBS_DATA, "resample: all weights are 0");
    return largest;
}

/* The last row that can be drawn: where rounding puts a position past the end of the sum, it is this one. */
static int64_t last_positive(const double *weight, int64_t rows)
{
    while (weight[rows - 1] == 0) rows--;
    return rows - 1;
}

/* Evenly spaced positions with one random offset, in one walk along the sum. */
static void systematic(const double *weight, int64_t rows, int64_t count, uint64_t seed, double largest, int64_t *index)
{
    double offset = uniform(seed, 0), total = 0, sum = weight[0] / largest;
    int64_t row = 0, last = last_positive(weight, rows);
    for (int64_t r = 0; r < rows; r++) total += weight[r] / largest;
    for (int64_t i = 0; i < count; i++) {
        double position = ((double)i + offset) / (double)count * total;
        while (row < last && sum <= position) sum += weight[++row] / largest;
        index[i] = row;
    }
}

/* The first row whose running sum exceeds the position. */
static int64_t search(const double *sum, int64_t last, double position)
{
    int64_t low = 0, high = last;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sum[middle] > position) high = middle;
        else low = middle + 1;
    }
    return low;
}

static gibbs_status multinomial_draws(const double *weight, int64_t rows, int64_t count, uint64_t seed, double largest,
                                      const gibbs_allocator *allocator, int64_t *index, gibbs_error *error)
{
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    int64_t last = last_positive(weight, rows);
    double total = 0, *sum = gibbs_alloc(&a, (size_t)rows, sizeof *sum);
    if (!sum) return gibbs_fail(error, GIBBS_MEMORY, "resample: out of memory for %lld weights", (long long)rows);
    for (int64_t r = 0; r < rows; r++) sum[r] = total += weight[r] / largest;
    for (int64_t i = 0; i < count; i++) index[i] = search(sum, last, uniform(seed, i) * total);
    gibbs_release(&a, sum);
    return GIBBS_OK;
}

gibbs_status ebm_resample(const double *weight, int64_t rows, int64_t count, int multinomial, uint64_t seed,
                          const gibbs_allocator *allocator, int64_t *index, gibbs_error *error)
{
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    if (rows < 1) return gibbs_fail(error, GIBBS_DATA, "resample: no rows");
    if (count < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "resample: %lld draws; at least 1 is needed", (long long)count);
    if (!weight || !index)
        return gibbs_fail(error, GIBBS_ARGUMENT, "resample: no %s", weight ? "place for the rows" : "weights");
    double largest = find_largest(weight, rows, error);
    if (largest == 0) return GIBBS_DATA;
    if (multinomial) return multinomial_draws(weight, rows, count, seed, largest, allocator, index, error);
    systematic(weight, rows, count, seed, largest, index);
    return GIBBS_OK;
}
