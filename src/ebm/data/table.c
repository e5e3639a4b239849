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

bool ebm_labels_copy(const ebm_labels *from, const gibbs_allocator *a, ebm_labels *out)
{
    *out = (ebm_labels){0};
    if (!from->count) return true;
    out->text = gibbs_alloc(a, (size_t)from->count, sizeof *out->text);
    for (; out->text && out->count < from->count; out->count++) {
        out->text[out->count] = gibbs_strdup(a, from->text[out->count]);
        if (!out->text[out->count]) return false;
    }
    return out->text;
}

/* Names and labels of the table's columns are those of `column` of the other's; −1 is none of these. */
static bool copy_names(const ebm_data *like, const int64_t *column, ebm_data *out)
{
    out->names = gibbs_alloc_zero(&out->allocator, (size_t)out->cols, sizeof *out->names);
    for (int64_t c = 0; out->names && c < out->cols; c++) {
        int64_t from = column ? column[c] : c;
        if (from < 0) continue;
        out->names[c] = gibbs_strdup(&out->allocator, like->names[from]);
        if (!out->names[c]) return false;
    }
    return out->names;
}

static bool copy_labels(const ebm_data *like, const int64_t *column, ebm_data *out)
{
    out->labels = gibbs_alloc_zero(&out->allocator, (size_t)out->cols, sizeof *out->labels);
    for (int64_t c = 0; out->labels && c < out->cols; c++) {
        int64_t from = column ? column[c] : c;
        if (from >= 0 && !ebm_labels_copy(&like->labels[from], &out->allocator, &out->labels[c])) return false;
    }
    return out->labels;
}

/* *count = rows·cols, when a table of so many doubles can be addressed. */
static bool table_fits(int64_t rows, int64_t cols, int64_t *count)
{
    int64_t bytes;
    return gibbs_mul_size(rows, cols, count) && gibbs_mul_size(*count, sizeof(double), &bytes);
}

static gibbs_status no_memory(int64_t rows, int64_t cols, gibbs_error *error)
{
    return gibbs_fail(error, GIBBS_MEMORY, "no memory for %lld rows and %lld columns", (long long)rows,
                      (long long)cols);
}

gibbs_status ebm_data_new(int64_t rows, int64_t cols, const gibbs_allocator *a, ebm_data *out, gibbs_error *error)
{
    int64_t count;
    *out = (ebm_data){0};
    if (gibbs_allocator_check(a, error)) return GIBBS_ARGUMENT;
    if (!table_fits(rows, cols, &count))
        return gibbs_fail(error, GIBBS_SIZE, "a table of %lld rows and %lld columns is too large", (long long)rows,
                          (long long)cols);
    double *x = gibbs_alloc(a, (size_t)count, sizeof(double));
    if (!x) return no_memory(rows, cols, error);
    *out = (ebm_data){.rows = rows, .cols = cols, .x = x, .allocator = *a};
    return GIBBS_OK;
}

gibbs_status ebm_data_like(const ebm_data *like, int64_t rows, const int64_t *column, int64_t cols, ebm_data *out,
                           gibbs_error *error)
{
    gibbs_allocator a = ebm_data_allocator(like);
    gibbs_status status = ebm_data_new(rows, cols, &a, out, error);
    if (status) return status;
    bool ok = (!like->names || copy_names(like, column, out)) && (!like->labels || copy_labels(like, column, out));
    if (ok && like->weight) {
        out->weight_kind = like->weight_kind;
        out->weight = gibbs_alloc(&a, (size_t)rows, sizeof *out->weight);
        ok = out->weight;
    }
    if (ok) return GIBBS_OK;
    ebm_data_free(out);
    return no_memory(rows, cols, error);
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
    if (!status) status = ebm_data_new(rows, cols, &a, out, error);
    if (!status) memcpy(out->x, x, (size_t)count * sizeof *x);
    return status;
}

/* Rows of names and labels may be half made (a NULL inside) when making them ran out of memory. */
void ebm_data_free(ebm_data *data)
{
    if (!data) return;
    const gibbs_allocator *a = &data->allocator;
    for (int64_t c = 0; data->names && c < data->cols; c++) gibbs_release(a, data->names[c]);
    for (int64_t c = 0; data->labels && c < data->cols; c++) {
        for (int64_t k = 0; k < data->labels[c].count; k++) gibbs_release(a, data->labels[c].text[k]);
        gibbs_release(a, data->labels[c].text);
    }
    gibbs_release(a, data->names);
    gibbs_release(a, data->labels);
    if (data->map) ebm_map_release(data->map, data->map_bytes); /* x lies in it */
    else gibbs_release(a, data->x);
    gibbs_release(a, data->weight);
    *data = (ebm_data){0};
}

gibbs_status ebm_data_weigh(ebm_data *data, const double *weight, ebm_weight_kind kind, gibbs_error *error)
{
    GIBBS_REQUIRE("weigh", data, error);
    if (kind != EBM_WEIGHT_COUNTS && kind != EBM_WEIGHT_SAMPLING)
        return gibbs_fail(error, GIBBS_ARGUMENT, "weigh: %d is no kind of weight", (int)kind);
    gibbs_status status = ebm_data_not_empty(data, error);
    if (!status) status = check_weights(weight, data->rows, error);
    if (status) return status;
    gibbs_allocator a = ebm_data_allocator(data);
    double *copy = weight ? gibbs_alloc(&a, (size_t)data->rows, sizeof *copy) : NULL;
    if (weight && !copy) return no_memory(data->rows, 1, error);
    if (weight) memcpy(copy, weight, (size_t)data->rows * sizeof *copy);
    gibbs_release(&a, data->weight);
    data->weight = copy;
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
