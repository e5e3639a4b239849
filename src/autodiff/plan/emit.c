/* emit.c — one node becomes one instruction. */
#include "compile.h"

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
    const ad_node *node = &c->tape->node[id];
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
    i.stream = node->stream;
    for (int k = 0; k < AD_OPERANDS; k++) i.operand[k].span = -1;
    return i;
}

void ad_append(ad_compiler *c, const ad_instruction *i, bool shared)
{
    ad_code *code = shared ? &c->stage->shared : &c->stage->body;
    if (c->status) return;
    if (!gibbs_grow(&c->plan->alloc, &code->at, &code->capacity, code->count, code->count + 1, sizeof *i)) {
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
        return;
    }
    code->at[code->count++] = *i;
}

void ad_emit_copy(ad_compiler *c, int32_t id, const ad_view *from)
{
    ad_instruction i = ad_blank(c, id, DO_copy);
    ad_place_new(c, id);
    ad_view view[2] = {ad_view_of(c, id), *from};
    ad_nest nest = ad_plan_nest(c->tape, id, view, 2);
    i.loops = ad_pack_nest(c, &nest, 2);
    i.nin = 1;
    i.operand[0] = view[0].at;
    i.operand[1] = from->at;
    ad_append(c, &i, c->tape->node[id].axis < 0);
}

/* What is broadcast can be copied before that. */
static int32_t below_expansion(const ad_compiler *c, int32_t id)
{
    const ad_node *node = c->tape->node;
    while (node[id].op == OP_lift || node[id].op == OP_expand) id = node[id].in[0];
    return id;
}

static void emit_elementwise(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    ad_view view[AD_OPERANDS];
    ad_instruction i = ad_blank(c, id, DO_elementwise);
    for (int k = 0; k < node->nin; k++) view[k + 1] = ad_view_of(c, node->in[k]);
    ad_place_new(c, id);
    view[0] = ad_view_of(c, id);
    ad_nest nest = ad_plan_nest(c->tape, id, view, node->nin + 1);
    bool copied = false;
    for (int k = 0; k < node->nin; k++) {
        bool again = node->axis >= 0 && c->uses[node->in[k]] > 1 && ad_is_spread(&nest, k + 1, ad_number_size(c));
        if (ad_inner_ok(&nest, k + 1) && !again) continue;
        ad_contiguous(c, again ? node->in[k] : below_expansion(c, node->in[k]), NEED_ROWS);
        view[k + 1] = ad_view_of(c, node->in[k]);
        copied = true;
    }
    if (copied) nest = ad_plan_nest(c->tape, id, view, node->nin + 1);
    i.loops = ad_pack_nest(c, &nest, node->nin + 1);
    for (int k = 0; k <= node->nin; k++) i.operand[k] = view[k].at;
    ad_append(c, &i, node->axis < 0);
}

/* Flops of a product, in the column where they belong; `repeats` is how often it runs for one row. */
static void count_flops(ad_compiler *c, const ad_instruction *i, int64_t m, int64_t n, int64_t k, double repeats,
                        bool many_rows)
{
    double flops = 2.0 * (double)m * (double)n * (double)k * repeats;
    bool matrices = n > 1 && k > 1 && (m > 1 || many_rows);
    if (i->axis < 0) c->plan->shared_gemm_flops += matrices ? flops : 0;
    else if (matrices) c->stage->gemm_flops += flops;
    else c->stage->gemv_flops += flops;
}

/* Rows of a factor that is wide enough may be apart; of what is narrower products want it tight. */
static ad_need need_of_factor(int64_t columns, int64_t n)
{
    enum { WIDE = 16 };
    return columns >= WIDE && n >= WIDE ? NEED_ROWS_APART : NEED_ROWS;
}

/* The product goes to `to`, or to a place for node `sum` where that is NULL; it starts from `start` where there is
 * one. */
