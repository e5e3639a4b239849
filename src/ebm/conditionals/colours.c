/* colours.c — a greedy colouring of the graph of couplings. */
#include "colours.h"

#include <string.h>

/* Marks the colours of the neighbours of variable v with v + 1; colours count from 1, 0 has none yet. */
static void mark(const ebm_couplings *c, int64_t width, int64_t v, const int32_t *colour, int32_t *seen)
{
    for (int64_t p = c->start[v * width]; p < c->start[(v + 1) * width]; p++)
        for (int64_t u = c->column[p] / width; u <= (c->column[p] + c->width - 1) / width; u++)
            if (u != v && colour[u]) seen[colour[u]] = (int32_t)v + 1;
}

/* The variables by their colours: counting sort. */
static void sort(int64_t variables, int64_t colours, const int32_t *colour, int32_t *order, int64_t *end)
{
    memset(end, 0, (size_t)variables * sizeof *end);
    for (int64_t v = 0; v < variables; v++) end[colour[v] - 1]++;
    for (int64_t k = 1; k < colours; k++) end[k] += end[k - 1];
    for (int64_t v = variables; v-- > 0;) order[--end[colour[v] - 1]] = (int32_t)v;
    for (int64_t k = 0; k + 1 < colours; k++) end[k] = end[k + 1]; /* each end[k] is now where class k begins */
    end[colours - 1] = variables;
}

int64_t ebm_colours(const ebm_couplings *c, int64_t width, const gibbs_allocator *a, int32_t *order, int64_t *end)
{
    int64_t n = c->dim / width, colours = 0;
    int32_t *colour = gibbs_alloc_zero(a, (size_t)n, sizeof *colour);
    int32_t *seen = gibbs_alloc_zero(a, (size_t)n + 2, sizeof *seen);
    for (int64_t v = 0; v < n && colour && seen; v++) {
        int32_t k = 1;
        if (!c->start) k = (int32_t)v + 1; /* all are coupled to all */
        else {
            mark(c, width, v, colour, seen);
            while (seen[k] == (int32_t)v + 1) k++;
        }
        colour[v] = k;
        if (k > colours) colours = k;
    }
    if (colours) sort(n, colours, colour, order, end);
    gibbs_release(a, colour);
    gibbs_release(a, seen);
    return colours;
}
