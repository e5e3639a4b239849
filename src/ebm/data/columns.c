/* columns.c — some columns of a table. */
#include "data_private.h"

#include <string.h>

static gibbs_status check_columns(const ebm_data *data, const int64_t *column, int64_t count, gibbs_error *error)
{
    if (count < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "columns: %lld columns", (long long)count);
    for (int64_t k = 0; k < count; k++)
        if (column[k] < 0 || column[k] >= data->cols)
            return gibbs_fail(error, GIBBS_ARGUMENT, "columns: there is no column %lld among the %lld, from 0 on",
                              (long long)column[k], (long long)data->cols);
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
    status = ebm_data_like(data, data->rows, column, count, out, error);
    if (status) return status;
    if (data->weight) memcpy(out->weight, data->weight, (size_t)data->rows * sizeof *out->weight);
    for (int64_t row = 0; row < data->rows; row++)
        for (int64_t k = 0; k < count; k++) out->x[row * count + k] = data->x[row * data->cols + column[k]];
    return GIBBS_OK;
}
