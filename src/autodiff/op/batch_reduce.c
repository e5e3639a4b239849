/* batch_reduce.c — sum, max and logsumexp over the samples of an axis. */
#include "op.h"

ad_var ad_batch_reduce(ad_op op, int32_t axis, ad_var x)
{
    if (ad_is_null(x)) return x;
    ad_tape *tape = x.tape;
    ad_axis handle = {tape, axis};
    if (ad_node_of(x)->op == OP_lift) x = ad_input_of(x, 0);
    ad_shape shape = ad_node_of(x)->shape;
    if (ad_node_of(x)->axis < 0) {
        if (op == OP_batch_sum) return ad_mul(x, ad_batch_count(handle));
        if (op == OP_batch_rest) return ad_fill(tape, -1, shape, 0);
        return op == OP_batch_logsumexp ? ad_add(x, ad_log(ad_batch_count(handle))) : x;
    }
    ad_node node = ad_proto(op, &x, 1, shape);
    node.axis = -1;
    node.attr[0] = axis;
    return ad_record(tape, &node);
}

static ad_var checked_reduce(ad_op op, ad_axis axis, ad_var x)
{
    ad_tape *tape;
    const char *name = ad_ops[op].name;
    if (!ad_check_args(name, &x, 1, &tape) || !ad_axis_check(name, axis, tape)) return ad_handle(tape, -1);
    int32_t own = ad_node_of(x)->axis;
    if (own >= 0 && own != axis.id)
        return ad_fail(tape, GIBBS_AXIS, "%s: the value is on axis «%s», not on «%s»", name, ad_axis_name(tape, own),
                       ad_axis_name(tape, axis.id));
    return ad_batch_reduce(op, axis.id, x);
}

ad_var ad_batch_sum(ad_axis axis, ad_var x) { return checked_reduce(OP_batch_sum, axis, x); }
ad_var ad_batch_logsumexp(ad_axis axis, ad_var x) { return checked_reduce(OP_batch_logsumexp, axis, x); }
ad_var ad_batch_max(ad_axis axis, ad_var x) { return checked_reduce(OP_batch_max, axis, x); }

ad_var ad_batch_mean(ad_axis axis, ad_var x)
{
    if (ad_is_shared(x) && ad_axis_check("batch_mean", axis, x.tape)) return x;
    ad_var sum = ad_batch_sum(axis, x);
    return ad_mul(sum, ad_recip(ad_batch_count(axis)));
}

/* ---- Rules ---- */

/* A logsumexp is rounded, and exp(x − y) has a factor too many, the same for all samples. With it shares add up to 1,
 * whatever is added to all x. */
static ad_var too_many(const ad_call *c)
{
    return ad_exp(ad_neg(ad_batch_reduce(OP_batch_rest, c->node.attr[0], ad_arg(c, 0))));
}

/* ∂y/∂x: each sample's share. */
static ad_var slope(const ad_call *c)
{
    ad_var x = ad_arg(c, 0);
    int32_t axis = c->node.attr[0];
    if (c->node.op == OP_batch_logsumexp) return ad_mul(ad_exp(ad_sub(x, c->y)), too_many(c));
    ad_var share = ad_shift(ad_neg(ad_less(x, c->y)), 1);
    return ad_div(share, ad_batch_reduce(OP_batch_sum, axis, share));
}

static ad_var again(const ad_node *node, const ad_var *in) { return ad_batch_reduce(node->op, node->attr[0], in[0]); }

static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    if (c->node.op == OP_batch_sum) return ad_lift((ad_axis){c->y.tape, c->node.attr[0]}, ybar);
    if (c->node.op == OP_batch_max) return ad_chain(ybar, slope(c));
    return ad_chain(ad_chain(ybar, too_many(c)), ad_exp(ad_sub(ad_arg(c, 0), c->y))); /* shared things first */
}

/* What does not attain a maximum is not taken. */
static ad_var mask(const ad_call *c, ad_var taken, int which)
{
    (void)which;
    if (c->node.op == OP_batch_max) return ad_is_null(taken) ? slope(c) : ad_masked(slope(c), taken);
    return ad_is_null(taken) ? taken : ad_lift((ad_axis){c->y.tape, c->node.attr[0]}, taken);
}

static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    if (c->node.op != OP_batch_sum) t = ad_chain(t, slope(c));
    return ad_batch_reduce(OP_batch_sum, c->node.attr[0], t);
}

/* v̄ (Σ p t² − (Σ p t)²) with p the softmax over the batch. Where t is diagonal the sums are of one term a sample. */
static ad_var curvature(const ad_call *c, ad_var vbar, ad_var taken, const ad_tangent *tangents, int64_t D)
{
    bool diagonal = tangents[0].kind == TANGENT_DIAGONAL;
    ad_var t = diagonal ? tangents[0].v : ad_tangent_dense(ad_arg(c, 0), tangents[0], D);
    ad_var first = ad_mul(slope(c), t), second = ad_mul(first, t);
    first = ad_batch_reduce(OP_batch_sum, c->node.attr[0], first);
    second = ad_batch_reduce(OP_batch_sum, c->node.attr[0], second);
    ad_var term = ad_masked_if(taken, ad_chain(ad_sub(second, ad_mul(first, first)), vbar));
    return diagonal ? ad_reshape(term, ad_vec(D)) : ad_sum_but_first(term);
}

static ad_var weight(const ad_call *c, ad_var ybar)
{
    ad_var x = ad_arg(c, 0);
    return c->node.op == OP_batch_sum ? ad_dot(ybar, x) : ad_sum(adjoint(c, ybar, 0));
}

const ad_structure ad_structure_batch_sum = {
    .keeps = true, .again = again, .adjoint = adjoint, .tangent = tangent, .weight = weight,
};
const ad_structure ad_structure_batch_max = {
    .keeps = true, .again = again, .adjoint = adjoint, .mask = mask, .tangent = tangent,
};
const ad_structure ad_structure_batch_logsumexp = {
    .keeps = true, .again = again, .adjoint = adjoint, .mask = mask, .tangent = tangent, .curvature = curvature,
    .weight = weight,
};
const ad_structure ad_structure_batch_rest = {.keeps = true, .again = again};
