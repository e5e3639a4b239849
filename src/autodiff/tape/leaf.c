/* leaf.c — inputs, parameters, constants, random leaves. */
#include "tape.h"

#include <string.h>

static ad_var named_leaf(ad_tape *tape, ad_op op, int32_t axis, const char *name, ad_shape shape)
{
    if (!tape || tape->error.status) return ad_handle(tape, -1);
    char text[AD_SHAPE_TEXT];
    if (ad_shape_count(&shape) < 0)
        return ad_fail(tape, GIBBS_SIZE, "%s «%s»: a dimension of %s is below 1, or the shape is too large",
                       ad_ops[op].name, name ? name : "", ad_shape_text(&shape, text, sizeof text));
    ad_node node = ad_proto(op, NULL, 0, shape);
    node.axis = axis;
    node.side = ad_side_new(tape, name ? name : ad_ops[op].name);
    if (node.side < 0) return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", ad_ops[op].name);
    return ad_record(tape, &node);
}

ad_var ad_input(ad_axis axis, const char *name, ad_shape shape)
{
    if (!ad_axis_check("input", axis, axis.tape)) return ad_handle(axis.tape, -1);
    return named_leaf(axis.tape, OP_input, axis.id, name, shape);
}

ad_var ad_parameter(ad_tape *tape, const char *name, ad_shape shape)
{
    return named_leaf(tape, OP_parameter, -1, name, shape);
}

ad_var ad_constant(ad_tape *tape, double value)
{
    if (!tape || tape->error.status) return ad_handle(tape, -1);
    ad_node node = ad_proto(OP_constant, NULL, 0, ad_scalar());
    node.value = value;
    return ad_record(tape, &node);
}

static bool is_identity(const ad_shape *s, const double *x)
{
    if (s->rank != 2 || s->dim[0] != s->dim[1]) return false;
    for (int64_t i = 0; i < s->dim[0]; i++)
        for (int64_t j = 0; j < s->dim[1]; j++)
            if (x[i * s->dim[1] + j] != (i == j)) return false;
    return true;
}

/* An equal array that is on the tape already (no values: a unit matrix), so that hash-consing sees equal constants as
 * one; the null var when there is none. */
static ad_var find_array(ad_tape *tape, ad_shape shape, const double *values, size_t bytes)
{
    for (int64_t i = 0; i < tape->size; i++) {
        const ad_node *n = &tape->node[i];
        if (n->op != OP_array || !ad_shape_equal(&n->shape, &shape)) continue;
        const ad_side *side = &tape->side[n->side];
        if (values ? !memcmp(side->array, values, bytes) : side->identity) return ad_handle(tape, (int32_t)i);
    }
    return ad_handle(tape, -1);
}

/* Room for a new array, which `*side` of the tape owns. NULL, with the tape's error set, when memory is out. */
static double *new_array(ad_tape *tape, const char *what, int64_t count, int32_t *side)
{
    *side = ad_side_new(tape, NULL);
    double *array = *side < 0 ? NULL : gibbs_alloc_zero(&tape->alloc, (size_t)count, sizeof *array);
    if (!array) ad_fail(tape, GIBBS_MEMORY, "%s: out of memory for %lld numbers", what, (long long)count);
    else tape->side[*side].array = array;
    return array;
}

static ad_var record_array(ad_tape *tape, ad_shape shape, int32_t side, bool identity)
{
    ad_node node = ad_proto(OP_array, NULL, 0, shape);
    node.side = side;
    tape->side[side].identity = identity;
    return ad_record(tape, &node);
}

ad_var ad_constant_array(ad_tape *tape, ad_shape shape, const double *values)
{
    if (!tape || tape->error.status) return ad_handle(tape, -1);
    int64_t count = ad_shape_count(&shape);
    if (count < 0) return ad_fail(tape, GIBBS_SIZE, "constant_array: a dimension is below 1 or the shape is too large");
    if (!values) return ad_fail(tape, GIBBS_ARGUMENT, "constant_array: no values");
    if (shape.rank == 0) return ad_constant(tape, values[0]);
    size_t bytes = (size_t)count * sizeof *values;
    ad_var known = find_array(tape, shape, values, bytes);
    if (!ad_is_null(known)) return known;
    int32_t side;
    double *copy = new_array(tape, "constant_array", count, &side);
    if (!copy) return ad_handle(tape, -1);
    memcpy(copy, values, bytes);
    return record_array(tape, shape, side, is_identity(&shape, copy));
}

/* At most so many rows, 2²⁷ numbers: a derivative that would need more is better asked for in parts. */
enum { MOST_UNIT_ROWS = 11585 };

ad_var ad_eye(ad_tape *tape, int64_t n)
{
    if (!tape || tape->error.status) return ad_handle(tape, -1);
    if (n > MOST_UNIT_ROWS)
        return ad_fail(tape, GIBBS_SIZE,
                       "a derivative along each of %lld elements needs a unit matrix of as many rows, and %d are the "
                       "most; ask by fewer elements at a time, or along chosen directions",
                       (long long)n, MOST_UNIT_ROWS);
    ad_var known = find_array(tape, ad_mat(n, n), NULL, 0);
    if (!ad_is_null(known)) return known;
    int32_t side;
    double *eye = new_array(tape, "unit matrix", n * n, &side);
    for (int64_t i = 0; i < n && eye; i++) eye[i * n + i] = 1;
    return eye ? record_array(tape, ad_mat(n, n), side, true) : ad_handle(tape, -1);
}

static ad_var random_leaf(ad_op op, ad_axis axis, ad_shape shape, uint64_t stream)
{
    if (!ad_axis_check(ad_ops[op].name, axis, axis.tape)) return ad_handle(axis.tape, -1);
    if (ad_shape_count(&shape) < 0)
        return ad_fail(axis.tape, GIBBS_SIZE, "%s: a dimension is below 1 or the shape is too large", ad_ops[op].name);
    ad_node node = ad_proto(op, NULL, 0, shape);
    node.axis = axis.id;
    node.stream = stream;
    node.attr[0] = axis.tape->family;
    return ad_record(axis.tape, &node);
}

ad_var ad_normal(ad_axis axis, ad_shape shape, uint64_t stream) { return random_leaf(OP_normal, axis, shape, stream); }
ad_var ad_uniform(ad_axis axis, ad_shape shape, uint64_t stream)
{
    return random_leaf(OP_uniform, axis, shape, stream);
}

ad_var ad_batch_count(ad_axis axis)
{
    if (!ad_axis_check("batch_count", axis, axis.tape)) return ad_handle(axis.tape, -1);
    ad_node node = ad_proto(OP_batch_count, NULL, 0, ad_scalar());
    node.attr[0] = axis.id;
    return ad_record(axis.tape, &node);
}

ad_var ad_scan_value(ad_tape *tape, int32_t owner, int use, int number, int32_t axis, ad_shape shape)
{
    if (tape->error.status) return ad_handle(tape, -1);
    ad_node node = ad_proto(OP_scan_value, NULL, 0, shape);
    node.axis = axis;
    node.attr[0] = owner, node.attr[1] = use, node.attr[2] = number;
    return ad_record(tape, &node);
}
