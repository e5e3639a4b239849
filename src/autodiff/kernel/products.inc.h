/* products.inc.h — matrix products: rows, columns and dot products where a dimension is small; elsewhere tiles, or
 * BLAS. Where all are to be BLAS's, so are the small ones. Included by kernels.inc.h. */

/* NAME(wide) for all shapes, and the room that it takes */
#if USES_BLAS
#include "blas.inc.h"
#else
#include "tiles.inc.h"
#endif

#ifdef GIBBS_PRODUCTS_BLAS
static void NAME(k_matmul)(const ad_product *x) { NAME(wide)(x); }
#else

#include "dots.inc.h"

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
static void NAME(thin)(const ad_product *x)
{
    const int64_t m = x->m, n = x->n, k = x->k;
    const REAL *a = x->a, *b = x->b;
    REAL *c = x->c;
    bool adds = x->start != NULL;
    if (adds && x->start != c)
        for (int64_t i = 0; i < m; i++) memcpy(c + i * n, x->start, (size_t)n * sizeof(REAL));
    if (k == 1) NAME(outer)(m, n, a, b, adds, c);
    else if (x->rows == 1 && n > 1 && !x->tb) NAME(row_times)(n, k, a, b, adds, c);
    else if (x->rows > 1 && n == 1 && x->ta) NAME(row_times)(m, k, b, a, adds, c);
    else if (n <= LANES / 2) NAME(dots)(m, n, k, a, b, adds, c, n, 1);
    else NAME(dots)(n, m, k, b, a, adds, c, 1, n);
}

/* Where dot products pay, rather than tiles that are mostly empty or a B that is transposed for few rows. */
static bool NAME(dots_pay)(int64_t columns, int64_t most, int64_t k) { return columns <= most && k >= DEEP * columns; }

/* Each four rows of A read all of B, which should then stay in the second cache. */
static bool NAME(few_rows)(const ad_product *x)
{
    const int64_t most = MASKS ? VECTOR_BYTES / 4 : LANES, near = NEAR_B_BYTES / (int64_t)sizeof(REAL);
    return NAME(dots_pay)(x->rows, x->rows > 4 && x->n * x->k > near ? 0 : most, x->k);
}

/* Few columns that lie across B, where dot products would pay: B is turned first. */
static bool NAME(turns)(const ad_product *x)
{
    const int64_t most = sizeof(NAME(room)) / sizeof(REAL);
    return !x->ta && !x->tb && NAME(dots_pay)(x->n, LANES / 2, x->k) && x->n * x->k <= most;
}

static void NAME(turned)(const ad_product *x)
{
    ad_product turned = *x;
    NAME(k_transpose)(x->n, x->k, x->room, x->k, x->b, x->n);
    turned.b = x->room;
    turned.tb = true;
    NAME(thin)(&turned);
}

static void NAME(k_matmul)(const ad_product *x)
{
    bool tight = x->next_a == (x->ta ? x->m : x->k) || (x->ta ? x->k : x->rows) == 1;
    bool rows_of_k = (!x->ta || x->m == 1) && (x->tb || x->n == 1); /* in both factors */
    bool few = NAME(few_rows)(x) || NAME(dots_pay)(x->n, LANES / 2, x->k);
    bool thin = x->k == 1 || x->rows == 1 || x->n == 1 || (rows_of_k && few);
    if (thin && tight) NAME(thin)(x);
    else if (NAME(turns)(x) && tight) NAME(turned)(x);
    else NAME(wide)(x);
}

#endif
#undef STRIP
