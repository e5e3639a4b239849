/* emit.c — one step becomes one instruction, and the copies that it takes. */
#include "emit.h"

/* What is broadcast can be copied before that. */
static int32_t below_expansion(const ad_compiler *c, int32_t id)
{
    while (ad_node_at(c, id)->op == OP_lift || ad_node_at(c, id)->op == OP_expand) id = ad_node_at(c, id)->in[0];
    return id;
}

static void emit_elementwise(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    ad_view view[AD_OPERANDS];
    ad_instruction i = ad_blank(c, id, DO_elementwise);
    for (int k = 0; k < node->nin; k++) view[k + 1] = ad_view_of(c, node->in[k]);
    view[0] = ad_tight_view(&node->shape, ad_place_new(c, id));
    ad_nest nest = ad_plan_nest(node, view, node->nin + 1);
    bool copied = false;
    for (int k = 0; k < node->nin; k++) {
        bool again =
            node->axis >= 0 && c->value[node->in[k]].uses > 1 && ad_is_spread(&nest, k + 1, ad_number_size(c));
        if (ad_inner_ok(&nest, k + 1) && !again) continue;
        ad_read(c, again ? node->in[k] : below_expansion(c, node->in[k]), NEED_ROWS);
        view[k + 1] = ad_view_of(c, node->in[k]);
        copied = true;
    }
    if (copied) nest = ad_plan_nest(node, view, node->nin + 1);
    i.elementwise.loops = ad_pack_nest(c, &nest, node->nin + 1);
    for (int k = 0; k <= node->nin; k++) i.operand[k] = view[k].at;
    ad_append(c, &i);
}

static void emit_softmax_pair(ad_compiler *c, const ad_plan_step *step)
{
    bool first = ad_node_at(c, step->node)->op == OP_softmax;
    int32_t shares = first ? step->node : step->with[0], total = first ? step->with[0] : step->node;
    ad_instruction i = ad_blank(c, shares, DO_softmax);
    ad_read_inputs(c, shares, &i, false);
    ad_reduced_of(c, shares, &i.softmax.outer, &i.softmax.reduced, &i.softmax.inner);
    i.softmax.y = ad_place_new(c, shares);
    i.softmax.total = ad_place_new(c, total);
    ad_append(c, &i);
}

static void emit_family(ad_compiler *c, const ad_plan_step *step)
{
    if (!ad_is_logistic(ad_node_at(c, step->node))) {
        emit_softmax_pair(c, step);
        return;
    }
    const int32_t node[3] = {step->node, step->with[0], step->with[1]};
    ad_instruction i = ad_blank(c, step->node, DO_logistic);
    ad_read_inputs(c, step->node, &i, false);
    for (int f = 0; f < 3; f++) i.logistic.result[f] = -1;
    for (int k = 0, operand = 0; k < 3 && node[k] >= 0; k++, operand = k + 1) {
        ad_op op = ad_node_at(c, node[k])->op;
        i.logistic.result[op == OP_softplus ? 0 : op == OP_sigmoid ? 1 : 2] = (int8_t)operand;
        i.operand[operand] = ad_place_new(c, node[k]);
    }
    ad_append(c, &i);
}

static void emit_random(ad_compiler *c, int32_t id)
{
    ad_instruction i = ad_begin(c, id, DO_random);
    i.random.stream = ad_node_at(c, id)->stream;
    i.random.by_turn = ad_node_at(c, id)->attr[0] > 0;
    ad_append(c, &i);
}

static void emit_axis_count(ad_compiler *c, int32_t id)
{
    ad_instruction i = ad_begin(c, id, DO_axis_count);
    ad_count_axis(c, ad_batch_axis(ad_node_at(c, id)), &i.axis_count.root, &i.axis_count.factor);
    ad_append(c, &i);
}

static void emit_user(ad_compiler *c, int32_t id)
{
    ad_instruction i = ad_begin(c, id, DO_user);
    i.user.op = c->tape->side[ad_node_at(c, id)->side].user;
    ad_append(c, &i);
}

/* Flops are counted as a product's, of what is done a sample: the factor, where it is its own, and the right sides. */
static void emit_factorise(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_begin(c, id, DO_factorise);
    int64_t n = ad_node_at(c, node->in[0])->shape.dim[0];
    i.factorise.n = n;
    i.factorise.m = node->nin > 1 ? node->shape.dim[1] : 1;
    i.factorise.transposed = ad_is_solved_transposed(node);
    double own = i.factorise.a.row_stride && node->op != OP_triangular_solve ? 0.7 * (double)n : 0;
    if (node->axis >= 0) c->stage->gemv_flops += (double)i.factor * (double)(n * n) * (own + (double)i.factorise.m);
    ad_want_room(c, c->plan->kernels->factor_room(node->op, n));
    ad_append(c, &i);
}

static void emit_scan(ad_compiler *c, int32_t id) { ad_emit_scan(c, id, ad_emit_step); }

