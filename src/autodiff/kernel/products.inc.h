/* products.inc.h — matrix products: rows, columns and dot products where a dimension is small; tiles elsewhere, or BLAS
 * where we have no vectors with fused multiply-add. Included by kernels.inc.h. */

/* NAME(wide) for all shapes, NAME(dots) for up to THIN columns */
#if USES_BLAS
#include "blas.inc.h"
#else
#include "tiles.inc.h"
#include "dots.inc.h"
#endif

/* y[n] (+)= v[k]·B[k,n] */
static void NAME(row_times)(int64_t n, int64_t k, const REAL *v, const REAL *b, int beta, REAL *restrict y)
{
    if (!beta) memset(y, 0, (size_t)n * sizeof(REAL));
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) {
        REAL p = v[i], q = v[i + 1], r = v[i + 2], s = v[i + 3];
        const REAL *c = b + i * n;
#pragma omp simd
        for (int64_t j = 0; j < n; j++) y[j] += p * c[j] + q * c[n + j] + r * c[2 * n + j] + s * c[3 * n + j];
    }
    for (; i < k; i++)
#pragma omp simd
        for (int64_t j = 0; j < n; j++) y[j] += v[i] * b[i * n + j];
}

/* C[m,n] (+)= a[m]·b[n]ᵀ */
static void NAME(outer)(int64_t m, int64_t n, const REAL *a, const REAL *b, int beta, REAL *restrict c)
{
    for (int64_t i = 0; i < m; i++, c += n) {
        REAL s = a[i];
        if (beta)
#pragma omp simd
            for (int64_t j = 0; j < n; j++) c[j] += s * b[j];
        else
#pragma omp simd
            for (int64_t j = 0; j < n; j++) c[j] = s * b[j];
    }
}

/* Products that are rows, columns, or few dot products. */
static void NAME(thin)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const REAL *a, const REAL *b,
                       const REAL *start, REAL *c)
{
    bool adds = start != NULL;
    if (adds && start != c)
        for (int64_t i = 0; i < m; i++) memcpy(c + i * n, start, (size_t)n * sizeof(REAL));
    if (k == 1) NAME(outer)(m, n, a, b, adds, c);
    else if (m == 1 && !tb) NAME(row_times)(n, k, a, b, adds, c);
    else if (n == 1 && ta) NAME(row_times)(m, k, b, a, adds, c);
    else if (n <= THIN) NAME(dots)(m, n, k, a, b, adds, c, n, 1);
    else NAME(dots)(n, m, k, b, a, adds, c, 1, n);
}

static void NAME(k_matmul)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *a, int64_t next_a,
                           const void *b, const void *start, void *c)
{
    bool tight = next_a == (ta ? m : k) || (ta ? k : m) == 1;
    bool rows_of_k = (!ta || m == 1) && (tb || n == 1); /* in both factors */
    bool thin = k == 1 || m == 1 || n == 1 || (rows_of_k && (m <= THIN || n <= THIN));
    if (thin && tight) NAME(thin)(ta, tb, m, n, k, a, b, start, c);
    else NAME(wide)(ta, tb, m, n, k, a, next_a, b, start, c);
}

#undef STRIP
#undef THIN
