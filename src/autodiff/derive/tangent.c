/* tangent.c — the forward sweep: D directions at once, in a leading dimension of every tangent. A zero tangent and
 * a diagonal one (element i moves in direction i only) never become D matrices: x itself and elementwise functions
 * of it stay diagonal, and the tangent of xW for diagonal ẋ = 1 is W itself, shared by all samples. */
#include "derive.h"

ad_var ad_tangent_dense(ad_var node, ad_tangent t, int64_t directions)
{
    if (ad_is_null(node)) return node;
    ad_node own = *ad_node_of(node);
    ad_shape dense = ad_shape_prepend(directions, &own.shape);
    if (t.kind == TANGENT_ZERO) return ad_fill(node.tape, own.axis, dense, 0);
    if (t.kind == TANGENT_DENSE) return t.v;
    return ad_chain(ad_broadcast_to(ad_reshape(ad_eye(node.tape, directions), dense), own.axis, dense), t.v);
}

static ad_var push_expand(const ad_node *node, ad_var x, ad_var t, int64_t D)
{
    ad_shape s = ad_node_of(x)->shape, padded = {.rank = node->shape.rank};
    int extra = node->shape.rank - s.rank;
    for (int i = 0; i < padded.rank; i++) padded.dim[i] = i < extra ? 1 : s.dim[i - extra];
    return ad_expand(ad_reshape(t, ad_shape_prepend(D, &padded)), ad_shape_prepend(D, &node->shape));
}

static ad_var push_permute(const ad_node *node, ad_var t)
{
    int order[AD_MAX_RANK] = {0};
    for (int i = 0; i < node->shape.rank && i + 1 < AD_MAX_RANK; i++) order[i + 1] = node->attr[i] + 1;
    return ad_permute(t, order);
}

/* [D,n,s…] → [n,D,s…] → rows by index → [m…,D,s…] → [D,m…,s…]. */
static ad_var push_gather(const ad_var *in, ad_var t)
{
    int rank = ad_node_of(in[1])->shape.rank;
    return ad_move_dim(ad_gather(ad_move_dim(t, 0, 1), in[1]), rank, 0);
}

static ad_var push_scatter_add(const ad_node *node, const ad_var *in, ad_var t)
{
    return ad_move_dim(ad_scatter_add(ad_move_dim(t, 0, ad_node_of(in[1])->shape.rank), in[1], node->shape.dim[0]), 1,
                       0);
}

/* [D,L,m,k]·[L,k,n] (or the other side active) → [D,L,m,n]. `side` is the active factor. */
static ad_var push_matmul(const ad_node *node, const ad_var *in, ad_var t, int side, int64_t D)
{
    bool flag[2] = {node->attr[0], node->attr[1]};
    ad_shape s = ad_node_of(in[side])->shape, o = ad_node_of(in[1 - side])->shape, y = node->shape;
    ad_shape result = ad_shape_prepend(D, &y);
    if (s.dim[0] == 1 && o.dim[0] == 1 && side == 0) { /* one product of D·m rows */
        ad_var rows = ad_reshape(t, ad_cube(D, s.dim[1], s.dim[2]));
        if (flag[0]) rows = ad_transpose(rows);
        rows = ad_reshape(rows, ad_cube(1, D * y.dim[1], flag[0] ? s.dim[1] : s.dim[2]));
        return ad_reshape(ad_matmul_core(rows, false, in[1], flag[1]), result);
    }
    if (s.dim[0] == 1 && o.dim[0] == 1 && y.dim[2] == 1) { /* columns: (A ḃ)ᵀ = ḃᵀAᵀ */
        ad_var rows = ad_reshape(t, ad_cube(1, D, ad_shape_count(&s)));
        return ad_reshape(ad_matmul_core(rows, false, in[0], !flag[0]), result);
    }
    int64_t L = y.dim[0];
    ad_shape mine = ad_cube(L, s.dim[1], s.dim[2]), other = ad_cube(L, o.dim[1], o.dim[2]);
    mine = ad_shape_prepend(D, &mine);
    other = ad_shape_prepend(D, &other);
    ad_shape t4 = ad_shape_prepend(D, &s);
    ad_var p = ad_reshape(ad_expand(ad_reshape(t, t4), mine), ad_cube(D * L, s.dim[1], s.dim[2]));
    ad_var q =
        o.dim[0] == 1 ? in[1 - side] : ad_reshape(ad_expand(in[1 - side], other), ad_cube(D * L, o.dim[1], o.dim[2]));
    return ad_reshape(side ? ad_matmul_core(q, flag[0], p, flag[1]) : ad_matmul_core(p, flag[0], q, flag[1]), result);
}

