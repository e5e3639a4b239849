/* eigen.inc.h — eigenvalues and -vectors of symmetric matrices: Householder's reflections to a tridiagonal matrix, then
 * implicit QL (Wilkinson and Reinsch 1971, tred2 and tql2; Golub and Van Loan 2013, §8.3). Vectors are rows, so that
 * reflections and rotations run along memory. Included by kernels.inc.h, behind factor.inc.h. */

static REAL NAME(inner)(int64_t n, const REAL *a, const REAL *b)
{
    V part[4] = {{0}};
    REAL sum = 0;
    int64_t i = 0;
    for (; i + SIDES <= n; i += SIDES)
        for (int j = 0; j < 4; j++) {
            const REAL *p = a + i + j * LANES, *q = b + i + j * LANES;
            part[j] += *(const LOOSE *)p * *(const LOOSE *)q;
        }
    for (; i + LANES <= n; i += LANES) part[0] += *(const LOOSE *)(a + i) * *(const LOOSE *)(b + i);
    part[0] += part[1] + (part[2] + part[3]);
    for (int k = 0; k < LANES; k++) sum += part[0][k];
    for (; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* y += s·x */
static void NAME(add_row)(int64_t n, REAL *y, REAL s, const REAL *x)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] += s * x[i];
}

/* Row k of A, right of the diagonal, becomes v: 1 − τvvᵀ takes the row to (e, 0, …). Gives τ. */
static REAL NAME(reflector)(int64_t n, REAL *v, REAL *e)
{
    REAL rest = NAME(inner)(n - 1, v + 1, v + 1), norm = FN(sqrt)(v[0] * v[0] + rest);
    *e = v[0];
    if (rest == 0) return 0;
    *e = v[0] > 0 ? -norm : norm;
    REAL first = v[0] - *e;
    v[0] = 1;
    for (int64_t i = 1; i < n; i++) v[i] /= first;
    return -first / *e;
}

/* row −= vᵢw + wᵢv */
static void NAME(take_pair)(int64_t n, REAL *row, REAL of_v, const REAL *v, REAL of_w, const REAL *w)
{
#pragma omp simd
    for (int64_t j = 0; j < n; j++) row[j] -= of_v * w[j] + of_w * v[j];
}

/* A = QTQᵀ: T's diagonal to d, what is beside it to e; v and τ of the reflections stay in A and in tau. A reflection
 * makes A − vwᵀ − wvᵀ of A, which only the next row sees at once; the others when the next reflection asks for them,
 * so that A is read once for each. `room` has 2n places. */
static void NAME(tridiagonal)(int64_t n, REAL *a, REAL *d, REAL *e, REAL *tau, REAL *room)
{
    REAL *w = room, *next = room + n;
    for (int64_t k = 0; k + 1 < n; k++) {
        int64_t m = n - 1 - k;
        REAL *v = a + k * n + k + 1, *before = v - n;
        d[k] = v[-1];
        tau[k] = NAME(reflector)(m, v, &e[k]);
        for (int64_t i = 0; i < m; i++) {
            REAL *row = v + (i + 1) * n;
            if (k) NAME(take_pair)(m, row, before[i], before, w[i + 1], w + 1);
            next[i] = tau[k] * NAME(inner)(m, row, v);
        }
        NAME(add_row)(m, next, (REAL)-0.5 * tau[k] * NAME(inner)(m, next, v), v);
        NAME(take_pair)(m, v + n, v[0], v, next[0], next);
        REAL *kept = w;
        w = next;
        next = kept;
    }
    d[n - 1] = a[n * n - 1];
    e[n - 1] = 0;
}

/* q ← Qᵀ */
static void NAME(reflections)(int64_t n, const REAL *a, const REAL *tau, REAL *q)
{
    memset(q, 0, (size_t)(n * n) * sizeof(REAL));
    for (int64_t i = 0; i < n; i++) q[i * n + i] = 1;
    for (int64_t k = n - 3; k >= 0; k--)
        for (int64_t i = k + 1; i < n && tau[k] != 0; i++) {
            REAL *row = q + i * n + k + 1;
            const REAL *v = a + k * n + k + 1;
            NAME(add_row)(n - 1 - k, row, -tau[k] * NAME(inner)(n - 1 - k, row, v), v);
        }
}

/* The rotations of a sweep, of the rows i and i + 1 for i from m − 1 down to l, in columns of a few vectors, of
 * which the row that two rotations share stays in registers. */
INLINED void NAME(rotate_columns)(int w, int64_t count, int64_t n, int64_t l, int64_t m, const REAL *c, const REAL *s,
                                  REAL *q)
{
    V low[4];
    for (int j = 0; j < w; j++) low[j] = NAME(load)(q + m * n + j * LANES, count);
    for (int64_t i = m - 1; i >= l; i--) {
        REAL *row = q + i * n;
        for (int j = 0; j < w; j++) {
            V high = NAME(load)(row + j * LANES, count);
            NAME(store)(row + n + j * LANES, s[i] * high + c[i] * low[j], count);
            low[j] = c[i] * high - s[i] * low[j];
        }
    }
    for (int j = 0; j < w; j++) NAME(store)(q + l * n + j * LANES, low[j], count);
}

