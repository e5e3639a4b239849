/* layout.c — where the values of a body lie in its arena, and what all stages share in shared memory: two share bytes
 * when they are never alive at the same moment, and an elementwise result takes the place of an operand that dies
 * there. Each instruction is a moment. A body's blocks follow each other: so what they share with one another is alive
 * from its first moment to its last.
 *
 * Offsets in an arena are in bytes a row of the block; the number of rows a block has then follows from the memory aimed
 * at. */
#include "passes.h"

enum { MAX_BLOCK_ROWS = 1024, GOOD_ROWS = 128, L2_BYTES = 1 << 20, L3_BYTES = 1 << 22 };

/* The spans that an operand is one of; NULL where its address is known. */
static ad_spans *spans_of(ad_compiler *c, const ad_operand *at)
{
    if (at->span < 0) return NULL;
    return at->base == AD_BASE_ARENA ? &c->arena : at->base == AD_BASE_SHARED ? &c->shared : NULL;
}

/* ---- Lifetimes ---- */

static void touch(ad_compiler *c, const ad_operand *at, int64_t first, int64_t last)
{
    ad_spans *spans = spans_of(c, at);
    if (!spans) return;
    ad_span_touch(spans, at->span, first);
    ad_span_touch(spans, at->span, last);
}

static void touch_body(ad_compiler *c, const ad_stage *stage, int64_t begin)
{
    int64_t end = begin + stage->body.count - 1;
    if (stage->axis < 0) return;
    for (int k = 0; k < c->plan->carries; k++) touch(c, &c->plan->carried[k].buffer, begin, begin);
    for (int64_t k = 0; k < stage->body.count; k++)
        for (int o = 0; o < AD_OPERANDS; o++) {
            const ad_operand *at = &stage->body.at[k].operand[o];
            bool once = at->base == AD_BASE_ARENA;
            touch(c, at, once ? begin + k : begin, once ? begin + k : end);
        }
    for (int64_t k = 0; k < stage->accumulators; k++) touch(c, &stage->accumulator[k].result, begin, end);
}

/* Returns how many moments there are; an output is read when the run is over. */
static int64_t touch_all(ad_compiler *c)
{
    int64_t moment = 0;
    for (int64_t s = 0; s < c->plan->stages; s++) {
        const ad_stage *stage = &c->plan->stage[s];
        for (int64_t k = 0; k < stage->shared.count; k++, moment++)
            for (int o = 0; o < AD_OPERANDS; o++) touch(c, &stage->shared.at[k].operand[o], moment, moment);
        touch_body(c, stage, moment);
        moment += stage->body.count;
    }
    for (int k = 0; k < c->plan->outputs; k++) touch(c, &c->plan->output[k].at, moment, moment);
    return moment;
}

/* ---- In place ---- */

static bool same_strides(const ad_instruction *i, int operand)
{
    const ad_loops *loops = ad_loops_of(i);
    for (int d = 0; d < loops->count; d++)
        if (ad_stride(loops, operand, d) != ad_stride(loops, 0, d)) return false;
    return true;
}

static bool is_read_elsewhere(const ad_instruction *i, int operand)
{
    const ad_operand *from = &i->operand[operand];
    for (int o = 1; o <= i->nin; o++)
        if (o != operand && i->operand[o].base == from->base && i->operand[o].span == from->span) return true;
    return false;
}

/* The operand in whose place the result may be written: it is read for the last time here, in full, in the order in which
 * the result is written. */
static int dying_operand(ad_compiler *c, const ad_instruction *i, int64_t moment)
{
    enum { NEVER, STRIDES, ALWAYS };
    static const int8_t in_place[DO_COUNT] = {
#define INSTRUCTION(name, in_place, cut, first, others, operands, sizes) [DO_##name] = in_place,
#include "plan.def"
    };
    const ad_operand *to = &i->operand[0];
    const ad_spans *spans = spans_of(c, to);
    if (in_place[i->action] == NEVER || !spans || to->offset || spans->at[to->span].first != moment) return -1;
    for (int k = 1; k <= i->nin; k++) {
        const ad_operand *from = &i->operand[k];
        if (from->base != to->base || from->span < 0 || from->offset || spans->at[from->span].last != moment ||
            spans->at[from->span].bytes != spans->at[to->span].bytes)
            continue;
        if ((in_place[i->action] == ALWAYS || same_strides(i, k)) && !is_read_elsewhere(i, k)) return k;
    }
    return -1;
}

