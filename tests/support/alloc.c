#include "support/alloc.h"

#include <stdlib.h>

/* Keeps the block behind it aligned for any object. */
typedef union header {
    size_t bytes;
    max_align_t align;
} header;

static void *count_alloc(void *context, size_t bytes)
{
    counting_alloc *c = context;
    c->calls++;
    if (c->calls == c->fail_at || (c->fail_above && (int64_t)bytes > c->fail_above)) {
        c->failures++;
        return NULL;
    }
    header *h = malloc(sizeof *h + bytes);
    if (!h) return NULL;
    h->bytes = bytes;
    c->live++;
    c->bytes += (int64_t)bytes;
    c->total += (int64_t)bytes;
    if (c->bytes > c->peak) c->peak = c->bytes;
    return h + 1;
}

static void count_release(void *context, void *memory)
{
    counting_alloc *c = context;
    if (!memory) return;
    header *h = (header *)memory - 1;
    c->live--;
    c->bytes -= (int64_t)h->bytes;
    free(h);
}

gibbs_allocator counting_allocator(counting_alloc *count)
{
    return (gibbs_allocator){count_alloc, count_release, count};
}
