/* table.c — making, checking, weighing and freeing tables. */
#include "data_private.h"

#include <math.h>
#include <string.h>

gibbs_allocator ebm_data_allocator(const ebm_data *data)
{
    return gibbs_allocator_or_default(data->allocator.alloc ? &data->allocator : NULL);
}

const char *ebm_column_label(char label[EBM_LABEL_SIZE], char *const *names, int64_t col)
{
    if (names) snprintf(label, EBM_LABEL_SIZE, "column %lld (%.60s)", (long long)col + 1, names[col]);
    else snprintf(label, EBM_LABEL_SIZE, "column %lld", (long long)col + 1);
    return label;
}

static bool copy_names(char *const *names, ebm_data *out)
{
    out->names = gibbs_alloc_zero(&out->allocator, (size_t)out->cols, sizeof *out->names);
    if (!out->names) return false;
    for (int64_t c = 0; c < out->cols; c++) {
        out->names[c] = gibbs_strdup(&out->allocator, names[c]);
        if (!out->names[c]) return false;
    }
    return true;
}

/* *count = rows·cols, when a table of so many doubles can be addressed. */
static bool table_fits(int64_t rows, int64_t cols, int64_t *count)
{
    int64_t bytes;
    return gibbs_mul_size(rows, cols, count) && gibbs_mul_size(*count, sizeof(double), &bytes);
}

gibbs_status ebm_data_new(int64_t rows, int64_t cols, char *const *names, const gibbs_allocator *a, ebm_data *out,
                          gibbs_error *error)
{
    int64_t count;
    *out = (ebm_data){0};
    if (gibbs_allocator_check(a, error)) return GIBBS_ARGUMENT;
    if (!table_fits(rows, cols, &count))
        return gibbs_fail(error, GIBBS_SIZE, "a table of %lld rows and %lld columns is too large", (long long)rows,
                          (long long)cols);
    *out = (ebm_data){.rows = rows, .cols = cols, .allocator = *a};
    out->x = gibbs_alloc(a, (size_t)count, sizeof(double));
    if (out->x && (!names || copy_names(names, out))) return GIBBS_OK;
    ebm_data_free(out);
    return gibbs_fail(error, GIBBS_MEMORY, "no memory for %lld rows and %lld columns", (long long)rows,
                      (long long)cols);
}

gibbs_status ebm_data_not_empty(const ebm_data *data, gibbs_error *error)
{
    if (data->rows >= 1 && data->cols >= 1 && data->x) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_DATA, "the table is empty: %lld row%s, %lld column%s", (long long)data->rows,
                      gibbs_plural(data->rows), (long long)data->cols, gibbs_plural(data->cols));
}

static gibbs_status check_weights(const double *weight, int64_t rows, gibbs_error *error)
{
    double sum = 0;
    for (int64_t row = 0; weight && row < rows; row++) {
        if (!isfinite(weight[row]) || weight[row] < 0)
            return gibbs_fail_row(error, GIBBS_DATA, row,
                                  "the weight of row %lld is %g: weights are finite and not negative",
                                  (long long)row + 1, weight[row]);
        sum += weight[row];
    }
    if (!weight || (sum > 0 && isfinite(sum))) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_DATA, "the weights of the %lld row%s add up to %g", (long long)rows,
                      gibbs_plural(rows), sum);
}

gibbs_status ebm_data_check(const ebm_data *data, gibbs_error *error)
{
    GIBBS_REQUIRE("check", data, error);
    gibbs_status status = ebm_data_not_empty(data, error);
    if (status) return status;
    const double *x = data->x;
    for (int64_t row = 0; row < data->rows; row++)
        for (int64_t col = 0; col < data->cols; col++, x++) {
            char label[EBM_LABEL_SIZE];
            if (!isfinite(*x))
                return gibbs_fail_row(error, GIBBS_DATA, row, "row %lld, %s is %s", (long long)row + 1,
                                      ebm_column_label(label, data->names, col), isnan(*x) ? "NaN" : "infinite");
        }
    return check_weights(data->weight, data->rows, error);
}

