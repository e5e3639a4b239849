/* points.c — whole spaces as weighted points: all states of a few discrete variables, or the grid of a box. */
#include "base/base.h"

#include <gibbs/ebm.h>
#include <math.h>

enum { MOST_POINTS = 1 << 20, MAX_DIM = 3 };
static const int default_side[MAX_DIM] = {2000, 400, 100}; /* as ebm_integrate has them */

static gibbs_status allocate(int64_t dim, int64_t side, const gibbs_allocator *allocator, ebm_points *p,
                             gibbs_error *error)
{
    int64_t rows = 1;
    for (int64_t k = 0; k < dim && rows <= MOST_POINTS; k++) rows *= side;
    if (rows > MOST_POINTS)
        return gibbs_fail(error, GIBBS_SIZE, "points: %lld values in %lld dimensions are more than 2^20 points",
                          (long long)side, (long long)dim);
    *p = (ebm_points){.rows = rows, .dim = dim, .allocator = gibbs_allocator_or_default(allocator)};
    p->x = gibbs_alloc(&p->allocator, (size_t)(rows * dim), sizeof *p->x);
    p->log_weight = gibbs_alloc_zero(&p->allocator, (size_t)rows, sizeof *p->log_weight);
    if (p->x && p->log_weight) return GIBBS_OK;
    ebm_points_free(p);
    return gibbs_fail(error, GIBBS_MEMORY, "points: out of memory for %lld points", (long long)rows);
}

/* The number of `row` in base `side`, the last dimension fastest: its digit for dimension k. */
static int64_t digit(const ebm_points *p, int64_t side, int64_t row, int64_t k)
{
    for (int64_t i = p->dim - 1; i > k; i--) row /= side;
    return row % side;
}

gibbs_status ebm_points_states(int64_t dim, int count, const double *values, const gibbs_allocator *allocator,
                               ebm_points *p, gibbs_error *error)
{
    GIBBS_REQUIRE("points", values && p, error);
    *p = (ebm_points){0};
    if (dim < 1 || count < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "points: %d values in %lld dimensions", count, (long long)dim);
    gibbs_status status = allocate(dim, count, allocator, p, error);
    for (int64_t row = 0; !status && row < p->rows; row++)
        for (int64_t k = 0; k < dim; k++) p->x[row * dim + k] = values[digit(p, count, row, k)];
    return status;
}

static gibbs_status check_box(int64_t dim, const ebm_box *box, gibbs_error *error)
{
    if (dim < 1 || dim > MAX_DIM || (box->points && box->points < 2))
        return gibbs_fail(error, GIBBS_ARGUMENT,
                          "points: a box of %lld dimensions (1 to 3 are possible) with %d points", (long long)dim,
                          box->points);
    for (int64_t k = 0; k < dim; k++)
        if (!(box->high[k] > box->low[k]) || !isfinite(box->high[k] - box->low[k]))
            return gibbs_fail(error, GIBBS_ARGUMENT, "points: dimension %lld of the box goes from %g to %g",
                              (long long)k + 1, box->low[k], box->high[k]);
    return GIBBS_OK;
}

/* The trapezoidal rule: a point on a face counts half for each face that it is on. */
gibbs_status ebm_points_box(int64_t dim, const ebm_box *box, const gibbs_allocator *allocator, ebm_points *p,
                            gibbs_error *error)
{
    GIBBS_REQUIRE("points", box && p, error);
    *p = (ebm_points){0};
    gibbs_status status = check_box(dim, box, error);
    if (status) return status;
    int64_t side = box->points ? box->points : default_side[dim - 1];
    status = allocate(dim, side, allocator, p, error);
    for (int64_t row = 0; !status && row < p->rows; row++)
        for (int64_t k = 0; k < dim; k++) {
            int64_t i = digit(p, side, row, k);
            double step = (box->high[k] - box->low[k]) / (double)(side - 1);
            p->x[row * dim + k] = i == side - 1 ? box->high[k] : box->low[k] + (double)i * step;
            p->log_weight[row] += log(i == 0 || i == side - 1 ? 0.5 * step : step);
        }
    return status;
}

void ebm_points_free(ebm_points *p)
{
    if (!p || (!p->x && !p->log_weight)) return;
    gibbs_release(&p->allocator, p->x);
    gibbs_release(&p->allocator, p->log_weight);
    *p = (ebm_points){0};
}
