/* emit_sums.c — the instructions of products and reductions, within a sample and over a batch. */
#include "emit.h"

/* ---- Products ---- */

/* Rows of a left factor may be apart where they are wide enough, and what they are multiplied with. */
static bool is_wide(int64_t columns, int64_t n)
{
    enum { WIDE = 16 };
    return columns >= WIDE && n >= WIDE;
}

/* Flops of a product, in the column where they belong. */
static void count_flops(ad_compiler *c, const ad_instruction *i, bool many_rows)
{
    int64_t m = i->matmul.m, n = i->matmul.n, k = i->matmul.k;
    double flops = 2.0 * (double)m * (double)n * (double)k * (double)(i->matmul.products * i->factor) * c->times;
    bool matrices = n > 1 && k > 1 && (m > 1 || many_rows);
    if (i->axis < 0) c->plan->shared_gemm_flops += matrices ? flops : 0;
    else if (matrices) c->stage->gemm_flops += flops;
    else c->stage->gemv_flops += flops;
}

/* The product goes to `to`, or to a place for node `sum` where that is NULL; it starts from `start` where there is
 * one. */
static void emit_matmul(ad_compiler *c, int32_t id, int32_t sum, const ad_operand *to, const ad_operand *start)
{
    const ad_node *node = ad_node_at(c, id), *a = ad_node_at(c, node->in[0]), *b = ad_node_at(c, node->in[1]);
    bool ta = ad_left_is_transposed(node);
    int64_t L = node->shape.dim[0], m = node->shape.dim[1], n = node->shape.dim[2], k = a->shape.dim[ta ? 1 : 2];
    int32_t windows = ad_hidden_windows(c, id);
    ad_operand place = to ? *to : ad_place_new(c, sum);
    if (windows >= 0) {
        ad_emit_window_matmul(c, id, windows, &place, start);
        return;
    }
    ad_instruction i = ad_blank(c, id, DO_matmul);
    ad_read_inputs(c, id, &i, L == 1 && m == 1 && b->axis < 0 && is_wide(k, n));
    i.matmul.c = place;
    if (start) i.matmul.start = *start;
    i.matmul.starts = start;
    i.matmul.products = L, i.matmul.m = m, i.matmul.n = n, i.matmul.k = k;
    i.matmul.a_transposed = ta, i.matmul.b_transposed = ad_right_is_transposed(node);
    i.matmul.one_a = a->shape.dim[0] == 1, i.matmul.one_b = b->shape.dim[0] == 1;
    ad_want_room(c, c->plan->kernels->room);
    ad_append(c, &i);
    count_flops(c, &i, node->axis >= 0 && b->axis < 0 && L == 1 && (!ta || m == 1));
}

void ad_emit_matmul(ad_compiler *c, int32_t id) { emit_matmul(c, id, id, NULL, NULL); }

/* Whether a value of that shape is the same n numbers for all samples and all rows of n. */
static bool repeats_a_row(const ad_shape *shape, const ad_view *v, int64_t n)
{
    int last = shape->rank - 1;
    while (last >= 0 && shape->dim[last] == 1) last--;
    bool one = last < 0 ? n == 1 : shape->dim[last] == n && v->stride[last] == 1;
    bool repeats = one && v->at.row_stride == 0;
    for (int i = 0; i < last; i++) repeats &= shape->dim[i] == 1 || v->stride[i] == 0;
    return repeats;
}

/* x + product. Where x is one row for all samples, as a bias is, the product starts from it; else x is copied to where
 * the sum shall be (which is where it is, if it is not needed again), and the product added there. */
void ad_emit_product_sum(ad_compiler *c, const ad_plan_step *step)
{
    int32_t id = step->node, product = step->with[0];
    const ad_shape *shape = &ad_node_at(c, product)->shape;
    ad_view start = ad_view_of(c, step->with[1]);
    if (repeats_a_row(&ad_node_at(c, id)->shape, &start, shape->dim[2])) emit_matmul(c, product, id, NULL, &start.at);
    else {
        ad_copy(c, id, &start);
        const ad_operand *at = &c->value[id].place.at;
        emit_matmul(c, product, id, at, at);
    }
}

/* ---- Reductions ---- */

void ad_reduced_of(const ad_compiler *c, int32_t id, int64_t *outer, int64_t *reduced, int64_t *inner)
{
    const ad_node *node = ad_node_at(c, id);
    const ad_shape *s = &ad_node_at(c, node->in[0])->shape;
    int first = ad_first_reduced(node), end = ad_end_of_reduced(node);
    *outer = ad_shape_part(s, 0, first);
    *reduced = ad_shape_part(s, first, end);
    *inner = ad_shape_part(s, end, s->rank);
}

void ad_emit_reduce(ad_compiler *c, int32_t id)
{
    ad_instruction i = ad_begin(c, id, DO_reduce);
    ad_reduced_of(c, id, &i.reduce.outer, &i.reduce.reduced, &i.reduce.inner);
    i.reduce.results = i.count / i.reduce.outer;
    ad_append(c, &i);
}

