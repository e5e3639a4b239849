/* sums.inc.h — sums within a sample and over a batch, added up in double precision whatever the number type. Included
 * by kernels.inc.h. */

enum { NAME(STRIPE) = 4 }; /* vectors of columns at a time */
#define STRIPE NAME(STRIPE)

static double NAME(sum_row)(int64_t n, const REAL *x)
{
    WIDE total = {0}, other = {0};
    int64_t i = 0;
    for (; i + 2 * DOUBLES <= n; i += 2 * DOUBLES) {
        total += NAME(load_wide)(x + i, DOUBLES);
        other += NAME(load_wide)(x + i + DOUBLES, DOUBLES);
    }
    if (i + DOUBLES <= n) total += NAME(load_wide)(x + i, DOUBLES), i += DOUBLES;
    if (i < n) other += NAME(load_wide)(x + i, n - i);
    total += other;
    for (int half = DOUBLES / 2; half; half /= 2)
        for (int k = 0; k < half; k++) total[k] += total[k + half];
    return total[0];
}

/* Of some vectors of columns, `step` numbers from row to row; the last vector has `last` columns. */
INLINED void NAME(sum_vectors)(int vectors, int64_t last, int64_t rows, int64_t step, const REAL *x, WIDE *total)
{
    WIDE sum[STRIPE];
    for (int k = 0; k < vectors; k++) sum[k] = (WIDE){0};
    for (int64_t r = 0; r < rows; r++, x += step)
        for (int k = 0; k < vectors; k++)
            sum[k] += NAME(load_wide)(x + k * DOUBLES, k == vectors - 1 ? last : DOUBLES);
    for (int k = 0; k < vectors; k++) total[k] = sum[k];
}

/* Of up to STRIPE vectors of columns. */
static inline void NAME(sum_stripe)(int64_t width, int64_t rows, int64_t step, const REAL *x, WIDE total[])
{
    if (width == STRIPE * DOUBLES) NAME(sum_vectors)(STRIPE, DOUBLES, rows, step, x, total);
    else
        for (int64_t j = 0; j < width; j += DOUBLES, total++)
            NAME(sum_vectors)(1, width - j < DOUBLES ? width - j : DOUBLES, rows, step, x + j, total);
}

static int64_t NAME(stripe)(int64_t columns) { return columns < STRIPE * DOUBLES ? columns : STRIPE * DOUBLES; }

/* x [outer][red][inner] → y [outer][inner] */
static void NAME(k_sum)(int64_t outer, int64_t red, int64_t inner, void *to, const void *from)
{
    REAL *y = to;
    const REAL *x = from;
    if (inner == 1)
        for (int64_t o = 0; o < outer; o++) y[o] = (REAL)NAME(sum_row)(red, x + o * red);
    else
        for (int64_t o = 0; o < outer; o++, x += red * inner, y += inner)
            for (int64_t j = 0, width; j < inner; j += width) {
                WIDE total[STRIPE];
                width = NAME(stripe)(inner - j);
                NAME(sum_stripe)(width, red, inner, x + j, total);
                for (int64_t i = 0; i < width; i += DOUBLES)
                    NAME(store_wide)(y + j + i, total[i / DOUBLES], width - i < DOUBLES ? width - i : DOUBLES);
            }
}

static void NAME(k_cumsum)(int64_t outer, int64_t n, int64_t inner, bool from_end, void *to, const void *from)
{
    const int64_t first = from_end ? (n - 1) * inner : 0, step = from_end ? -inner : inner;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j += DOUBLES) {
            const int64_t at = o * n * inner + first + j, width = inner - j < DOUBLES ? inner - j : DOUBLES;
            const REAL *x = (const REAL *)from + at;
            REAL *y = (REAL *)to + at;
            double one = 0;
            WIDE sum = {0};
            for (int64_t i = 0; i < n && width == 1; i++, x += step, y += step) *y = (REAL)(one += *x);
            for (int64_t i = 0; i < n && width > 1; i++, x += step, y += step)
                NAME(store_wide)(y, sum += NAME(load_wide)(x, width), width);
        }
}

static void NAME(k_batch_sum)(int64_t rows, int64_t n, const void *from, double *acc, bool first)
{
    const REAL *x = from;
    if (first) memset(acc, 0, (size_t)n * sizeof *acc);
    if (n == 1) *acc += NAME(sum_row)(rows, x);
    else
        for (int64_t j = 0, width; j < n; j += width) {
            WIDE total[STRIPE];
            width = NAME(stripe)(n - j);
            NAME(sum_stripe)(width, rows, n, x + j, total);
            for (int64_t i = 0; i < width; i++) acc[j + i] += total[i / DOUBLES][i % DOUBLES];
        }
}
#undef STRIPE
