/* clip.c — the gradient's norm, and its clipping. */
#include "kernel.h"

#include <float.h>
#include <math.h>

static ebm_optim_square_fn *const square[] = GIBBS_ISA_TABLE(ebm_optim_square);

/* A Euclidean norm as the product unit·root, which may itself be too large for a double. */
typedef struct norm {
    double unit, root;
} norm;

static double at(gibbs_dtype dtype, const void *g, int64_t i)
{
    return dtype == GIBBS_FLOAT32 ? (double)((const float *)g)[i] : ((const double *)g)[i];
}

/* For squares that leave double's range: everything in units of the largest element. */
static norm scaled_norm(gibbs_dtype dtype, int64_t n, const void *g)
{
    double unit = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double x = fabs(at(dtype, g, i));
        if (!isfinite(x)) return (norm){x, 1};
        if (x > unit) unit = x;
    }
    for (int64_t i = 0; i < n && unit > 0; i++) {
        double x = at(dtype, g, i) / unit;
        sum += x * x;
    }
    return (norm){unit, sqrt(sum)};
}

static norm norm_of(gibbs_dtype dtype, int64_t n, const void *g)
{
    double sum = square[gibbs_isa()](dtype, n, g);
    /* Below DBL_MIN/ε some square may have lost digits. A NaN fails both comparisons. */
    if (sum <= DBL_MAX && sum >= DBL_MIN / DBL_EPSILON) return (norm){1, sqrt(sum)};
    return scaled_norm(dtype, n, g);
}

static void scale(gibbs_dtype dtype, int64_t n, void *g, double factor)
{
    if (dtype == GIBBS_FLOAT32)
        for (int64_t i = 0; i < n; i++) ((float *)g)[i] = (float)(((float *)g)[i] * factor);
    else
        for (int64_t i = 0; i < n; i++) ((double *)g)[i] *= factor;
}

/* A gradient with a NaN or an infinity has no direction to keep: it is left as it is, and the norm returned is not
 * finite, which tells the caller. */
double ebm_clip_gradient(gibbs_dtype dtype, int64_t n, void *g, double limit)
{
    norm before = norm_of(dtype, n, g);
    double length = before.unit * before.root;
    if (limit > 0 && isfinite(before.unit) && length > limit) scale(dtype, n, g, limit / before.unit / before.root);
    return length;
}
