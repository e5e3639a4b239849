/* split.c — training and held-out rows. Whole numbers only after the count, so the split is the same everywhere. */
#include "base/random.h"
#include "data_private.h"

#include <math.h>
#include <string.h>

static const uint64_t SPLIT_PURPOSE = 0x73706c6974; /* "split" */

/* is_held[row] = 1 for `held` of the rows: the first steps of a Fisher-Yates shuffle, which draw them all. */
static bool draw_held(const gibbs_allocator *a, int64_t rows, int64_t held, uint64_t seed, char *is_held)
{
    int64_t *order = gibbs_alloc(a, (size_t)rows, sizeof *order);
    if (!order) return false;
    gibbs_words stream = gibbs_words_start(seed, SPLIT_PURPOSE, 0);
    for (int64_t i = 0; i < rows; i++) order[i] = i;
    for (int64_t i = 0; i < held; i++) {
        int64_t j = i + (int64_t)gibbs_words_below(&stream, (uint64_t)(rows - i));
        is_held[order[j]] = 1;
        order[j] = order[i];
    }
    gibbs_release(a, order);
    return true;
}

static void copy_rows(const ebm_data *data, const char *is_held, ebm_data *train, ebm_data *held, int64_t *number)
{
    double *to[2] = {train->x, held->x}, *weight[2] = {train->weight, held->weight};
    int64_t next[2] = {0, train->rows};
    for (int64_t row = 0; row < data->rows; row++) {
        int part = is_held[row];
        memcpy(to[part], data->x + row * data->cols, (size_t)data->cols * sizeof *to[part]);
        to[part] += data->cols;
        if (data->weight) *weight[part]++ = data->weight[row];
        if (number) number[next[part]++] = row;
    }
}

static gibbs_status split_rows(const ebm_data *data, int64_t count, uint64_t seed, ebm_data *train, ebm_data *held,
                               int64_t *number, gibbs_error *error)
{
    gibbs_allocator a = ebm_data_allocator(data);
    char *is_held = gibbs_alloc_zero(&a, (size_t)data->rows, 1);
    gibbs_status status = GIBBS_OK;
    if (!is_held || !draw_held(&a, data->rows, count, seed, is_held))
        status = gibbs_fail(error, GIBBS_MEMORY, "no memory to split %lld rows", (long long)data->rows);
    if (!status) status = ebm_data_like(data, data->rows - count, NULL, data->cols, train, error);
    if (!status) status = ebm_data_like(data, count, NULL, data->cols, held, error);
    if (!status) copy_rows(data, is_held, train, held, number);
    else ebm_data_free(train);
    gibbs_release(&a, is_held);
    return status;
}

gibbs_status ebm_data_split(const ebm_data *data, double fraction, uint64_t seed, ebm_data *train, ebm_data *held,
                            int64_t *number, gibbs_error *error)
{
    GIBBS_REQUIRE("split", data && train && held, error);
    if (train == held || train == data || held == data)
        return gibbs_fail(error, GIBBS_ARGUMENT, "split: the data and the two parts must be three tables");
    *train = *held = (ebm_data){0};
    if (!(fraction > 0 && fraction < 1))
        return gibbs_fail(error, GIBBS_ARGUMENT, "the held-out fraction is %g, not between 0 and 1", fraction);
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    double count = round(fraction * (double)data->rows);
    if (count < 1 || count > (double)data->rows - 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "a fraction of %g of %lld row%s leaves one part without a row",
                          fraction, (long long)data->rows, gibbs_plural(data->rows));
    return split_rows(data, (int64_t)count, seed, train, held, number, error);
}
