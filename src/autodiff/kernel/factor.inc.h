/* factor.inc.h — Cholesky factors and triangular systems. One loop is all of them: a row of X less multiples of the
 * rows that are known. X is a chunk of vectors: many right sides of one matrix, whose numbers then are factors of whole
 * vectors; or small systems side by side, a sample in each lane, whose matrices lie so as well (`own`). An element's
 * sum runs over k in order and sees its own column only: its bits depend neither on the chunk nor on the lane.
 *
 * What has no solution is NaN as a whole: `poison` is 0, and NaN where a pivot is not what it must be. Included by
 * kernels.inc.h. */

enum { NAME(SIDES) = 4 * NAME(LANES) }; /* right sides in a chunk */
#define SIDES NAME(SIDES)

/* What a factorisation takes of its room: a chunk, a few numbers a row, and a copy of the matrix: of small ones
 * LANES, side by side; of large ones where it is taken to pieces in place. */
static int64_t NAME(chunk_numbers)(int64_t n) { return n * (n <= SMALL_SIDE ? FEW_SIDES : 4) * LANES; }
static int64_t NAME(rest_numbers)(int64_t n) { return (4 * n + 15) / 16 * 16; }
static int64_t NAME(k_factor_room)(ad_op op, int64_t n)
{
    bool in_place = op == OP_solve || op == OP_log_abs_det || op == OP_eigen;
    int64_t copies = n <= SMALL_SIDE ? LANES : in_place ? 1 : 0;
    int64_t bytes = (NAME(chunk_numbers)(n) + NAME(rest_numbers)(n) + copies * n * n) * (int64_t)sizeof(REAL);
    return (bytes + 63) / 64 * 64;
}
static V *NAME(chunk_of)(const ad_factor *f) { return f->room; }
static REAL *NAME(rest_of)(const ad_factor *f) { return (REAL *)f->room + NAME(chunk_numbers)(f->n); }
static REAL *NAME(copy_of)(const ad_factor *f) { return NAME(rest_of)(f) + NAME(rest_numbers)(f->n); }

static void NAME(fill_nan)(int64_t n, REAL *y)
{
    for (int64_t i = 0; i < n; i++) y[i] = (REAL)NAN;
}

/* x ← x − Σ c[k]·row k, for k < count, of w vectors. */
INLINED void NAME(take_rows)(int w, bool own, int64_t count, const REAL *c, int64_t next, const V *row, int64_t step,
                             V *x)
{
    V sum[4];
    for (int j = 0; j < w; j++) sum[j] = x[j];
    for (int64_t k = 0; k < count; k++, c += next, row += step)
        for (int j = 0; j < w; j++) sum[j] -= own ? *(const V *)c * row[j] : *c * row[j];
    for (int j = 0; j < w; j++) x[j] = sum[j];
}

/* ---- Triangles ---- */

/* Element (i, k) is at[i·down + k·along], or vector number that. Those of a backward one are above the diagonal. */
typedef struct NAME(triangle) {
    int64_t n, down, along;
    bool backward, unit;
} NAME(triangle);

/* T⁻¹X in place, of w vectors, `step` from row to row. */
INLINED V NAME(substitute)(int w, bool own, const NAME(triangle) *t, const REAL *at, V *x, int64_t step)
{
    const int64_t n = t->n, down = t->down * (own ? LANES : 1), along = t->along * (own ? LANES : 1);
    V poison = {0};
    for (int64_t done = 0; done < n; done++) {
        int64_t i = t->backward ? n - 1 - done : done, from = t->backward ? i + 1 : 0;
        const REAL *row = at + i * down, *pivot = row + i * along;
        NAME(take_rows)(w, own, done, row + from * along, along, x + from * step, step, x + i * step);
        if (t->unit) continue;
        V p = own ? *(const V *)pivot : *pivot + (V){0};
        for (int j = 0; j < w; j++) x[i * step + j] /= p;
        poison += p / p * 0;
    }
    return poison;
}

ONE_BODY static void NAME(substitute_wide)(const NAME(triangle) *t, const REAL *at, V *x, int64_t step, V *poison)
{
    *poison += NAME(substitute)(4, false, t, at, x, step);
}

ONE_BODY static void NAME(substitute_thin)(const NAME(triangle) *t, const REAL *at, V *x, int64_t step, V *poison)
{
    *poison += NAME(substitute)(1, false, t, at, x, step);
}

ONE_BODY static void NAME(substitute_own)(const NAME(triangle) *t, const REAL *at, V *x, int64_t step, V *poison)
{
    *poison += NAME(substitute)(1, true, t, at, x, step);
}

static NAME(triangle) NAME(triangle_of)(const ad_factor *f)
{
    bool turned = f->transposed;
    return (NAME(triangle)){f->n, turned ? 1 : f->n, turned ? f->n : 1, turned, false};
}

/* ---- Systems of one matrix, a chunk of right sides at a time ---- */

/* T of A = LU with the rows of A exchanged, or a triangle alone (no pivot). */
typedef struct NAME(system) {
    NAME(triangle) first, second;
    const REAL *at;
    const int64_t *pivot;
    bool transposed;
} NAME(system);

