/* minibatch.c — the training table in the model's number type, and minibatches without replacement. */
#include "base/random.h"
#include "ebm/data/data_private.h"
#include "fit.h"

#include <string.h>

/* Weights of mean 1, so that of what is averaged over a batch the expectation is Σ w v/Σ w. False: out of memory. */
static bool weigh(ebm_batches *b, const ebm_data *data, gibbs_dtype dtype, bool full)
{
    double sum = ebm_data_weight(data);
    if (data->weight_kind == EBM_WEIGHT_COUNTS) b->seen = sum;
    b->weight = gibbs_alloc_aligned(&b->alloc, (size_t)b->rows, b->number);
    b->weight_now = full || !b->weight ? b->weight : gibbs_alloc_aligned(&b->alloc, (size_t)b->size, b->number);
    for (int64_t i = 0; i < b->rows && b->weight; i++) {
        double weight = data->weight[i] / sum * (double)b->rows;
        ebm_to_dtype(dtype, 1, b->weight + (size_t)i * b->number, &weight);
    }
    return b->weight_now;
}

gibbs_status ebm_batches_new(ebm_batches *b, const ebm_data *data, gibbs_dtype dtype, int64_t batch, int64_t least,
                             uint64_t seed, const gibbs_allocator *a, gibbs_error *error)
{
    bool full = batch <= 0 || batch >= data->rows;
    if (!(ebm_data_weight(data) > 0))
        return gibbs_fail(error, GIBBS_DATA, "fit: all rows of one part weigh 0: take another seed or fraction");
    *b = (ebm_batches){.alloc = *a, .rows = data->rows, .cols = data->cols, .size = full ? data->rows : batch,
                       .least = least > 1 ? least : 1, .number = gibbs_dtype_size(dtype), .seed = seed};
    b->all = gibbs_alloc_aligned(a, (size_t)(data->rows * data->cols), b->number);
    if (b->all && !full) {
        b->batch = gibbs_alloc_aligned(a, (size_t)(b->size * b->cols), b->number);
        b->order = gibbs_alloc(a, (size_t)b->rows, sizeof *b->order);
        b->next = b->rows; /* the first call shuffles */
    }
    bool room = b->all && (full || (b->batch && b->order)) && (!data->weight || weigh(b, data, dtype, full));
    if (!room) {
        ebm_batches_free(b);
        return gibbs_fail(error, GIBBS_MEMORY, "fit: out of memory for %lld rows", (long long)data->rows);
    }
    ebm_to_dtype(dtype, data->rows * data->cols, b->all, data->x);
    return GIBBS_OK;
}

void ebm_batches_free(ebm_batches *b)
{
    if (!b->number) return;
    gibbs_release_aligned(&b->alloc, b->all);
    gibbs_release_aligned(&b->alloc, b->batch);
    if (b->weight_now != b->weight) gibbs_release_aligned(&b->alloc, b->weight_now);
    gibbs_release_aligned(&b->alloc, b->weight);
    gibbs_release(&b->alloc, b->order);
    *b = (ebm_batches){0};
}

/* Fisher and Yates. An epoch's order depends on the seed and its number only. */
static void shuffle(ebm_batches *b)
{
    gibbs_words words = gibbs_words_start(b->seed, EBM_STREAM_SHUFFLE, (uint64_t)b->epoch++);
    for (int64_t i = 0; i < b->rows; i++) b->order[i] = i;
    for (int64_t i = b->rows - 1; i > 0; i--) {
        int64_t j = (int64_t)gibbs_words_below(&words, (uint64_t)i + 1), swap = b->order[i];
        b->order[i] = b->order[j];
        b->order[j] = swap;
    }
    b->next = 0;
}

static const void *next(ebm_batches *b)
{
    b->count = b->rows;
    if (!b->order) return b->all;
    if (b->rows - b->next < b->least) shuffle(b);
    b->count = b->rows - b->next < b->size ? b->rows - b->next : b->size;
    b->rows_now = b->order + b->next;
    size_t bytes = (size_t)b->cols * b->number;
    for (int64_t i = 0; i < b->count; i++)
        memcpy(b->batch + (size_t)i * bytes, b->all + (size_t)b->rows_now[i] * bytes, bytes);
    for (int64_t i = 0; b->weight && i < b->count; i++)
        memcpy(b->weight_now + (size_t)i * b->number, b->weight + (size_t)b->rows_now[i] * b->number, b->number);
    b->next += b->count;
    return b->batch;
}

gibbs_status ebm_batches_bind(ebm_batches *b, ebm_objective *o, gibbs_error *error)
{
    const void *x = next(b);
    gibbs_status status = ebm_objective_bind(o, x, b->count, error);
    return status || !b->weight ? status : ebm_objective_weigh(o, b->weight_now, error);
}

void ebm_batches_go_to(ebm_batches *b, int64_t epoch, int64_t next)
{
    if (!b->order) return;
    b->epoch = epoch > 0 ? epoch - 1 : 0;
    if (epoch > 0) shuffle(b);
    b->next = next;
}
