/* hull.c — Gilbert's (1966) way to the nearest point of a convex hull: from x in it, towards the row that lies farthest
 * along t − x, as near to t as that line comes. If not even that row reaches as far as t, t lies outside. */
#include "hull.h"

enum { MOST_STEPS = 2000 };

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static const double *farthest(const double *points, int64_t rows, int64_t dim, const double *along)
{
    const double *best = points;
    double most = dot(dim, points, along);
    for (int64_t r = 1; r < rows; r++) {
        double reach = dot(dim, points + r * dim, along);
        if (reach > most) most = reach, best = points + r * dim;
    }
    return best;
}

bool ebm_in_hull(const double *points, int64_t rows, int64_t dim, const double *at, double *work)
{
    double *x = work, *off = work + dim;
    for (int64_t i = 0; i < dim; i++) x[i] = points[i];
    for (int k = 0; k < MOST_STEPS; k++) {
        for (int64_t i = 0; i < dim; i++) off[i] = at[i] - x[i];
        if (dot(dim, off, off) < 1e-6) return true;
        const double *row = farthest(points, rows, dim, off);
        if (dot(dim, row, off) < dot(dim, at, off)) return false;
        double along = dot(dim, row, off) - dot(dim, x, off), square = 0;
        for (int64_t i = 0; i < dim; i++) square += (row[i] - x[i]) * (row[i] - x[i]);
        double step = square > 0 ? along / square : 0;
        if (step > 1) step = 1;
        for (int64_t i = 0; i < dim; i++) x[i] += step * (row[i] - x[i]);
    }
    return false;
}