static void NAME(exchange)(int64_t n, V *x, int64_t w, const int64_t *pivot, bool back)
{
    for (int64_t step = 0; step < n; step++) {
        int64_t i = back ? n - 1 - step : step, other = pivot[i];
        for (int64_t j = 0; j < w && other != i; j++) {
            V kept = x[i * w + j];
            x[i * w + j] = x[other * w + j];
            x[other * w + j] = kept;
        }
    }
}

static void NAME(solve_chunk)(const NAME(system) *s, int64_t w, V *x)
{
    V poison = {0};
    const int64_t n = s->first.n;
    if (s->pivot && !s->transposed) NAME(exchange)(n, x, w, s->pivot, false);
    (w == 1 ? NAME(substitute_thin) : NAME(substitute_wide))(&s->first, s->at, x, w, &poison);
    if (s->pivot) (w == 1 ? NAME(substitute_thin) : NAME(substitute_wide))(&s->second, s->at, x, w, &poison);
    if (s->pivot && s->transposed) NAME(exchange)(n, x, w, s->pivot, true);
    for (int64_t k = 0; k < n * w; k++) x[k] += poison;
}

/* `columns` right sides in b: `next` numbers from one to the next, `along` within one; y lies in the same way. One of
 * the two strides is 1. */
static void NAME(solve_sides)(const NAME(system) *s, V *x, int64_t columns, const REAL *b, REAL *y, int64_t next,
                              int64_t along, bool same)
{
    const int64_t n = s->first.n, w = columns > LANES ? 4 : 1, width = w * LANES;
    REAL *to = (REAL *)x;
    for (int64_t c = 0; c < columns; c += width) {
        int64_t count = columns - c < width ? columns - c : width;
        const REAL *from = b + (same ? 0 : c * next);
        if (count < width) memset(x, 0, (size_t)(n * width) * sizeof(REAL));
        if (along == 1) NAME(k_transpose)(n, count, to, width, from, same ? 0 : next);
        else for (int64_t i = 0; i < n; i++) memcpy(to + i * width, from + i * along, (size_t)count * sizeof(REAL));
        NAME(solve_chunk)(s, w, x);
        if (along == 1) NAME(k_transpose)(count, n, y + c * next, next, to, width);
        else for (int64_t i = 0; i < n; i++) memcpy(y + c + i * along, to + i * width, (size_t)count * sizeof(REAL));
    }
}

/* Of sample r, whose right sides are its own. */
static void NAME(solve_row)(const ad_factor *f, const NAME(system) *s, int64_t r)
{
    const REAL *b = (const REAL *)f->b + r * f->next_b;
    REAL *y = (REAL *)f->y + r * f->n * f->m;
    if (f->m == 1) NAME(solve_sides)(s, NAME(chunk_of)(f), 1, b, y, f->n, 1, false);
    else NAME(solve_sides)(s, NAME(chunk_of)(f), f->m, b, y, 1, f->m, false);
}

/* All samples' right sides, of one matrix. */
static void NAME(solve_rows)(const ad_factor *f, const NAME(system) *s)
{
    if (f->m == 1)
        NAME(solve_sides)(s, NAME(chunk_of)(f), f->rows, f->b, f->y, f->n, 1, f->next_b == 0);
    else for (int64_t r = 0; r < f->rows; r++) NAME(solve_row)(f, s, r);
}

/* ---- Small ones side by side ---- */

/* `count` numbers of each of the samples from r on, a vector for each number. */
static void NAME(side_by_side)(V *to, const REAL *x, int64_t count, int64_t next, int64_t samples)
{
    if (samples < LANES) memset(to, 0, (size_t)count * sizeof *to);
    NAME(k_transpose)(count, samples, to, LANES, x, next);
}

static void NAME(solve_small)(const ad_factor *f)
{
    const int64_t n = f->n, m = f->m;
    V *a = (V *)NAME(copy_of)(f), *x = NAME(chunk_of)(f);
    NAME(triangle) t = NAME(triangle_of)(f);
    for (int64_t r = 0; r < f->rows; r += LANES) {
        int64_t samples = f->rows - r < LANES ? f->rows - r : LANES;
        NAME(side_by_side)(a, (const REAL *)f->a + r * f->next_a, n * n, f->next_a, samples);
        NAME(side_by_side)(x, (const REAL *)f->b + r * f->next_b, n * m, f->next_b, samples);
        V poison = {0};
        for (int64_t j = 0; j < m; j++) NAME(substitute_own)(&t, (const REAL *)a, x + j, m, &poison);
        for (int64_t k = 0; k < n * m; k++) x[k] += poison;
        NAME(k_transpose)(samples, n * m, (REAL *)f->y + r * n * m, n * m, x, LANES);
    }
}

