/* hull.h — whether a point lies in the convex hull of others. */
#ifndef GIBBS_HULL_H
#define GIBBS_HULL_H

#include "base/base.h"

/* Of the rows of points[rows, dim]; false also where 2000 steps do not tell. Distances below 10⁻³ are none: columns are
 * to have variances of about 1. `work` has 2 dim places. */
bool ebm_in_hull(const double *points, int64_t rows, int64_t dim, const double *at, double *work);

#endif