/* Σₙ ȧᵀb: the D directions are moved next to the columns of their factor. */
static ad_var push_batch_matmul(const ad_node *node, const ad_var *in, ad_var t, int side, int64_t D)
{
    ad_shape s = ad_node_of(in[side])->shape;
    ad_var wide = ad_reshape(ad_move_dim(t, 0, 1), ad_mat(s.dim[0], D * s.dim[1]));
    int64_t m = node->shape.dim[0], n = node->shape.dim[1];
    if (side == 0) return ad_reshape(ad_batch_matmul_core(node->attr[0], wide, in[1]), ad_cube(D, m, n));
    return ad_move_dim(ad_reshape(ad_batch_matmul_core(node->attr[0], in[0], wide), ad_cube(m, D, n)), 1, 0);
}

/* No forward rule is asked of a user's op: the product with the transpose of its own vjp is linear in a
 * placeholder cotangent u, and its derivative by u is the tangent (the trick of double transposition). */
static ad_var push_user(const ad_node *node, ad_var y, ad_var x, ad_var t, int which, int64_t D)
{
    ad_tape *tape = y.tape;
    ad_var all = ad_handle(tape, -1), u = ad_placeholder(tape, AD_MAX_ARGUMENTS + 1, node->axis, node->shape);
    ad_var g = ad_vjp_node(y, u, which);
    ad_shape own = ad_node_of(x)->shape; /* read before anything is recorded: the nodes may move */
    for (int64_t d = 0; d < D && !ad_is_null(g); d++) {
        ad_var along = ad_reshape(ad_slice(t, 0, d, 1), own), one;
        if (ad_grad(ad_dot(g, along), &u, 1, &one)) return one;
        one = ad_reshape(one, ad_shape_prepend(1, &node->shape));
        all = d ? ad_concat(all, one, 0) : one;
    }
    return all;
}

static ad_var push_select(const ad_var *in, ad_var t, int which)
{
    ad_var zero = ad_constant(t.tape, 0);
    return which == 1 ? ad_select(in[0], t, zero) : ad_select(in[0], zero, t);
}

/* Of both at once: a chain of n concats has a chain of n concats for a tangent, not n sums. */
static bool push_concat(const ad_node *node, const ad_var *in, const ad_tangent *t, int64_t D, ad_tangent *out)
{
    if (node->op != OP_concat || (t[0].kind == TANGENT_ZERO && t[1].kind == TANGENT_ZERO)) return false;
    ad_var a = ad_tangent_dense(in[0], t[0], D);
    *out = (ad_tangent){TANGENT_DENSE, ad_concat(a, ad_tangent_dense(in[1], t[1], D), node->attr[0] + 1)};
    return true;
}

/* The tangent of y through its argument `which`, whose dense tangent [D, s…] is t. */
static ad_var push(ad_var y, const ad_node *node, const ad_var *in, ad_var t, int which, int64_t D)
{
    ad_tape *tape = y.tape;
    ad_shape result = ad_shape_prepend(D, &node->shape);
    if (ad_ops[node->op].partial[0]) return ad_chain(t, ad_ops[node->op].partial[which](in[0], in[node->nin - 1], y));
    switch (node->op) {
    case OP_select: return push_select(in, t, which);
    case OP_lift: return ad_lift((ad_axis){tape, node->axis}, t);
    case OP_expand: return push_expand(node, in[0], t, D);
    case OP_reshape: return ad_reshape(t, result);
    case OP_permute: return push_permute(node, t);
    case OP_slice: return ad_slice(t, node->attr[0] + 1, node->attr[1], node->shape.dim[node->attr[0]]);
    case OP_pad: return ad_pad(t, node->attr[0] + 1, node->attr[1], node->attr[2]);
    case OP_gather: return push_gather(in, t);
    case OP_scatter_add: return push_scatter_add(node, in, t);
    case OP_sum: return ad_sum_range(OP_sum, t, node->attr[0] + 1, node->attr[1]);
    case OP_max_reduce:
    case OP_logsumexp:
        return ad_sum_range(OP_sum, ad_chain(t, ad_reduction_weight(y)), node->attr[0] + 1, node->attr[1]);
    case OP_matmul: return push_matmul(node, in, t, which, D);
    case OP_user: return push_user(node, y, in[which], t, which, D);
    case OP_regroup: return ad_move_dim(ad_regroup(t), 1, 0);
    case OP_ungroup: return ad_ungroup((ad_axis){tape, node->axis}, ad_move_dim(t, 0, 1));
    case OP_batch_sum: return ad_batch_reduce(OP_batch_sum, node->attr[0], t);
    case OP_batch_max:
    case OP_batch_logsumexp:
        return ad_batch_reduce(OP_batch_sum, node->attr[0], ad_chain(t, ad_reduction_weight(y)));
    case OP_batch_matmul: return push_batch_matmul(node, in, t, which, D);
    case OP_batch_gather: return ad_batch_gather(t, in[1]);
    case OP_batch_scatter_add: return ad_batch_scatter_add((ad_axis){tape, node->attr[0]}, t, in[1]);
    default: return ad_fail(tape, GIBBS_SMOOTH, "%s: the op has no derivative", ad_ops[node->op].name);
    }
}

