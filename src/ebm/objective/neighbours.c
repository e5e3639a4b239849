/* neighbours.c — nearest neighbours by comparing all pairs. */
#include "neighbours.h"

#include "base/parallel.h"
#include "ebm/model/program.h"

#include <math.h>

typedef struct search {
    gibbs_dtype dtype;
    const void *x;
    int64_t rows, dim;
    void *nearest;
} search;

/* ‖x_i − x_j‖², or some number that is not below `limit` once it is clear that it will not be. */
static double distance(const search *s, int64_t i, int64_t j, double limit)
{
    double sum = 0;
    for (int64_t k = 0; k < s->dim && sum < limit; k++) {
        double d = ebm_number(s->dtype, s->x, i * s->dim + k) - ebm_number(s->dtype, s->x, j * s->dim + k);
        sum += d * d;
    }
    return sum;
}

static void find(void *context, int64_t i, int worker)
{
    const search *s = context;
    double best = INFINITY, at = i ? 0 : 1;
    (void)worker;
    for (int64_t j = 0; j < s->rows; j++) {
        double d = j == i ? INFINITY : distance(s, i, j, best);
        if (d < best) best = d, at = (double)j;
    }
    ebm_to_dtype(s->dtype, 1, (char *)s->nearest + (size_t)i * gibbs_dtype_size(s->dtype), &at);
}

void ebm_nearest(gibbs_dtype dtype, const void *x, int64_t rows, int64_t dim, int threads, void *nearest)
{
    search s = {dtype, x, rows, dim, nearest};
    gibbs_parallel(threads > 0 ? threads : gibbs_default_threads(), rows, find, &s);
}
