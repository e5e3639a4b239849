/* layout.c — where the values of a body lie in its arena, and what all stages share in shared memory: two share bytes
 * when they are never alive at the same moment, and an elementwise result takes the place of an operand that dies
 * there. Offsets in an arena are in bytes a row of the block; the number of rows a block has then follows from the
 * memory aimed at. */
#include "compile.h"

enum { MAX_BLOCK_ROWS = 1024, GOOD_ROWS = 128, L2_BYTES = 1 << 20, L3_BYTES = 1 << 22 };

/* ---- Lifetimes ---- */

static void touch(ad_spans *spans, int32_t base, const ad_instruction *i, int64_t moment)
{
    for (int k = 0; k < AD_OPERANDS; k++)
        if (i->operand[k].base == base && i->operand[k].span >= 0) ad_span_touch(spans, i->operand[k].span, moment);
}

/* The operand of an elementwise instruction in whose place its result may be written: it is read for the last time
 * here, in full, in the order in which the result is written. */
static int dying_operand(const ad_spans *spans, int32_t base, const ad_instruction *i, int64_t moment)
{
    static const bool in_order[] = {
#define INSTRUCTION(name, in_order) [DO_##name] = in_order,
#include "plan.def"
    };
    const ad_operand *to = &i->operand[0];
    if (!in_order[i->action] || to->base != base || to->span < 0 || to->offset || spans->at[to->span].first != moment)
        return -1;
    for (int k = 1; k <= i->nin; k++) {
        const ad_operand *from = &i->operand[k];
        if (from->base != base || from->span < 0 || from->offset || spans->at[from->span].last != moment ||
            spans->at[from->span].bytes != spans->at[to->span].bytes)
            continue;
        bool same = true;
        for (int l = 0; l < i->loops.count; l++) same &= ad_stride(&i->loops, k, l) == ad_stride(&i->loops, 0, l);
        for (int o = 1; o <= i->nin; o++)
            same &= o == k || i->operand[o].base != base || i->operand[o].span != from->span;
        if (same) return k;
    }
    return -1;
}

static void inherit(ad_spans *spans, int32_t base, const ad_code *code, int64_t moment)
{
    for (int64_t k = 0; k < code->count; k++) {
        const ad_instruction *i = &code->at[k];
        int dying = dying_operand(spans, base, i, moment + k);
        if (dying >= 0) ad_span_take(spans, i->operand[0].span, i->operand[dying].span);
    }
}

static void settle(const ad_spans *spans, int32_t base, int64_t start, int64_t scale, ad_operand *at)
{
    if (at->base == base && at->span >= 0) at->offset += start + spans->at[at->span].offset * scale, at->span = -1;
}

static void settle_code(const ad_spans *spans, int32_t base, int64_t start, int64_t scale, ad_code *code)
{
    for (int64_t k = 0; k < code->count; k++)
        for (int o = 0; o < AD_OPERANDS; o++) settle(spans, base, start, scale, &code->at[k].operand[o]);
}

/* ---- Bodies ---- */

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

void ad_layout(ad_compiler *c, ad_stage *stage)
{
    ad_code *body = &stage->body;
    for (int64_t k = 0; k < body->count; k++) touch(&c->arena, AD_BASE_ARENA, &body->at[k], k);
    inherit(&c->arena, AD_BASE_ARENA, body, 0);
    if (ad_spans_place(&c->plan->alloc, &c->arena, body->count, &stage->arena_row_bytes))
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
    stage->block_rows = choose_rows(stage->arena_row_bytes, c->block_bytes);
    stage->row_cost = guess_cost(stage);
    settle_code(&c->arena, AD_BASE_ARENA, 0, stage->block_rows, body);
    for (int k = 0; k < c->plan->carries; k++)
        settle(&c->arena, AD_BASE_ARENA, 0, stage->block_rows, &c->plan->carried[k].buffer);
}

/* ---- What stages share: each shared instruction is a moment, and each body is one ---- */

static int64_t touch_shared(ad_compiler *c)
{
    int64_t moment = 0;
    for (int64_t s = 0; s < c->plan->stages; s++) {
        const ad_stage *stage = &c->plan->stage[s];
        for (int64_t k = 0; k < stage->shared.count; k++)
            touch(&c->shared, AD_BASE_SHARED, &stage->shared.at[k], moment++);
        for (int64_t k = 0; k < stage->body.count; k++)
            touch(&c->shared, AD_BASE_SHARED, &stage->body.at[k], moment);
        for (int64_t k = 0; k < stage->accumulators; k++)
            ad_span_touch(&c->shared, stage->accumulator[k].result.span, moment);
        moment++;
    }
    for (int k = 0; k < c->plan->outputs; k++) { /* read when the run is over */
        const ad_operand *at = &c->plan->output[k].at;
        if (at->base == AD_BASE_SHARED && at->span >= 0) ad_span_touch(&c->shared, at->span, moment);
    }
    return moment;
}

static void inherit_shared(ad_compiler *c)
{
    int64_t moment = 0;
    for (int64_t s = 0; s < c->plan->stages; s++) {
        inherit(&c->shared, AD_BASE_SHARED, &c->plan->stage[s].shared, moment);
        moment += c->plan->stage[s].shared.count + 1;
    }
}

/* Behind the constants, which stay. */
void ad_layout_shared(ad_compiler *c)
{
    ad_plan *plan = c->plan;
    int64_t moments = touch_shared(c), start = plan->constant_bytes;
    inherit_shared(c);
    if (ad_spans_place(&plan->alloc, &c->shared, moments, &plan->shared_bytes))
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
    plan->shared_bytes += start;
    for (int64_t s = 0; s < plan->stages; s++) {
        ad_stage *stage = &plan->stage[s];
        settle_code(&c->shared, AD_BASE_SHARED, start, 1, &stage->shared);
        settle_code(&c->shared, AD_BASE_SHARED, start, 1, &stage->body);
        for (int64_t k = 0; k < stage->accumulators; k++)
            settle(&c->shared, AD_BASE_SHARED, start, 1, &stage->accumulator[k].result);
    }
    for (int k = 0; k < plan->outputs; k++) settle(&c->shared, AD_BASE_SHARED, start, 1, &plan->output[k].at);
}
