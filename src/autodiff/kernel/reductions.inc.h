/* reductions.inc.h — maxima and log Σ exp, within a sample and over a batch. Included by kernels.inc.h. */

/* The larger, and a NaN if there is one. */
static inline REAL NAME(larger)(REAL a, REAL b) { return b > a || b != b ? b : a; }

/* The largest, or a NaN if there is one. */
static REAL NAME(peak)(int64_t n, const REAL *x)
{
    REAL top = -(REAL)INFINITY;
    int bad = 0;
#pragma omp simd reduction(max : top) reduction(| : bad)
    for (int64_t i = 0; i < n; i++) {
        top = x[i] > top ? x[i] : top;
        bad |= x[i] != x[i];
    }
    for (int64_t i = 0; bad; i++)
        if (x[i] != x[i]) return x[i];
    return top;
}

/* v = exp(x − shift), and their sum; v has room for whole vectors, of which the last is filled up with exp(−∞). */
static double NAME(exp_and_sum)(int64_t n, const REAL *x, REAL shift, REAL *v)
{
    double total = 0;
    int64_t full = (n + W - 1) / W * W;
    for (int64_t i = 0; i < n; i++) v[i] = x[i] - shift;
    for (int64_t i = n; i < full; i++) v[i] = -(REAL)INFINITY;
    NAME(body_exp)(full, v, v);
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < full; i++) total += v[i];
    return total;
}

static double NAME(sum_exp)(int64_t n, const REAL *x, REAL shift)
{
    REAL v[TILE];
    return NAME(exp_and_sum)(n, x, shift, v);
}

/* ---- Within a sample: x [outer][red][inner] → y [outer][inner] ---- */

/* One sample's columns at once; `width` ≤ W of them, `inner` numbers apart. */
typedef void NAME(columns)(int64_t red, int64_t inner, int64_t width, REAL *y, const REAL *x);
typedef REAL NAME(row)(int64_t n, const REAL *x);

INLINED void NAME(max_of_columns)(int64_t red, int64_t inner, int64_t width, REAL *y, const REAL *x)
{
    REAL top[W];
    for (int64_t j = 0; j < width; j++) top[j] = x[j];
    for (int64_t r = 1; r < red; r++)
        for (int64_t j = 0; j < width; j++) top[j] = NAME(larger)(top[j], x[r * inner + j]);
    for (int64_t j = 0; j < width; j++) y[j] = top[j];
}

static void NAME(max_columns)(int64_t red, int64_t inner, int64_t width, REAL *y, const REAL *x)
{
    if (width == W) NAME(max_of_columns)(red, inner, W, y, x);
    else NAME(max_of_columns)(red, inner, width, y, x);
}

/* tile [rows][W] = exp(x − top) */
static void NAME(exp_tile)(int64_t rows, int64_t inner, int64_t width, REAL *tile, const REAL *x, const REAL *top)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < width; j += LANES) {
            int64_t count = width - j < LANES ? width - j : LANES;
            *(LOOSE *)(tile + r * W + j) = NAME(load)(x + r * inner + j, count) - *(const LOOSE *)(top + j);
        }
    NAME(body_exp)(rows * W, tile, tile);
}

/* log Σ exp x = top + log total; where the maximum is infinite, it is the answer. */
INLINED void NAME(log_of_totals)(int64_t width, REAL *y, const REAL *top, const double *total)
{
    REAL v[W], out[W];
    for (int64_t j = 0; j < W; j++) v[j] = (REAL)total[j];
    NAME(body_log)(W, out, v);
    for (int64_t j = 0; j < width; j++) y[j] = top[j] - top[j] == 0 ? top[j] + out[j] : top[j];
}

/* top = max x, total = Σ exp(x − top); the terms in `tile` [SHORT][W], of more than SHORT rows in y, unless that is
 * NULL. */
INLINED void NAME(exp_columns)(int64_t red, int64_t inner, int64_t width, REAL *y, const REAL *x, REAL *tile, REAL *top,
                               double *total)
{
    if (width < W) memset(tile, 0, SHORT * W * sizeof *tile);
    NAME(max_columns)(red, inner, width, top, x);
    for (int64_t r = 0; r < red; r += SHORT) {
        int64_t rows = red - r < SHORT ? red - r : SHORT;
        NAME(exp_tile)(rows, inner, width, tile, x + r * inner, top);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < W; j++) total[j] += tile[i * W + j];
        for (int64_t i = 0; i < rows && y && red > SHORT; i++)
            for (int64_t j = 0; j < width; j++) y[(r + i) * inner + j] = tile[i * W + j];
    }
}

static void NAME(lse_columns)(int64_t red, int64_t inner, int64_t width, REAL *y, const REAL *x)
{
    REAL top[W] = {0}, tile[SHORT * W];
    double total[W] = {0};
    NAME(exp_columns)(red, inner, width, NULL, x, tile, top, total);
    NAME(log_of_totals)(width, y, top, total);
}

static REAL NAME(lse_row)(int64_t n, const REAL *x)
{
    REAL top = NAME(peak)(n, x);
    double total = 0;
    if (!(top - top == 0)) return top;
    for (int64_t i = 0; i < n; i += TILE) total += NAME(sum_exp)(n - i < TILE ? n - i : TILE, x + i, top);
    return (REAL)(top + log(total));
}