static void NAME(rotate)(int64_t n, int64_t l, int64_t m, const REAL *c, const REAL *s, REAL *q)
{
    int64_t k = 0;
    for (; k + SIDES <= n; k += SIDES) NAME(rotate_columns)(4, LANES, n, l, m, c, s, q + k);
    for (; k + LANES <= n; k += LANES) NAME(rotate_columns)(1, LANES, n, l, m, c, s, q + k);
    if (k < n) NAME(rotate_columns)(1, n - k, n, l, m, c, s, q + k);
}

/* One sweep of QL over the rows l … m, behind which T falls apart; the rotations go to `cos` and `sin`. What is
 * returned is the first row that they reach: l, or where T falls apart on the way. */
static int64_t NAME(ql_sweep)(int64_t l, int64_t m, REAL *d, REAL *e, REAL *cos, REAL *sin)
{
    REAL g = (d[l + 1] - d[l]) / (2 * e[l]), r = FN(hypot)(g, 1), s = 1, c = 1, p = 0;
    g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
    for (int64_t i = m - 1; i >= l; i--) {
        REAL f = s * e[i], b = c * e[i];
        e[i + 1] = r = FN(hypot)(f, g);
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return i + 1;
        }
        s = sin[i] = f / r;
        c = cos[i] = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
    return l;
}

/* False where it does not converge, which nobody has seen. */
static bool NAME(ql)(int64_t n, REAL *d, REAL *e, REAL *cos, REAL *sin, REAL *q)
{
    enum { MOST_SWEEPS = 60 };
    const REAL eps = sizeof(REAL) == sizeof(float) ? (REAL)FLT_EPSILON : (REAL)DBL_EPSILON;
    for (int64_t l = 0; l < n; l++)
        for (int sweeps = 0;; sweeps++) {
            int64_t m = l;
            while (m + 1 < n && FN(fabs)(e[m]) > eps * (FN(fabs)(d[m]) + FN(fabs)(d[m + 1]))) m++;
            if (m == l) break;
            if (sweeps == MOST_SWEEPS) return false;
            NAME(rotate)(n, NAME(ql_sweep)(l, m, d, e, cos, sin), m, cos, sin, q);
        }
    return true;
}

/* Ascending; and of each vector the largest component is positive. */
static void NAME(arrange)(int64_t n, REAL *d, REAL *q)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t least = i, largest = 0;
        for (int64_t k = i + 1; k < n; k++)
            if (d[k] < d[least]) least = k;
        REAL kept = d[i], *row = q + i * n;
        d[i] = d[least];
        d[least] = kept;
        if (least != i) NAME(swap)(n, row, q + least * n);
        for (int64_t k = 1; k < n; k++)
            if (FN(fabs)(row[k]) > FN(fabs)(row[largest])) largest = k;
        if (row[largest] < 0)
            for (int64_t k = 0; k < n; k++) row[k] = -row[k];
    }
}

/* y [n + 1][n]: the values, then a vector a row. Scaled by a power of two, so that squares neither overflow nor
 * vanish. */
static bool NAME(eigen_one)(int64_t n, const REAL *a, REAL *work, REAL *rest, REAL *y)
{
    REAL most = 0, *e = rest, *tau = rest + n, *p = rest + 2 * n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            REAL x = (REAL)0.5 * a[i * n + j] + (REAL)0.5 * a[j * n + i], size = FN(fabs)(x);
            work[i * n + j] = x;
            if (!(size - size == 0)) return false;
            most = size > most ? size : most;
        }
    int power;
    (void)FN(frexp)(most, &power);
    REAL down = FN(ldexp)(1, -power / 2), rest_down = FN(ldexp)(1, -(power - power / 2));
    for (int64_t i = 0; i < n * n; i++) work[i] = work[i] * down * rest_down;
    NAME(tridiagonal)(n, work, y, e, tau, p);
    NAME(reflections)(n, work, tau, y + n);
    if (!NAME(ql)(n, y, e, tau, p, y + n)) return false;
    for (int64_t i = 0; i < n; i++) y[i] = FN(ldexp)(y[i], power);
    NAME(arrange)(n, y, y + n);
    return true;
}

static void NAME(k_eigen)(const ad_factor *f)
{
    const int64_t n = f->n;
    REAL *y = f->y;
    for (int64_t r = 0; r < f->rows; r++, y += (n + 1) * n)
        if (!NAME(eigen_one)(n, (const REAL *)f->a + r * f->next_a, NAME(copy_of)(f), NAME(rest_of)(f), y))
            NAME(fill_nan)((n + 1) * n, y);
}
