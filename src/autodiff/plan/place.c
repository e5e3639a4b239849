/* place.c — where values live: in slots that the user binds or reads, in the plan's shared memory, or in the arena
 * that a block of rows runs in. */
#include "emit.h"

#include "base/float_word.h"

#include <string.h>

static ad_operand new_slot(ad_compiler *c, ad_slot_kind kind, int32_t id)
{
    ad_plan *plan = c->plan;
    const ad_node *node = ad_node_at(c, id);
    const char *name = node->side >= 0 && c->tape->side[node->side].name ? c->tape->side[node->side].name : "?";
    ad_slot slot = {kind, id, node->axis, ad_shape_count(&node->shape), 1, id, gibbs_strdup(&plan->alloc, name)};
    if (node->axis >= 0) slot.factor = ad_axis_factor(c->tape, node->axis);
    if (!slot.name || !ad_one_more(c, &plan->slot, &plan->slot_capacity, plan->slots, sizeof slot)) {
        gibbs_release(&plan->alloc, slot.name);
        ad_out_of_memory(c);
        return (ad_operand){.span = -1};
    }
    plan->slot[plan->slots] = slot;
    return (ad_operand){AD_BASE_SLOTS + (int32_t)plan->slots++, -1, 0, node->axis < 0 ? 0 : slot.count};
}

/* Its offset is told by layout.c. */
static ad_operand new_span(ad_compiler *c, int32_t base, int64_t bytes, int64_t row_stride)
{
    int32_t span = ad_span_new(&c->plan->alloc, base == AD_BASE_SHARED ? &c->shared : &c->arena, bytes);
    if (span < 0) ad_out_of_memory(c);
    return (ad_operand){base, span, 0, row_stride};
}

ad_operand ad_arena_new(ad_compiler *c, int64_t row_bytes, int64_t row_stride)
{
    return new_span(c, AD_BASE_ARENA, row_bytes, row_stride);
}

ad_operand ad_shared_new(ad_compiler *c, int64_t bytes) { return new_span(c, AD_BASE_SHARED, ad_aligned(bytes), 0); }

ad_operand ad_moved_new(ad_compiler *c, const ad_move *move, int64_t row_stride)
{
    ad_plan *plan = c->plan;
    ad_slot slot = {.kind = SLOT_MOVED, .node = -1, .axis = -1, .factor = 1, .leaf = (int32_t)plan->moves};
    if (!ad_one_more(c, &plan->slot, &plan->slot_capacity, plan->slots, sizeof slot) ||
        !ad_one_more(c, &plan->move, &plan->move_capacity, plan->moves, sizeof *move))
        return (ad_operand){.span = -1};
    plan->move[plan->moves] = *move;
    plan->move[plan->moves++].slot = (int32_t)plan->slots;
    plan->slot[plan->slots] = slot;
    return (ad_operand){AD_BASE_SLOTS + (int32_t)plan->slots++, -1, 0, row_stride};
}

/* What a concat or a pad is made of has its place there, which begins to be with the first piece. */
static ad_operand place_in_whole(ad_compiler *c, int32_t id)
{
    int32_t of = c->value[id].joined, whole = c->value[of].into >= 0 ? c->value[of].into : of;
    const ad_node *n = ad_node_at(c, of);
    int64_t at = c->value[id].at + (whole == of ? 0 : c->value[of].at);
    ad_operand place = ad_is_placed(c, whole) ? c->value[whole].place.at : ad_place_new(c, whole);
    place.offset += at * ad_shape_part(&n->shape, ad_along(n) + 1, n->shape.rank) * ad_number_size(c);
    return place;
}

/* Per-sample values live in the arena, or in their slot when they are kept. */
ad_operand ad_place_new(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    int64_t count = ad_shape_count(&node->shape), size = ad_number_size(c);
    ad_place place = {.stage = AD_EVERYWHERE};
    if (c->value[id].place.stage == AD_RESERVED) {
        c->value[id].place.stage = node->axis < 0 ? AD_EVERYWHERE : c->stage_number;
        return c->value[id].place.at;
    }
    if (c->value[id].shown >= 0) place.at = ad_place_new(c, c->value[id].shown);
    else if (c->value[id].joined >= 0) place.at = place_in_whole(c, id);
    else if (node->axis < 0) place.at = new_span(c, AD_BASE_SHARED, ad_aligned(count * size), 0);
    else if (c->value[id].kept) place.at = new_slot(c, SLOT_STORED, id);
    else {
        place.at = ad_arena_new(c, count * ad_axis_factor(c->tape, node->axis) * size, count);
        place.stage = c->stage_number;
    }
    c->value[id].place = place;
    return place.at;
}

/* Constants are the first bytes of shared memory; a workspace copies them. */
static ad_operand new_constant(ad_compiler *c, int32_t id)
{
    ad_plan *plan = c->plan;
    const ad_node *node = ad_node_at(c, id);
    int64_t count = ad_shape_count(&node->shape), begin = plan->constant_bytes;
    int64_t bytes = ad_aligned(count * ad_number_size(c));
    ad_operand at = {AD_BASE_SHARED, -1, begin, 0};
    if (!gibbs_grow(&plan->alloc, &plan->constants, &plan->constant_capacity, begin, begin + bytes, 1)) {
        ad_out_of_memory(c);
        return at;
    }
    const double *values = node->op == OP_array ? c->tape->side[node->side].array : &node->value;
    memset(plan->constants + begin, 0, (size_t)bytes);
    gibbs_float_word host = gibbs_float_enter();
    plan->kernels->from_double(count, plan->constants + begin, values);
    gibbs_float_leave(host);
    plan->constant_bytes += bytes;
    return at;
}

void ad_place_given(ad_compiler *c)
{
    for (int32_t i = 0; i < c->count && !c->status; i++) {
        ad_place *place = &c->value[i].place;
        ad_op op = ad_node_at(c, i)->op;
        place->stage = AD_NOWHERE;
        if (!c->value[i].live || !ad_is_given(op)) continue;
        place->at = op == OP_constant || op == OP_array ? new_constant(c, i) : new_slot(c, SLOT_INPUT, i);
        place->stage = AD_EVERYWHERE;
    }
}
