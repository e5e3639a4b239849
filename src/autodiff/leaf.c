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

/* An equal array that is on the tape already, so that hash-consing sees equal constants as one. */
static int32_t find_array(const ad_tape *tape, const ad_shape *shape, const double *values, size_t bytes)
{
    for (int64_t i = 0; i < tape->size; i++) {
        const ad_node *n = &tape->node[i];
        if (n->op == OP_array && ad_shape_equal(&n->shape, shape) && !memcmp(tape->side[n->side].array, values, bytes))
            return (int32_t)i;
    }
    return -1;
}

ad_var ad_constant_array(ad_tape *tape, ad_shape shape, const double *values)
{
    if (!tape || tape->error.status) return ad_handle(tape, -1);
    int64_t count = ad_shape_count(&shape);
    if (count < 0) return ad_fail(tape, GIBBS_SIZE, "constant_array: a dimension is below 1 or the shape is too large");
    if (!values) return ad_fail(tape, GIBBS_ARGUMENT, "constant_array: no values");
    if (shape.rank == 0) return ad_constant(tape, values[0]);
    size_t bytes = (size_t)count * sizeof *values;
    int32_t known = find_array(tape, &shape, values, bytes);
    if (known >= 0) return ad_handle(tape, known);
    ad_node node = ad_proto(OP_array, NULL, 0, shape);
    node.side = ad_side_new(tape, NULL);
    double *copy = node.side < 0 ? NULL : gibbs_alloc(&tape->alloc, (size_t)count, sizeof *copy);
    if (!copy) return ad_fail(tape, GIBBS_MEMORY, "constant_array: out of memory");
    memcpy(copy, values, bytes);
    tape->side[node.side].array = copy;
    tape->side[node.side].identity = is_identity(&shape, copy);
    return ad_record(tape, &node);
}

ad_var ad_eye(ad_tape *tape, int64_t n)
{
    if (!tape || tape->error.status) return ad_handle(tape, -1);
    double *eye = n > 46340 ? NULL : gibbs_alloc_zero(&tape->alloc, (size_t)(n * n), sizeof *eye);
    if (!eye) return ad_fail(tape, n > 46340 ? GIBBS_SIZE : GIBBS_MEMORY, "unit matrix of %lld rows", (long long)n);
    for (int64_t i = 0; i < n; i++) eye[i * n + i] = 1;
    ad_var v = ad_constant_array(tape, ad_mat(n, n), eye);
    gibbs_release(&tape->alloc, eye);
    return v;
}

static ad_var random_leaf(ad_op op, ad_axis axis, ad_shape shape, uint64_t stream)
{
    if (!ad_axis_check(ad_ops[op].name, axis, axis.tape)) return ad_handle(axis.tape, -1);
    if (ad_shape_count(&shape) < 0)
        return ad_fail(axis.tape, GIBBS_SIZE, "%s: a dimension is below 1 or the shape is too large", ad_ops[op].name);
    ad_node node = ad_proto(op, NULL, 0, shape);
    node.axis = axis.id;
    node.stream = stream;
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