gibbs_status ebm_data_from(const double *x, int64_t rows, int64_t cols, const gibbs_allocator *allocator, ebm_data *out,
                           gibbs_error *error)
{
    GIBBS_REQUIRE("from", x && out, error);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    *out = (ebm_data){0};
    int64_t count = 0;
    gibbs_status status = GIBBS_OK;
    ebm_data given = {.rows = rows, .cols = cols, .x = (double *)x};
    if (rows < 1 || cols < 1 || table_fits(rows, cols, &count)) status = ebm_data_check(&given, error);
    if (!status) status = ebm_data_new(rows, cols, NULL, &a, out, error);
    if (!status) memcpy(out->x, x, (size_t)count * sizeof *x);
    return status;
}

/* A row of names may be half made (a NULL inside) when making it ran out of memory. */
void ebm_data_free(ebm_data *data)
{
    if (!data) return;
    for (int64_t c = 0; data->names && c < data->cols; c++) gibbs_release(&data->allocator, data->names[c]);
    gibbs_release(&data->allocator, data->names);
    gibbs_release(&data->allocator, data->x);
    gibbs_release(&data->allocator, data->weight);
    *data = (ebm_data){0};
}

gibbs_status ebm_data_weights_like(const ebm_data *like, ebm_data *out, gibbs_error *error)
{
    int64_t rows = out->rows;
    if (!like->weight) return GIBBS_OK;
    out->weight_kind = like->weight_kind;
    out->weight = gibbs_alloc(&out->allocator, (size_t)rows, sizeof *out->weight);
    if (out->weight) return GIBBS_OK;
    ebm_data_free(out);
    return gibbs_fail(error, GIBBS_MEMORY, "no memory for the weights of %lld row%s", (long long)rows,
                      gibbs_plural(rows));
}

gibbs_status ebm_data_copy_weights(const ebm_data *like, ebm_data *out, gibbs_error *error)
{
    gibbs_status status = ebm_data_weights_like(like, out, error);
    if (!status && like->weight) memcpy(out->weight, like->weight, (size_t)out->rows * sizeof *out->weight);
    return status;
}

gibbs_status ebm_data_weigh(ebm_data *data, const double *weight, ebm_weight_kind kind, gibbs_error *error)
{
    GIBBS_REQUIRE("weigh", data, error);
    if (kind != EBM_WEIGHT_COUNTS && kind != EBM_WEIGHT_SAMPLING)
        return gibbs_fail(error, GIBBS_ARGUMENT, "weigh: %d is no kind of weight", (int)kind);
    gibbs_status status = ebm_data_not_empty(data, error);
    if (!status) status = check_weights(weight, data->rows, error);
    if (status) return status;
    ebm_data given = {.weight = (double *)weight, .weight_kind = kind};
    ebm_data fresh = {.rows = data->rows, .allocator = ebm_data_allocator(data), .weight_kind = kind};
    status = ebm_data_copy_weights(&given, &fresh, error);
    if (status) return status;
    gibbs_release(&fresh.allocator, data->weight);
    data->weight = fresh.weight;
    data->weight_kind = kind;
    return GIBBS_OK;
}

double ebm_data_weight(const ebm_data *data)
{
    double sum = 0;
    for (int64_t r = 0; data->weight && r < data->rows; r++) sum += data->weight[r];
    return data->weight ? sum : (double)data->rows;
}

int64_t ebm_data_row_at(const ebm_data *data, double place)
{
    int64_t row = 0, last = 0;
    place *= ebm_data_weight(data);
    if (!data->weight) return (int64_t)place < data->rows ? (int64_t)place : data->rows - 1;
    for (; row < data->rows; row++) {
        if (!(data->weight[row] > 0)) continue;
        last = row;
        if (place < data->weight[row]) break;
        place -= data->weight[row];
    }
    return last;
}

gibbs_status ebm_refuse_weights(const char *who, const ebm_data *data, gibbs_error *error)
{
    if (!data->weight) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: it cannot count rows by weights; draw rows by them (ebm_resample), or "
                      "take them away (ebm_data_weigh)", who);
}
