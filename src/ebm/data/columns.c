/* columns.c — some columns of a table. */
#include "data_private.h"

static gibbs_status check_columns(const ebm_data *data, const int64_t *column, int64_t count, gibbs_error *error)
{
    if (count < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "columns: %lld columns", (long long)count);
    for (int64_t k = 0; k < count; k++)
        if (column[k] < 0 || column[k] >= data->cols)
            return gibbs_fail(error, GIBBS_ARGUMENT, "columns: there is no column %lld among the %lld, from 0 on",
                              (long long)column[k], (long long)data->cols);
    return GIBBS_OK;
}

/* Their names in the new order, which ebm_data_new copies; NULL in *names where the table has none. */
static gibbs_status pick_names(const ebm_data *data, const int64_t *column, int64_t count, const gibbs_allocator *a,
                               char ***names, gibbs_error *error)
{
    *names = NULL;
    if (!data->names) return GIBBS_OK;
    *names = gibbs_alloc(a, (size_t)count, sizeof **names);
    if (!*names) return gibbs_fail(error, GIBBS_MEMORY, "no memory for the names of %lld columns", (long long)count);
    for (int64_t k = 0; k < count; k++) (*names)[k] = data->names[column[k]];
    return GIBBS_OK;
}

gibbs_status ebm_data_columns(const ebm_data *data, const int64_t *column, int64_t count, ebm_data *out,
                              gibbs_error *error)
{
    GIBBS_REQUIRE("columns", data && column && out, error);
    *out = (ebm_data){0};
    gibbs_status status = ebm_data_check(data, error);
    if (!status) status = check_columns(data, column, count, error);
    if (status) return status;
    gibbs_allocator a = ebm_data_allocator(data);
    char **names;
    status = pick_names(data, column, count, &a, &names, error);
    if (!status) status = ebm_data_new(data->rows, count, names, &a, out, error);
    gibbs_release(&a, names);
    if (!status) status = ebm_data_copy_weights(data, out, error);
    for (int64_t row = 0; !status && row < data->rows; row++)
        for (int64_t k = 0; k < count; k++) out->x[row * count + k] = data->x[row * data->cols + column[k]];
    return status;
}
