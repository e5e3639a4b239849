/* gather.c — rows of a table by their numbers, and the rows of a table to which others are added: each is the other's
 * adjoint. */
#include "op.h"

ad_var ad_gather(ad_var x, ad_var index)
{
    ad_tape *tape;
    ad_var v[2] = {x, index};
    if (!ad_check_args("gather", v, 2, &tape) || !ad_check_dim("gather", x, 0)) return ad_handle(tape, -1);
    if (ad_node_of(x)->axis >= 0 && ad_node_of(index)->axis >= 0 && !ad_same_axis("gather", &v[0], &v[1]))
        return ad_handle(tape, -1);
    ad_shape s = ad_node_of(x)->shape, m = ad_node_of(index)->shape, joint = m;
    if (m.rank + s.rank - 1 > AD_MAX_RANK)
        return ad_fail(tape, GIBBS_SIZE, "gather: more than %d dimensions", AD_MAX_RANK);
    for (int i = 1; i < s.rank; i++) joint.dim[joint.rank++] = s.dim[i];
    ad_node node = ad_proto(OP_gather, v, 2, joint);
    return ad_hoist(tape, &node);
}

ad_var ad_scatter_add(ad_var g, ad_var index, int64_t n)
{
    ad_tape *tape;
    ad_var v[2] = {g, index};
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (!ad_check_args("scatter_add", v, 2, &tape)) return ad_handle(tape, -1);
    ad_shape s = ad_node_of(g)->shape, m = ad_node_of(index)->shape;
    bool fits = s.rank >= m.rank && n >= 1 && n <= INT32_MAX;
    for (int i = 0; fits && i < m.rank; i++) fits = s.dim[i] == m.dim[i];
    if (!fits)
        return ad_fail(tape, GIBBS_SHAPE, "scatter_add: %s has no leading %s, or %lld rows are out of range",
                       ad_shape_text(&s, a, sizeof a), ad_shape_text(&m, b, sizeof b), (long long)n);
    if (!ad_same_axis("scatter_add", &v[0], &v[1])) return ad_handle(tape, -1);
    ad_shape tail = ad_shape_drop(&s, 0, m.rank), joint = ad_shape_prepend(n, &tail);
    if (ad_is_zero(v[0])) return ad_fill(tape, ad_node_of(v[0])->axis, joint, 0);
    ad_node node = ad_proto(OP_scatter_add, v, 2, joint);
    return ad_hoist(tape, &node);
}

/* ---- Rules ---- */

static ad_var gather_again(const ad_node *node, const ad_var *in) { return (void)node, ad_gather(in[0], in[1]); }

static ad_var gather_adjoint(const ad_call *c, ad_var ybar, int which)
{
    return ad_scatter_add(ybar, ad_arg(c, 1), ad_node_of(ad_arg(c, which))->shape.dim[0]);
}

/* [D,n,s…] → [n,D,s…] → rows by index → [m…,D,s…] → [D,m…,s…]. */
static ad_var gather_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    int rank = ad_node_of(ad_arg(c, 1))->shape.rank;
    return ad_move_dim(ad_gather(ad_move_dim(t, 0, 1), ad_arg(c, 1)), rank, 0);
}

const ad_structure ad_structure_gather = {
    .indices = 1, .picks = true, .again = gather_again, .adjoint = gather_adjoint, .tangent = gather_tangent,
};

static ad_var scatter_again(const ad_node *node, const ad_var *in)
{
    return ad_scatter_add(in[0], in[1], node->shape.dim[0]);
}

static ad_var scatter_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return ad_gather(ybar, ad_arg(c, 1));
}

static ad_var scatter_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    ad_var index = ad_arg(c, 1);
    return ad_move_dim(ad_scatter_add(ad_move_dim(t, 0, ad_node_of(index)->shape.rank), index, c->node.shape.dim[0]), 1,
                       0);
}

const ad_structure ad_structure_scatter_add = {
    .indices = 1, .again = scatter_again, .adjoint = scatter_adjoint, .tangent = scatter_tangent,
};
