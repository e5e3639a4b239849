/* moments.c — sums over the rows of a table, as exact as double allows. */
#include "moments.h"

#include "ebm/data/data_private.h"

#include <math.h>
#include <string.h>

enum { BLOCK_ROWS = 256 }; /* sums over blocks are added up: less rounding, and a block stays in cache */

static int64_t block_end(const ebm_data *data, int64_t row)
{
    return data->rows - row < BLOCK_ROWS ? data->rows : row + BLOCK_ROWS;
}

static double weight_of(const ebm_data *data, int64_t row) { return data->weight ? data->weight[row] : 1; }

/* Σ w[row] (x[row, i] − mean[i]) (x[row, j] − mean[j]) over the rows of a block. */
static double block_product(const ebm_data *data, const double *mean, int64_t row, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t end = block_end(data, row); row < end; row++) {
        const double *x = data->x + row * data->cols;
        sum += weight_of(data, row) * (x[i] - mean[i]) * (x[j] - mean[j]);
    }
    return sum;
}

/* Twice over the data: the second pass takes the rounding out of the first one's mean. */
static void find_mean(const ebm_data *data, double *mean)
{
    memset(mean, 0, (size_t)data->cols * sizeof *mean);
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < data->cols; i++) {
            double total = 0;
            for (int64_t row = 0; row < data->rows; row = block_end(data, row)) {
                double sum = 0;
                for (int64_t r = row; r < block_end(data, row); r++)
                    sum += weight_of(data, r) * (data->x[r * data->cols + i] - mean[i]);
                total += sum;
            }
            mean[i] += total / ebm_data_weight(data);
        }
}

/* The covariance [d,d], or with `full` 0 the variances [d], times `factor`. */
static void find_covariance(const ebm_data *data, const double *mean, int full, double factor, double *covariance)
{
    int64_t d = data->cols, count = full ? d * d : d;
    memset(covariance, 0, (size_t)count * sizeof *covariance);
    for (int64_t row = 0; row < data->rows; row = block_end(data, row))
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = full ? 0 : i; j <= i; j++)
                covariance[full ? i * d + j : i] += block_product(data, mean, row, i, j);
    for (int64_t k = 0; k < count; k++) covariance[k] *= factor / ebm_data_weight(data);
    for (int64_t i = 0; full && i < d; i++)
        for (int64_t j = 0; j < i; j++) covariance[j * d + i] = covariance[i * d + j];
}

static gibbs_status check_columns(const char *who, const ebm_data *data, gibbs_error *error)
{
    for (int64_t col = 0; col < data->cols; col++) {
        int64_t row = 1;
        while (row < data->rows && data->x[row * data->cols + col] == data->x[col]) row++;
        if (row == data->rows)
            return gibbs_fail(error, GIBBS_NUMERIC, "%s: column %lld is always %g, so the covariance is singular", who,
                              (long long)col + 1, data->x[col]);
    }
    return GIBBS_OK;
}

static gibbs_status fill(const char *who, const ebm_data *data, double widen, int full, double *mean,
                         gibbs_error *error)
{
    int64_t d = data->cols;
    double *sd = mean + d, *covariance = full ? sd + d : sd;
    find_mean(data, mean);
    find_covariance(data, mean, full, widen * widen, covariance);
    for (int64_t i = 0; i < d; i++) {
        double variance = covariance[full ? i * d + i : i];
        sd[i] = sqrt(variance);
        if (!isfinite(1 / sd[i]) || !isfinite(sd[i]))
            return gibbs_fail(error, GIBBS_NUMERIC, "%s: the variance of column %lld is %g", who, (long long)i + 1,
                              variance);
    }
    return GIBBS_OK;
}

gibbs_status ebm_moments_new(const char *who, const ebm_data *data, double widen, int full,
                             const gibbs_allocator *allocator, double **mean, gibbs_error *error)
{
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    int64_t count;
    if (!(widen > 0 && isfinite(widen)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: widen is %g; it must be positive and finite", who, widen);
    gibbs_status status = ebm_data_check(data, error);
    if (!status) status = check_columns(who, data, error);
    if (status) return status;
    if (!gibbs_mul_size(data->cols, full ? data->cols : 0, &count) || count > INT64_MAX - 2 * data->cols)
        return gibbs_fail(error, GIBBS_SIZE, "%s: %lld columns are too many", who, (long long)data->cols);
    double *block = gibbs_alloc(&a, (size_t)(2 * data->cols + count), sizeof *block);
    if (!block) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", who);
    status = fill(who, data, widen, full, block, error);
    if (status) gibbs_release(&a, block);
    else *mean = block;
    return status;
}

void ebm_moments_free(double *mean, const gibbs_allocator *allocator)
{
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    gibbs_release(&a, mean);
}