static void emit_matmul(ad_compiler *c, int32_t id, int32_t sum, const ad_operand *to, const ad_operand *start)
{
    const ad_node *node = &c->tape->node[id];
    const ad_node *a = &c->tape->node[node->in[0]], *b = &c->tape->node[node->in[1]];
    ad_instruction i = ad_blank(c, id, DO_matmul);
    i.ta = node->attr[0];
    i.tb = node->attr[1];
    i.adds = start;
    c->plan->multiplies = true;
    int64_t L = node->shape.dim[0], m = node->shape.dim[1], n = node->shape.dim[2], k = a->shape.dim[i.ta ? 1 : 2];
    bool one_row = L == 1 && m == 1 && b->axis < 0;
    i.operand[1] = ad_contiguous(c, node->in[0], one_row ? need_of_factor(k, n) : NEED_ROWS);
    i.operand[2] = ad_contiguous(c, node->in[1], NEED_ROWS);
    i.operand[0] = to ? *to : ad_place_new(c, sum);
    if (start) i.operand[3] = *start;
    int64_t dim[6] = {L, m, n, k, a->shape.dim[0], b->shape.dim[0]};
    memcpy(i.dim, dim, sizeof dim);
    ad_append(c, &i, node->axis < 0);
    count_flops(c, &i, m, n, k, (double)(L * i.factor), node->axis >= 0 && b->axis < 0 && L == 1 && (!i.ta || m == 1));
}

/* x + product. Where x is one row for all samples, as a bias is, the product starts from it; else x is copied to where
 * the sum shall be (which is where it is, if it is not needed again), and the product added there. */
static void emit_sum_with_product(ad_compiler *c, int32_t id, int32_t product)
{
    const ad_node *node = &c->tape->node[id];
    const ad_shape *shape = &c->tape->node[product].shape;
    int32_t operand = node->in[0];
    while (c->tape->node[operand].op == OP_reshape) operand = c->tape->node[operand].in[0];
    int32_t x = node->in[operand == product ? 1 : 0];
    ad_view start = ad_view_of(c, x);
    bool one_row = start.at.row_stride == 0 && ad_row_tight(&node->shape, start.stride);
    if (one_row && shape->dim[0] == 1 && shape->dim[1] == 1) emit_matmul(c, product, id, NULL, &start.at);
    else {
        ad_emit_copy(c, id, &start);
        emit_matmul(c, product, id, &c->place[id].at, &c->place[id].at);
    }
}

/* Two or three functions of one argument that share most of their work: results are operands 0, 2 and 3. */
static void emit_logistic(ad_compiler *c, int32_t id)
{
    ad_instruction i = ad_blank(c, id, DO_logistic);
    i.dim[0] = i.dim[1] = i.dim[2] = -1;
    i.operand[1] = ad_contiguous(c, c->tape->node[id].in[0], NEED_ROWS);
    for (int operand = 0; id >= 0; id = c->partner[id], operand += operand ? 1 : 2) {
        ad_op op = c->tape->node[id].op;
        i.dim[op == OP_softplus ? 0 : op == OP_sigmoid ? 1 : 2] = operand;
        i.operand[operand] = ad_place_new(c, id);
    }
    ad_append(c, &i, false);
}

static void emit_reduce(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    ad_shape s = c->tape->node[node->in[0]].shape;
    ad_instruction i = ad_blank(c, id, DO_reduce);
    i.operand[1] = ad_contiguous(c, node->in[0], NEED_ROWS);
    i.operand[0] = ad_place_new(c, id);
    i.dim[0] = i.dim[1] = i.dim[2] = 1;
    for (int d = 0; d < s.rank; d++)
        i.dim[d < node->attr[0] ? 0 : d < node->attr[0] + node->attr[1] ? 1 : 2] *= s.dim[d];
    ad_append(c, &i, node->axis < 0);
}

/* Where a term of a sum is written: the place of the sum that gathers it with others, else its own. True where another
 * term has been written there, to which this one is added. */
static bool place_of_sum(ad_compiler *c, int32_t id, ad_operand *at)
{
    int32_t sum = id;
    if (c->into[sum] >= 0) sum = c->into[sum];
    bool begun = sum != id && c->place[sum].stage == -1;
    *at = begun ? c->place[sum].at : ad_place_new(c, sum);
    return begun;
}

/* Ops that walk their operands row by row. dim: see the executors. They are added to what lies at `to`, if that is
 * there. */
