/* compile.c — from vars to a plan: what is needed, its leaves, its stages, and where the outputs end up. */
#include "compile.h"

#include "base/float_word.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

gibbs_status ad_compile_fail(ad_compiler *c, gibbs_status status, const char *format, ...)
{
    char what[sizeof c->error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!c->status) c->status = gibbs_fail(c->error, status, "compile: %s", what);
    return c->status;
}

static void mark_live(ad_compiler *c, const ad_var *outputs, int count)
{
    for (int k = 0; k < count; k++) c->live[outputs[k].id] = true;
    for (int k = 0; k < count; k++) c->uses[outputs[k].id]++;
    for (int64_t i = c->count - 1; i >= 0; i--)
        for (int k = 0; c->live[i] && k < c->tape->node[i].nin; k++) {
            c->live[c->tape->node[i].in[k]] = true;
            c->uses[c->tape->node[i].in[k]]++;
        }
}

/* Bytes of one sample, its children included, then fit an int64_t many times over. */
static void check_sizes(ad_compiler *c)
{
    for (int64_t i = 0; i < c->count && !c->status; i++) {
        const ad_node *node = &c->tape->node[i];
        if (!c->live[i] || node->axis < 0) continue;
        if (ad_shape_count(&node->shape) > ((int64_t)1 << 40) / ad_axis_factor(c->tape, node->axis))
            ad_compile_fail(c, GIBBS_SIZE, "a value has more than 2^40 numbers for one sample, its children added up");
    }
}

/* Constants are the first bytes of shared memory; a workspace copies them. */
static void place_constant(ad_compiler *c, int32_t id)
{
    ad_plan *plan = c->plan;
    const ad_node *node = &c->tape->node[id];
    int64_t count = ad_shape_count(&node->shape), need = plan->constant_bytes + count * (int64_t)plan->kernels->size;
    need = (need + 63) / 64 * 64;
    if (!gibbs_grow(&plan->alloc, &plan->constants, &plan->constant_capacity, plan->constant_bytes, need, 1)) {
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
        return;
    }
    const double *values = node->op == OP_array ? c->tape->side[node->side].array : &node->value;
    memset(plan->constants + plan->constant_bytes, 0, (size_t)(need - plan->constant_bytes));
    gibbs_float_word host = gibbs_float_enter();
    plan->kernels->from_double(count, plan->constants + plan->constant_bytes, values);
    gibbs_float_leave(host);
    c->place[id] = (ad_place){{AD_BASE_SHARED, -1, plan->constant_bytes, 0}, -1};
    plan->constant_bytes = need;
}

static void place_leaves(ad_compiler *c)
{
    for (int64_t i = 0; i < c->count && !c->status; i++) {
        c->place[i] = (ad_place){{0}, -2};
        if (!c->live[i]) continue;
        ad_op op = c->tape->node[i].op;
        if (op == OP_constant || op == OP_array) place_constant(c, (int32_t)i);
        else if (op == OP_input || op == OP_parameter) ad_slot_new(c, SLOT_INPUT, (int32_t)i);
        else continue;
        c->done[i] = true;
    }
}

/* ---- Carried pairs ---- */

static gibbs_status check_carry(ad_compiler *c, const ad_carry *carry, int number, const ad_var *outputs, int count)
{
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (carry->output < 0 || carry->output >= count || ad_is_null(carry->input) || carry->input.tape != c->tape ||
        c->tape->node[carry->input.id].op != OP_input)
        return ad_compile_fail(c, GIBBS_ARGUMENT, "carry %d must pair an output with a per-sample input", number);
    const ad_node *in = &c->tape->node[carry->input.id], *out = &c->tape->node[outputs[carry->output].id];
    if (in->axis != out->axis || !ad_shape_equal(&in->shape, &out->shape))
        return ad_compile_fail(c, GIBBS_SHAPE, "carry %d: output %d is %s («%s»), its input %s («%s»)", number,
                               carry->output, ad_shape_text(&out->shape, a, sizeof a),
                               ad_axis_name(c->tape, out->axis), ad_shape_text(&in->shape, b, sizeof b),
                               ad_axis_name(c->tape, in->axis));
    return GIBBS_OK;
}

static void prepare_carries(ad_compiler *c, const ad_plan_options *options, const ad_var *outputs, int count)
{
    ad_plan *plan = c->plan;
    if (!options || !options->carries || c->status) return;
    plan->repeats = true;
    plan->carried = gibbs_alloc_zero(&plan->alloc, (size_t)options->carries, sizeof *plan->carried);
    if (!plan->carried) {
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
        return;
    }
    for (int k = 0; k < options->carries && !c->status; k++) {
        const ad_carry *carry = &options->carry[k];
        if (check_carry(c, carry, k + 1, outputs, count)) return;
        if (carry->input.id >= c->count || !c->live[carry->input.id]) continue; /* the next step ignores it */
        const ad_slot *slot = &plan->slot[c->place[carry->input.id].at.base - AD_BASE_SLOTS];
        plan->carried[plan->carries++] = (ad_carried){
            .from_slot = outputs[carry->output].id, /* a node until its slot is known */
            .into_slot = (int32_t)(slot - plan->slot), .factor = slot->factor,
            .row_bytes = slot->count * slot->factor * (int64_t)plan->kernels->size};
    }
}

