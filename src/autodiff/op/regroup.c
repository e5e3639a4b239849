/* regroup.c — the elements of a child axis as a dimension of its parent's, and back. */
#include "op.h"

ad_var ad_regroup(ad_var child)
{
    ad_tape *tape;
    if (!ad_check_args("regroup", &child, 1, &tape)) return ad_handle(tape, -1);
    ad_node own = *ad_node_of(child);
    if (own.axis < 0 || tape->axis[own.axis].parent < 0)
        return ad_fail(tape, GIBBS_AXIS, "regroup: «%s» is no child axis", ad_axis_name(tape, own.axis));
    ad_shape shape = ad_shape_prepend(tape->axis[own.axis].count, &own.shape);
    int32_t parent = tape->axis[own.axis].parent;
    if (own.op == OP_lift) return ad_broadcast_to(ad_input_of(child, 0), parent, shape);
    if (own.op == OP_ungroup) return ad_input_of(child, 0);
    ad_node node = ad_proto(OP_regroup, &child, 1, shape);
    node.axis = parent;
    return ad_record(tape, &node);
}

ad_var ad_ungroup(ad_axis child, ad_var parent)
{
    ad_tape *tape;
    char a[AD_SHAPE_TEXT];
    if (!ad_check_args("ungroup", &parent, 1, &tape) || !ad_axis_check("ungroup", child, tape))
        return ad_handle(tape, -1);
    ad_axis_info info = tape->axis[child.id];
    ad_node own = *ad_node_of(parent);
    if (info.parent < 0) return ad_fail(tape, GIBBS_AXIS, "ungroup: «%s» is no child axis", info.name);
    if (own.axis >= 0 && own.axis != info.parent)
        return ad_fail(tape, GIBBS_AXIS, "ungroup: the value is on «%s», not on «%s», the parent of «%s»",
                       ad_axis_name(tape, own.axis), ad_axis_name(tape, info.parent), info.name);
    if (own.shape.rank < 1 || own.shape.dim[0] != info.count)
        return ad_fail(tape, GIBBS_SHAPE, "ungroup: the first dimension of %s is not the %lld of «%s»",
                       ad_shape_text(&own.shape, a, sizeof a), (long long)info.count, info.name);
    if (own.axis < 0) parent = ad_lift((ad_axis){tape, info.parent}, parent);
    if (own.op == OP_regroup && ad_node_of(ad_input_of(parent, 0))->axis == child.id) return ad_input_of(parent, 0);
    double c;
    ad_shape shape = ad_shape_drop(&own.shape, 0, 1);
    if (ad_is_constant(parent, &c)) return ad_fill(tape, child.id, shape, c);
    ad_node node = ad_proto(OP_ungroup, &parent, 1, shape);
    node.axis = child.id;
    return ad_record(tape, &node);
}

/* ---- Rules ---- */

static ad_var regroup_again(const ad_node *node, const ad_var *in) { return (void)node, ad_regroup(in[0]); }

static ad_var regroup_adjoint(const ad_call *c, ad_var ybar, int which)
{
    return ad_ungroup(ad_axis_of(ad_arg(c, which)), ybar);
}

static ad_var regroup_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)c, (void)which, (void)D;
    return ad_move_dim(ad_regroup(t), 1, 0);
}

const ad_structure ad_structure_regroup = {
    .again = regroup_again, .adjoint = regroup_adjoint, .tangent = regroup_tangent,
};

static ad_var ungroup_again(const ad_node *node, const ad_var *in)
{
    return ad_ungroup((ad_axis){in[0].tape, node->axis}, in[0]);
}

static ad_var ungroup_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)c, (void)which;
    return ad_regroup(ybar);
}

static ad_var ungroup_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return ad_ungroup(ad_axis_of(c->y), ad_move_dim(t, 0, 1));
}

const ad_structure ad_structure_ungroup = {
    .again = ungroup_again, .adjoint = ungroup_adjoint, .tangent = ungroup_tangent,
};
