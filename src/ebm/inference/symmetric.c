/* symmetric.c — Jacobi's method: rotations that make one pair of off-diagonal elements 0 at a time. Slow (n = 500 takes
 * seconds), short, and as exact as the matrix allows. */
#include "symmetric.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { SWEEPS = 60 };

/* Eigenvalues below this are taken for 0, of a matrix whose diagonal is ones. */
static const double UNSEEN = 1e-10;

static void rotate(double *a, double *b, int64_t n, int64_t step, double c, double s)
{
    for (int64_t k = 0; k < n; k++) {
        double x = a[k * step], y = b[k * step];
        a[k * step] = c * x - s * y;
        b[k * step] = s * x + c * y;
    }
}

/* The rotation that makes a[p][q] 0 (Golub & Van Loan, §8.5). */
static void annihilate(int64_t n, double *a, double *vector, int64_t p, int64_t q)
{
    double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (tau < 0 ? -1 : 1) / (fabs(tau) + sqrt(1 + tau * tau)), c = 1 / sqrt(1 + t * t), s = t * c;
    rotate(a + p * n, a + q * n, n, 1, c, s);
    rotate(a + p, a + q, n, n, c, s);
    rotate(vector + p * n, vector + q * n, n, 1, c, s);
}

bool ebm_eigen(int64_t n, double *a, double *value, double *vector)
{
    double norm = 0;
    for (int64_t i = 0; i < n * n; i++) {
        if (!isfinite(a[i])) return false;
        norm = fmax(norm, fabs(a[i]));
    }
    memset(vector, 0, (size_t)(n * n) * sizeof *vector);
    for (int64_t i = 0; i < n; i++) vector[i * n + i] = 1;
    bool turned = true;
    for (int sweep = 0; sweep < SWEEPS && turned; sweep++) {
        turned = false;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                if (fabs(a[p * n + q]) > 0.1 * DBL_EPSILON * norm) annihilate(n, a, vector, p, q), turned = true;
    }
    for (int64_t i = 0; i < n; i++) value[i] = a[i * n + i];
    return true;
}

/* h ← DhD with a diagonal of ones: what counts as 0 must not depend on the units of the parameters. */
static void scale_to_ones(int64_t n, double *h, double *scale)
{
    for (int64_t i = 0; i < n; i++) scale[i] = h[i * n + i] != 0 ? 1 / sqrt(fabs(h[i * n + i])) : 1;
    for (int64_t i = 0; i < n * n; i++) h[i] *= scale[i / n] * scale[i % n];
}

static void add_direction(int64_t n, const double *q, double value, const double *scale, double *inverse)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) inverse[i * n + j] += scale[i] * q[i] * q[j] * scale[j] / value;
}

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Makes row k of v orthogonal to those before it (twice, against rounding), and of length 1. */
static void orthonormalise(int64_t n, double *v, int64_t k)
{
    double *own = v + k * n;
    for (int64_t l = 0; l < 2 * k; l++) {
        const double *before = v + l % k * n;
        double along = dot(n, own, before);
        for (int64_t i = 0; i < n; i++) own[i] -= along * before[i];
    }
    double length = sqrt(dot(n, own, own));
    for (int64_t i = 0; i < n; i++) own[i] /= length;
}

/* G ← PGP, P = 1 − vvᵀ; `work` has n places. */
static void take_out(int64_t n, const double *v, ebm_inverse *out, double *work)
{
    double *g = out->inverse;
    for (int64_t i = 0; i < n; i++) work[i] = dot(n, g + i * n, v);
    double both = dot(n, work, v);
    for (int64_t i = 0; i < n; i++) {
        out->seen[i] -= v[i] * v[i];
        for (int64_t j = 0; j < n; j++) g[i * n + j] += both * v[i] * v[j] - work[i] * v[j] - v[i] * work[j];
    }
}

/* With H scaled, HGH = H; then PGP is the Moore–Penrose inverse, P being the projection along H's null space. */
static gibbs_status invert(int64_t n, double *h, double *work, ebm_inverse *out, gibbs_error *error)
{
    double *scale = work, *value = work + n, *vector = value + n, most = 0;
    int64_t unseen = 0;
    scale_to_ones(n, h, scale);
    if (!ebm_eigen(n, h, value, vector))
        return gibbs_fail(error, GIBBS_NUMERIC, "standard errors: the Hessian of the loss is not finite");
    out->least = INFINITY;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(value[i])), out->least = fmin(out->least, value[i]);
    if (out->least < -UNSEEN * most)
        return gibbs_fail(error, GIBBS_NUMERIC,
                          "standard errors: the loss curves down in some direction (eigenvalue %.3g, the largest is "
                          "%.3g): the parameters are at no minimum", out->least, most);
    memset(out->inverse, 0, (size_t)(n * n) * sizeof *out->inverse);
    for (int64_t i = 0; i < n; i++) {
        const double *q = vector + i * n;
        out->seen[i] = 1;
        if (value[i] > UNSEEN * most) add_direction(n, q, value[i], scale, out->inverse);
        else for (int64_t j = 0, k = unseen++; j < n; j++) vector[k * n + j] = scale[j] * q[j]; /* k ≤ i */
    }
    out->rank = n - unseen;
    for (int64_t k = 0; k < unseen; k++) {
        orthonormalise(n, vector, k);
        take_out(n, vector + k * n, out, value);
    }
    return GIBBS_OK;
}

gibbs_status ebm_invert_hessian(int64_t n, double *h, ebm_inverse *out, const gibbs_allocator *a, gibbs_error *error)
{
    double *work = gibbs_alloc(a, (size_t)(n * (n + 2)), sizeof *work);
    if (!work) return gibbs_fail(error, GIBBS_MEMORY, "standard errors: out of memory");
    gibbs_status status = invert(n, h, work, out, error);
    gibbs_release(a, work);
    return status;
}

/* c = AB for symmetric B: both are read along rows. */
static void multiply(int64_t n, const double *a, const double *b, double *c)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++) sum += a[i * n + k] * b[j * n + k];
            c[i * n + j] = sum;
        }
}

void ebm_sandwich(int64_t n, const double *g, const double *s, double *work, double *c)
{
    multiply(n, g, s, work);
    multiply(n, work, g, c);
    for (int64_t i = 0; i < n; i++) /* symmetric to the last bit */
        for (int64_t j = 0; j < i; j++) c[i * n + j] = c[j * n + i] = 0.5 * (c[i * n + j] + c[j * n + i]);
}