/* NULL: a view, a result of a scan, or a leaf that is placed before anything runs. */
static void (*const emitter[OP_COUNT])(ad_compiler *c, int32_t id) = {
#define UNARY(name, value, dx, smooth, low, high) [OP_##name] = emit_elementwise,
#define BINARY(name, value, da, db, smooth, commutes, low, high) [OP_##name] = emit_elementwise,
#define TERNARY(name, value, da, db, dc, smooth, low, high) [OP_##name] = emit_elementwise,
#include "autodiff/tape/ops.def"
    [OP_matmul] = ad_emit_matmul,
    [OP_sum] = ad_emit_reduce,
    [OP_max_reduce] = ad_emit_reduce,
    [OP_logsumexp] = ad_emit_reduce,
    [OP_norm] = ad_emit_reduce,
    [OP_softmax] = ad_emit_reduce,
    [OP_cumsum] = ad_emit_cumsum,
    [OP_patches] = ad_emit_patches,
    [OP_overlap_add] = ad_emit_overlap,
    [OP_pad] = ad_emit_pad,
    [OP_concat] = ad_emit_concat,
    [OP_gather] = ad_emit_gather,
    [OP_scatter_add] = ad_emit_scatter,
    [OP_cholesky] = emit_factorise,
    [OP_triangular_solve] = emit_factorise,
    [OP_solve] = emit_factorise,
    [OP_log_abs_det] = emit_factorise,
    [OP_eigen] = emit_factorise,
    [OP_user] = emit_user,
    [OP_scan] = emit_scan,
    [OP_normal] = emit_random,
    [OP_uniform] = emit_random,
    [OP_batch_count] = emit_axis_count,
    [OP_batch_sum] = ad_emit_accumulate,
    [OP_batch_max] = ad_emit_accumulate,
    [OP_batch_logsumexp] = ad_emit_accumulate,
    [OP_batch_rest] = ad_emit_accumulate,
    [OP_batch_matmul] = ad_emit_batch_matmul,
    [OP_batch_gather] = ad_emit_batch_gather,
    [OP_batch_scatter_add] = ad_emit_batch_scatter,
};

bool ad_has_emitter(ad_op op) { return emitter[op]; }

static void emit_own(ad_compiler *c, int32_t id)
{
    ad_op op = ad_node_at(c, id)->op;
    if (emitter[op]) emitter[op](c, id);
    else ad_compile_fail(c, GIBBS_ARGUMENT, "%s has no emitter", ad_ops[op].name);
}

static void emit_stored_view(ad_compiler *c, int32_t id)
{
    ad_view view = ad_view_of(c, id);
    if (c->value[id].place.stage != AD_EVERYWHERE) ad_copy(c, id, &view);
}

void ad_emit_step(ad_compiler *c, const ad_plan_step *step)
{
    switch (step->form) {
    case FORM_NONE:
    case FORM_GIVEN: return;
    case FORM_OWN: emit_own(c, step->node); return;
    case FORM_STORED_VIEW: emit_stored_view(c, step->node); return;
    case FORM_PRODUCT_SUM: ad_emit_product_sum(c, step); return;
    case FORM_PIECE_SUM: ad_emit_piece_sum(c, step); return;
    case FORM_FAMILY: emit_family(c, step); return;
    }
}

/* ---- All stages ---- */

static bool open_stage(ad_compiler *c, int32_t axis)
{
    ad_plan *plan = c->plan;
    if (!ad_one_more(c, &plan->stage, &plan->stage_capacity, plan->stages, sizeof *plan->stage)) return false;
    c->stage = &plan->stage[plan->stages];
    *c->stage = (ad_stage){.axis = axis};
    c->stage_number = plan->stages++;
    if (axis >= 0) plan->counted[axis] = true;
    return true;
}

static void place_outputs(ad_compiler *c)
{
    ad_plan *plan = c->plan;
    plan->output = gibbs_alloc_zero(&plan->alloc, (size_t)c->outputs, sizeof *plan->output);
    if (!plan->output) ad_out_of_memory(c);
    for (int k = 0; k < c->outputs && !c->status; k++) {
        int32_t id = c->output[k].id;
        const ad_node *node = ad_node_at(c, id);
        ad_operand at = node->axis < 0 ? ad_read(c, id, NEED_ROWS) : c->value[id].place.at;
        plan->output[k] = (ad_output){at, node->axis, ad_shape_count(&node->shape)};
        plan->outputs = k + 1;
    }
}

void ad_emit(ad_compiler *c)
{
    ad_place_given(c);
    for (int64_t s = 0; s < c->stages; s++) {
        const ad_stage_steps *steps = &c->stage_steps[s];
        if (c->status || !open_stage(c, steps->axis)) return;
        for (int64_t k = steps->first; k < steps->body && !c->status; k++) ad_emit_step(c, &c->step[k]);
        if (steps->axis >= 0) ad_place_carried(c);
        for (int64_t k = steps->body; k < steps->end && !c->status; k++) ad_emit_step(c, &c->step[k]);
    }
    if (!c->status) place_outputs(c);
    if (!c->status) ad_find_carried_slots(c);
}
