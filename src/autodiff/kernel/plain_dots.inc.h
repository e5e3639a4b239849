/* plain_dots.inc.h — dots.inc.h where vectors are short. Included by products.inc.h. */

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
