/* elementwise.c — broadcasting, and the constructors of every elementwise op, expanded from ops.def. */
#include "tape.h"

#include <math.h>

/* The value below lifts and expands: what is broadcast. */
static ad_var strip(ad_var v)
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

/* The axis and shape that all operands broadcast to; false, with the tape's error set, when there is none. */
static bool common_type(const char *op, const ad_var *v, int n, int32_t *axis, ad_shape *shape)
{
    ad_tape *tape = v[0].tape;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    *axis = -1;
    *shape = ad_scalar();
    for (int i = 0; i < n; i++) {
        const ad_node *node = ad_node_of(v[i]);
        if (*axis >= 0 && node->axis >= 0 && node->axis != *axis)
            return ad_fail(tape, GIBBS_AXIS, "%s: axes «%s» and «%s» meet", op, ad_axis_name(tape, *axis),
                           ad_axis_name(tape, node->axis)), false;
        if (node->axis >= 0) *axis = node->axis;
        if (!ad_shape_broadcast(shape, &node->shape, shape))
            return ad_fail(tape, GIBBS_SHAPE, "%s: shapes %s and %s do not agree", op,
                           ad_shape_text(shape, a, sizeof a), ad_shape_text(&node->shape, b, sizeof b)), false;
    }
    return true;
}

/* Operands are stripped of what broadcasts them, the op is recorded at the smallest type that they share, and the
 * result is broadcast: so a computation that is the same for all samples is done once. */
ad_var ad_elementwise(ad_op op, const ad_var *v, int n)
{
    ad_tape *tape;
    int32_t axis, core_axis;
    ad_shape shape, core_shape;
    const char *name = ad_ops[op].name;
    if (!ad_check_args(name, v, n, &tape)) return ad_handle(tape, -1);
    if (!common_type(name, v, n, &axis, &shape)) return ad_handle(tape, -1);
    ad_var core[3];
    for (int i = 0; i < n; i++) core[i] = strip(v[i]);
    if (!common_type(name, core, n, &core_axis, &core_shape)) return ad_handle(tape, -1);
    for (int i = 0; i < n; i++) core[i] = ad_broadcast_to(core[i], core_axis, core_shape);
    for (int i = 0; i < n; i++)
        if (ad_is_null(core[i])) return ad_handle(tape, -1);
    ad_var y = ad_fold(op, core, n);
    if (ad_is_null(y)) {
        ad_node node = ad_proto(op, core, n, core_shape);
        if (ad_ops[op].commutes && node.in[0] > node.in[1]) {
            node.in[0] = core[1].id;
            node.in[1] = core[0].id;
        }
        y = ad_record(tape, &node);
    }
    return ad_broadcast_to(y, axis, shape);
}

#define UNARY(name, value, dx, smooth, low, high) \
    ad_var ad_##name(ad_var x) { return ad_elementwise(OP_##name, &x, 1); }
#define BINARY(name, value, da, db, smooth, commutes, low, high) \
    ad_var ad_##name(ad_var a, ad_var b) { return ad_elementwise(OP_##name, (ad_var[]){a, b}, 2); }
#include "ops.def"

ad_var ad_select(ad_var c, ad_var a, ad_var b) { return ad_elementwise(OP_select, (ad_var[]){c, a, b}, 3); }

/* ---- Composed ---- */

/* A number to go with x; nothing is recorded for an x that is null. */
static ad_var number(ad_var x, double c) { return ad_is_null(x) ? x : ad_constant(x.tape, c); }

ad_var ad_scale(ad_var x, double factor) { return ad_mul(x, number(x, factor)); }
ad_var ad_shift(ad_var x, double offset) { return ad_add(x, number(x, offset)); }
ad_var ad_square(ad_var x) { return ad_mul(x, x); }
ad_var ad_relu(ad_var x) { return ad_max(number(x, 0), x); } /* in this order the slope at 0 is 0 */
ad_var ad_silu(ad_var x) { return ad_mul(x, ad_sigmoid(x)); }

/* 1 + erf would cancel below 0. */
ad_var ad_gelu(ad_var x) { return ad_mul(x, ad_scale(ad_erfc(ad_scale(x, -M_SQRT1_2)), 0.5)); }

ad_var ad_digamma(ad_var x) { return ad_polygamma(number(x, 0), x); }

ad_var ad_clamp(ad_var x, double low, double high)
{
    if (!ad_is_null(x) && !(low <= high))
        return ad_fail(x.tape, GIBBS_ARGUMENT, "clamp: nothing lies between %g and %g", low, high);
    return ad_min(ad_max(x, number(x, low)), number(x, high));
}
