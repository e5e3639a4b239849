/* code.c — instructions of the stage that is being written, and how they read their operands: as strides of what lies
 * where it was computed; where they cannot read that way, from a copy, which is made once a stage and serves all who
 * need one. */
#include "emit.h"

#include <string.h>

/* Numbers that instructions point to: at most a few hundred. NULL after the error. */
static int64_t *new_chunk(ad_compiler *c, int64_t numbers)
{
    ad_chunk *chunk = c->plan->chunk;
    if (!chunk || chunk->used + numbers > (int64_t)GIBBS_COUNT(chunk->number)) {
        chunk = gibbs_alloc(&c->plan->alloc, 1, sizeof *chunk);
        if (!chunk) return ad_out_of_memory(c), NULL;
        chunk->next = c->plan->chunk;
        chunk->used = 0;
        c->plan->chunk = chunk;
    }
    chunk->used += numbers;
    return chunk->number + chunk->used - numbers;
}

/* Most results are scalars. */
static const int64_t *shape_of(ad_compiler *c, const ad_shape *shape)
{
    static const int64_t scalar = 0;
    int64_t *to = shape->rank ? new_chunk(c, 1 + shape->rank) : NULL;
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

static ad_code *code_of(ad_compiler *c, const ad_instruction *i)
{
    return i->axis < 0 || i->action == DO_batch_scatter ? &c->stage->shared : &c->stage->body;
}

void ad_append(ad_compiler *c, const ad_instruction *i)
{
    ad_code *code = code_of(c, i);
    if (ad_one_more(c, &code->at, &code->capacity, code->count, sizeof *i)) code->at[code->count++] = *i;
}

/* A copy of a value: before the loops in which it stays the same. */
static void append_outside(ad_compiler *c, const ad_instruction *i)
{
    int depth = c->value[i->node].depth;
    bool looped = (i->axis < 0) == c->in_shared && depth < c->depth;
    ad_append(c, i);
    if (!looped || c->status) return;
    ad_code *code = code_of(c, i);
    ad_instruction *at = code->at + c->opened[depth], own = code->at[code->count - 1];
    memmove(at + 1, at, (size_t)(code->count - 1 - c->opened[depth]) * sizeof *at);
    *at = own;
    for (int d = depth; d < c->depth; d++) c->opened[d]++;
}

ad_loops ad_pack_nest(ad_compiler *c, const ad_nest *nest, int operands)
{
    int64_t *size = new_chunk(c, (1 + operands) * nest->count);
    ad_loops loops = {nest->count, nest->rows, size};
    if (!size) return (ad_loops){0};
    for (int d = 0; d < nest->count; d++) *size++ = nest->n[d];
    for (int k = 0; k < operands; k++)
        for (int d = 0; d < nest->count; d++) *size++ = nest->stride[k][d];
    return loops;
}

void ad_count_axis(ad_compiler *c, int32_t axis, int32_t *root, int64_t *factor)
{
    *root = ad_axis_root(c->tape, axis);
    *factor = ad_axis_factor(c->tape, axis);
    c->plan->counted[*root] = true;
}

/* ---- Operands ---- */

static ad_instruction copy_to(ad_compiler *c, int32_t id, const ad_view *from, ad_operand to)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_blank(c, id, DO_copy);
    ad_view view[2] = {ad_tight_view(&node->shape, to), *from};
    ad_nest nest = ad_plan_nest(node, view, 2);
    i.copy.loops = ad_pack_nest(c, &nest, 2);
    i.nin = 1;
    i.copy.y = to;
    i.copy.x = from->at;
    return i;
}

void ad_copy(ad_compiler *c, int32_t id, const ad_view *from)
{
    ad_instruction i = copy_to(c, id, from, ad_place_new(c, id));
    append_outside(c, &i);
}

void ad_store(ad_compiler *c, int32_t id, ad_operand to)
{
    ad_view from = ad_view_of(c, id);
    ad_instruction i = copy_to(c, id, &from, to);
    ad_append(c, &i);
}

const ad_stacked *ad_stacked_of(const ad_compiler *c, int32_t id)
{
    for (int64_t k = c->stacks - 1; k >= 0; k--)
        if (c->stacked[k].node == id && c->stacked[k].stage == c->stage_number) return &c->stacked[k];
    return NULL;
}

void ad_unstack(ad_compiler *c, int32_t id)
{
    const ad_stacked *from = ad_stacked_of(c, id);
    ad_instruction i = ad_blank(c, id, DO_unstack);
    if (!from) {
        ad_compile_fail(c, GIBBS_ARGUMENT, "a scan has no such result in this pass");
        return;
    }
    i.nin = 1;
    i.unstack.y = ad_place_new(c, id);
    i.unstack.x = from->at;
    i.unstack.steps = ad_node_at(c, id)->shape.dim[0];
    i.unstack.first = from->first;
    i.unstack.width = i.count / i.unstack.steps;
    append_outside(c, &i);
}

ad_view ad_view_of(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    if (!ad_is_placed(c, id) && node->op == OP_scan_stack) ad_unstack(c, id);
    if (!ad_is_placed(c, id) && !ad_is_view(node->op))
        ad_compile_fail(c, GIBBS_ARGUMENT, "%s (node %d) is read where it has no value", ad_op_said(node->op), id);
    if (ad_is_placed(c, id) || c->status) return ad_tight_view(&node->shape, c->value[id].place.at);
    int32_t in = node->in[0];
    const ad_shape *shape = &ad_node_at(c, in)->shape;
    ad_view out, source = ad_view_of(c, in);
    if (ad_derive_view(node, shape, ad_number_size(c), source, &out)) return out;
    ad_copy(c, in, &source);
    ad_derive_view(node, shape, ad_number_size(c), ad_view_of(c, in), &out);
    return out;
}

/* Whether rows of `count` numbers lie as needed when there are `apart` numbers from one to the next. */
static bool rows_ok(ad_need need, int64_t count, int64_t apart)
{
    switch (need) {
    case NEED_ROWS: return apart == count;
    case NEED_ROWS_OR_ONE: return apart == count || apart == 0;
    case NEED_ROWS_APART: return apart >= count;
    default: return true;
    }
}

ad_operand ad_read(ad_compiler *c, int32_t id, ad_need need)
{
    const ad_node *node = ad_node_at(c, id);
    ad_view v = ad_view_of(c, id);
    bool ok = node->axis < 0 || rows_ok(need, ad_shape_count(&node->shape), v.at.row_stride);
    if (ok && ad_row_tight(&node->shape, v.stride)) return v.at;
    ad_copy(c, id, &v);
    return c->value[id].place.at;
}

void ad_read_inputs(ad_compiler *c, int32_t id, ad_instruction *i, bool wide)
{
    static const ad_need needs[DO_COUNT][2] = {
#define INSTRUCTION(name, in_place, cut, first, others, operands, sizes) [DO_##name] = {NEED_##first, NEED_##others},
#include "plan.def"
    };
    for (int k = 0; k < i->nin; k++) {
        ad_need need = needs[i->action][k > 0];
        if (need == NEED_ROWS_APART && !wide) need = NEED_ROWS;
        i->operand[1 + k] = ad_read(c, ad_node_at(c, id)->in[k], need);
    }
}

ad_instruction ad_begin(ad_compiler *c, int32_t id, ad_action action)
{
    ad_instruction i = ad_blank(c, id, action);
    ad_read_inputs(c, id, &i, false);
    i.operand[0] = ad_place_new(c, id);
    return i;
}
