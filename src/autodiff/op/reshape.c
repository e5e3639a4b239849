/* reshape.c — reshape and permute: the same elements, in another shape or order. */
#include "op.h"

/* An expand whose dimensions of size 1 alone change stays outermost, so that elementwise ops still find it and compute
 * what repeats once. The null var when other dimensions change. */
static ad_var reshape_below_expand(ad_var x, ad_shape to)
{
    ad_var source = ad_input_of(x, 0);
    ad_shape full = ad_node_of(x)->shape, from = ad_node_of(source)->shape, narrow = to;
    int i = full.rank - 1, j = to.rank - 1;
    for (;; i--, j--) {
        while (i >= 0 && full.dim[i] == 1) i--;
        for (; j >= 0 && to.dim[j] == 1; j--) narrow.dim[j] = 1;
        if (i < 0 || j < 0 || full.dim[i] != to.dim[j]) break;
        int k = i - (full.rank - from.rank);
        narrow.dim[j] = k >= 0 ? from.dim[k] : 1;
    }
    return i < 0 && j < 0 ? ad_expand(ad_reshape(source, narrow), to) : ad_handle(NULL, -1);
}

ad_var ad_reshape(ad_var x, ad_shape shape)
{
    ad_tape *tape;
    if (!ad_check_args("reshape", &x, 1, &tape)) return ad_handle(tape, -1);
    ad_shape own = ad_node_of(x)->shape;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (ad_shape_equal(&own, &shape)) return x;
    if (!ad_rank_check("reshape", tape, &shape)) return ad_handle(tape, -1);
    if (ad_shape_count(&shape) != ad_shape_count(&own))
        return ad_fail(tape, GIBBS_SHAPE, "reshape: %s and %s have different numbers of elements",
                       ad_shape_text(&own, a, sizeof a), ad_shape_text(&shape, b, sizeof b));
    if (ad_node_of(x)->op == OP_reshape) return ad_reshape(ad_input_of(x, 0), shape);
    double c;
    if (ad_is_constant(x, &c)) return ad_fill(tape, ad_node_of(x)->axis, shape, c);
    if (ad_node_of(x)->op == OP_expand) {
        ad_var expanded = reshape_below_expand(x, shape);
        if (!ad_is_null(expanded)) return expanded;
    }
    ad_node node = ad_proto(OP_reshape, &x, 1, shape);
    return ad_hoist(tape, &node);
}

ad_var ad_permute(ad_var x, const int *order)
{
    ad_tape *tape;
    if (!ad_check_args("permute", &x, 1, &tape)) return ad_handle(tape, -1);
    if (!order) return ad_fail(tape, GIBBS_ARGUMENT, "permute: no order");
    ad_node own = *ad_node_of(x);
    ad_node node = ad_proto(OP_permute, &x, 1, own.shape);
    unsigned seen = 0;
    bool identity = true;
    for (int i = 0; i < own.shape.rank; i++) {
        if (order[i] < 0 || order[i] >= own.shape.rank || (seen >> order[i] & 1))
            return ad_fail(tape, GIBBS_ARGUMENT, "permute: the order is no permutation of %d dimensions",
                           own.shape.rank);
        seen |= 1u << order[i];
        node.attr[i] = order[i];
        node.shape.dim[i] = own.shape.dim[order[i]];
        identity &= order[i] == i;
    }
    if (identity) return x;
    if (own.op == OP_permute) {
        int joint[AD_MAX_RANK];
        for (int i = 0; i < own.shape.rank; i++) joint[i] = own.attr[order[i]];
        return ad_permute(ad_input_of(x, 0), joint);
    }
    return ad_hoist(tape, &node);
}

ad_var ad_transpose(ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("transpose", &x, 1, &tape)) return ad_handle(tape, -1);
    int rank = ad_node_of(x)->shape.rank, order[AD_MAX_RANK];
    if (rank < 2) return ad_fail(tape, GIBBS_SHAPE, "transpose: needs a matrix, got %d dimensions", rank);
    for (int i = 0; i < rank; i++) order[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return ad_permute(x, order);
}

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

/* ---- Rules ---- */

static ad_var reshape_again(const ad_node *node, const ad_var *in) { return ad_reshape(in[0], node->shape); }

static ad_var reshape_adjoint(const ad_call *c, ad_var ybar, int which)
{
    return ad_reshape(ybar, ad_node_of(ad_arg(c, which))->shape);
}

static ad_var reshape_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which;
    return ad_reshape(t, D ? ad_shape_prepend(D, &c->node.shape) : c->node.shape);
}

const ad_structure ad_structure_reshape = {
    .keeps = true, .again = reshape_again, .adjoint = reshape_adjoint, .tangent = reshape_tangent,
};

static ad_var permute_again(const ad_node *node, const ad_var *in)
{
    int order[AD_MAX_RANK];
    for (int i = 0; i < AD_MAX_RANK; i++) order[i] = node->attr[i];
    return ad_permute(in[0], order);
}

static ad_var permute_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    int inverse[AD_MAX_RANK];
    for (int i = 0; i < c->node.shape.rank; i++) inverse[c->node.attr[i]] = i;
    return ad_permute(ybar, inverse);
}

static ad_var permute_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    int order[AD_MAX_RANK] = {0};
    for (int i = 0; i < c->node.shape.rank && i + 1 < AD_MAX_RANK; i++) order[i + 1] = c->node.attr[i] + 1;
    return ad_permute(t, order);
}

const ad_structure ad_structure_permute = {
    .again = permute_again, .adjoint = permute_adjoint, .tangent = permute_tangent,
};
