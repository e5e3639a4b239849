/* emit_moves.c — the instructions of ops that move numbers: into a part of something larger, or by index. */
#include "emit.h"

/* ---- Pads and concats ---- */

/* Puts node `in` into what lies at `to`, from `at` in a dimension of the whole; where it has been computed there, what
 * is left of a pad are its zeros. */
static void emit_place(ad_compiler *c, int32_t id, int32_t in, const ad_shape *whole, int along, int64_t at,
                       ad_operand to, bool adds)
{
    const ad_shape *s = &ad_node_at(c, in)->shape;
    int64_t inner = ad_shape_part(s, along + 1, s->rank), own = s->dim[along];
    ad_instruction i = ad_blank(c, id, DO_place);
    i.nin = 1;
    i.place.x = ad_read(c, in, NEED_ROW);
    i.place.y = to;
    i.place.outer = ad_shape_part(s, 0, along);
    i.place.before = at * inner;
    i.place.own = own * inner;
    i.place.after = (whole->dim[along] - at - own) * inner;
    i.place.alone = i.op == OP_pad;
    i.place.adds = adds;
    bool there = i.place.x.base == to.base && i.place.x.span == to.span &&
                 i.place.x.offset == to.offset + i.place.before * ad_number_size(c);
    if (there && !i.place.alone) return;
    i.count = ad_shape_count(i.place.alone ? whole : s);
    ad_append(c, &i);
}

void ad_emit_pad(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    ad_operand to = ad_is_placed(c, id) ? c->value[id].place.at : ad_place_new(c, id);
    emit_place(c, id, node->in[0], &node->shape, ad_along(node), ad_start(node), to, false);
}

/* A concat in a concat writes what it joins to its part of the outermost one. */
void ad_emit_concat(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    int32_t whole = c->value[id].into >= 0 ? c->value[id].into : id;
    int64_t at = whole == id ? 0 : c->value[id].at;
    if (!ad_is_placed(c, whole)) ad_place_new(c, whole);
    for (int k = 0; k < node->nin; k++) {
        if (c->value[node->in[k]].into < 0)
            emit_place(c, id, node->in[k], &ad_node_at(c, whole)->shape, ad_along(node), at, c->value[whole].place.at,
                       false);
        at += ad_node_at(c, node->in[k])->shape.dim[ad_along(node)];
    }
}

/* ---- By index ---- */

void ad_emit_gather(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    const ad_shape *table = &ad_node_at(c, node->in[0])->shape;
    ad_instruction i = ad_begin(c, id, DO_gather);
    i.gather.rows = table->dim[0];
    i.gather.width = ad_shape_part(table, 1, table->rank);
    i.gather.indices = ad_shape_count(&ad_node_at(c, node->in[1])->shape);
    ad_append(c, &i);
}

/* Added to what lies at `to`, if that is there. */
static void emit_scatter(ad_compiler *c, int32_t id, const ad_operand *to)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_blank(c, id, DO_scatter);
    ad_read_inputs(c, id, &i, false);
    if (to) i.scatter.table = *to;
    i.scatter.adds = to || ad_place_of_sum(c, id, &i.scatter.table);
    i.scatter.rows = node->shape.dim[0];
    i.scatter.width = i.scatter.next = ad_shape_part(&node->shape, 1, node->shape.rank);
    i.scatter.indices = ad_shape_count(&ad_node_at(c, node->in[1])->shape);
    ad_append(c, &i);
}

void ad_emit_scatter(ad_compiler *c, int32_t id) { emit_scatter(c, id, NULL); }

void ad_emit_batch_gather(ad_compiler *c, int32_t id)
{
    ad_instruction i = ad_begin(c, id, DO_batch_gather);
    ad_count_axis(c, ad_batch_axis(ad_node_at(c, id)), &i.batch_gather.root, &i.batch_gather.factor);
    ad_append(c, &i);
}

void ad_emit_batch_scatter(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_begin(c, id, DO_batch_scatter);
    i.batch_scatter.x_axis = ad_node_at(c, node->in[1])->axis;
    ad_count_axis(c, ad_batch_axis(node), &i.batch_scatter.root, &i.batch_scatter.factor);
    ad_count_axis(c, i.batch_scatter.x_axis, &i.batch_scatter.x_root, &i.batch_scatter.x_factor);
    ad_append(c, &i);
}

/* ---- Pieces of sums ---- */

/* Whether the place of x, which only node `id` reads, may become that of `id`: others may read what x was joined
 * from. */
static bool may_overwrite(const ad_compiler *c, int32_t x, int32_t id)
{
    const ad_node *node = ad_node_at(c, x);
    const ad_value *value = &c->value[x];
    return ad_is_placed(c, x) && value->uses == 1 && !value->lent && !value->in_parts && node->nin &&
           !ad_is_view(node->op) && !value->kept && !c->value[id].kept;
}

/* x + what covers a part of it, which is added in place: where x lies, or in a copy. */
void ad_emit_piece_sum(ad_compiler *c, const ad_plan_step *step)
{
    int32_t id = step->node, x = ad_unshaped(c, step->with[1]);
    const ad_node *part = ad_node_at(c, step->with[0]);
    if (may_overwrite(c, x, id)) c->value[id].place = c->value[x].place;
    else {
        ad_view from = ad_view_of(c, step->with[1]);
        ad_copy(c, id, &from);
    }
    ad_operand to = c->value[id].place.at;
    if (part->op == OP_pad) emit_place(c, id, part->in[0], &part->shape, ad_along(part), ad_start(part), to, true);
    else emit_scatter(c, step->with[0], &to);
}
