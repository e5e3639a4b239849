/* pairs.c — all pairs of different rows. */
#include "pairs.h"

#include "ebm/model/model.h"

void ebm_fill_pairs(gibbs_dtype dtype, int64_t rows, void *first, void *second)
{
    size_t size = gibbs_dtype_size(dtype), at = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = i + 1; j < rows; j++, at += size) {
            double pair[2] = {(double)i, (double)j};
            ebm_to_dtype(dtype, 1, (char *)first + at, &pair[0]);
            ebm_to_dtype(dtype, 1, (char *)second + at, &pair[1]);
        }
}
