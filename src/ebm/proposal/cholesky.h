/* cholesky.h — A = LLᵀ, and the inverse of L. */
#ifndef GIBBS_CHOLESKY_H
#define GIBBS_CHOLESKY_H

#include "base/base.h"

/* `a` and `lower` are d × d, row-major; above its diagonal `lower` is 0. NUMERIC, naming the place, when `a` holds
 * a number that is not finite, is not symmetric, or has a pivot that is 0 within rounding. */
gibbs_status ebm_cholesky(int64_t d, const double *a, double *lower, gibbs_error *error);

/* inverse = L⁻¹ of what ebm_cholesky made. */
void ebm_invert_lower(int64_t d, const double *lower, double *inverse);

#endif