static void emit_rows(ad_compiler *c, int32_t id, ad_action action, const int64_t *dim, int dims, const ad_operand *to)
{
    const ad_node *node = &c->tape->node[id];
    ad_instruction i = ad_blank(c, id, action);
    for (int k = 0; k < node->nin; k++) {
        int64_t count = ad_shape_count(&c->tape->node[node->in[k]].shape);
        i.operand[k + 1] = ad_contiguous(c, node->in[k], NEED_ROW);
        if (node->op == OP_user && i.operand[k + 1].row_stride && i.operand[k + 1].row_stride != count)
            i.operand[k + 1] = ad_contiguous(c, node->in[k], NEED_ROWS); /* a user's kernel knows no strides */
    }
    if (to) i.operand[0] = *to;
    i.adds = to || place_of_sum(c, id, &i.operand[0]);
    if (dims) memcpy(i.dim, dim, (size_t)dims * sizeof *dim);
    if (node->op == OP_user) i.user = c->tape->side[node->side].user;
    ad_append(c, &i, node->axis < 0);
}

/* dim: rows of the table, numbers of one that are moved, indices a sample, numbers from one row to the next. Added to
 * what lies at `to`, if that is there. */
void ad_emit_indexed(ad_compiler *c, int32_t id, const ad_operand *to)
{
    const ad_node *node = &c->tape->node[id];
    ad_shape table = node->op == OP_gather ? c->tape->node[node->in[0]].shape : node->shape;
    int64_t width = ad_shape_part(&table, 1, table.rank), indices = ad_shape_count(&c->tape->node[node->in[1]].shape);
    int64_t dim[4] = {table.dim[0], width, indices, width};
    emit_rows(c, id, node->op == OP_gather ? DO_gather : DO_scatter, dim, 4, to);
}

/* dim: the root axis counted, numbers a row. */
static void emit_batch_indexed(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    bool gather = node->op == OP_batch_gather;
    ad_instruction i = ad_blank(c, id, gather ? DO_batch_gather : DO_batch_scatter);
    int32_t table = node->attr[0], from = c->tape->node[node->in[1]].axis;
    i.operand[1] = ad_contiguous(c, node->in[0], NEED_ROWS);
    i.operand[2] = ad_contiguous(c, node->in[1], NEED_ROWS);
    i.operand[0] = ad_place_new(c, id);
    i.dim[0] = ad_axis_root(c->tape, table);
    i.dim[1] = ad_axis_factor(c->tape, table);
    i.dim[2] = ad_axis_root(c->tape, from);
    i.dim[3] = ad_axis_factor(c->tape, from);
    i.dim[4] = from;
    c->plan->counted[i.dim[0]] = true;
    if (!gather) c->plan->counted[i.dim[2]] = true;
    ad_append(c, &i, !gather);
}

static ad_instruction blank_accumulate(ad_compiler *c, int32_t id, ad_action action)
{
    const ad_node *node = &c->tape->node[id];
    ad_instruction i = ad_blank(c, id, action);
    i.axis = c->tape->node[node->in[0]].axis;
    i.factor = ad_axis_factor(c->tape, i.axis);
    ad_need need = NEED_ROWS;
    if (i.op == OP_batch_matmul && c->tape->node[node->in[0]].shape.dim[0] == 1)
        need = need_of_factor(node->shape.dim[0], node->shape.dim[1]);
    for (int k = 0; k < node->nin; k++) i.operand[k + 1] = ad_contiguous(c, node->in[k], k ? NEED_ROWS : need);
    return i;
}

/* The operand of a shard that is a new accumulator for the result, of so many bytes. */
static ad_operand new_accumulator(ad_compiler *c, const ad_instruction *i, ad_operand result, int64_t bytes)
{
    ad_stage *stage = c->stage;
    ad_accumulator acc = {i->op, i->count, stage->accumulator_bytes, result, i->axis};
    stage->accumulator_bytes += ad_aligned(bytes);
    if (!gibbs_grow(&c->plan->alloc, &stage->accumulator, &stage->accumulator_capacity, stage->accumulators,
                    stage->accumulators + 1, sizeof acc))
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
    else stage->accumulator[stage->accumulators++] = acc;
    return (ad_operand){AD_BASE_ACCUMULATOR, -1, acc.offset, 0};
}

static void emit_accumulate(ad_compiler *c, int32_t id)
{
    ad_instruction i = blank_accumulate(c, id, DO_accumulate);
    int64_t numbers = i.count * (i.op == OP_batch_logsumexp ? 2 : 1);
    i.operand[0] = new_accumulator(c, &i, ad_place_new(c, id), numbers * (int64_t)sizeof(double));
    ad_append(c, &i, false);
}

