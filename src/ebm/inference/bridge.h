/* bridge.h — the root of a bridge between two densities, and what each draw has to do with it. */
#ifndef GIBBS_BRIDGE_H
#define GIBBS_BRIDGE_H

#include "base/base.h"

#include <gibbs/ebm.h>

/* log Z₁/Z₀ from l = log φ₁/φ₀ at `rows0` draws of the first and `rows1` of the second density. `influence` has as many
 * places as draws, the first density's first: by how much each moves the estimate, so that its variance is the sum of
 * their squares over independent draws. *overlap is what the densities have in common, 1 where they are equal.
 * NUMERIC: a number is NaN or infinite both ways, or nothing is in common. */
gibbs_status ebm_bridge(const double *l0, int64_t rows0, const double *l1, int64_t rows1, double *log_ratio,
                        double *influence, double *overlap, gibbs_error *error);

#endif
