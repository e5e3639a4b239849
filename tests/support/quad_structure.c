/* quad_structure.c — structural ops on one sample, element by element over explicit indices. */
#include "quad.h"

static int64_t count_of(const ad_shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++) n *= s->dim[i];
    return n;
}

static void unravel(const ad_shape *s, int64_t flat, int64_t *index)
{
    for (int i = s->rank - 1; i >= 0; i--) {
        index[i] = flat % s->dim[i];
        flat /= s->dim[i];
    }
}

static int64_t ravel(const ad_shape *s, const int64_t *index)
{
    int64_t flat = 0;
    for (int i = 0; i < s->rank; i++) flat = flat * s->dim[i] + index[i];
    return flat;
}

quad quad_max(const quad *x, int64_t count, int64_t stride)
{
    quad best = x[0];
    for (int64_t j = 1; j < count; j++)
        if (x[j * stride] > best) best = x[j * stride];
    return best;
}

quad quad_logsumexp(const quad *x, int64_t count, int64_t stride)
{
    quad best = quad_max(x, count, stride), sum = 0;
    for (int64_t j = 0; j < count; j++) sum += quad_exp(x[j * stride] - best);
    return best + quad_log(sum);
}

static quad quad_sum(const quad *x, int64_t count, int64_t stride)
{
    quad sum = 0;
    for (int64_t j = 0; j < count; j++) sum += x[j * stride];
    return sum;
}

static quad quad_norm(const quad *x, int64_t count, int64_t stride)
{
    quad sum = 0;
    for (int64_t j = 0; j < count; j++) sum += x[j * stride] * x[j * stride];
    return quad_sqrt(sum);
}

/* The dimensions attr[0] … attr[0]+attr[1]−1 lie next to each other: [outer, reduced, inner]. */
static void reduce(const ad_node *node, const ad_shape *s, const quad *x, quad *out)
{
    int64_t reduced = 1, inner = 1;
    for (int i = node->attr[0]; i < node->attr[0] + node->attr[1]; i++) reduced *= s->dim[i];
    for (int i = node->attr[0] + node->attr[1]; i < s->rank; i++) inner *= s->dim[i];
    quad (*of)(const quad *, int64_t, int64_t) =
        node->op == OP_sum ? quad_sum : node->op == OP_norm ? quad_norm
        : node->op == OP_logsumexp ? quad_logsumexp : quad_max;
    for (int64_t e = 0, n = count_of(&node->shape); e < n && node->op != OP_softmax; e++)
        out[e] = of(x + (e / inner) * reduced * inner + e % inner, reduced, inner);
    for (int64_t e = 0, n = count_of(&node->shape), each = reduced * inner; e < n && node->op == OP_softmax; e++)
        out[e] = quad_exp(x[e] - quad_logsumexp(x + e / each * each + e % inner, reduced, inner));
}

static void matmul(const ad_node *node, const ad_shape *s, const ad_shape *t, const quad *a, const quad *b, quad *out)
{
    int ta = node->attr[0], tb = node->attr[1];
    int64_t m = node->shape.dim[1], n = node->shape.dim[2], inner = s->dim[ta ? 1 : 2];
    for (int64_t e = 0, all = count_of(&node->shape); e < all; e++) {
        int64_t index[3];
        unravel(&node->shape, e, index);
        const quad *p = a + (s->dim[0] == 1 ? 0 : index[0] * m * inner);
        const quad *q = b + (t->dim[0] == 1 ? 0 : index[0] * n * inner);
        quad sum = 0;
        for (int64_t k = 0; k < inner; k++)
            sum += p[ta ? k * m + index[1] : index[1] * inner + k] * q[tb ? index[2] * inner + k : k * n + index[2]];
        out[e] = sum;
    }
}

/* The place in the argument that element `index` of the result is read from; −1: a zero of a pad. */
static int64_t source_of(const ad_node *node, const ad_shape *s, int64_t *index)
{
    int64_t from[AD_MAX_RANK] = {0};
    int extra = node->op == OP_expand ? node->shape.rank - s->rank : 0, dim = node->attr[0];
    for (int i = 0; i < s->rank; i++) from[i] = node->op == OP_permute ? 0 : index[i + extra];
    if (node->op == OP_expand)
        for (int i = 0; i < s->rank; i++) from[i] = s->dim[i] == 1 ? 0 : from[i];
    if (node->op == OP_permute)
        for (int i = 0; i < s->rank; i++) from[node->attr[i]] = index[i];
    if (node->op == OP_slice) from[dim] += node->attr[1];
    if (node->op == OP_pad) from[dim] -= node->attr[1];
    if (node->op == OP_pad && (from[dim] < 0 || from[dim] >= s->dim[dim])) return -1;
    return ravel(s, from);
}

static void move(const ad_node *node, const ad_shape *s, const quad *x, quad *out)
{
    for (int64_t e = 0, n = count_of(&node->shape); e < n; e++) {
        int64_t index[AD_MAX_RANK];
        unravel(&node->shape, e, index);
        int64_t from = source_of(node, s, index);
        out[e] = from < 0 ? 0 : x[from];
    }
}