/* Long rows of numbers that follow each other. */
INLINED void NAME(reduce_rows)(NAME(row) *row, int64_t outer, int64_t red, REAL *y, const REAL *x)
{
    for (int64_t o = 0; o < outer; o++) y[o] = row(red, x + o * red);
}

/* Columns that lie beside each other, so many that vectors of them are full. */
INLINED void NAME(reduce_columns)(NAME(columns) *columns, int64_t outer, int64_t red, int64_t inner, REAL *y,
                                  const REAL *x)
{
    for (int64_t o = 0; o < outer; o++, x += red * inner, y += inner)
        for (int64_t j = 0; j < inner; j += W) columns(red, inner, inner - j < W ? inner - j : W, y + j, x + j);
}

/* Columns q … of several samples, as those of a tile. */
static void NAME(gather_columns)(int64_t red, int64_t inner, int64_t q, int64_t width, REAL *tile, const REAL *x)
{
    for (int64_t k = 0, o = q / inner, j = q % inner; k < width; k++) {
        for (int64_t r = 0; r < red; r++) tile[r * W + k] = x[(o * red + r) * inner + j];
        if (++j == inner) j = 0, o++;
    }
}

/* W short ones at a time, of several samples, as columns of a tile. */
INLINED void NAME(reduce_tiles)(NAME(columns) *columns, int64_t outer, int64_t red, int64_t inner, REAL *y,
                                const REAL *x)
{
    REAL tile[SHORT * W];
    for (int64_t q = 0; q < outer * inner; q += W) {
        int64_t width = outer * inner - q < W ? outer * inner - q : W;
        if (inner == 1) NAME(k_transpose)(red, width, tile, W, x + q * red, red);
        else NAME(gather_columns)(red, inner, q, width, tile, x);
        columns(red, W, width, y + q, tile);
    }
}

INLINED void NAME(reduce)(NAME(columns) *columns, NAME(row) *row, int64_t outer, int64_t red, int64_t inner, REAL *y,
                          const REAL *x)
{
    bool is_long = red > SHORT, is_wide = 2 * inner > W;
    if (is_long && inner == 1) NAME(reduce_rows)(row, outer, red, y, x);
    else if (is_long || is_wide) NAME(reduce_columns)(columns, outer, red, inner, y, x);
    else NAME(reduce_tiles)(columns, outer, red, inner, y, x);
}

static void NAME(k_max)(int64_t outer, int64_t red, int64_t inner, void *y, const void *x)
{
    NAME(reduce)(NAME(max_columns), NAME(peak), outer, red, inner, y, x);
}

static void NAME(k_logsumexp)(int64_t outer, int64_t red, int64_t inner, void *y, const void *x)
{
    NAME(reduce)(NAME(lse_columns), NAME(lse_row), outer, red, inner, y, x);
}

/* √Σ x² of numbers that are `step` apart. Squares that overflow, or are no longer normal numbers, are taken of shares
 * of the largest; where that is 0, infinite or NaN it is the answer. */
static double NAME(norm_of)(int64_t n, const REAL *x, int64_t step)
{
    double total = 0, top = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < n; i++) total += (double)x[i * step] * (double)x[i * step];
    if (total > 1e-280 && total < 1e280) return sqrt(total);
    for (int64_t i = 0; i < n; i++) {
        double size = fabs((double)x[i * step]);
        top = size > top || size != size ? size : top;
    }
    if (top == 0 || !(top - top == 0)) return top;
    total = 0;
    for (int64_t i = 0; i < n; i++) total += ((double)x[i * step] / top) * ((double)x[i * step] / top);
    return top * sqrt(total);
}

static void NAME(k_norm)(int64_t outer, int64_t red, int64_t inner, void *to, const void *from)
{
    REAL *y = to;
    const REAL *x = from;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j++)
            y[o * inner + j] = (REAL)NAME(norm_of)(red, x + o * red * inner + j, inner);
}

/* ---- Reductions over a batch ---- */

static void NAME(k_batch_max)(int64_t rows, int64_t n, const void *from, double *acc, bool first)
{
    const REAL *x = from;
    REAL top;
    if (n == 1 && rows > 1) top = NAME(peak)(rows, x), x = &top, rows = 1;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < n; j++) {
            double v = x[r * n + j];
            acc[j] = (first && r == 0) || v > acc[j] || v != v ? v : acc[j];
        }
}

/* acc: n maxima, then n sums of exp(x − maximum); the sum is rescaled when the maximum grows. */
static void NAME(k_batch_logsumexp)(int64_t rows, int64_t n, const void *from, double *acc, bool first)
{
    const REAL *x = from;
    for (int64_t j = 0; j < n; j++) {
        double top = first ? -INFINITY : acc[j], total = first ? 0 : acc[n + j];
        for (int64_t r = 0; r < rows; r += TILE) {
            REAL column[TILE];
            int64_t width = rows - r < TILE ? rows - r : TILE;
            NAME(k_copy)(width, column, x + r * n + j, n);
            double peak = NAME(peak)(width, column);
            if (peak > top || peak != peak) {
                total = top == -INFINITY ? 0 : total * exp(top - peak);
                top = peak;
            }
            total += NAME(sum_exp)(width, column, (REAL)(top - top == 0 ? top : 0));
        }
        acc[j] = top;
        acc[n + j] = total;
    }
}
