/* points.c — whole spaces as weighted points: all states of discrete variables, or the grid of a box. */
#include "space.h"

#include <math.h>

static gibbs_status allocate(int64_t rows, int64_t dim, const gibbs_allocator *allocator, ebm_points *p,
                             gibbs_error *error)
{
    *p = (ebm_points){.rows = rows, .dim = dim, .allocator = gibbs_allocator_or_default(allocator)};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    p->x = gibbs_alloc(&p->allocator, (size_t)rows, (size_t)dim * sizeof *p->x);
    p->log_weight = gibbs_alloc_zero(&p->allocator, (size_t)rows, sizeof *p->log_weight);
    if (p->x && p->log_weight) return GIBBS_OK;
    ebm_points_free(p);
    return gibbs_fail(error, GIBBS_MEMORY, "points: out of memory for %lld points", (long long)rows);
}

gibbs_status ebm_points_space(const ebm_space *space, const gibbs_allocator *allocator, ebm_points *p,
                              gibbs_error *error)
{
    GIBBS_REQUIRE("points", space && p, error);
    *p = (ebm_points){0};
    gibbs_status status = ebm_space_check("points", space, error);
    if (!status) status = allocate(ebm_space_size(space), ebm_space_dim(space), allocator, p, error);
    if (!status) p->kind = EBM_POINTS_STATES, ebm_space_rows(space, 0, p->rows, p->x);
    return status;
}

/* Point `row` of the grid, and the log of its weight: the cell, half of it for each face that the point is on. */
static double place(const ebm_grid *g, int64_t row, double *x)
{
    double log_weight = 0;
    for (int k = g->dim - 1; k >= 0; k--, row /= g->side) {
        int64_t i = row % g->side;
        bool first = i == 0, last = i == g->side - 1;
        x[k] = last ? g->high[k] : g->low[k] + (double)i * g->step[k];
        log_weight += log(first || last ? 0.5 * g->step[k] : g->step[k]);
    }
    return log_weight;
}

gibbs_status ebm_points_box(int64_t dim, const ebm_box *box, const gibbs_allocator *allocator, ebm_points *p,
                            gibbs_error *error)
{
    GIBBS_REQUIRE("points", box && p, error);
    *p = (ebm_points){0};
    ebm_grid g;
    int64_t rows = 1;
    gibbs_status status = ebm_grid_new("points", dim, box, &g, error);
    if (status) return status;
    for (int k = 0; k < g.dim && rows <= EBM_MOST_POINTS; k++) rows *= g.side;
    if (rows > EBM_MOST_POINTS)
        return gibbs_fail(error, GIBBS_SIZE, "points: %lld a dimension in %d dimensions are more than 2^20",
                          (long long)g.side, g.dim);
    status = allocate(rows, dim, allocator, p, error);
    if (!status) p->kind = box->whole_domain ? EBM_POINTS_DOMAIN : EBM_POINTS_BOX;
    for (int64_t row = 0; row < rows && !status; row++) p->log_weight[row] = place(&g, row, p->x + row * dim);
    return status;
}

bool ebm_points_on_edge(const ebm_points *p, int64_t point)
{
    const double *x = p->x + point * p->dim, *low = p->x, *high = p->x + (p->rows - 1) * p->dim;
    bool edge = false;
    for (int64_t k = 0; k < p->dim; k++) edge |= x[k] == low[k] || x[k] == high[k];
    return p->kind == EBM_POINTS_BOX && edge;
}

void ebm_points_free(ebm_points *p)
{
    if (!p || (!p->x && !p->log_weight)) return;
    gibbs_release(&p->allocator, p->x);
    gibbs_release(&p->allocator, p->log_weight);
    *p = (ebm_points){0};
}
