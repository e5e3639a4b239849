/* products.inc.h — matrix products: loops of our own where a dimension is 1, BLAS elsewhere. Included by
 * kernels.inc.h. */

static double NAME(dot)(int64_t k, const REAL *a, const REAL *b)
{
    REAL total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < k; i++) total += a[i] * b[i];
    return total;
}

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

/* y[m] (+)= A[m,k]·v[k] */
static void NAME(times_column)(int64_t m, int64_t k, const REAL *a, const REAL *v, int beta, REAL *y)
{
    for (int64_t i = 0; i < m; i++) {
        REAL total = (REAL)NAME(dot)(k, a + i * k, v);
        y[i] = beta ? y[i] + total : total;
    }
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

static void NAME(k_matmul)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *pa, const void *pb, int beta,
                           void *pc)
{
    const REAL *a = pa, *b = pb;
    REAL *c = pc;
    if (k == 1) NAME(outer)(m, n, a, b, beta, c);
    else if (n == 1 && !(ta && m > 1)) NAME(times_column)(m, k, a, b, beta, c);
    else if (n == 1) NAME(row_times)(m, k, b, a, beta, c);
    else if (m == 1 && !tb) NAME(row_times)(n, k, a, b, beta, c);
    else if (m == 1) NAME(times_column)(n, k, b, a, beta, c);
    else
        GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1,
             a, (int)(ta ? m : k), b, (int)(tb ? k : n), (REAL)beta, c, (int)n);
}
