/* softmax.inc.h — exp(x − max x)/Σ exp(x − max x) within a sample, x [outer][red][inner] → y, as reductions;
 * and log Σ exp x with the bits of k_logsumexp, unless `lse` is NULL. Included by kernels.inc.h. */

/* One sample's columns at once; `width` ≤ W of them, `inner` numbers apart. */
INLINED void NAME(softmax_of_columns)(int64_t red, int64_t inner, int64_t width, REAL *y, REAL *lse, const REAL *x)
{
    REAL top[W] = {0}, tile[SHORT * W], share[W];
    double total[W] = {0};
    NAME(exp_columns)(red, inner, width, y, x, tile, top, total);
    for (int64_t j = 0; j < W; j++) share[j] = (REAL)(1 / total[j]);
    if (lse) NAME(log_of_totals)(width, lse, top, total);
    const REAL *from = red > SHORT ? y : tile;
    const int64_t next = red > SHORT ? inner : W;
    for (int64_t r = 0; r < red; r++)
        for (int64_t j = 0; j < width; j++) y[r * inner + j] = from[r * next + j] * share[j];
}

static void NAME(softmax_columns)(int64_t red, int64_t inner, int64_t width, REAL *y, REAL *lse, const REAL *x)
{
    if (width == W) NAME(softmax_of_columns)(red, inner, W, y, lse, x);
    else NAME(softmax_of_columns)(red, inner, width, y, lse, x);
}

static void NAME(softmax_row)(int64_t n, REAL *y, REAL *lse, const REAL *x)
{
    const REAL top = NAME(peak)(n, x);
    double total = 0;
    for (int64_t i = 0; i < n; i += TILE) {
        REAL v[TILE];
        const int64_t width = n - i < TILE ? n - i : TILE;
        total += NAME(exp_and_sum)(width, x + i, top, v);
        memcpy(y + i, v, (size_t)width * sizeof(REAL));
    }
    const REAL share = (REAL)(1 / total);
    if (lse) *lse = top - top == 0 ? (REAL)(top + log(total)) : top;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] *= share;
}

/* W short ones at a time, of several samples, as columns of a tile. */
static void NAME(softmax_tiles)(int64_t outer, int64_t red, int64_t inner, REAL *y, REAL *lse, const REAL *x)
{
    REAL tile[SHORT * W], out[SHORT * W];
    for (int64_t q = 0; q < outer * inner; q += W) {
        const int64_t width = outer * inner - q < W ? outer * inner - q : W;
        if (inner == 1) NAME(k_transpose)(red, width, tile, W, x + q * red, red);
        else NAME(gather_columns)(red, inner, q, width, tile, x);
        NAME(softmax_columns)(red, W, width, out, lse ? lse + q : NULL, tile);
        if (inner == 1) NAME(k_transpose)(width, red, y + q * red, red, out, W);
        for (int64_t k = 0; inner > 1 && k < width; k++)
            for (int64_t r = 0; r < red; r++)
                y[((q + k) / inner * red + r) * inner + (q + k) % inner] = out[r * W + k];
    }
}

static void NAME(k_softmax)(int64_t outer, int64_t red, int64_t inner, void *to, void *logsumexp, const void *from)
{
    const REAL *x = from;
    REAL *y = to, *lse = logsumexp;
    if (red <= SHORT && 2 * inner <= W) {
        NAME(softmax_tiles)(outer, red, inner, y, lse, x);
        return;
    }
    for (int64_t o = 0; o < outer; o++, x += red * inner, y += red * inner, lse = lse ? lse + inner : NULL)
        for (int64_t j = 0; j < inner; j += W)
            if (inner == 1) NAME(softmax_row)(red, y, lse, x);
            else NAME(softmax_columns)(red, inner, inner - j < W ? inner - j : W, y + j, lse ? lse + j : NULL, x + j);
}