/* A block may carry only its own rows: other blocks may be repetitions behind it. */
static bool carries_across_blocks(const ad_compiler *c, const ad_carried *carried)
{
    const ad_node *node = c->tape->node;
    int32_t leaf = c->plan->slot[carried->into_slot].leaf;
    for (int64_t i = 0; i < c->count; i++)
        if (c->live[i] && node[i].op == OP_batch_gather && node[i].in[0] == leaf) return true;
    return node[carried->from_slot].op == OP_batch_scatter_add;
}

static void finish_carries(ad_compiler *c)
{
    int bodies = 0;
    if (!c->plan->carries || c->status) return;
    for (int64_t s = 0; s < c->plan->stages; s++) bodies += c->plan->stage[s].axis >= 0;
    for (int k = 0; k < c->plan->carries; k++)
        if (carries_across_blocks(c, &c->plan->carried[k])) bodies = 0;
    if (bodies != 1) {
        ad_compile_fail(c, GIBBS_ARGUMENT,
                        "a plan with carries must be one pass over one axis (a batch reduction feeds back, "
                        "two axes are used, or carried rows are read by index)");
        return;
    }
    for (int k = 0; k < c->plan->carries; k++) {
        ad_place *from = &c->place[c->plan->carried[k].from_slot];
        c->plan->carried[k].from_slot = from->at.base - AD_BASE_SLOTS;
    }
}

/* ---- Outputs ---- */

static void place_outputs(ad_compiler *c, const ad_var *outputs, int count)
{
    ad_plan *plan = c->plan;
    plan->output = gibbs_alloc_zero(&plan->alloc, (size_t)count, sizeof *plan->output);
    if (!plan->output) ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
    for (int k = 0; k < count && !c->status; k++) {
        const ad_node *node = &c->tape->node[outputs[k].id];
        ad_operand at = node->axis < 0 ? ad_contiguous(c, outputs[k].id, NEED_ROWS) : c->place[outputs[k].id].at;
        plan->output[k] = (ad_output){at, node->axis, ad_shape_count(&node->shape)};
        plan->outputs = k + 1;
    }
}

static bool copy_axes(ad_plan *plan, const ad_tape *tape)
{
    plan->axis = gibbs_alloc_zero(&plan->alloc, (size_t)tape->axes, sizeof *plan->axis);
    plan->counted = gibbs_alloc_zero(&plan->alloc, (size_t)tape->axes, sizeof *plan->counted);
    if (!plan->axis || !plan->counted) return false;
    plan->axes = tape->axes;
    for (int64_t a = 0; a < tape->axes; a++) {
        plan->axis[a] = tape->axis[a];
        if (!(plan->axis[a].name = gibbs_strdup(&plan->alloc, tape->axis[a].name))) return plan->axes = a, false;
    }
    return true;
}

static bool mark_leaves(ad_plan *plan, const ad_tape *tape)
{
    plan->leaf = gibbs_alloc(&plan->alloc, (size_t)tape->size, sizeof *plan->leaf);
    for (int64_t i = 0; plan->leaf && i < tape->size; i++)
        plan->leaf[i] = tape->node[i].op == OP_input || tape->node[i].op == OP_parameter;
    return plan->leaf;
}

static bool allocate_scratch(ad_compiler *c)
{
    const gibbs_allocator *a = &c->plan->alloc;
    bool *flags = gibbs_alloc_zero(a, 7 * (size_t)c->count, sizeof *flags);
    c->live = flags;
    c->place = gibbs_alloc(a, (size_t)c->count, sizeof *c->place);
    c->uses = gibbs_alloc_zero(a, 4 * (size_t)c->count, sizeof *c->uses);
    if (!flags || !c->place || !c->uses) return false;
    c->partner = c->uses + c->count;
    c->into = c->uses + 2 * c->count;
    c->at = c->uses + 3 * c->count;
    memset(c->partner, -1, 2 * (size_t)c->count * sizeof *c->partner);
    c->fused = flags + 5 * c->count;
    c->gathers = flags + 6 * c->count;
    c->keep = flags + c->count;
    c->done = flags + 2 * c->count;
    c->mark = flags + 3 * c->count;
    c->later = flags + 4 * c->count;
    return true;
}

static void compile_all(ad_compiler *c, const ad_var *outputs, int count, const ad_plan_options *options)
{
    if (!allocate_scratch(c) || !copy_axes(c->plan, c->tape) || !mark_leaves(c->plan, c->tape)) {
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
        return;
    }
    mark_live(c, outputs, count);
    check_sizes(c);
    ad_fuse_sums(c);
    if (!c->status) place_leaves(c);
    if (!c->status) prepare_carries(c, options, outputs, count);
    if (!c->status) ad_schedule(c, outputs, count);
    if (!c->status) place_outputs(c, outputs, count);
    if (!c->status) ad_layout_shared(c);
    finish_carries(c);
}

