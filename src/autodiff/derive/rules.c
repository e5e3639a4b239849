/* rules.c — the vector-Jacobian product of every op, recorded in ops of the table. Elementwise ops take theirs
 * from ops.def; here are the others, but for concats (grad.c). Each returns ∂(Σ ȳ y)/∂in[which], in the shape of
 * in[which]. */
#include "derive.h"

#include <string.h>

ad_var ad_move_dim(ad_var x, int from, int to)
{
    if (ad_is_null(x)) return x;
    ad_shape s = ad_node_of(x)->shape, rest = ad_shape_drop(&s, from, 1);
    int order[AD_MAX_RANK], rank = s.rank, k = 0;
    if (s.dim[from] == 1) {
        for (int i = 0; i < rank; i++) s.dim[i] = i == to ? 1 : rest.dim[k++];
        return ad_reshape(x, s);
    }
    for (int i = 0; i < rank; i++) {
        if (k == from) k++;
        order[i] = i == to ? from : k++;
    }
    return ad_permute(x, order);
}

ad_var ad_sum_but_first(ad_var x)
{
    if (ad_is_null(x)) return x;
    return ad_sum_dims(x, ((1u << ad_node_of(x)->shape.rank) - 1) & ~1u);
}

/* A reduction's result with its dropped dimensions back, as ones, repeated to the argument's shape. */
ad_var ad_unreduce(const ad_node *node, ad_var reduced, ad_var argument)
{
    ad_shape full = ad_node_of(argument)->shape, kept = full;
    for (int i = 0; i < node->attr[1]; i++) kept.dim[node->attr[0] + i] = 1;
    return ad_expand(ad_reshape(reduced, kept), full);
}

/* 1 where the argument attains the maximum; divided by how many do. */
static ad_var argmax_share(const ad_node *node, ad_var x, ad_var y)
{
    ad_var mask = ad_shift(ad_neg(ad_less(x, ad_unreduce(node, y, x))), 1);
    return ad_div(mask, ad_unreduce(node, ad_sum_range(OP_sum, mask, node->attr[0], node->attr[1]), x));
}

static ad_var batch_argmax_share(const ad_node *node, ad_var x, ad_var y)
{
    ad_var mask = ad_shift(ad_neg(ad_less(x, y)), 1);
    return ad_div(mask, ad_batch_reduce(OP_batch_sum, node->attr[0], mask));
}

static ad_var softmax_share(const ad_node *node, ad_var x, ad_var y)
{
    ad_var weight = ad_exp_offset(x, ad_unreduce(node, y, x));
    return ad_div(weight, ad_unreduce(node, ad_sum_range(OP_sum, weight, node->attr[0], node->attr[1]), x));
}

static ad_var batch_softmax_share(const ad_node *node, ad_var x, ad_var y)
{
    ad_var weight = ad_exp_offset(x, y);
    return ad_div(weight, ad_batch_reduce(OP_batch_sum, node->attr[0], weight));
}

/* The derivative of max and logsumexp by their argument, within a sample or over a batch. */
ad_var ad_reduction_weight(ad_var y)
{
    ad_node node = *ad_node_of(y);
    ad_var x = ad_input_of(y, 0);
    switch (node.op) {
    case OP_max_reduce: return argmax_share(&node, x, y);
    case OP_batch_max: return batch_argmax_share(&node, x, y);
    case OP_logsumexp: return softmax_share(&node, x, y);
    default: return batch_softmax_share(&node, x, y);
    }
}

static ad_var vjp_expand(const ad_node *node, ad_var x, ad_var ybar)
{
    ad_shape s = ad_node_of(x)->shape;
    int extra = node->shape.rank - s.rank;
    unsigned mask = 0;
    for (int i = 0; i < node->shape.rank; i++)
        if (i < extra || s.dim[i - extra] != node->shape.dim[i]) mask |= 1u << i;
    return ad_reshape(ad_sum_dims(ybar, mask), s);
}

static ad_var vjp_permute(const ad_node *node, ad_var ybar)
{
    int inverse[AD_MAX_RANK];
    for (int i = 0; i < node->shape.rank; i++) inverse[node->attr[i]] = i;
    return ad_permute(ybar, inverse);
}

static ad_var vjp_slice(const ad_node *node, ad_var x, ad_var ybar)
{
    int dim = node->attr[0];
    int64_t size = ad_node_of(x)->shape.dim[dim];
    return ad_pad(ybar, dim, node->attr[1], size - node->attr[1] - node->shape.dim[dim]);
}

/* Σ_n Σ_l over what the shared factor [1,·,·] is used for, as one batch product where both sides are per-sample. */
static ad_var shared_factor(int32_t axis, ad_var p, bool tp, ad_var q, bool tq)
{
    if (tp) p = ad_transpose(p);
    if (tq) q = ad_transpose(q);
    if (ad_is_null(p) || ad_is_null(q)) return ad_is_null(p) ? p : q;
    ad_shape s = ad_node_of(p)->shape, t = ad_node_of(q)->shape;
    p = ad_reshape(p, ad_mat(s.dim[0] * s.dim[1], s.dim[2]));
    q = ad_reshape(q, ad_mat(t.dim[0] * t.dim[1], t.dim[2]));
    if (ad_is_null(p) || ad_is_null(q)) return ad_is_null(p) ? p : q;
    return ad_reshape(ad_batch_matmul_core(axis, p, q), ad_cube(1, s.dim[2], t.dim[2]));
}

