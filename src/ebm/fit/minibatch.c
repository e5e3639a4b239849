/* minibatch.c — the training table in the model's number type, and minibatches without replacement. */
#include "base/random.h"
#include "fit.h"

#include <string.h>

gibbs_status ebm_batches_new(ebm_batches *b, const ebm_data *data, gibbs_dtype dtype, int64_t batch, int64_t least,
                             uint64_t seed, const gibbs_allocator *a, gibbs_error *error)
{
    bool full = batch <= 0 || batch >= data->rows;
    *b = (ebm_batches){.alloc = *a, .rows = data->rows, .cols = data->cols, .size = full ? data->rows : batch,
                       .least = least > 1 ? least : 1, .number = gibbs_dtype_size(dtype), .seed = seed};
    b->all = gibbs_alloc_aligned(a, (size_t)(data->rows * data->cols), b->number);
    if (b->all && !full) {
        b->batch = gibbs_alloc_aligned(a, (size_t)(b->size * b->cols), b->number);
        b->order = gibbs_alloc(a, (size_t)b->rows, sizeof *b->order);
        b->next = b->rows; /* the first call shuffles */
    }
    if (!b->all || (!full && (!b->batch || !b->order))) {
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

const void *ebm_batches_next(ebm_batches *b)
{
    b->count = b->rows;
    if (!b->order) return b->all;
    if (b->rows - b->next < b->least) shuffle(b);
    b->count = b->rows - b->next < b->size ? b->rows - b->next : b->size;
    b->rows_now = b->order + b->next;
    size_t bytes = (size_t)b->cols * b->number;
    for (int64_t i = 0; i < b->count; i++)
        memcpy(b->batch + (size_t)i * bytes, b->all + (size_t)b->rows_now[i] * bytes, bytes);
    b->next += b->count;
    return b->batch;
}

void ebm_batches_go_to(ebm_batches *b, int64_t epoch, int64_t next)
{
    if (!b->order) return;
    b->epoch = epoch > 0 ? epoch - 1 : 0;
    if (epoch > 0) shuffle(b);
    b->next = next;
}
