/* neighbours.h — which row of a table is nearest to which. */
#ifndef GIBBS_NEIGHBOURS_H
#define GIBBS_NEIGHBOURS_H

#include <gibbs/status.h>

/* nearest[i], of the dtype, is the number of the other row that is nearest to row i of x, rows × dim; the first of
 * several. rows >= 2; time is rows² × dim. */
void ebm_nearest(gibbs_dtype dtype, const void *x, int64_t rows, int64_t dim, int threads, void *nearest);

#endif
