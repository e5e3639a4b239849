/* spans.c — first fit over a list of gaps. Each moment frees what ended before it and places what begins; both come
 * from lists by moment, so that the work is linear in spans and in the gaps that are looked at. */
#include "spans.h"

#include <string.h>

int32_t ad_span_new(const gibbs_allocator *a, ad_spans *s, int64_t bytes)
{
    if (s->count >= INT32_MAX || !gibbs_grow(a, &s->at, &s->capacity, s->count, s->count + 1, sizeof *s->at)) return -1;
    s->at[s->count] = (ad_span){.bytes = bytes, .first = INT64_MAX, .last = -1, .takes = -1};
    return (int32_t)s->count++;
}

void ad_span_touch(ad_spans *s, int32_t index, int64_t moment)
{
    ad_span *span = &s->at[index];
    if (moment < span->first) span->first = moment;
    if (moment > span->last) span->last = moment;
}

void ad_span_take(ad_spans *s, int32_t later, int32_t earlier)
{
    s->at[later].takes = earlier;
    s->at[earlier].taken = true;
}

/* ---- Gaps, by offset; the last one has no end ---- */

typedef struct gap {
    int64_t begin, end;
} gap;

typedef struct gaps {
    gap *at;
    int64_t count, top, steps;
} gaps;

static int64_t take(gaps *g, int64_t bytes)
{
    int64_t k = 0;
    while (g->at[k].end - g->at[k].begin < bytes) k++;
    int64_t begin = g->at[k].begin;
    g->steps += k + 1;
    g->at[k].begin += bytes;
    if (g->at[k].begin == g->at[k].end) memmove(g->at + k, g->at + k + 1, (size_t)(--g->count - k) * sizeof *g->at);
    if (begin + bytes > g->top) g->top = begin + bytes;
    return begin;
}

static int64_t gap_behind(gaps *g, int64_t offset)
{
    int64_t low = 0, high = g->count - 1;
    for (; low < high; g->steps++) {
        int64_t middle = (low + high) / 2;
        if (g->at[middle].begin > offset) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* Becomes part of the gaps that it touches, or one of its own. */
static void give_back(gaps *g, int64_t begin, int64_t end)
{
    int64_t k = gap_behind(g, begin);
    gap *behind = &g->at[k], *before = behind - 1;
    bool joins = k > 0 && before->end == begin, reaches = behind->begin == end;
    if (joins) before->end = reaches ? behind->end : end;
    else if (reaches) behind->begin = begin;
    if (joins && reaches) memmove(behind, behind + 1, (size_t)(--g->count - k) * sizeof *behind);
    if (joins || reaches) return;
    memmove(behind + 1, behind, (size_t)(g->count++ - k) * sizeof *behind);
    *behind = (gap){begin, end};
}

/* ---- All moments ---- */

/* Spans by the moment when they begin and by the moment after their last: heads of lists, and the next of each. */
typedef struct calendar {
    int32_t *begins, *ends, *next_begin, *next_end;
} calendar;

static void enter(const ad_spans *s, int64_t moments, const calendar *c)
{
    memset(c->begins, -1, (size_t)(moments + 1) * 2 * sizeof *c->begins);
    for (int64_t k = s->count - 1; k >= 0; k--) { /* so that the lists are in order */
        const ad_span *span = &s->at[k];
        if (span->last < 0) continue;
        int64_t end = span->last < moments ? span->last + 1 : moments;
        c->next_begin[k] = c->begins[span->first];
        c->begins[span->first] = (int32_t)k;
        if (span->taken) continue;
        c->next_end[k] = c->ends[end];
        c->ends[end] = (int32_t)k;
    }
}

static void place_all(ad_spans *s, int64_t moments, const calendar *c, gaps *g)
{
    for (int64_t m = 0; m < moments; m++) {
        for (int32_t k = c->ends[m]; k >= 0; k = c->next_end[k])
            give_back(g, s->at[k].offset, s->at[k].offset + s->at[k].bytes);
        for (int32_t k = c->begins[m]; k >= 0; k = c->next_begin[k])
            s->at[k].offset = s->at[k].takes >= 0 ? s->at[s->at[k].takes].offset : take(g, s->at[k].bytes);
    }
}

gibbs_status ad_spans_place(const gibbs_allocator *a, ad_spans *s, int64_t moments, int64_t *bytes)
{
    size_t n = (size_t)s->count, m = (size_t)moments + 1;
    int32_t *lists = gibbs_alloc(a, 2 * (n + m), sizeof *lists);
    gaps g = {.at = gibbs_alloc(a, n + 2, sizeof *g.at), .count = 1};
    *bytes = 0;
    if (lists && g.at) {
        calendar c = {lists, lists + m, lists + 2 * m, lists + 2 * m + n};
        g.at[0] = (gap){0, INT64_MAX};
        enter(s, moments, &c);
        place_all(s, moments, &c, &g);
        *bytes = g.top;
        s->steps += g.steps;
    }
    bool done = lists && g.at;
    gibbs_release(a, lists);
    gibbs_release(a, g.at);
    return done ? GIBBS_OK : GIBBS_MEMORY;
}