static const ad_accumulator *accumulator_of(const ad_stage *stage, const ad_operand *result)
{
    for (int64_t k = 0; k < stage->accumulators; k++) {
        const ad_accumulator *a = &stage->accumulator[k];
        if (a->result.span == result->span) return a;
    }
    return NULL;
}

static void emit_batch_product(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    ad_instruction i = blank_accumulate(c, id, DO_batch_matmul);
    i.adds = place_of_sum(c, id, &i.operand[3]);
    c->plan->multiplies = true;
    const ad_accumulator *same = accumulator_of(c->stage, &i.operand[3]);
    i.dim[0] = c->tape->node[node->in[0]].shape.dim[0];
    i.dim[1] = node->shape.dim[0];
    i.dim[2] = node->shape.dim[1];
    i.dim[3] = same != NULL;
    i.operand[0] = same ? (ad_operand){AD_BASE_ACCUMULATOR, -1, same->offset, 0}
                        : new_accumulator(c, &i, i.operand[3], i.count * ad_number_size(c));
    double flops = 2.0 * (double)(i.dim[0] * i.factor) * (double)i.count;
    *(i.dim[1] > 1 && i.dim[2] > 1 ? &c->stage->gemm_flops : &c->stage->gemv_flops) += flops;
    ad_append(c, &i, false);
}

static void emit_product(ad_compiler *c, int32_t id) { emit_matmul(c, id, id, NULL, NULL); }
static void emit_table(ad_compiler *c, int32_t id) { ad_emit_indexed(c, id, NULL); }
static void emit_user(ad_compiler *c, int32_t id) { emit_rows(c, id, DO_user, NULL, 0, NULL); }
static void emit_random(ad_compiler *c, int32_t id) { emit_rows(c, id, DO_random, NULL, 0, NULL); }

static void emit_count(ad_compiler *c, int32_t id)
{
    int32_t axis = c->tape->node[id].attr[0];
    int64_t dim[2] = {ad_axis_root(c->tape, axis), ad_axis_factor(c->tape, axis)};
    c->plan->counted[dim[0]] = true;
    emit_rows(c, id, DO_count, dim, 2, NULL);
}

/* NULL: a view, or a leaf that is placed before anything runs. */
static void (*const emitter[OP_COUNT])(ad_compiler *c, int32_t id) = {
#define UNARY(name, value, dx, smooth, low, high) [OP_##name] = emit_elementwise,
#define BINARY(name, value, da, db, smooth, commutes, low, high) [OP_##name] = emit_elementwise,
#define TERNARY(name, value, da, db, dc, smooth, low, high) [OP_##name] = emit_elementwise,
#include "autodiff/tape/ops.def"
    [OP_matmul] = emit_product,
    [OP_sum] = emit_reduce,
    [OP_max_reduce] = emit_reduce,
    [OP_logsumexp] = emit_reduce,
    [OP_pad] = ad_emit_pad,
    [OP_concat] = ad_emit_concat,
    [OP_gather] = emit_table,
    [OP_scatter_add] = emit_table,
    [OP_user] = emit_user,
    [OP_normal] = emit_random,
    [OP_uniform] = emit_random,
    [OP_batch_count] = emit_count,
    [OP_batch_sum] = emit_accumulate,
    [OP_batch_max] = emit_accumulate,
    [OP_batch_logsumexp] = emit_accumulate,
    [OP_batch_matmul] = emit_batch_product,
    [OP_batch_gather] = emit_batch_indexed,
    [OP_batch_scatter_add] = emit_batch_indexed,
};

bool ad_has_emitter(ad_op op) { return emitter[op]; }

void ad_emit_node(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    int32_t piece = ad_piece_of_sum(c, id);
    if (c->status) return;
    if (piece >= 0) {
        ad_emit_sum_with_piece(c, id, piece);
        return;
    }
    if (c->partner[id] >= 0) {
        if (node->op == OP_add) emit_sum_with_product(c, id, c->partner[id]);
        else emit_logistic(c, id);
        return;
    }
    if (emitter[node->op]) emitter[node->op](c, id);
    else ad_compile_fail(c, GIBBS_ARGUMENT, "%s has no emitter", ad_ops[node->op].name);
}