static int64_t inherit(ad_compiler *c, const ad_code *code, int64_t moment)
{
    for (int64_t k = 0; k < code->count; k++, moment++) {
        const ad_instruction *i = &code->at[k];
        int dying = dying_operand(c, i, moment);
        if (dying >= 0) ad_span_take(spans_of(c, &i->operand[0]), i->operand[0].span, i->operand[dying].span);
    }
    return moment;
}

/* ---- Blocks ---- */

/* As many as fit an L2 cache; where these would be too few for good products, as many as fit a share of L3. */
static int64_t choose_rows(int64_t row_bytes, int64_t asked)
{
    int64_t rows = row_bytes ? (asked ? asked : L2_BYTES) / row_bytes : MAX_BLOCK_ROWS;
    if (!asked && rows < GOOD_ROWS) rows = L3_BYTES / row_bytes < GOOD_ROWS ? L3_BYTES / row_bytes : GOOD_ROWS;
    if (rows > MAX_BLOCK_ROWS) rows = MAX_BLOCK_ROWS;
    if (rows >= 16) return rows / 16 * 16;
    return rows < 4 ? 4 : rows;
}

/* Nanoseconds a row, roughly: it only decides how many shards a batch is worth. */
static double guess_cost(const ad_stage *stage)
{
    double cost = stage->gemm_flops / 60 + stage->gemv_flops / 10;
    for (int64_t k = 0; k < stage->body.count; k++)
        cost += 0.3 * (double)(stage->body.at[k].count * stage->body.at[k].factor);
    return cost;
}

static void reach(const ad_spans *arena, const ad_operand *at, int64_t *bytes)
{
    if (at->base != AD_BASE_ARENA || at->span < 0) return;
    int64_t end = arena->at[at->span].offset + arena->at[at->span].bytes;
    if (end > *bytes) *bytes = end;
}

static void size_blocks(ad_compiler *c, ad_stage *stage)
{
    for (int64_t k = 0; k < stage->body.count; k++)
        for (int o = 0; o < AD_OPERANDS; o++)
            reach(&c->arena, &stage->body.at[k].operand[o], &stage->arena_row_bytes);
    for (int k = 0; stage->axis >= 0 && k < c->plan->carries; k++)
        reach(&c->arena, &c->plan->carried[k].buffer, &stage->arena_row_bytes);
    stage->block_rows = choose_rows(stage->arena_row_bytes, c->block_bytes);
    stage->row_cost = guess_cost(stage);
}

/* ---- Addresses ---- */

static void settle(ad_compiler *c, int64_t block_rows, ad_operand *at)
{
    const ad_spans *spans = spans_of(c, at);
    if (!spans) return;
    int64_t offset = spans->at[at->span].offset; /* shared: behind the constants, which stay */
    at->offset += at->base == AD_BASE_ARENA ? offset * block_rows : offset + c->plan->constant_bytes;
    at->span = -1;
}

static void settle_code(ad_compiler *c, int64_t block_rows, ad_code *code)
{
    for (int64_t k = 0; k < code->count; k++)
        for (int o = 0; o < AD_OPERANDS; o++) settle(c, block_rows, &code->at[k].operand[o]);
}

void ad_layout(ad_compiler *c)
{
    ad_plan *plan = c->plan;
    int64_t moments = touch_all(c), moment = 0, ignored;
    for (int64_t s = 0; s < plan->stages; s++)
        moment = inherit(c, &plan->stage[s].body, inherit(c, &plan->stage[s].shared, moment));
    if (ad_spans_place(&plan->alloc, &c->arena, moments, &ignored) ||
        ad_spans_place(&plan->alloc, &c->shared, moments, &plan->shared_bytes)) {
        ad_out_of_memory(c);
        return;
    }
    plan->shared_bytes += plan->constant_bytes;
    for (int64_t s = 0; s < plan->stages; s++) {
        ad_stage *stage = &plan->stage[s];
        size_blocks(c, stage);
        settle_code(c, 0, &stage->shared);
        settle_code(c, stage->block_rows, &stage->body);
        for (int64_t k = 0; k < stage->accumulators; k++) settle(c, 0, &stage->accumulator[k].result);
        for (int k = 0; stage->axis >= 0 && k < plan->carries; k++)
            settle(c, stage->block_rows, &plan->carried[k].buffer);
    }
    for (int k = 0; k < plan->outputs; k++) settle(c, 0, &plan->output[k].at);
}
