/* one_hot.c — a column of whole numbers to a block of columns of 0 and 1. */
#include "data_private.h"

#include <math.h>
#include <string.h>

/* Which column becomes how many: columns before it keep their places, those behind it move by width − 1. */
typedef struct block {
    int64_t column, width;
} block;

static gibbs_status check_labels(const ebm_data *data, block b, gibbs_error *error)
{
    char label[EBM_LABEL_SIZE];
    for (int64_t row = 0; row < data->rows; row++) {
        double v = data->x[row * data->cols + b.column];
        if (v < 0 || v >= (double)b.width || v != floor(v))
            return gibbs_fail_row(error, GIBBS_DATA, row, "row %lld, %s is %.17g, not a whole number from 0 to %lld",
                                  (long long)row + 1, ebm_column_label(label, data->names, b.column), v,
                                  (long long)b.width - 1);
    }
    return GIBBS_OK;
}

/* The block's are «species=0», «species=1», …, or have the labels' texts. */
static char *name_of(const ebm_data *data, const gibbs_allocator *a, int64_t column, int64_t category)
{
    const ebm_labels *labels = data->labels ? &data->labels[column] : NULL;
    const char *text = labels && category < labels->count ? labels->text[category] : "";
    size_t size = strlen(data->names[column]) + strlen(text) + 24; /* '=', 19 digits and the NUL */
    char *name = gibbs_alloc(a, size, 1);
    if (name && *text) snprintf(name, size, "%s=%s", data->names[column], text);
    else if (name) snprintf(name, size, "%s=%lld", data->names[column], (long long)category);
    return name;
}

/* An unfilled table, in which the block has names and no labels. */
static gibbs_status make(const ebm_data *data, block b, ebm_data *out, gibbs_error *error)
{
    gibbs_allocator a = ebm_data_allocator(data);
    int64_t cols = data->cols - 1 + b.width;
    int64_t *from = gibbs_alloc(&a, (size_t)cols, sizeof *from);
    if (!from) return gibbs_fail(error, GIBBS_MEMORY, "no memory for %lld columns", (long long)cols);
    for (int64_t c = 0; c < cols; c++) from[c] = c < b.column ? c : c < b.column + b.width ? -1 : c - b.width + 1;
    gibbs_status status = ebm_data_like(data, data->rows, from, cols, out, error);
    gibbs_release(&a, from);
    for (int64_t k = 0; !status && data->names && k < b.width; k++) {
        char *name = out->names[b.column + k] = name_of(data, &a, b.column, k);
        if (!name) status = gibbs_fail(error, GIBBS_MEMORY, "no memory for the names of %lld columns", (long long)cols);
    }
    if (status) ebm_data_free(out);
    return status;
}

static void encode_row(const double *from, int64_t cols, block b, double *to)
{
    memcpy(to, from, (size_t)b.column * sizeof *to);
    memset(to + b.column, 0, (size_t)b.width * sizeof *to);
    to[b.column + (int64_t)from[b.column]] = 1;
    memcpy(to + b.column + b.width, from + b.column + 1, (size_t)(cols - b.column - 1) * sizeof *to);
}

gibbs_status ebm_data_one_hot(const ebm_data *data, int64_t column, int64_t categories, ebm_data *out,
                              gibbs_error *error)
{
    GIBBS_REQUIRE("one_hot", data && out, error);
    *out = (ebm_data){0};
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    if (column < 0 || column >= data->cols)
        return gibbs_fail(error, GIBBS_ARGUMENT, "one_hot: the column's index is %lld, not one from 0 to %lld",
                          (long long)column, (long long)data->cols - 1);
    if (categories < 1 || categories > INT32_MAX)
        return gibbs_fail(error, GIBBS_ARGUMENT, "one_hot: %lld categories; there must be from 1 to 2^31-1",
                          (long long)categories);
    block b = {column, categories};
    status = check_labels(data, b, error);
    if (!status) status = make(data, b, out, error);
    if (status) return status;
    if (data->weight) memcpy(out->weight, data->weight, (size_t)data->rows * sizeof *out->weight);
    for (int64_t row = 0; row < data->rows; row++)
        encode_row(data->x + row * data->cols, data->cols, b, out->x + row * out->cols);
    return GIBBS_OK;
}
