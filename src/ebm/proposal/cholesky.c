/* cholesky.c — the factor of a covariance, in double. */
#include "cholesky.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Both bounds are relative to the variances at the place, so that the units of the columns do not matter. */
static const double ASYMMETRY = 1e-10;
static const double PIVOT = 64 * DBL_EPSILON; /* times d: what is left of a pivot that is 0 but for rounding */

static gibbs_status check_symmetric(int64_t d, const double *a, gibbs_error *error)
{
    for (int64_t k = 0; k < d * d; k++)
        if (!isfinite(a[k]))
            return gibbs_fail(error, GIBBS_NUMERIC, "covariance: %g in row %lld, column %lld", a[k],
                              (long long)(k / d) + 1, (long long)(k % d) + 1);
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < i; j++) {
            double low = a[i * d + j], high = a[j * d + i];
            if (!(fabs(low - high) <= ASYMMETRY * sqrt(fabs(a[i * d + i])) * sqrt(fabs(a[j * d + j]))))
                return gibbs_fail(error, GIBBS_NUMERIC, "covariance: row %lld, column %lld is %g, its mirror image %g",
                                  (long long)i + 1, (long long)j + 1, low, high);
        }
    return GIBBS_OK;
}

static double row_dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) sum += a[k] * b[k];
    return sum;
}

gibbs_status ebm_cholesky(int64_t d, const double *a, double *lower, gibbs_error *error)
{
    gibbs_status status = check_symmetric(d, a, error);
    if (status) return status;
    memset(lower, 0, (size_t)(d * d) * sizeof *lower);
    for (int64_t j = 0; j < d; j++) {
        double *own = lower + j * d, variance = a[j * d + j];
        double pivot = variance - row_dot(own, own, j);
        if (!(pivot > PIVOT * (double)d * variance))
            return gibbs_fail(error, GIBBS_NUMERIC,
                              "covariance: singular, pivot %lld of %lld is %g (variance %g): column %lld is a linear "
                              "function of those before it, or one row lies far from all others",
                              (long long)j + 1, (long long)d, pivot, variance, (long long)j + 1);
        own[j] = sqrt(pivot);
        for (int64_t i = j + 1; i < d; i++)
            lower[i * d + j] = (a[i * d + j] - row_dot(lower + i * d, own, j)) / own[j];
    }
    return GIBBS_OK;
}

/* Column by column: L z = eⱼ, from the top. */
void ebm_invert_lower(int64_t d, const double *lower, double *inverse)
{
    memset(inverse, 0, (size_t)(d * d) * sizeof *inverse);
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = j; i < d; i++) {
            double sum = i == j;
            for (int64_t k = j; k < i; k++) sum -= lower[i * d + k] * inverse[k * d + j];
            inverse[i * d + j] = sum / lower[i * d + i];
        }
}