void ad_emit_cumsum(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_begin(c, id, DO_cumsum);
    i.cumsum.outer = ad_shape_part(&node->shape, 0, ad_along(node));
    i.cumsum.n = node->shape.dim[ad_along(node)];
    i.cumsum.inner = ad_shape_part(&node->shape, ad_along(node) + 1, node->shape.rank);
    i.cumsum.from_end = ad_is_from_end(node);
    ad_append(c, &i);
}

bool ad_place_of_sum(ad_compiler *c, int32_t id, ad_operand *at)
{
    int32_t sum = c->value[id].into >= 0 ? c->value[id].into : id;
    bool begun = sum != id && c->value[sum].place.stage == AD_EVERYWHERE;
    *at = begun ? c->value[sum].place.at : ad_place_new(c, sum);
    return begun;
}

/* An instruction that adds up over the rows of its argument's axis. */
static ad_instruction blank_accumulate(ad_compiler *c, int32_t id, ad_action action, bool wide)
{
    ad_instruction i = ad_blank(c, id, action);
    i.axis = ad_node_at(c, ad_node_at(c, id)->in[0])->axis;
    i.factor = ad_axis_factor(c->tape, i.axis);
    ad_read_inputs(c, id, &i, wide);
    return i;
}

/* The operand of a shard that is a new accumulator for the result, of so many bytes. */
static ad_operand new_accumulator(ad_compiler *c, const ad_instruction *i, int32_t of, ad_operand result,
                                  int64_t bytes)
{
    ad_stage *stage = c->stage;
    ad_accumulator acc = {i->op, i->count, stage->accumulator_bytes, result, i->axis, of};
    stage->accumulator_bytes += ad_aligned(bytes);
    if (ad_one_more(c, &stage->accumulator, &stage->accumulator_capacity, stage->accumulators, sizeof acc))
        stage->accumulator[stage->accumulators++] = acc;
    return (ad_operand){AD_BASE_ACCUMULATOR, -1, acc.offset, 0};
}

/* A logsumexp and its rest are two results of one accumulator. */
static bool share_accumulator(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    ad_stage *stage = c->stage;
    for (int64_t k = 0; k < stage->accumulators; k++) {
        ad_accumulator acc = stage->accumulator[k];
        if (ad_accumulated(acc.op) < 2 || ad_accumulated(node->op) < 2 || acc.of != node->in[0]) continue;
        acc.op = node->op;
        acc.result = ad_place_new(c, id);
        if (ad_one_more(c, &stage->accumulator, &stage->accumulator_capacity, stage->accumulators, sizeof acc))
            stage->accumulator[stage->accumulators++] = acc;
        return true;
    }
    return false;
}

void ad_emit_accumulate(ad_compiler *c, int32_t id)
{
    if (share_accumulator(c, id)) return;
    ad_instruction i = blank_accumulate(c, id, DO_accumulate, false);
    int64_t bytes = i.count * ad_accumulated(i.op) * (int64_t)sizeof(double);
    i.accumulate.y = new_accumulator(c, &i, ad_node_at(c, id)->in[0], ad_place_new(c, id), bytes);
    ad_append(c, &i);
}

static const ad_accumulator *accumulator_of(const ad_stage *stage, const ad_operand *result)
{
    for (int64_t k = 0; k < stage->accumulators; k++)
        if (stage->accumulator[k].result.span == result->span) return &stage->accumulator[k];
    return NULL;
}

/* Where a shard adds up: in *sum the first, in what is returned the others. */
static ad_operand place_products(ad_compiler *c, const ad_instruction *i, ad_operand *sum, bool *sum_begun, bool *begun)
{
    *sum_begun = ad_place_of_sum(c, i->node, sum);
    const ad_accumulator *same = accumulator_of(c->stage, sum);
    *begun = same;
    return same ? (ad_operand){AD_BASE_ACCUMULATOR, -1, same->offset, 0}
                : new_accumulator(c, i, -1, *sum, i->count * ad_number_size(c));
}

static void emit_window_batch(ad_compiler *c, int32_t id, int32_t windows)
{
    ad_instruction i = ad_blank_window_batch(c, id, windows);
    i.window_batch.c = place_products(c, &i, &i.window_batch.sum, &i.window_batch.sum_begun, &i.window_batch.c_begun);
    ad_append(c, &i);
}

void ad_emit_batch_matmul(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    int32_t windows = ad_hidden_windows(c, id);
    if (windows >= 0) {
        emit_window_batch(c, id, windows);
        return;
    }
    int64_t k = ad_node_at(c, node->in[0])->shape.dim[0], m = node->shape.dim[0], n = node->shape.dim[1];
    ad_instruction i = blank_accumulate(c, id, DO_batch_matmul, k == 1 && is_wide(m, n));
    i.batch_matmul.c = place_products(c, &i, &i.batch_matmul.sum, &i.batch_matmul.sum_begun, &i.batch_matmul.c_begun);
    i.batch_matmul.m = m, i.batch_matmul.n = n, i.batch_matmul.k = k;
    ad_want_room(c, c->plan->kernels->room);
    double flops = 2.0 * (double)(k * i.factor) * (double)i.count * c->times;
    *(m > 1 && n > 1 ? &c->stage->gemm_flops : &c->stage->gemv_flops) += flops;
    ad_append(c, &i);
}
