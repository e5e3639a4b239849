/* softmax.c — exp(x)/Σ exp(x) over dimensions of one sample, the slope of logsumexp: what is computed adds up to 1 whatever
 * is added to all x. */
#include "op.h"

ad_var ad_softmax_range(ad_var x, int first, int count)
{
    if (ad_is_null(x)) return x;
    ad_node of = *ad_node_of(x), node = ad_proto(OP_softmax, &x, 1, of.shape);
    if (ad_shape_part(&of.shape, first, first + count) == 1) return ad_fill(x.tape, of.axis, of.shape, 1);
    node.attr[0] = first;
    node.attr[1] = count;
    return ad_hoist(x.tape, &node);
}

ad_var ad_softmax(ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("softmax", &x, 1, &tape)) return ad_handle(tape, -1);
    int rank = ad_node_of(x)->shape.rank;
    if (rank < 1) return ad_fail(tape, GIBBS_SHAPE, "softmax: needs a vector, got a scalar");
    return ad_softmax_range(x, rank - 1, 1);
}

/* ---- Rules ---- */

static ad_var again(const ad_node *node, const ad_var *in)
{
    return ad_softmax_range(in[0], node->attr[0], node->attr[1]);
}

/* Σ over the dimensions that the shares are of, `before` others in front, repeated. */
static ad_var total(const ad_call *c, ad_var v, int before)
{
    ad_node sum = c->node;
    sum.attr[0] += before;
    return ad_is_null(v) ? v : ad_unreduce(&sum, ad_sum_range(OP_sum, v, sum.attr[0], sum.attr[1]), v);
}

/* The Jacobian diag(y) − yyᵀ, which is symmetric, times v. */
static ad_var product(const ad_call *c, ad_var v, int before)
{
    ad_var shares = ad_chain(v, c->y), mean = total(c, shares, before);
    return ad_sub(shares, ad_chain(mean, c->y));
}

static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return product(c, ybar, 0);
}

/* Every x has a part in each of the shares that it is divided among. */
static ad_var mask(const ad_call *c, ad_var taken, int which)
{
    (void)which;
    return total(c, taken, 0);
}

static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which;
    return product(c, t, D > 0);
}

/* Σ v̄ y ((t − m)² − Σ y (t − m)²), m = Σ y t. */
static ad_var curvature(const ad_call *c, ad_var vbar, ad_var taken, const ad_tangent *tangents, int64_t D)
{
    ad_var t = ad_tangent_dense(ad_arg(c, 0), tangents[0], D);
    ad_var square = ad_square(ad_sub(t, total(c, ad_mul(c->y, t), 1)));
    ad_var second = ad_mul(c->y, ad_sub(square, total(c, ad_mul(c->y, square), 1)));
    return ad_sum_but_first(ad_masked_if(taken, ad_chain(second, vbar)));
}

const ad_structure ad_structure_softmax = {
    .again = again, .adjoint = adjoint, .mask = mask, .tangent = tangent, .curvature = curvature,
};
