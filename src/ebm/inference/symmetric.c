/* symmetric.c — the inverse of a Hessian by its eigenvalues, which the kernel of ad_eigenvalues finds. */
#include "symmetric.h"

#include "autodiff/kernel/kernels.h"
#include "base/float_word.h"

#include <math.h>
#include <string.h>

/* Eigenvalues below this are taken for 0, of a matrix whose diagonal is ones. */
static const double UNSEEN = 1e-10;

gibbs_status ebm_eigen(int64_t n, const double *a, double *made, const gibbs_allocator *allocator, gibbs_error *error)
{
    const ad_kernels *k = ad_kernels_for(GIBBS_FLOAT64);
    void *room = gibbs_alloc_aligned(allocator, (size_t)k->factor_room(OP_eigen, n), 1);
    if (!room) return gibbs_fail(error, GIBBS_MEMORY, "standard errors: out of memory");
    const gibbs_float_word host = gibbs_float_enter();
    k->eigen(&(ad_factor){.rows = 1, .n = n, .a = a, .y = made, .room = room});
    gibbs_float_leave(host);
    gibbs_release_aligned(allocator, room);
    if (isfinite(made[0])) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_NUMERIC, "standard errors: the Hessian of the loss is not finite");
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
static gibbs_status invert(int64_t n, double *h, double *work, ebm_inverse *out, const gibbs_allocator *a,
                           gibbs_error *error)
{
    double *scale = work, *value = work + n, *vector = value + n, most = 0;
    int64_t unseen = 0;
    scale_to_ones(n, h, scale);
    gibbs_status status = ebm_eigen(n, h, value, a, error);
    if (status) return status;
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
    gibbs_status status = invert(n, h, work, out, a, error);
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
