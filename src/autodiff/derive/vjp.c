/* vjp.c — the adjoint of one argument of one node, and its mask: of elementwise ops from ops.def, of the others from
 * their struct. */
#include "derive.h"

/* What belongs to x on x's axis: summed over the samples, or the same for all. */
static ad_var on_axis_of(ad_var x, ad_var v)
{
    if (ad_is_null(v)) return v;
    int32_t own = ad_node_of(x)->axis, got = ad_node_of(v)->axis;
    if (own < 0 && got >= 0) return ad_batch_reduce(OP_batch_sum, got, v);
    return ad_on_axis(v, own);
}

static ad_var vjp(const ad_call *c, ad_var ybar, int which)
{
    const ad_structure *op = ad_structures[c->node.op];
    if (!op) return ad_times_slope(c, ybar, which);
    if (op->adjoint) return op->adjoint(c, ybar, which);
    return ad_fail(c->y.tape, GIBBS_SMOOTH, "%s: the op has no derivative", ad_ops[c->node.op].name);
}

ad_var ad_vjp_node(ad_var y, ad_var ybar, int which)
{
    ad_call c = ad_call_of(y);
    return on_axis_of(ad_arg(&c, which), vjp(&c, ybar, which));
}

/* The mask of an argument: a linear op's is the adjoint of the mask; what a slice leaves out is not taken. */
static ad_var mask_of(const ad_call *c, ad_var mask, int which)
{
    const ad_structure *op = ad_structures[c->node.op];
    if (!op) return ad_mask_of(c, mask, which);
    if (op->picks && ad_is_null(mask)) mask = ad_fill(c->y.tape, c->node.axis, c->node.shape, 1);
    if (op->mask) mask = op->mask(c, mask, which);
    else if (!ad_is_null(mask)) mask = op->adjoint(c, mask, which);
    return on_axis_of(ad_arg(c, which), mask);
}

/* The product of matrices whose other factor is masked, too, where nothing was taken that it is multiplied by: 0·∞ must
 * not enter a sum. `in` has room for the two factors. */
static ad_call with_masked_factor(const ad_call *c, ad_var mask, int which, int32_t *in)
{
    ad_call masked = *c;
    ad_var other = ad_masked(mask_of(c, mask, 1 - which), ad_arg(c, 1 - which));
    in[which] = c->node.in[which];
    in[1 - which] = ad_is_null(other) ? c->node.in[1 - which] : other.id;
    masked.node.in = in;
    return masked;
}

ad_var ad_vjp_masked(ad_var y, ad_var ybar, int which, bool apart, ad_var *mask)
{
    ad_call c = ad_call_of(y), call = c;
    const ad_structure *op = ad_structures[c.node.op];
    int32_t in[2];
    ad_var under = *mask;
    bool shared = apart && c.node.axis >= 0 && ad_is_shared(ad_arg(&c, which));
    *mask = shared ? ad_handle(y.tape, -1) : mask_of(&c, under, which);
    bool mixes = apart && c.node.axis >= 0 && op && op->bilinear && ad_is_shared(ad_arg(&c, 1 - which));
    if (op && op->bilinear && !mixes && !ad_is_null(under)) call = with_masked_factor(&c, under, which, in);
    if (op && op->multiplies && !ad_is_null(under)) {
        ad_var taken = ad_masked(under, y);
        call.y = ad_is_null(taken) ? y : taken;
    }
    ad_var part = on_axis_of(ad_arg(&c, which), vjp(&call, ybar, which));
    bool linear = op && ad_ops[c.node.op].smooth == CLASS_LINEAR;
    return linear || ad_is_null(under) || ad_is_null(*mask) ? part : ad_masked(*mask, part);
}
