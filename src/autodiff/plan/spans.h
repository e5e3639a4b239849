/* spans.h — pieces of memory, each alive from one moment to another, placed so that what lives at the same time lies
 * apart. Moments are instructions of a body, or of all shared code; memory is a row of an arena, or what a plan's
 * stages share. */
#ifndef GIBBS_SPANS_H
#define GIBBS_SPANS_H

#include "base/base.h"

typedef struct ad_span {
    int64_t bytes;       /* at least 1 */
    int64_t first, last; /* the moments when it is first written, and last read */
    int32_t takes;       /* the span, of as many bytes, that ends at `first` and leaves its place to this one; −1 */
    bool taken;          /* by one that takes its place */
    int64_t offset;      /* bytes, once placed */
} ad_span;

typedef struct ad_spans {
    ad_span *at;
    int64_t count, capacity;
    int64_t steps; /* that placing took: gaps looked at and moved */
} ad_spans;

/* A new span, not yet alive: its index, or −1 when memory is out. */
int32_t ad_span_new(const gibbs_allocator *a, ad_spans *s, int64_t bytes);

void ad_span_touch(ad_spans *s, int32_t index, int64_t moment);

/* `later` takes the place of `earlier`, which ends when it begins. */
void ad_span_take(ad_spans *s, int32_t later, int32_t earlier);

/* Places all at moments 0 … moments − 1, each at the lowest place that is free (a first fit); a span whose `last` is
 * `moments` or more is alive to the end. *bytes: what they take together. MEMORY. */
gibbs_status ad_spans_place(const gibbs_allocator *a, ad_spans *s, int64_t moments, int64_t *bytes);

#endif
