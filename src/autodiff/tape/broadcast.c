/* broadcast.c — one value repeated: within a sample (expand), or for all samples of an axis (lift). */
#include "tape.h"

ad_var ad_strip(ad_var v)
{
    while (ad_node_of(v)->op == OP_lift || ad_node_of(v)->op == OP_expand) v = ad_input_of(v, 0);
    return v;
}

bool ad_is_constant(ad_var v, double *value)
{
    if (ad_is_null(v)) return false;
    for (;; v = ad_input_of(v, 0)) {
        ad_op op = ad_node_of(v)->op;
        if (op == OP_constant) return *value = ad_node_of(v)->value, true;
        if (op != OP_lift && op != OP_expand && op != OP_reshape) return false;
    }
}

bool ad_is_zero(ad_var v)
{
    double c;
    return ad_is_constant(v, &c) && c == 0;
}

ad_var ad_lift(ad_axis axis, ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("lift", &x, 1, &tape) || !ad_axis_check("lift", axis, tape)) return ad_handle(tape, -1);
    int32_t own = ad_node_of(x)->axis;
    if (own == axis.id) return x;
    if (own >= 0)
        return ad_fail(tape, GIBBS_AXIS, "lift: the value is per-sample on axis «%s» already, not shared",
                       ad_axis_name(tape, own));
    ad_node node = ad_proto(OP_lift, &x, 1, ad_node_of(x)->shape);
    node.axis = axis.id;
    return ad_record(tape, &node);
}

ad_var ad_hoist(ad_tape *tape, const ad_node *proto)
{
    ad_node node = *proto;
    bool lifted = node.axis >= 0;
    for (int i = 0; i < node.nin; i++) {
        const ad_node *in = &tape->node[node.in[i]];
        if (in->axis >= 0 && in->op != OP_lift) lifted = false;
    }
    if (!lifted) return ad_record(tape, &node);
    for (int i = 0; i < node.nin; i++)
        if (tape->node[node.in[i]].op == OP_lift) node.in[i] = tape->node[node.in[i]].in[0];
    node.axis = -1;
    ad_var shared = ad_record(tape, &node);
    return ad_is_null(shared) ? shared : ad_lift((ad_axis){tape, proto->axis}, shared);
}

ad_var ad_expand(ad_var x, ad_shape shape)
{
    ad_tape *tape;
    if (!ad_check_args("expand", &x, 1, &tape)) return ad_handle(tape, -1);
    ad_shape own = ad_node_of(x)->shape, joint;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (ad_shape_equal(&own, &shape)) return x;
    if (!ad_rank_check("expand", tape, &shape)) return ad_handle(tape, -1);
    if (ad_shape_count(&shape) < 0)
        return ad_fail(tape, GIBBS_SIZE, "expand: %s has a dimension below 1, or more than 2^31-1 elements",
                       ad_shape_text(&shape, b, sizeof b));
    if (!ad_shape_broadcast(&own, &shape, &joint) || !ad_shape_equal(&joint, &shape))
        return ad_fail(tape, GIBBS_SHAPE, "expand: %s does not broadcast to %s", ad_shape_text(&own, a, sizeof a),
                       ad_shape_text(&shape, b, sizeof b));
    if (ad_node_of(x)->op == OP_expand) x = ad_input_of(x, 0);
    ad_node node = ad_proto(OP_expand, &x, 1, shape);
    return ad_hoist(tape, &node);
}

ad_var ad_broadcast_to(ad_var v, int32_t axis, ad_shape shape)
{
    if (ad_is_null(v)) return v;
    v = ad_expand(v, shape);
    return axis < 0 ? v : ad_lift((ad_axis){v.tape, axis}, v);
}

ad_var ad_fill(ad_tape *tape, int32_t axis, ad_shape shape, double value)
{
    return ad_broadcast_to(ad_constant(tape, value), axis, shape);
}

ad_var ad_unlift(ad_var v) { return ad_node_of(v)->op == OP_lift ? ad_input_of(v, 0) : v; }

ad_var ad_on_axis(ad_var v, int32_t axis)
{
    if (ad_is_null(v) || axis < 0 || ad_node_of(v)->axis >= 0) return v;
    return ad_lift((ad_axis){v.tape, axis}, v);
}