static void concat(const quad_machine *m, const ad_node *node, const quad *const *in, quad *out)
{
    int dim = node->attr[0];
    for (int64_t e = 0, n = count_of(&node->shape); e < n; e++) {
        int64_t index[AD_MAX_RANK];
        int k = 0;
        unravel(&node->shape, e, index);
        const ad_shape *own = &m->tape->node[node->in[0]].shape;
        for (; index[dim] >= own->dim[dim]; own = &m->tape->node[node->in[++k]].shape) index[dim] -= own->dim[dim];
        out[e] = in[k][ravel(own, index)];
    }
}

/* gather: out[j] = x[index[j]]; scatter_add: out[index[j]] += g[j]; rows of `tail` numbers. */
static bool by_index(const ad_node *node, const ad_shape *s, const ad_shape *m, const quad *x, const quad *index,
                     quad *out)
{
    bool gather = node->op == OP_gather;
    int64_t picks = count_of(m), limit = gather ? s->dim[0] : node->shape.dim[0];
    int64_t tail = gather ? count_of(s) / s->dim[0] : count_of(s) / picks;
    for (int64_t e = 0, n = count_of(&node->shape); e < n; e++) out[e] = 0;
    for (int64_t j = 0; j < picks; j++) {
        int64_t row = (int64_t)index[j];
        if (row < 0 || row >= limit || (quad)row != index[j]) return false;
        for (int64_t e = 0; e < tail; e++)
            if (gather) out[j * tail + e] = x[row * tail + e];
            else out[row * tail + e] += x[j * tail + e];
    }
    return true;
}

static void cumsum(const ad_node *node, const quad *x, quad *out)
{
    int64_t n = node->shape.dim[node->attr[0]], inner = 1;
    for (int i = node->attr[0] + 1; i < node->shape.rank; i++) inner *= node->shape.dim[i];
    for (int64_t e = 0, all = count_of(&node->shape); e < all; e++) {
        int64_t at = e / inner % n, first = node->attr[1] ? at : 0, last = node->attr[1] ? n - 1 : at;
        out[e] = 0;
        for (int64_t k = first; k <= last; k++) out[e] += x[e + (k - at) * inner];
    }
}

/* Element (p, q) of the matrix of windows of image number `image` is this number of all images; −1: of the zeros around
 * it. */
static int64_t in_image(const ad_node *node, const ad_shape *s, int64_t image, int64_t p, int64_t q)
{
    const int64_t *d = s->dim + s->rank - 3;
    int64_t across = (d[1] + 2 * node->attr[3] - node->attr[1]) / node->attr[2] + 1, c = q % d[2], pixel = q / d[2];
    int64_t y = p / across * node->attr[2] + pixel / node->attr[1] - node->attr[3];
    int64_t x = p % across * node->attr[2] + pixel % node->attr[1] - node->attr[3];
    return y < 0 || y >= d[0] || x < 0 || x >= d[1] ? -1 : ((image * d[0] + y) * d[1] + x) * d[2] + c;
}

static void windows(const ad_node *node, const ad_shape *s, const quad *x, quad *out)
{
    bool makes = node->op == OP_patches;
    const ad_shape *image = makes ? s : &node->shape, *matrix = makes ? &node->shape : s;
    int64_t rows = matrix->dim[matrix->rank - 2], columns = matrix->dim[matrix->rank - 1];
    for (int64_t e = 0, n = count_of(&node->shape); e < n; e++) out[e] = 0;
    for (int64_t e = 0, n = count_of(matrix); e < n; e++) {
        int64_t at = in_image(node, image, e / columns / rows, e / columns % rows, e % columns);
        if (at >= 0 && makes) out[e] = x[at];
        else if (at >= 0) out[at] += x[e];
    }
}

bool quad_structural(const quad_machine *m, const ad_node *node, const quad *const *in, quad *out)
{
    ad_shape s[AD_MAX_ARGUMENTS];
    int64_t n = count_of(&node->shape);
    for (int k = 0; k < node->nin && k < AD_MAX_ARGUMENTS; k++) s[k] = m->tape->node[node->in[k]].shape;
    switch (node->op) {
    case OP_variable:
    case OP_lift:
    case OP_reshape:
        for (int64_t e = 0; e < n; e++) out[e] = in[0][e];
        return true;
    case OP_expand:
    case OP_permute:
    case OP_slice:
    case OP_pad: return move(node, &s[0], in[0], out), true;
    case OP_cumsum: return cumsum(node, in[0], out), true;
    case OP_patches:
    case OP_overlap_add: return windows(node, &s[0], in[0], out), true;
    case OP_concat: return concat(m, node, in, out), true;
    case OP_gather:
    case OP_scatter_add: return by_index(node, &s[0], &s[1], in[0], in[1], out);
    case OP_sum:
    case OP_max_reduce:
    case OP_norm:
    case OP_softmax:
    case OP_logsumexp: return reduce(node, &s[0], in[0], out), true;
    case OP_matmul: return matmul(node, &s[0], &s[1], in[0], in[1], out), true;
    case OP_cholesky:
    case OP_triangular_solve:
    case OP_solve:
    case OP_log_abs_det:
    case OP_eigen: return quad_factor(node, &s[0], in, out);
    case OP_user: ((const quad_user *)m->tape->side[node->side].user->context)->quad(in, out); return true;
    default: return false;
    }
}
