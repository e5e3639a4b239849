/* dots.inc.h — products of which a tile would be mostly empty: few columns, each of which lies in a row, as dot
 * products with vectors along the row. Included by products.inc.h. */

enum { /* at once: */
    NAME(COLUMNS) = VECTOR_BYTES / 16,             /* columns for four rows, */
    NAME(SUMS) = 4 * NAME(COLUMNS),                /* whose sums are half of the registers; */
    NAME(ALONE) = NAME(SUMS) < 8 ? NAME(SUMS) : 8, /* rows for a single column */
};
#define COLUMNS NAME(COLUMNS)
#define SUMS NAME(SUMS)
#define ALONE NAME(ALONE)

/* Adds up the halves of vectors, those of x[q] and x[q + half] in alternate places. */
INLINED void NAME(fold)(int half, V *x)
{
    for (int first = 0; first < LANES; first += SIDE)
        for (int q = first; q < first + half; q++)
            x[q] = NAME(LOW)(x[q], x[q + half]) + NAME(HIGH)(x[q], x[q + half]);
}

/* Number q is the sum of vector q's numbers. */
INLINED V NAME(totals)(V *x)
{
    if (SIDE > 8) NAME(fold)(8, x);
    if (SIDE > 4) NAME(fold)(4, x);
    if (SIDE > 2) NAME(fold)(2, x);
    NAME(fold)(1, x);
    return HALVES == 2 ? NAME(FRONT)(x[0], x[LANES - SIDE]) + NAME(BACK)(x[0], x[LANES - SIDE]) : x[0];
}

/* x[rows·j + i] += a[i][p]·b[j][p], for `numbers` values of p */
INLINED void NAME(some_products)(int rows, int columns, const REAL *const *a, const REAL *const *b, int64_t p,
                                 int64_t numbers, V *x)
{
    V column[COLUMNS];
    for (int j = 0; j < columns; j++) column[j] = NAME(load)(b[j] + p, numbers);
    for (int i = 0; i < rows; i++) {
        V row = NAME(load)(a[i] + p, numbers);
        for (int j = 0; j < columns; j++) x[rows * j + i] += row * column[j];
    }
}

/* sum[rows·j + i] = Σ a[i][p]·b[j][p] */
INLINED void NAME(some_dots)(int rows, int columns, int64_t k, const REAL *const *a, const REAL *const *b, REAL *sum)
{
    V x[SUMS];
    int64_t p = 0;
    for (int q = 0; q < SUMS; q++) x[q] = (V){0};
    for (; p + LANES <= k; p += LANES) NAME(some_products)(rows, columns, a, b, p, LANES, x);
    if (p < k) NAME(some_products)(rows, columns, a, b, p, k - p, x);
    for (int q = 0; q < rows * columns; q += LANES) *(LOOSE *)(sum + q) = NAME(totals)(x + q);
}

/* C (+)= A[m,k]·B[n,k]ᵀ; element (i, j) is c[i·down + j·along]. Where a row or column is missing, the first is done
 * again. Inlined for each number of rows and columns at once. */
INLINED void NAME(blocks_of_dots)(int rows, int columns, int64_t m, int64_t n, int64_t k, const REAL *a, const REAL *b,
                                  int adds, REAL *c, int64_t down, int64_t along)
{
    for (int64_t j = 0; j < n; j += columns)
        for (int64_t i = 0; i < m; i += rows) {
            const REAL *row[8], *column[COLUMNS];
            REAL sum[SUMS];
            for (int64_t q = 0; q < rows; q++) row[q] = a + (i + q < m ? i + q : i) * k;
            for (int64_t q = 0; q < columns; q++) column[q] = b + (j + q < n ? j + q : j) * k;
            NAME(some_dots)(rows, columns, k, row, column, sum);
            for (int64_t q = 0; q < rows * columns; q++)
                if (i + q % rows < m && j + q / rows < n) {
                    REAL *to = c + (i + q % rows) * down + (j + q / rows) * along;
                    *to = adds ? *to + sum[q] : sum[q];
                }
        }
}

static void NAME(dots)(int64_t m, int64_t n, int64_t k, const REAL *a, const REAL *b, int adds, REAL *c, int64_t down,
                       int64_t along)
{
    if (n == 1) NAME(blocks_of_dots)(ALONE, 1, m, n, k, a, b, adds, c, down, along);
    else NAME(blocks_of_dots)(4, COLUMNS, m, n, k, a, b, adds, c, down, along);
}

#undef COLUMNS
#undef SUMS
#undef ALONE
