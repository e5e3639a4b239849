/* quad_batch.c — ops across samples, and between a child axis and its parent. */
#include "quad.h"

static int64_t elements(const ad_shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++) n *= s->dim[i];
    return n;
}

static void sum_rows(const quad *x, int64_t rows, int64_t n, quad *out)
{
    for (int64_t e = 0; e < n; e++) out[e] = 0;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t e = 0; e < n; e++) out[e] += x[r * n + e];
}

/* Σ over samples and leading dimension k of a[k,m] b[k,n]. */
static void product(const ad_shape *s, const ad_shape *t, const quad *a, const quad *b, int64_t rows, quad *out)
{
    int64_t m = s->dim[s->rank - 1], n = t->dim[t->rank - 1], all = rows * elements(s) / m;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            quad sum = 0;
            for (int64_t k = 0; k < all; k++) sum += a[k * m + i] * b[k * n + j];
            out[i * n + j] = sum;
        }
}

/* Rows of x on one axis by number for the rows of another, and back. `picks` numbers index `limit` rows of n. */
static bool rows_by_index(bool gather, const quad *x, const quad *index, int64_t picks, int64_t limit, int64_t n,
                          quad *out)
{
    for (int64_t e = 0; !gather && e < limit * n; e++) out[e] = 0;
    for (int64_t j = 0; j < picks; j++) {
        int64_t row = (int64_t)index[j];
        if (row < 0 || row >= limit) return false;
        for (int64_t e = 0; e < n; e++)
            if (gather) out[j * n + e] = x[row * n + e];
            else out[row * n + e] += x[j * n + e];
    }
    return true;
}

bool quad_batch(const quad_machine *m, const ad_node *node, const quad *const *in, quad *out)
{
    const ad_node *a = &m->tape->node[node->in[0]], *b = &m->tape->node[node->in[node->nin - 1]];
    int64_t n = elements(&node->shape), rows = quad_rows(m, a->axis), picks = quad_rows(m, b->axis);
    switch (node->op) {
    case OP_regroup: /* the samples of one parent lie next to each other, so both are copies */
    case OP_ungroup:
        for (int64_t e = 0, all = n * quad_rows(m, node->axis); e < all; e++) out[e] = in[0][e];
        return true;
    case OP_batch_sum: return sum_rows(in[0], rows, n, out), true;
    case OP_batch_logsumexp:
        for (int64_t e = 0; e < n; e++) out[e] = quad_logsumexp(in[0] + e, rows, n);
        return true;
    case OP_batch_rest:
        for (int64_t e = 0; e < n; e++) out[e] = 0;
        return true;
    case OP_batch_max:
        for (int64_t e = 0; e < n; e++) out[e] = quad_max(in[0] + e, rows, n);
        return true;
    case OP_batch_matmul: return product(&a->shape, &b->shape, in[0], in[1], rows, out), true;
    case OP_batch_gather: return rows_by_index(true, in[0], in[1], picks, rows, n, out);
    case OP_batch_scatter_add: return rows_by_index(false, in[0], in[1], picks, quad_rows(m, node->axis), n, out);
    default: return false;
    }
}
