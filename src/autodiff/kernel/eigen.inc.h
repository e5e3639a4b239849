/* eigen.inc.h — eigenvalues and -vectors of symmetric matrices: Householder's reflections to a tridiagonal matrix, then
 * implicit QL (Wilkinson and Reinsch 1971, tred2 and tql2; Golub and Van Loan 2013, §8.3). Vectors are rows, so that
 * reflections and rotations run along memory. Included by kernels.inc.h, behind factor.inc.h. */

static REAL NAME(inner)(int64_t n, const REAL *a, const REAL *b)
{
    REAL part[LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
#pragma omp simd
        for (int k = 0; k < LANES; k++) part[k] += a[i + k] * b[i + k];
    for (int k = 0; i < n; i++, k++) part[k] += a[i] * b[i];
    for (int k = 0; k < LANES; k++) sum += part[k];
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

/* A = QTQᵀ: T's diagonal to d, what is beside it to e; v and τ of the reflections stay in A and in tau. */
static void NAME(tridiagonal)(int64_t n, REAL *a, REAL *d, REAL *e, REAL *tau, REAL *p)
{
    for (int64_t k = 0; k + 1 < n; k++) {
        int64_t m = n - 1 - k;
        REAL *v = a + k * n + k + 1, *under = a + (k + 1) * n + k + 1;
        d[k] = a[k * n + k];
        tau[k] = NAME(reflector)(m, v, &e[k]);
        if (tau[k] == 0) continue;
        for (int64_t i = 0; i < m; i++) p[i] = tau[k] * NAME(inner)(m, under + i * n, v);
        NAME(add_row)(m, p, (REAL)-0.5 * tau[k] * NAME(inner)(m, p, v), v);
        for (int64_t i = 0; i < m; i++) {
            REAL of_p = -v[i], of_v = -p[i], *row = under + i * n;
#pragma omp simd
            for (int64_t j = 0; j < m; j++) row[j] += of_p * p[j] + of_v * v[j];
        }
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

static void NAME(rotate)(int64_t n, REAL *a, REAL *b, REAL c, REAL s)
{
#pragma omp simd
    for (int64_t k = 0; k < n; k++) {
        REAL x = a[k], y = b[k];
        a[k] = c * x - s * y;
        b[k] = s * x + c * y;
    }
}

/* One sweep of QL over the rows l … m, where T falls apart. */
static void NAME(ql_sweep)(int64_t n, int64_t l, int64_t m, REAL *d, REAL *e, REAL *q)
{
    REAL g = (d[l + 1] - d[l]) / (2 * e[l]), r = FN(hypot)(g, 1), s = 1, c = 1, p = 0;
    g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
    for (int64_t i = m - 1; i >= l; i--) {
        REAL f = s * e[i], b = c * e[i];
        e[i + 1] = r = FN(hypot)(f, g);
        if (r == 0) { /* it falls apart here, too */
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        NAME(rotate)(n, q + i * n, q + (i + 1) * n, c, s);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* False where it does not converge, which nobody has seen. */
static bool NAME(ql)(int64_t n, REAL *d, REAL *e, REAL *q)
{
    enum { MOST_SWEEPS = 60 };
    const REAL eps = sizeof(REAL) == sizeof(float) ? (REAL)FLT_EPSILON : (REAL)DBL_EPSILON;
    for (int64_t l = 0; l < n; l++)
        for (int sweeps = 0;; sweeps++) {
            int64_t m = l;
            while (m + 1 < n && FN(fabs)(e[m]) > eps * (FN(fabs)(d[m]) + FN(fabs)(d[m + 1]))) m++;
            if (m == l) break;
            if (sweeps == MOST_SWEEPS) return false;
            NAME(ql_sweep)(n, l, m, d, e, q);
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

/* y [n + 1][n]: the values, then a vector a row. Scaled by a power of two, so that squares neither overflow nor vanish. */
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
    if (!NAME(ql)(n, y, e, y + n)) return false;
    for (int64_t i = 0; i < n; i++) y[i] = FN(ldexp)(y[i], power);
    NAME(arrange)(n, y, y + n);
    return true;
}

static void NAME(k_eigen)(const ad_factor *f)
{
    const int64_t n = f->n;
    REAL *y = f->y;
    for (int64_t r = 0; r < f->rows; r++, y += (n + 1) * n)
        if (!NAME(eigen_one)(n, (const REAL *)f->a + r * f->next_a, f->room, NAME(rest_of)(f), y))
            NAME(fill_nan)((n + 1) * n, y);
}