/* Y = op(A) op(B): Ā = Ȳ op(B)ᵀ and B̄ = op(A)ᵀ Ȳ, each transposed again where its own flag is set. */
static ad_var vjp_matmul(const ad_node *node, const ad_var *in, ad_var ybar, int which)
{
    bool ta = node->attr[0], tb = node->attr[1];
    ad_shape own = ad_node_of(in[which])->shape, other = ad_node_of(in[1 - which])->shape;
    int32_t axis = node->axis;
    bool one_product = own.dim[0] == node->shape.dim[0] || (own.dim[0] == 1 && other.dim[0] == node->shape.dim[0]);
    if (axis >= 0 && ad_is_shared(in[which]) && own.dim[0] == 1 && one_product) {
        if (which)
            return tb ? shared_factor(axis, ybar, false, in[0], ta) : shared_factor(axis, in[0], ta, ybar, false);
        return ta ? shared_factor(axis, in[1], !tb, ybar, true) : shared_factor(axis, ybar, true, in[1], !tb);
    }
    ad_var adjoint;
    if (which) adjoint = tb ? ad_matmul_core(ybar, true, in[0], ta) : ad_matmul_core(in[0], !ta, ybar, false);
    else adjoint = ta ? ad_matmul_core(in[1], tb, ybar, true) : ad_matmul_core(ybar, false, in[1], !tb);
    if (own.dim[0] == node->shape.dim[0]) return adjoint;
    return ad_reshape(ad_sum_dims(adjoint, 1), own);
}

/* C = Σ_n aₙᵀbₙ: ā = b C̄ᵀ, b̄ = a C̄. */
static ad_var vjp_batch_matmul(const ad_var *in, ad_var ybar, int which)
{
    ad_shape s = ad_node_of(in[1 - which])->shape, c = ad_node_of(ybar)->shape;
    ad_var other = ad_reshape(in[1 - which], ad_cube(1, s.dim[0], s.dim[1]));
    ad_var product = ad_matmul_core(other, false, ad_reshape(ybar, ad_cube(1, c.dim[0], c.dim[1])), which == 0);
    return ad_is_null(product) ? product : ad_reshape(product, ad_node_of(in[which])->shape);
}

static ad_var vjp_user(const ad_node *node, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    const ad_user_op *op = y.tape->side[node->side].user;
    if (!op->vjp) return ad_fail(y.tape, GIBBS_SMOOTH, "%s: the op has no derivative", op->name);
    return op->vjp(op->context, in, y, ybar, which);
}

static ad_var vjp_structural(const ad_node *node, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    ad_tape *tape = y.tape;
    ad_var zero = ad_constant(tape, 0);
    ad_shape s = ad_node_of(in[which])->shape;
    switch (node->op) {
    case OP_select: return which == 1 ? ad_select(in[0], ybar, zero) : ad_select(in[0], zero, ybar);
    case OP_lift: return ad_batch_reduce(OP_batch_sum, node->axis, ybar);
    case OP_expand: return vjp_expand(node, in[0], ybar);
    case OP_reshape: return ad_reshape(ybar, s);
    case OP_permute: return vjp_permute(node, ybar);
    case OP_slice: return vjp_slice(node, in[0], ybar);
    case OP_pad: return ad_slice(ybar, node->attr[0], node->attr[1], s.dim[node->attr[0]]);
    case OP_gather: return ad_scatter_add(ybar, in[1], s.dim[0]);
    case OP_scatter_add: return ad_gather(ybar, in[1]);
    case OP_sum: return ad_unreduce(node, ybar, in[0]);
    case OP_max_reduce:
    case OP_logsumexp: return ad_chain(ad_unreduce(node, ybar, in[0]), ad_reduction_weight(y));
    case OP_matmul: return vjp_matmul(node, in, ybar, which);
    case OP_user: return vjp_user(node, in, y, ybar, which);
    case OP_regroup: return ad_ungroup(ad_axis_of(in[0]), ybar);
    case OP_ungroup: return ad_regroup(ybar);
    case OP_batch_sum: return ad_lift((ad_axis){tape, node->attr[0]}, ybar);
    case OP_batch_max:
    case OP_batch_logsumexp: return ad_chain(ybar, ad_reduction_weight(y));
    case OP_batch_matmul: return vjp_batch_matmul(in, ybar, which);
    case OP_batch_gather: return ad_batch_scatter_add((ad_axis){tape, node->attr[0]}, ybar, in[1]);
    case OP_batch_scatter_add: return ad_batch_gather(ybar, in[1]);
    default: return ad_fail(tape, GIBBS_SMOOTH, "%s: the op has no derivative", ad_ops[node->op].name);
    }
}

ad_var ad_vjp_node(ad_var y, ad_var ybar, int which)
{
    ad_node node = *ad_node_of(y);
    ad_var in[AD_MAX_ARGUMENTS], adjoint;
    for (int k = 0; k < node.nin; k++) in[k] = ad_handle(y.tape, node.in[k]);
    if (node.op != OP_select && ad_ops[node.op].partial[0])
        adjoint = ad_chain(ybar, ad_ops[node.op].partial[which](in[0], in[node.nin - 1], y));
    else
        adjoint = vjp_structural(&node, in, y, ybar, which);
    if (ad_is_null(adjoint)) return adjoint;
    int32_t own = ad_node_of(in[which])->axis, got = ad_node_of(adjoint)->axis;
    if (own < 0 && got >= 0) return ad_batch_reduce(OP_batch_sum, got, adjoint);
    return own >= 0 && got < 0 ? ad_lift((ad_axis){y.tape, own}, adjoint) : adjoint;
}
