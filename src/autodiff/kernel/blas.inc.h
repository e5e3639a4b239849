/* blas.inc.h — products where tiles.inc.h has no vectors to put them into: BLAS. Included by products.inc.h. */

static void NAME(wide)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const REAL *a, int64_t next_a, const REAL *b,
                       const REAL *start, REAL *c)
{
    if (start && start != c)
        for (int64_t i = 0; i < m; i++) memcpy(c + i * n, start, (size_t)n * sizeof(REAL));
    GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a,
         (int)next_a, b, (int)(tb ? k : n), start ? 1 : 0, c, (int)n);
}

#define THIN 1

static REAL NAME(dot)(int64_t k, const REAL *a, const REAL *b)
{
    REAL total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < k; i++) total += a[i] * b[i];
    return total;
}

/* C (+)= A[m,k]·B[n,k]ᵀ; element (i, j) is c[i·down + j·along]. */
static void NAME(dots)(int64_t m, int64_t n, int64_t k, const REAL *a, const REAL *b, int adds, REAL *c, int64_t down,
                       int64_t along)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            REAL total = NAME(dot)(k, a + i * k, b + j * k), *to = c + i * down + j * along;
            *to = adds ? *to + total : total;
        }
}