/* Whether each element of the result comes from that element of the arguments alone, of this sample or of others. */
static bool keeps_elements(ad_op op)
{
    if (ad_ops[op].partial[0] || op == OP_select || op == OP_reshape || op == OP_lift) return true;
    return ad_ops[op].kind == KIND_BATCH && op != OP_batch_matmul;
}

/* Such an op of diagonal tangents has a diagonal one. */
static bool push_diagonal(ad_var y, const ad_node *node, const ad_var *in, const ad_tangent *t, ad_tangent *out)
{
    if (!keeps_elements(node->op)) return false;
    for (int k = 0; k < node->nin; k++)
        if (t[k].kind == TANGENT_DENSE) return false;
    *out = (ad_tangent){TANGENT_ZERO, ad_handle(y.tape, -1)};
    for (int k = 0; k < node->nin; k++) {
        if (t[k].kind == TANGENT_ZERO) continue;
        ad_var part = node->op == OP_reshape ? ad_reshape(t[k].v, node->shape) : push(y, node, in, t[k].v, k, 0);
        out->v = out->kind == TANGENT_ZERO ? part : ad_add(out->v, part);
        out->kind = TANGENT_DIAGONAL;
    }
    return true;
}

/* chain(δ, v), where δ is a unit matrix of n rows in `shape`; v itself where n is 1. */
static ad_var where_equal(int64_t n, ad_shape shape, ad_var v)
{
    return n == 1 || ad_is_null(v) ? v : ad_chain(ad_reshape(ad_eye(v.tape, n), shape), v);
}

/* A reduction over some dimensions of what is diagonal: directions differ in the others alone, [p,r,q] to
 * [p,r,q,p,q]. */
static bool push_diagonal_reduction(ad_var y, const ad_node *node, const ad_var *in, const ad_tangent *t, int64_t D,
                                    ad_tangent *out)
{
    bool sum = node->op == OP_sum;
    if ((!sum && node->op != OP_logsumexp && node->op != OP_max_reduce) || t[0].kind != TANGENT_DIAGONAL) return false;
    ad_shape s = ad_node_of(in[0])->shape, dense = ad_shape_prepend(D, &node->shape);
    int64_t p = 1, q = 1;
    for (int i = 0; i < s.rank; i++)
        if (i < node->attr[0]) p *= s.dim[i];
        else if (i >= node->attr[0] + node->attr[1]) q *= s.dim[i];
    ad_var v = sum ? t[0].v : ad_chain(t[0].v, ad_reduction_weight(y));
    v = where_equal(p * q, (ad_shape){5, {p, 1, q, p, q}}, ad_reshape(v, (ad_shape){5, {p, D / (p * q), q, 1, 1}}));
    *out = (ad_tangent){TANGENT_DENSE, ad_broadcast_to(ad_reshape(v, dense), ad_is_shared(v) ? node->axis : -1, dense)};
    return true;
}

/* Y = AB with one factor diagonal: ∂Y[a,c]/∂A[i,j] = v[i,j] B[j,c] where a = i, and likewise for B. The directions are
 * the factor's two dimensions as it is stored; of these one is summed over, and δ lies between the other and Y's. */
