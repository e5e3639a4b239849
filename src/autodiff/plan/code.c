/* code.c — instructions of the stage that is being written, and the one that all others may need: a copy of a value whose
 * strides they cannot read. */
#include "emit.h"

#include <string.h>

/* Most results are scalars. */
static const int64_t *shape_of(ad_compiler *c, const ad_shape *shape)
{
    static const int64_t scalar = 0;
    int64_t *to = shape->rank ? ad_chunk_new(c, 1 + shape->rank) : NULL;
    if (!to) return &scalar;
    to[0] = shape->rank;
    memcpy(to + 1, shape->dim, (size_t)shape->rank * sizeof *to);
    return to;
}

ad_instruction ad_blank(ad_compiler *c, int32_t id, ad_action action)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i;
    memset(&i, 0, sizeof i);
    i.action = action;
    i.op = node->op;
    i.nin = node->nin;
    i.node = id;
    i.axis = node->axis;
    i.factor = node->axis < 0 ? 1 : ad_axis_factor(c->tape, node->axis);
    i.count = ad_shape_count(&node->shape);
    i.shape = shape_of(c, &node->shape);
    for (int k = 0; k < AD_OPERANDS; k++) i.operand[k].span = -1;
    return i;
}

void ad_append(ad_compiler *c, const ad_instruction *i, bool shared)
{
    ad_code *code = shared ? &c->stage->shared : &c->stage->body;
    if (ad_one_more(c, &code->at, &code->capacity, code->count, sizeof *i)) code->at[code->count++] = *i;
}

ad_loops ad_pack_nest(ad_compiler *c, const ad_nest *nest, int operands)
{
    int64_t *size = ad_chunk_new(c, (1 + operands) * nest->count);
    ad_loops loops = {nest->count, nest->rows, size};
    if (!size) return (ad_loops){0};
    for (int d = 0; d < nest->count; d++) *size++ = nest->n[d];
    for (int k = 0; k < operands; k++)
        for (int d = 0; d < nest->count; d++) *size++ = nest->stride[k][d];
    return loops;
}

void ad_copy(ad_compiler *c, int32_t id, const ad_view *from)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_blank(c, id, DO_copy);
    ad_view view[2] = {ad_tight_view(&node->shape, ad_place_new(c, id)), *from};
    ad_nest nest = ad_plan_nest(node, view, 2);
    i.copy.loops = ad_pack_nest(c, &nest, 2);
    i.nin = 1;
    i.copy.y = view[0].at;
    i.copy.x = from->at;
    ad_append(c, &i, node->axis < 0);
}
