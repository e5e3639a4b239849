/* pieces.c — what covers only a part of a larger value is written there at once: n numbers that are joined, or added up
 * into a vector, one by one, are n instructions of one number in one vector, never n vectors. */
#include "compile.h"

#include <string.h>

/* ---- Where pieces belong ---- */

/* What a reshape that is read once is made of. */
static int32_t unshaped(const ad_compiler *c, int32_t id)
{
    const ad_node *node = c->tape->node;
    while (node[id].op == OP_reshape && c->uses[id] == 1 && !c->keep[id]) id = node[id].in[0];
    return id;
}

/* x + a pad, or a table that is scattered into: added where x lies, so that n such terms of n numbers, as the adjoint
 * of a vector that is read number by number has, are not n vectors. */
static void take_piece(ad_compiler *c, int32_t id)
{
    const ad_node *node = c->tape->node;
    for (int k = 1; k >= 0 && !c->gathers[id]; k--) {
        int32_t in = unshaped(c, node[id].in[k]);
        if (c->uses[in] != 1 || (node[in].op != OP_pad && node[in].op != OP_scatter_add)) continue;
        c->into[in] = id;
        return;
    }
}

/* Of concats of concats the outermost is the place of all that is joined. */
static void join_concats(ad_compiler *c, int32_t id)
{
    const ad_node *node = c->tape->node;
    for (int k = 0; k < 2; k++) {
        int32_t in = node[id].in[k], dim = node[id].attr[0];
        if (c->uses[in] != 1 || node[in].op != OP_concat || node[in].attr[0] != dim) continue;
        c->into[in] = id;
        c->at[in] = k ? (int32_t)node[node[id].in[0]].shape.dim[dim] : 0;
    }
}

void ad_take_pieces(ad_compiler *c, int32_t id)
{
    if (c->tape->node[id].op == OP_add) take_piece(c, id);
    if (c->tape->node[id].op == OP_concat) join_concats(c, id);
}

int32_t ad_piece_of_sum(const ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    for (int k = 0; k < 2 && node->op == OP_add && !c->gathers[id]; k++)
        if (c->into[unshaped(c, node->in[k])] == id) return unshaped(c, node->in[k]);
    return -1;
}

bool ad_is_piece(const ad_compiler *c, int32_t id)
{
    return c->into[id] >= 0 && !c->gathers[c->into[id]] && c->tape->node[id].op != OP_concat;
}

/* ---- Instructions ---- */

/* Puts node `in` into what lies at `to`, from `at` in dimension d of the whole. dim: see ad_run_place. */
static void emit_place(ad_compiler *c, int32_t id, int32_t in, const ad_shape *whole, int d, int64_t at, ad_operand to,
                       bool adds)
{
    const ad_shape *s = &c->tape->node[in].shape;
    int64_t inner = ad_shape_part(s, d + 1, s->rank), own = s->dim[d];
    ad_instruction i = ad_blank(c, id, DO_place);
    int64_t dim[4] = {ad_shape_part(s, 0, d), at * inner, own * inner, (whole->dim[d] - at - own) * inner};
    memcpy(i.dim, dim, sizeof dim);
    i.nin = 1;
    i.count = ad_shape_count(i.op == OP_pad ? whole : s);
    i.operand[1] = ad_contiguous(c, in, NEED_ROW);
    i.operand[0] = to;
    i.adds = adds;
    ad_append(c, &i, i.axis < 0);
}

void ad_emit_pad(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    emit_place(c, id, node->in[0], &node->shape, node->attr[0], node->attr[1], ad_place_new(c, id), false);
}

static bool is_placed(const ad_compiler *c, int32_t id)
{
    return c->place[id].stage == -1 || c->place[id].stage == c->stage_number;
}

/* A concat in a concat writes what it joins to its part of the outermost one. */
void ad_emit_concat(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    int32_t whole = c->into[id] >= 0 ? c->into[id] : id;
    int64_t at = c->at[id];
    int d = node->attr[0];
    if (!is_placed(c, whole)) ad_place_new(c, whole);
    for (int k = 0; k < 2; at += c->tape->node[node->in[k++]].shape.dim[d])
        if (c->into[node->in[k]] < 0)
            emit_place(c, id, node->in[k], &c->tape->node[whole].shape, d, at, c->place[whole].at, false);
}

/* Whether the place of x, which only node `id` reads, may become that of `id`. */
static bool may_overwrite(const ad_compiler *c, int32_t x, int32_t id)
{
    const ad_node *node = &c->tape->node[x];
    return is_placed(c, x) && c->uses[x] == 1 && node->nin && !ad_is_view(node->op) && !c->keep[x] && !c->keep[id];
}

/* x + what covers a part of it, which is added in place: where x lies, or in a copy. */
void ad_emit_sum_with_piece(ad_compiler *c, int32_t id, int32_t piece)
{
    const ad_node *node = &c->tape->node[id], *part = &c->tape->node[piece];
    int32_t other = node->in[unshaped(c, node->in[0]) == piece ? 1 : 0], x = unshaped(c, other);
    if (may_overwrite(c, x, id)) c->place[id] = c->place[x];
    else {
        ad_view from = ad_view_of(c, other);
        ad_emit_copy(c, id, &from);
    }
    ad_operand to = c->place[id].at;
    if (part->op == OP_pad) emit_place(c, id, part->in[0], &part->shape, part->attr[0], part->attr[1], to, true);
    else ad_emit_indexed(c, piece, &to);
}
