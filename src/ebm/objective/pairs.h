/* pairs.h — all pairs of different rows, as the numbers that a tape gathers by. */
#ifndef GIBBS_PAIRS_H
#define GIBBS_PAIRS_H

#include <gibbs/status.h>

/* The rows (i, j), i < j, of pair after pair: rows·(rows − 1)/2 numbers of the dtype in each array. */
void ebm_fill_pairs(gibbs_dtype dtype, int64_t rows, void *first, void *second);

#endif
