/* read.c — how an instruction reads its operands: as strides of what lies where it was computed; where it cannot read
 * that way, from a copy, which is made once a stage and serves all who need one. */
#include "emit.h"

ad_view ad_view_of(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    if (ad_is_placed(c, id)) return ad_tight_view(&node->shape, c->value[id].place.at);
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