static bool push_diagonal_factor(const ad_node *node, const ad_var *in, const ad_tangent *t, int64_t D, ad_tangent *out)
{
    if (node->op != OP_matmul || node->shape.dim[0] != 1) return false;
    int side = t[0].kind == TANGENT_DIAGONAL ? 0 : 1;
    if (t[side].kind != TANGENT_DIAGONAL || t[1 - side].kind != TANGENT_ZERO) return false;
    int64_t kept = node->shape.dim[1 + side], free = node->shape.dim[2 - side], summed = D / kept;
    int kept_at = node->attr[side] ? 1 - side : side, summed_at = 1 - kept_at;
    ad_var other = in[1 - side];
    if (node->attr[1 - side] != side) other = ad_transpose(other); /* the summed dimension first */
    ad_shape own = {4, {1, 1, 1, 1}}, across = own, unit = own, dense = ad_shape_prepend(D, &node->shape);
    own.dim[kept_at] = kept, own.dim[summed_at] = summed;
    across.dim[summed_at] = summed, across.dim[3 - side] = free;
    unit.dim[kept_at] = unit.dim[2 + side] = kept;
    ad_var v = ad_chain(ad_reshape(t[side].v, own), ad_reshape(other, across));
    v = ad_reshape(where_equal(kept, unit, v), dense);
    *out = (ad_tangent){TANGENT_DENSE, ad_broadcast_to(v, ad_is_shared(v) ? node->axis : -1, dense)};
    return true;
}

static ad_tangent tangent_of(ad_var y, const ad_node *node, const ad_var *in, const ad_tangent *t, int64_t D)
{
    ad_tangent out = {TANGENT_ZERO, {y.tape, -1}};
    if (push_diagonal(y, node, in, t, &out) || push_diagonal_reduction(y, node, in, t, D, &out) ||
        push_diagonal_factor(node, in, t, D, &out) || push_concat(node, in, t, D, &out))
        return out;
    for (int k = 0; k < node->nin; k++) {
        if (t[k].kind == TANGENT_ZERO || !ad_differentiable(node, k)) continue;
        ad_var part = push(y, node, in, ad_tangent_dense(in[k], t[k], D), k, D);
        out.v = out.kind == TANGENT_ZERO ? part : ad_add(out.v, part);
        out.kind = TANGENT_DENSE;
    }
    return out;
}

void ad_tangents(ad_var y, const ad_paths *p, int64_t directions, ad_tangent *tangent)
{
    ad_tape *tape = y.tape;
    for (int32_t i = 0; i <= y.id && tape->error.status == GIBBS_OK; i++) {
        if (!p->active[i] || !p->needed[i] || p->is_x[i]) continue;
        ad_node node = tape->node[i];
        ad_var in[AD_MAX_ARGUMENTS];
        ad_tangent t[AD_MAX_ARGUMENTS] = {{0}};
        for (int k = 0; k < node.nin; k++) {
            in[k] = ad_handle(tape, node.in[k]);
            if (p->active[node.in[k]] && ad_differentiable(&node, k)) t[k] = tangent[node.in[k]];
        }
        tangent[i] = tangent_of(ad_handle(tape, i), &node, in, t, directions);
        if (tangent[i].kind != TANGENT_ZERO && ad_is_zero(tangent[i].v)) tangent[i].kind = TANGENT_ZERO;
    }
}

ad_var ad_on_axis(ad_var v, int32_t axis)
{
    if (ad_is_null(v) || axis < 0 || ad_node_of(v)->axis >= 0) return v;
    return ad_lift((ad_axis){v.tape, axis}, v);
}

ad_var ad_tangent_along(const char *what, ad_var y, const ad_var *x, const ad_var *v, int n)
{
    ad_tape *tape = y.tape;
    ad_node own = *ad_node_of(y);
    ad_var along = ad_handle(tape, -1);
    ad_paths paths;
    if (!ad_paths_new(what, y, x, n, &paths)) return along;
    ad_tangent *tangent = gibbs_alloc_zero(&tape->alloc, (size_t)paths.count, sizeof *tangent);
    if (!tangent) ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what);
    for (int i = 0; i < n && tangent; i++) {
        ad_shape s = ad_node_of(x[i])->shape;
        ad_tangent t = {TANGENT_DENSE, ad_reshape(v[i], ad_shape_prepend(1, &s))};
        if (x[i].id <= y.id) tangent[x[i].id] = t;
    }
    if (tangent) ad_tangents(y, &paths, 1, tangent);
    if (tape->error.status == GIBBS_OK)
        along = ad_on_axis(ad_reshape(ad_tangent_dense(y, tangent[y.id], 1), own.shape), own.axis);
    gibbs_release(&tape->alloc, tangent);
    ad_paths_free(tape, &paths);
    return along;
}