static void NAME(k_triangular_solve)(const ad_factor *f)
{
    NAME(system) s = {.first = NAME(triangle_of)(f), .at = f->a};
    if (!f->next_a) NAME(solve_rows)(f, &s);
    else if (f->n <= SMALL_SIDE && f->m <= FEW_SIDES) NAME(solve_small)(f);
    else
        for (int64_t r = 0; r < f->rows; r++, s.at += f->next_a) NAME(solve_row)(f, &s, r);
}

/* ---- Cholesky factors ---- */

static V NAME(roots)(V x)
{
    REAL in[LANES];
    memcpy(in, &x, sizeof x);
#pragma omp simd
    for (int i = 0; i < LANES; i++) in[i] = FN(sqrt)(in[i]);
    memcpy(&x, in, sizeof x);
    return x;
}

/* Rows i … i + h − 1 of column j. */
INLINED void NAME(column_rows)(int h, int64_t n, V *a, int64_t i, int64_t j)
{
    V sum[4];
    for (int p = 0; p < h; p++) sum[p] = (REAL)0.5 * a[(i + p) * n + j] + (REAL)0.5 * a[j * n + i + p];
    for (int64_t k = 0; k < j; k++)
        for (int p = 0; p < h; p++) sum[p] -= a[(i + p) * n + k] * a[j * n + k];
    for (int p = 0; p < h; p++) a[(i + p) * n + j] = sum[p];
}

/* In place: L below, zeros above. */
ONE_BODY static void NAME(cholesky_small)(int64_t n, V *a)
{
    V poison = {0};
    for (int64_t j = 0; j < n; j++) {
        int64_t i = j;
        for (; i + 4 <= n; i += 4) NAME(column_rows)(4, n, a, i, j);
        for (; i < n; i++) NAME(column_rows)(1, n, a, i, j);
        V pivot = a[j * n + j], root = NAME(roots)(pivot);
        poison += pivot / root * 0;
        a[j * n + j] = root;
        for (i = j + 1; i < n; i++) a[i * n + j] /= root;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) a[i * n + j] = (j > i ? (V){0} : a[i * n + j]) + poison;
}

/* Rows j … j + count − 1 of L, those above it known: they are the columns of U = L⁻¹A, of which X has so many. What is
 * no pivot is returned by its number; n where there is none. */
ONE_BODY static int64_t NAME(cholesky_chunk)(int64_t n, int64_t j, int64_t count, const REAL *a, REAL *l, V *x,
                                             double *pivot)
{
    REAL *u = (REAL *)x;
    memset(x, 0, (size_t)((j + count) * SIDES) * sizeof(REAL));
    NAME(k_transpose)(j + count, count, u, SIDES, a + j * n, n);
    for (int64_t i = 0; i < j + count; i++) {
        REAL *row = u + i * SIDES;
        const REAL *mirrored = a + i * n + j;
        for (int64_t c = 0; c < count; c++) row[c] = (REAL)0.5 * row[c] + (REAL)0.5 * mirrored[c];
    }
    V ignored = {0};
    NAME(triangle) above = {j, n, 1, false, false};
    NAME(substitute_wide)(&above, l, x, 4, &ignored);
    for (int64_t c = 0; c < count; c++) {
        int64_t i = j + c;
        NAME(take_rows)(4, false, i, u + c, SIDES, x, 4, x + 4 * i);
        REAL s = u[i * SIDES + c], root = FN(sqrt)(s);
        *pivot = (double)s;
        if (!(s > 0 && s - s == 0)) return i;
        for (int k = 0; k < 4; k++) x[4 * i + k] /= root;
    }
    NAME(k_transpose)(count, j + count, l + j * n, n, u, SIDES);
    for (int64_t c = 0; c < count; c++) memset(l + (j + c) * n + j + c + 1, 0, (size_t)(n - 1 - j - c) * sizeof(REAL));
    return n;
}

static int64_t NAME(cholesky_one)(int64_t n, const REAL *a, REAL *l, V *x, double *pivot)
{
    for (int64_t j = 0; j < n; j += SIDES) {
        int64_t bad = NAME(cholesky_chunk)(n, j, n - j < SIDES ? n - j : SIDES, a, l, x, pivot);
        if (bad < n) return bad;
    }
    return n;
}

static void NAME(k_cholesky)(const ad_factor *f)
{
    const int64_t n = f->n;
    const REAL *a = f->a;
    REAL *y = f->y;
    V *side_by_side = (V *)NAME(copy_of)(f);
    double pivot;
    for (int64_t r = 0; r < f->rows && n <= SMALL_SIDE; r += LANES, y += LANES * n * n) {
        int64_t samples = f->rows - r < LANES ? f->rows - r : LANES;
        NAME(side_by_side)(side_by_side, a + r * f->next_a, n * n, f->next_a, samples);
        NAME(cholesky_small)(n, side_by_side);
        NAME(k_transpose)(samples, n * n, y, n * n, side_by_side, LANES);
    }
    for (int64_t r = 0; r < f->rows && n > SMALL_SIDE; r++, y += n * n)
        if (NAME(cholesky_one)(n, a + r * f->next_a, y, NAME(chunk_of)(f), &pivot) < n) NAME(fill_nan)(n * n, y);
}
