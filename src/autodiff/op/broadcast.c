/* broadcast.c — the rules of lift and expand, which every elementwise op records (tape/broadcast.c): an adjoint of what
 * is repeated is a sum, over the samples or within one. */
#include "op.h"

static ad_var lift_again(const ad_node *node, const ad_var *in)
{
    return ad_lift((ad_axis){in[0].tape, node->axis}, in[0]);
}

static ad_var lift_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return ad_batch_reduce(OP_batch_sum, c->node.axis, ybar);
}

static ad_var lift_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return ad_lift(ad_axis_of(c->y), t);
}

const ad_structure ad_structure_lift = {
    .keeps = true, .again = lift_again, .adjoint = lift_adjoint, .tangent = lift_tangent,
};

static ad_var expand_again(const ad_node *node, const ad_var *in) { return ad_expand(in[0], node->shape); }

static ad_var expand_adjoint(const ad_call *c, ad_var ybar, int which)
{
    ad_shape s = ad_node_of(ad_arg(c, which))->shape;
    int extra = c->node.shape.rank - s.rank;
    unsigned mask = 0;
    for (int i = 0; i < c->node.shape.rank; i++)
        if (i < extra || s.dim[i - extra] != c->node.shape.dim[i]) mask |= 1u << i;
    return ad_reshape(ad_sum_dims(ybar, mask), s);
}

static ad_var expand_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    ad_shape s = ad_node_of(ad_arg(c, which))->shape, padded = {.rank = c->node.shape.rank};
    int extra = c->node.shape.rank - s.rank;
    for (int i = 0; i < padded.rank; i++) padded.dim[i] = i < extra ? 1 : s.dim[i - extra];
    return ad_expand(ad_reshape(t, ad_shape_prepend(D, &padded)), ad_shape_prepend(D, &c->node.shape));
}

const ad_structure ad_structure_expand = {
    .again = expand_again, .adjoint = expand_adjoint, .tangent = expand_tangent,
};
