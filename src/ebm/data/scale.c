/* scale.c — columns to mean 0 and standard deviation 1. Everything is checked before a number is changed. */
#include "data_private.h"

#include <math.h>
#include <string.h>

/* Below, `count` is the number of columns, from the first, that are standardised. Rows of weight 0 are not looked at.
 *
 * What a row counts, as a part of the largest weight, so that no sum overflows; and what all rows count. */
typedef struct shares {
    const double *weight;
    double largest, sum;
} shares;

static double share(const shares *s, int64_t row)
{
    return s->weight ? s->weight[row] / s->largest : 1;
}

static shares shares_of(const ebm_data *data)
{
    shares s = {.weight = data->weight};
    for (int64_t row = 0; s.weight && row < data->rows; row++) s.largest = fmax(s.largest, s.weight[row]);
    for (int64_t row = 0; row < data->rows; row++) s.sum += share(&s, row);
    return s;
}

/* mean[c], by sums of differences from the first row that counts: a constant column gets its exact value. */
static void column_means(const ebm_data *data, const shares *s, int64_t count, double *mean)
{
    const double *first = NULL, *x = data->x;
    memset(mean, 0, (size_t)count * sizeof *mean);
    for (int64_t row = 0; row < data->rows; row++, x += data->cols) {
        double w = share(s, row);
        if (!first && w > 0) first = x;
        for (int64_t c = 0; w > 0 && c < count; c++) mean[c] += w * (x[c] - first[c]);
    }
    for (int64_t c = 0; c < count; c++) mean[c] = first[c] + mean[c] / s->sum;
}

/* spread[c] = max |x − mean|: 0 exactly where the column is constant, not finite where its range is no double. */
static void column_spreads(const ebm_data *data, const shares *s, int64_t count, const double *mean, double *spread)
{
    const double *x = data->x;
    memset(spread, 0, (size_t)count * sizeof *spread);
    for (int64_t row = 0; row < data->rows; row++, x += data->cols)
        for (int64_t c = 0; share(s, row) > 0 && c < count; c++) spread[c] = fmax(spread[c], fabs(x[c] - mean[c]));
}

static gibbs_status check_spreads(const ebm_data *data, int64_t count, const double *mean, const double *spread,
                                  gibbs_error *error)
{
    char label[EBM_LABEL_SIZE];
    for (int64_t c = 0; c < count; c++) {
        if (spread[c] == 0)
            return gibbs_fail(error, GIBBS_DATA, "%s is constant: it cannot be standardised",
                              ebm_column_label(label, data->names, c));
        if (!isfinite(spread[c]) || !isfinite(mean[c]))
            return gibbs_fail(error, GIBBS_DATA, "%s has too wide a range to be standardised",
                              ebm_column_label(label, data->names, c));
    }
    return GIBBS_OK;
}

/* sd[c] holds the spread and gets the deviation. Taking squares of x/spread lets nothing over- or underflow. */
static void column_deviations(const ebm_data *data, const shares *s, int64_t count, const double *mean, double *sd,
                              double *squares)
{
    const double *x = data->x;
    memset(squares, 0, (size_t)count * sizeof *squares);
    for (int64_t row = 0; row < data->rows; row++, x += data->cols) {
        double w = share(s, row);
        for (int64_t c = 0; w > 0 && c < count; c++) {
            double z = (x[c] - mean[c]) / sd[c];
            squares[c] += w * z * z;
        }
    }
    for (int64_t c = 0; c < count; c++) sd[c] *= sqrt(squares[c] / s->sum);
}

static gibbs_status check_scale(const ebm_data *data, const double *mean, const double *sd, gibbs_error *error)
{
    char label[EBM_LABEL_SIZE];
    for (int64_t c = 0; c < data->cols; c++)
        if (!isfinite(mean[c]) || !isfinite(sd[c]) || !(sd[c] > 0))
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: mean %g and deviation %g are no scale",
                              ebm_column_label(label, data->names, c), mean[c], sd[c]);
    return GIBBS_OK;
}

gibbs_status ebm_data_apply_scale(ebm_data *data, const double *mean, const double *sd, gibbs_error *error)
{
    GIBBS_REQUIRE("apply_scale", data && mean && sd, error);
    gibbs_status status = ebm_data_check(data, error);
    if (!status) status = check_scale(data, mean, sd, error);
    if (status) return status;
    double *x = data->x;
    for (int64_t row = 0; row < data->rows; row++, x += data->cols)
        for (int64_t c = 0; c < data->cols; c++) x[c] = (x[c] - mean[c]) / sd[c];
    return GIBBS_OK;
}

gibbs_status ebm_data_standardise_first(ebm_data *data, int64_t count, double *mean, double *sd, gibbs_error *error)
{
    GIBBS_REQUIRE("standardise", data, error);
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    if (count < 1 || count > data->cols)
        return gibbs_fail(error, GIBBS_ARGUMENT, "standardise: %lld columns of a table that has %lld",
                          (long long)count, (long long)data->cols);
    gibbs_allocator a = ebm_data_allocator(data);
    size_t cols = (size_t)data->cols;
    double *scratch = gibbs_alloc(&a, cols, 3 * sizeof *scratch);
    if (!scratch) return gibbs_fail(error, GIBBS_MEMORY, "no memory to standardise %lld columns", (long long)cols);
    double *own_mean = scratch, *own_sd = scratch + cols, *squares = scratch + 2 * cols;
    for (size_t c = (size_t)count; c < cols; c++) own_mean[c] = 0, own_sd[c] = 1;
    const shares s = shares_of(data);
    column_means(data, &s, count, own_mean);
    column_spreads(data, &s, count, own_mean, own_sd);
    status = check_spreads(data, count, own_mean, own_sd, error);
    if (!status) {
        column_deviations(data, &s, count, own_mean, own_sd, squares);
        status = ebm_data_apply_scale(data, own_mean, own_sd, error);
    }
    if (!status && mean) memcpy(mean, own_mean, cols * sizeof *mean);
    if (!status && sd) memcpy(sd, own_sd, cols * sizeof *sd);
    gibbs_release(&a, scratch);
    return status;
}

gibbs_status ebm_data_standardise(ebm_data *data, double *mean, double *sd, gibbs_error *error)
{
    return ebm_data_standardise_first(data, data ? data->cols : 0, mean, sd, error);
}
