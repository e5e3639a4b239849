/* blas.inc.h — products where tiles.inc.h has no vectors to put them into: BLAS. Included by products.inc.h. */

static void NAME(wide)(const ad_product *x)
{
    const size_t row = (size_t)x->n * sizeof(REAL);
    if (x->start && x->start != x->c)
        for (int64_t i = 0; i < x->m; i++) memcpy((REAL *)x->c + i * x->n, x->start, row);
    GEMM(CblasRowMajor, x->ta ? CblasTrans : CblasNoTrans, x->tb ? CblasTrans : CblasNoTrans, (int)x->m, (int)x->n,
         (int)x->k, 1, x->a, (int)x->next_a, x->b, (int)(x->tb ? x->k : x->n), x->start ? 1 : 0, x->c, (int)x->n);
}

typedef char NAME(room)[0]; /* it takes its own */

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
