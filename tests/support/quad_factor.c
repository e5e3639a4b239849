/* quad_factor.c — factorisations by the plainest algorithms: row by row, Gauss–Jordan elimination, Jacobi's
 * rotations. */
#include "quad.h"

enum { MOST = 40 };

static quad size_of(quad x) { return x < 0 ? -x : x; }

static void symmetric_part(int64_t n, const quad *a, quad *s)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) s[i * n + j] = (a[i * n + j] + a[j * n + i]) / 2;
}

static bool cholesky(int64_t n, const quad *a, quad *l)
{
    quad s[MOST * MOST];
    symmetric_part(n, a, s);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            quad sum = s[i * n + j];
            for (int64_t k = 0; k < j && k < i; k++) sum -= l[i * n + k] * l[j * n + k];
            if (i == j && !(sum > 0)) return false;
            l[i * n + j] = j > i ? 0 : i == j ? quad_sqrt(sum) : sum / l[j * n + j];
        }
    return true;
}

/* x ← A⁻¹x by Gauss–Jordan elimination, of m columns; a is used up. *det: its absolute value. */
static bool eliminate(int64_t n, int64_t m, quad *a, quad *x, quad *det)
{
    *det = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t i = k; i < n; i++) best = size_of(a[i * n + k]) > size_of(a[best * n + k]) ? i : best;
        for (int64_t j = 0; j < n; j++) {
            quad kept = a[k * n + j];
            a[k * n + j] = a[best * n + j], a[best * n + j] = kept;
        }
        for (int64_t j = 0; j < m; j++) {
            quad kept = x[k * m + j];
            x[k * m + j] = x[best * m + j], x[best * m + j] = kept;
        }
        quad pivot = a[k * n + k];
        *det *= size_of(pivot);
        if (pivot == 0) return false;
        for (int64_t j = 0; j < n; j++) a[k * n + j] /= pivot;
        for (int64_t j = 0; j < m; j++) x[k * m + j] /= pivot;
        for (int64_t i = 0; i < n; i++) {
            quad f = a[i * n + k];
            for (int64_t j = 0; j < n && i != k; j++) a[i * n + j] -= f * a[k * n + j];
            for (int64_t j = 0; j < m && i != k; j++) x[i * m + j] -= f * x[k * m + j];
        }
    }
    return true;
}

static bool solve(const ad_node *node, int64_t n, const quad *a, const quad *b, quad *x)
{
    quad t[MOST * MOST], det;
    bool triangle = node->op == OP_triangular_solve;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) t[node->attr[0] ? j * n + i : i * n + j] = triangle && j > i ? 0 : a[i * n + j];
    for (int64_t k = 0; k < n * node->shape.dim[1]; k++) x[k] = b[k];
    return eliminate(n, node->shape.dim[1], t, x, &det);
}

static void rotate(quad *a, quad *b, int64_t n, int64_t step, quad c, quad s)
{
    for (int64_t k = 0; k < n; k++) {
        quad x = a[k * step], y = b[k * step];
        a[k * step] = c * x - s * y;
        b[k * step] = s * x + c * y;
    }
}

static void annihilate(int64_t n, quad *a, quad *r, int64_t p, int64_t q)
{
    quad tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    quad t = (tau < 0 ? -1 : 1) / (size_of(tau) + quad_sqrt(1 + tau * tau)), c = 1 / quad_sqrt(1 + t * t), s = t * c;
    rotate(a + p * n, a + q * n, n, 1, c, s);
    rotate(a + p, a + q, n, n, c, s);
    rotate(r + p * n, r + q * n, n, 1, c, s);
}

/* Rows of r into the order of the values, the largest component of each positive. */
static void arrange(int64_t n, const quad *s, const quad *r, quad *out)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t place = 0, largest = 0;
        for (int64_t i = 0; i < n; i++) place += s[i * n + i] < s[k * n + k];
        for (int64_t i = 0; i < n; i++) largest = size_of(r[k * n + i]) > size_of(r[k * n + largest]) ? i : largest;
        out[place] = s[k * n + k];
        for (int64_t i = 0; i < n; i++)
            out[(place + 1) * n + i] = r[k * n + largest] < 0 ? -r[k * n + i] : r[k * n + i];
    }
}

static void eigen(int64_t n, const quad *a, quad *out)
{
    quad s[MOST * MOST], r[MOST * MOST];
    symmetric_part(n, a, s);
    for (int64_t i = 0; i < n * n; i++) r[i] = i / n == i % n;
    for (int sweep = 0; sweep < 30; sweep++)
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                if (size_of(s[p * n + q]) > (quad)1e-40) annihilate(n, s, r, p, q);
    arrange(n, s, r, out);
}

bool quad_factor(const ad_node *node, const ad_shape *shape, const quad *const *in, quad *out)
{
    int64_t n = shape->dim[0];
    quad copy[MOST * MOST], det;
    if (n > MOST) return false;
    for (int64_t i = 0; i < n * n; i++) copy[i] = in[0][i];
    switch (node->op) {
    case OP_cholesky: return cholesky(n, in[0], out);
    case OP_log_abs_det: return eliminate(n, 0, copy, NULL, &det) && (*out = quad_log(det), true);
    case OP_eigen: return eigen(n, in[0], out), true;
    default: return solve(node, n, in[0], in[1], out);
    }
}