static gibbs_status check_outputs(const ad_var *outputs, int count, gibbs_error *error)
{
    if (!outputs || count < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "compile: no outputs");
    const ad_tape *tape = outputs[0].tape;
    for (int k = 0; k < count; k++) {
        const ad_tape *own = outputs[k].tape;
        if (own && own->error.status) return gibbs_fail(error, own->error.status, "%s", own->error.message);
        if (ad_is_null(outputs[k])) return gibbs_fail(error, GIBBS_TAPE, "compile: output %d is the null var", k + 1);
        if (own != tape) return gibbs_fail(error, GIBBS_TAPE, "compile: output %d belongs to another tape", k + 1);
    }
    return GIBBS_OK;
}

static gibbs_status check_options(const ad_plan_options *options, gibbs_error *error)
{
    if (options && options->block_bytes < 0)
        return gibbs_fail(error, GIBBS_ARGUMENT, "compile: block_bytes is %lld; it must lie in [0, inf)",
                          (long long)options->block_bytes);
    if (!options || options->carries == 0 || (options->carries > 0 && options->carry)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, options->carries < 0 ? "compile: a negative number of carries"
                                                                  : "compile: the list of carries is NULL");
}

static gibbs_status compile_plan(const ad_var *outputs, int count, const ad_plan_options *options, bool stores,
                                 bool *recomputes, ad_plan **out, gibbs_error *error)
{
    const ad_tape *tape = outputs[0].tape;
    ad_plan *plan = gibbs_alloc_zero(&tape->alloc, 1, sizeof *plan);
    if (!plan) return gibbs_fail(error, GIBBS_MEMORY, "compile: out of memory");
    plan->alloc = tape->alloc;
    plan->dtype = tape->dtype;
    plan->kernels = ad_kernels_for(tape->dtype);
    plan->tape = tape;
    plan->tape_size = tape->size;
    ad_compiler c = {.plan = plan, .tape = tape, .error = error, .stores = stores};
    if (options && options->block_bytes > 0) c.block_bytes = options->block_bytes;
    for (int k = 0; k < count; k++)
        if (outputs[k].id >= c.count) c.count = outputs[k].id + 1;
    compile_all(&c, outputs, count, options);
    gibbs_release(&plan->alloc, c.live);
    gibbs_release(&plan->alloc, c.place);
    gibbs_release(&plan->alloc, c.uses);
    gibbs_release(&plan->alloc, c.arena.at);
    gibbs_release(&plan->alloc, c.shared.at);
    *recomputes = c.recomputes;
    if (c.status) ad_plan_free(plan);
    else *out = plan;
    return c.status;
}

gibbs_status ad_compile(const ad_var *outputs, int count, const ad_plan_options *options, ad_plan **out,
                        gibbs_error *error)
{
    GIBBS_REQUIRE("compile", out, error);
    *out = NULL;
    bool recomputes;
    gibbs_status status = check_outputs(outputs, count, error);
    if (!status) status = check_options(options, error);
    if (!status) status = compile_plan(outputs, count, options, false, &recomputes, out, error);
    if (!status && recomputes)
        status = compile_plan(outputs, count, options, true, &recomputes, &(*out)->storing, error);
    if (status) {
        ad_plan_free(*out);
        *out = NULL;
    }
    return status;
}

void ad_plan_free(ad_plan *plan)
{
    if (!plan) return;
    gibbs_allocator a = plan->alloc;
    ad_plan_free(plan->storing);
    for (int64_t s = 0; s < plan->stages; s++) {
        gibbs_release(&a, plan->stage[s].shared.at);
        gibbs_release(&a, plan->stage[s].body.at);
        gibbs_release(&a, plan->stage[s].accumulator);
    }
    for (int64_t s = 0; s < plan->slots; s++) gibbs_release(&a, plan->slot[s].name);
    for (int64_t s = 0; s < plan->axes; s++) gibbs_release(&a, plan->axis[s].name);
    while (plan->chunk) {
        ad_chunk *chunk = plan->chunk;
        plan->chunk = chunk->next;
        gibbs_release(&a, chunk);
    }
    gibbs_release(&a, plan->axis);
    gibbs_release(&a, plan->counted);
    gibbs_release(&a, plan->leaf);
    gibbs_release(&a, plan->stage);
    gibbs_release(&a, plan->slot);
    gibbs_release(&a, plan->constants);
    gibbs_release(&a, plan->output);
    gibbs_release(&a, plan->carried);
    gibbs_release(&a, plan);
}

ad_plan_info ad_plan_describe(const ad_plan *plan)
{
    ad_plan_info info = {.shared_gemm_flops = plan->shared_gemm_flops};
    for (int64_t s = 0; s < plan->stages; s++) {
        const ad_stage *stage = &plan->stage[s];
        info.instructions += (int)(stage->shared.count + stage->body.count);
        info.stages += stage->axis >= 0;
        info.gemm_flops_per_row += stage->gemm_flops;
        info.gemv_flops_per_row += stage->gemv_flops;
        if (stage->arena_row_bytes >= info.bytes_per_row) {
            info.bytes_per_row = stage->arena_row_bytes;
            info.block_rows = stage->block_rows;
        }
    }
    return info;
}
