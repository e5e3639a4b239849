/* checks.c — numbers of either type, and what is said of data, points and counts that are not as they must be. */
#include "model.h"

#include <math.h>
#include <string.h>

void ebm_to_dtype(gibbs_dtype dtype, int64_t n, void *to, const double *from)
{
    if (n < 1) return; /* without numbers there may be no memory either */
    if (dtype == GIBBS_FLOAT64) memcpy(to, from, (size_t)n * sizeof *from);
    else for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)from[i];
}

void ebm_from_dtype(gibbs_dtype dtype, int64_t n, double *to, const void *from)
{
    if (n < 1) return;
    if (dtype == GIBBS_FLOAT64) memcpy(to, from, (size_t)n * sizeof *to);
    else for (int64_t i = 0; i < n; i++) to[i] = ((const float *)from)[i];
}

gibbs_status ebm_tape_error(const ad_tape *tape, gibbs_error *error)
{
    if (!tape) return gibbs_fail(error, GIBBS_MEMORY, "out of memory for a tape");
    return ad_tape_status(tape) ? gibbs_fail(error, ad_tape_status(tape), "%s", ad_tape_message(tape)) : GIBBS_OK;
}

gibbs_status ebm_check_data(const char *who, const ebm_model *model, const ebm_data *data, gibbs_error *error)
{
    gibbs_status status = ebm_data_check(data, error);
    if (status || data->cols == model->dim) return status;
    return gibbs_fail(error, GIBBS_SHAPE, "%s: the data have %lld column%s, the model has dim %lld", who,
                      (long long)data->cols, gibbs_plural(data->cols), (long long)model->dim);
}

gibbs_status ebm_check_points(const char *what, const double *x, int64_t rows, int64_t dim, gibbs_error *error)
{
    for (int64_t i = 0; i < rows * dim; i++)
        if (!isfinite(x[i]))
            return gibbs_fail_row(error, GIBBS_DATA, i / dim, "%s: %g at row %lld, column %lld", what, x[i],
                                  (long long)(i / dim + 1), (long long)(i % dim + 1));
    return GIBBS_OK;
}

gibbs_status ebm_need_count(const char *who, const char *what, int64_t count, int64_t least, gibbs_error *error)
{
    if (count < least)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld %s; there must be at least %lld", who, (long long)count,
                          what, (long long)least);
    if (count <= INT32_MAX) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_SIZE, "%s: %lld %s; there can be 2^31-1", who, (long long)count, what);
}

gibbs_status ebm_refuse_conditional(const char *who, const ebm_model *model, const char *remedy, gibbs_error *error)
{
    if (!model->given) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the model is conditional, and no density of whole rows: %s", who,
                      remedy);
}
