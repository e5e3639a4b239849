/* dots.inc.h — products of which a tile would be mostly empty: few columns, each of which lies in a row, as dot
 * products with vectors along the row. Included by products.inc.h after tiles.inc.h. */

enum { NAME(COLUMNS) = NAME(LANES) / 4 }; /* at once: four rows of them are as many sums as a vector has numbers */
#define COLUMNS NAME(COLUMNS)
#define THIN NAME(LANES) / 2 /* columns of which tiles would be too narrow */

/* Adds up the halves of vectors, those of x[q] and x[q + half] in alternate places. */
INLINED void NAME(fold)(int half, int count, V *x)
{
    for (int q = 0; q < half && q < count; q++) {
        V other = x[q + half < count ? q + half : q];
        x[q] = NAME(LOW)(x[q], other) + NAME(HIGH)(x[q], other);
    }
}

/* Number q is the sum of vector q's numbers. */
INLINED V NAME(totals)(int count, V *x)
{
    if (LANES > 8) NAME(fold)(8, count, x);
    if (LANES > 4) NAME(fold)(4, count, x);
    NAME(fold)(2, count, x);
    NAME(fold)(1, count, x);
    return x[0];
}

/* x[4j + i] += a[i][p]·b[j][p], for `numbers` values of p */
INLINED void NAME(four_products)(int columns, const REAL *const *a, const REAL *const *b, int64_t p, int64_t numbers,
                                 V *x)
{
    V row[4];
    for (int i = 0; i < 4; i++) row[i] = NAME(load)(a[i] + p, numbers);
    for (int j = 0; j < columns; j++) {
        V column = NAME(load)(b[j] + p, numbers);
        for (int i = 0; i < 4; i++) x[4 * j + i] += row[i] * column;
    }
}

/* sum[4j + i] = Σ a[i][p]·b[j][p] */
INLINED void NAME(four_rows)(int columns, int64_t k, const REAL *const *a, const REAL *const *b, REAL *sum)
{
    V x[LANES];
    int64_t p = 0;
    for (int q = 0; q < 4 * columns; q++) x[q] = (V){0};
    for (; p + LANES <= k; p += LANES) NAME(four_products)(columns, a, b, p, LANES, x);
    if (p < k) NAME(four_products)(columns, a, b, p, k - p, x);
    *(LOOSE *)sum = NAME(totals)(4 * columns, x);
}

/* C (+)= A[m,k]·B[n,k]ᵀ; element (i, j) is c[i·down + j·along]. */
static void NAME(dots)(int64_t m, int64_t n, int64_t k, const REAL *a, const REAL *b, int adds, REAL *c, int64_t down,
                       int64_t along)
{
    for (int64_t j = 0; j < n; j += COLUMNS)
        for (int64_t i = 0; i < m; i += 4) {
            const REAL *row[4], *column[COLUMNS]; /* where one is missing, the first is done again */
            REAL sum[LANES];
            for (int64_t q = 0; q < 4; q++) row[q] = a + (i + q < m ? i + q : i) * k;
            for (int64_t q = 0; q < COLUMNS; q++) column[q] = b + (j + q < n ? j + q : j) * k;
            if (n == 1) NAME(four_rows)(1, k, row, column, sum);
            else NAME(four_rows)(COLUMNS, k, row, column, sum);
            for (int64_t q = 0; q < 4 * COLUMNS; q++)
                if (i + q % 4 < m && j + q / 4 < n) {
                    REAL *to = c + (i + q % 4) * down + (j + q / 4) * along;
                    *to = adds ? *to + sum[q] : sum[q];
                }
        }
}

#undef COLUMNS
