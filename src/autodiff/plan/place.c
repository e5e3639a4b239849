/* place.c — where values live: in slots that the user binds or reads, in the plan's shared memory, or in the arena
 * that a block of rows runs in. */
#include "compile.h"

int32_t ad_slot_new(ad_compiler *c, ad_slot_kind kind, int32_t id)
{
    ad_plan *plan = c->plan;
    const ad_node *node = &c->tape->node[id];
    const char *name = node->side >= 0 && c->tape->side[node->side].name ? c->tape->side[node->side].name : "?";
    ad_slot slot = {kind, id, node->axis, ad_shape_count(&node->shape), 1, id, gibbs_strdup(&plan->alloc, name)};
    if (node->axis >= 0) slot.factor = ad_axis_factor(c->tape, node->axis);
    if (!slot.name ||
        !gibbs_grow(&plan->alloc, &plan->slot, &plan->slot_capacity, plan->slots, plan->slots + 1, sizeof slot)) {
        gibbs_release(&plan->alloc, slot.name);
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
        return 0;
    }
    plan->slot[plan->slots] = slot;
    c->place[id] = (ad_place){{AD_BASE_SLOTS + (int32_t)plan->slots, -1, 0, node->axis < 0 ? 0 : slot.count}, -1};
    return (int32_t)plan->slots++;
}

int64_t *ad_chunk_new(ad_compiler *c, int64_t numbers)
{
    ad_chunk *chunk = c->plan->chunk;
    if (!chunk || chunk->used + numbers > (int64_t)GIBBS_COUNT(chunk->number)) {
        chunk = gibbs_alloc(&c->plan->alloc, 1, sizeof *chunk);
        if (!chunk) return ad_compile_fail(c, GIBBS_MEMORY, "out of memory"), NULL;
        chunk->next = c->plan->chunk;
        chunk->used = 0;
        c->plan->chunk = chunk;
    }
    chunk->used += numbers;
    return chunk->number + chunk->used - numbers;
}

/* Its offset is told by layout.c. */
static ad_operand new_span(ad_compiler *c, int32_t base, int64_t bytes, int64_t row_stride)
{
    int32_t span = ad_span_new(&c->plan->alloc, base == AD_BASE_SHARED ? &c->shared : &c->arena, bytes);
    if (span < 0) ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
    return (ad_operand){base, span, 0, row_stride};
}

/* Per-sample values live in the arena, or in their slot when they are kept. */
ad_operand ad_place_new(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    int64_t count = ad_shape_count(&node->shape), size = ad_number_size(c);
    if (node->axis < 0) {
        c->place[id] = (ad_place){new_span(c, AD_BASE_SHARED, ad_aligned(count * size), 0), -1};
    } else if (c->keep[id]) {
        ad_slot_new(c, SLOT_STORED, id);
    } else {
        int64_t factor = ad_axis_factor(c->tape, node->axis);
        c->place[id] = (ad_place){new_span(c, AD_BASE_ARENA, count * factor * size, count), c->stage_number};
    }
    return c->place[id].at;
}

/* A carried input is read from a buffer that is filled anew before each repetition of the block. */
void ad_place_carried(ad_compiler *c)
{
    for (int k = 0; k < c->plan->carries && !c->status; k++) {
        ad_carried *carried = &c->plan->carried[k];
        const ad_slot *slot = &c->plan->slot[carried->into_slot];
        ad_operand at = new_span(c, AD_BASE_ARENA, carried->row_bytes, slot->count);
        if (c->status) return;
        int32_t leaf = slot->leaf;
        ad_span_touch(&c->arena, at.span, 0); /* filled before the body runs */
        carried->buffer = at;
        c->place[leaf] = (ad_place){at, c->stage_number};
        if (!c->keep[leaf]) continue;
        ad_view view = ad_view_of(c, leaf); /* an output, too: what this repetition began with */
        ad_emit_copy(c, leaf, &view);
    }
}
