/* carry.c — carried pairs: outputs that become inputs again inside a block. */
#include "emit.h"

static void check_pair(ad_compiler *c, int number)
{
    const ad_carry *carry = &c->carry[number - 1];
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (carry->output < 0 || carry->output >= c->outputs || ad_is_null(carry->input) ||
        carry->input.tape != c->tape || ad_node_of(carry->input)->op != OP_input) {
        ad_compile_fail(c, GIBBS_ARGUMENT, "carry %d must pair an output with a per-sample input", number);
        return;
    }
    const ad_node *in = ad_node_of(carry->input), *out = ad_node_of(c->output[carry->output]);
    if (in->axis != out->axis || !ad_shape_equal(&in->shape, &out->shape))
        ad_compile_fail(c, GIBBS_SHAPE, "carry %d: output %d is %s («%s»), its input %s («%s»)", number,
                        carry->output, ad_shape_text(&out->shape, a, sizeof a), ad_axis_name(c->tape, out->axis),
                        ad_shape_text(&in->shape, b, sizeof b), ad_axis_name(c->tape, in->axis));
}

void ad_check_pairs(ad_compiler *c)
{
    for (int k = 0; k < c->carries && !c->status; k++) check_pair(c, k + 1);
}

/* Whether the next repetition reads what is carried. */
static bool is_read(const ad_compiler *c, const ad_carry *carry)
{
    return carry->input.id < c->count && c->value[carry->input.id].live;
}

/* A block may carry only its own rows: other blocks may be repetitions behind it. */
static bool stays_in_block(const ad_compiler *c, const ad_carry *carry)
{
    for (int64_t i = 0; i < c->count; i++) {
        const ad_node *n = ad_node_at(c, i);
        if (c->value[i].live && n->op == OP_batch_gather && n->in[0] == carry->input.id) return false;
    }
    return ad_node_of(c->output[carry->output])->op != OP_batch_scatter_add;
}

void ad_check_one_pass(ad_compiler *c)
{
    int32_t axis = -1;
    bool good = true;
    int bodies = 0;
    for (int64_t s = 0; s < c->stages; s++)
        if (c->stage_steps[s].axis >= 0) axis = c->stage_steps[s].axis, bodies++;
    for (int k = 0; k < c->carries; k++)
        good &= !is_read(c, &c->carry[k]) ||
                (bodies == 1 && ad_axis_root(c->tape, ad_node_of(c->carry[k].input)->axis) == axis &&
                 stays_in_block(c, &c->carry[k]));
    if (!good)
        ad_compile_fail(c, GIBBS_ARGUMENT,
                        "a plan with carries must be one pass over one axis (a batch reduction feeds back, "
                        "two axes are used, or carried rows are read by index)");
}

/* The body reads the input from a buffer that is filled anew before each repetition. */
static void place_one(ad_compiler *c, const ad_carry *carry)
{
    ad_plan *plan = c->plan;
    int32_t leaf = carry->input.id;
    ad_place *place = &c->value[leaf].place;
    int32_t into = place->at.base - AD_BASE_SLOTS;
    const ad_slot *slot = &plan->slot[into];
    int64_t row_bytes = slot->count * slot->factor * ad_number_size(c);
    *place = (ad_place){ad_arena_new(c, row_bytes, slot->count), c->stage_number};
    plan->carried[plan->carries++] = (ad_carried){.into_slot = into, .buffer = place->at, .row_bytes = row_bytes};
    if (!c->value[leaf].kept) return;
    ad_view view = ad_view_of(c, leaf); /* an output, too: what this repetition began with */
    ad_copy(c, leaf, &view);
}

void ad_place_carried(ad_compiler *c)
{
    ad_plan *plan = c->plan;
    if (!c->carries) return;
    plan->carried = gibbs_alloc_zero(&plan->alloc, (size_t)c->carries, sizeof *plan->carried);
    if (!plan->carried) ad_out_of_memory(c);
    for (int k = 0; k < c->carries && !c->status; k++)
        if (is_read(c, &c->carry[k])) place_one(c, &c->carry[k]);
}

void ad_find_carried_slots(ad_compiler *c)
{
    ad_carried *next = c->plan->carried;
    for (int k = 0; k < c->carries; k++)
        if (is_read(c, &c->carry[k]))
            next++->from_slot = c->plan->output[c->carry[k].output].at.base - AD_BASE_SLOTS;
}
