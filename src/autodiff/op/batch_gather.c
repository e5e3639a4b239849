/* batch_gather.c — samples of an axis by their numbers, and the samples to which others are added: each is the other's
 * adjoint. */
#include "op.h"

static bool scalar_index(const char *op, ad_var index)
{
    if (ad_node_of(index)->axis >= 0 && ad_node_of(index)->shape.rank == 0) return true;
    ad_fail(index.tape, GIBBS_SHAPE, "%s: the index must be a per-sample scalar", op);
    return false;
}

ad_var ad_batch_gather(ad_var x, ad_var index)
{
    ad_tape *tape;
    if (!ad_check_args("batch_gather", (ad_var[]){x, index}, 2, &tape) || !scalar_index("batch_gather", index))
        return ad_handle(tape, -1);
    int32_t axis = ad_node_of(index)->axis;
    ad_node own = *ad_node_of(x);
    if (own.axis < 0 || own.op == OP_lift) return ad_lift((ad_axis){tape, axis}, ad_unlift(x));
    ad_node node = ad_proto(OP_batch_gather, (ad_var[]){x, index}, 2, own.shape);
    node.axis = axis;
    node.attr[0] = own.axis;
    return ad_record(tape, &node);
}

ad_var ad_batch_scatter_add(ad_axis axis, ad_var g, ad_var index)
{
    ad_tape *tape;
    if (!ad_check_args("batch_scatter_add", (ad_var[]){g, index}, 2, &tape) ||
        !ad_axis_check("batch_scatter_add", axis, tape) || !scalar_index("batch_scatter_add", index))
        return ad_handle(tape, -1);
    int32_t own = ad_node_of(g)->axis, from = ad_node_of(index)->axis;
    if (own >= 0 && own != from)
        return ad_fail(tape, GIBBS_AXIS, "batch_scatter_add: axes «%s» and «%s» meet", ad_axis_name(tape, own),
                       ad_axis_name(tape, from));
    if (own < 0) g = ad_lift((ad_axis){tape, from}, g);
    if (ad_is_null(g)) return g;
    if (ad_is_zero(g)) return ad_fill(tape, axis.id, ad_node_of(g)->shape, 0);
    ad_node node = ad_proto(OP_batch_scatter_add, (ad_var[]){g, index}, 2, ad_node_of(g)->shape);
    node.axis = axis.id;
    node.attr[0] = axis.id;
    return ad_record(tape, &node);
}

/* ---- Rules ---- */

static ad_var gather_again(const ad_node *node, const ad_var *in) { return (void)node, ad_batch_gather(in[0], in[1]); }

static ad_var gather_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return ad_batch_scatter_add((ad_axis){c->y.tape, c->node.attr[0]}, ybar, ad_arg(c, 1));
}

static ad_var gather_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return ad_batch_gather(t, ad_arg(c, 1));
}

const ad_structure ad_structure_batch_gather = {
    .indices = 1, .keeps = true, .picks = true, .again = gather_again, .adjoint = gather_adjoint,
    .tangent = gather_tangent,
};

static ad_var scatter_again(const ad_node *node, const ad_var *in)
{
    return ad_batch_scatter_add((ad_axis){in[0].tape, node->attr[0]}, in[0], in[1]);
}

static ad_var scatter_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return ad_batch_gather(ybar, ad_arg(c, 1));
}

static ad_var scatter_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return ad_batch_scatter_add((ad_axis){c->y.tape, c->node.attr[0]}, t, ad_arg(c, 1));
}

static ad_var scatter_weight(const ad_call *c, ad_var ybar)
{
    return ad_dot(ad_batch_gather(ybar, ad_arg(c, 1)), ad_arg(c, 0));
}

const ad_structure ad_structure_batch_scatter_add = {
    .indices = 1, .keeps = true, .again = scatter_again, .adjoint = scatter_adjoint, .tangent = scatter_tangent,
    .weight = scatter_weight,
};
