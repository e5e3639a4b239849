/* lu.inc.h — general systems and determinants, by LU with partial pivoting, chunks of columns from the left: what is
 * known is taken away as in a triangular system, and what is left of the chunk is eliminated column by column.
 * Included by kernels.inc.h, behind factor.inc.h. */

/* The row of the largest element of column c of the chunk, from row i on. */
static int64_t NAME(largest)(int64_t n, int64_t i, const REAL *u, int64_t c)
{
    int64_t best = i;
    for (int64_t k = i + 1; k < n; k++)
        if (FN(fabs)(u[k * SIDES + c]) > FN(fabs)(u[best * SIDES + c])) best = k;
    return best;
}

static void NAME(swap)(int64_t n, REAL *a, REAL *b)
{
    for (int64_t k = 0; k < n; k++) {
        REAL kept = a[k];
        a[k] = b[k];
        b[k] = kept;
    }
}

/* Eliminates column c of the chunk that begins at column j; what is no pivot gives false. */
static bool NAME(eliminate)(int64_t n, int64_t j, int64_t c, int64_t count, REAL *lu, REAL *u, int64_t *pivot)
{
    int64_t i = j + c, best = NAME(largest)(n, i, u, c);
    pivot[i] = best;
    if (best != i) {
        NAME(swap)(count, u + i * SIDES, u + best * SIDES);
        NAME(swap)(j, lu + i * n, lu + best * n);
    }
    const REAL *row = u + i * SIDES, p = row[c];
    if (!(p != 0 && p - p == 0)) return false;
    for (int64_t k = i + 1; k < n; k++) {
        REAL *own = u + k * SIDES, factor = own[c] /= p;
#pragma omp simd
        for (int64_t q = c + 1; q < count; q++) own[q] -= factor * row[q];
    }
    return true;
}

/* lu ← A's, with rows exchanged: row i and row pivot[i], for i in order. The number of the first pivot that is none, as
 * *value; n where all are. */
static int64_t NAME(lu_one)(int64_t n, const REAL *a, REAL *lu, V *x, int64_t *pivot, double *value)
{
    REAL *u = (REAL *)x;
    for (int64_t j = 0; j < n; j += SIDES) {
        int64_t count = n - j < SIDES ? n - j : SIDES;
        memset(x, 0, (size_t)(n * SIDES) * sizeof(REAL));
        for (int64_t i = 0; i < n; i++) memcpy(u + i * SIDES, a + i * n + j, (size_t)count * sizeof(REAL));
        NAME(exchange)(j, x, 4, pivot, false);
        V ignored = {0};
        NAME(triangle) above = {j, n, 1, false, true};
        NAME(substitute_wide)(&above, lu, x, 4, &ignored);
        for (int64_t i = j; i < n; i++) NAME(take_rows)(4, false, j, lu + i * n, 1, x, 4, x + 4 * i);
        for (int64_t c = 0; c < count; c++)
            if (!NAME(eliminate)(n, j, c, count, lu, u, pivot)) return *value = (double)u[(j + c) * SIDES + c], j + c;
        for (int64_t i = 0; i < n; i++) memcpy(lu + i * n + j, u + i * SIDES, (size_t)count * sizeof(REAL));
    }
    return n;
}

static void NAME(k_solve)(const ad_factor *f)
{
    const int64_t n = f->n;
    REAL *lu = NAME(copy_of)(f);
    int64_t *pivot = (int64_t *)NAME(rest_of)(f);
    bool turned = f->transposed;
    NAME(triangle) lower = {n, turned ? 1 : n, turned ? n : 1, turned, true};
    NAME(triangle) upper = {n, turned ? 1 : n, turned ? n : 1, !turned, false};
    NAME(system) s = {turned ? upper : lower, turned ? lower : upper, lu, pivot, turned};
    const REAL *a = f->a;
    double value;
    for (int64_t r = 0; r < (f->next_a ? f->rows : 1); r++) {
        bool whole = NAME(lu_one)(n, a + r * f->next_a, lu, NAME(chunk_of)(f), pivot, &value) == n;
        if (!whole) NAME(fill_nan)((f->next_a ? 1 : f->rows) * n * f->m, (REAL *)f->y + r * n * f->m);
        else if (f->next_a) NAME(solve_row)(f, &s, r);
        else NAME(solve_rows)(f, &s);
    }
}

/* log 0 = −∞ of what has a pivot 0; NaN of what has one that is no number. */
static void NAME(k_log_abs_det)(const ad_factor *f)
{
    const int64_t n = f->n;
    REAL *lu = NAME(copy_of)(f), *y = f->y;
    for (int64_t r = 0; r < f->rows; r++) {
        double value, sum = 0;
        int64_t bad = NAME(lu_one)(n, (const REAL *)f->a + r * f->next_a, lu, NAME(chunk_of)(f),
                                   (int64_t *)NAME(rest_of)(f), &value);
        for (int64_t i = 0; i < n && bad == n; i++) sum += log(fabs((double)lu[i * n + i]));
        bool singular = bad < n && NAME(k_first_bad)(n * n, (const REAL *)f->a + r * f->next_a) == n * n;
        y[r] = bad == n ? (REAL)sum : singular ? (REAL)-INFINITY : (REAL)NAN;
    }
}

/* ---- Which pivot is none ---- */

static int64_t NAME(k_first_pivot)(ad_op op, const ad_factor *f, double *value)
{
    const int64_t n = f->n;
    const REAL *a = f->a;
    if (op == OP_cholesky) return NAME(cholesky_one)(n, a, f->y, NAME(chunk_of)(f), value);
    if (op == OP_solve || op == OP_log_abs_det)
        return NAME(lu_one)(n, a, NAME(copy_of)(f), NAME(chunk_of)(f), (int64_t *)NAME(rest_of)(f), value);
    for (int64_t i = 0; i < n && op == OP_triangular_solve; i++) {
        *value = (double)a[i * n + i];
        if (!(*value != 0 && *value - *value == 0)) return i;
    }
    return n;
}
