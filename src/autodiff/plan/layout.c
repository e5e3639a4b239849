/* layout.c — where the values of a body lie in its arena, and what all stages share in shared memory: two share bytes
 * when they are never alive at the same moment, and an elementwise result takes the place of an operand that dies
 * there. Each instruction is a moment. A body's blocks follow each other: so what they share with one another is alive
 * from its first moment to its last.
 *
 * Offsets in an arena are in bytes a row of the block; the number of rows a block has then follows from the memory
 * aimed at. */
#include "passes.h"

enum { MAX_BLOCK_ROWS = 1024, GOOD_ROWS = 128, L2_BYTES = 1 << 20, L3_BYTES = 1 << 22 };

/* The spans that an operand is one of; NULL where its address is known. */
static ad_spans *spans_of(ad_compiler *c, const ad_operand *at)
{
    if (at->span < 0) return NULL;
    return at->base == AD_BASE_ARENA ? &c->arena : at->base == AD_BASE_SHARED ? &c->shared : NULL;
}

/* What is done to an operand of some stage that is needed from one moment to another. */
typedef void visitor(ad_compiler *c, ad_stage *stage, ad_operand *at, int64_t first, int64_t last);

/* Of an instruction at that moment, in code that runs from `begin` to `end` and then again. */
static void visit_operands(ad_compiler *c, ad_stage *stage, ad_instruction *i, int64_t moment, int64_t begin,
                           int64_t end, visitor *see)
{
    for (int o = 0; o < AD_OPERANDS; o++) {
        bool own = i->operand[o].base == AD_BASE_ARENA;
        see(c, stage, &i->operand[o], own ? moment : begin, own ? moment : end);
    }
}

/* What a loop moves through is needed from its first moment until its results have been read. */
static void visit_moves(ad_compiler *c, ad_stage *stage, const ad_instruction *i, int64_t moment, int64_t begin,
                        int64_t end, visitor *see)
{
    for (int64_t k = 0; i->action == DO_loop && k < i->loop.moves; k++) {
        ad_operand *at = &c->plan->move[i->loop.move + k].at;
        bool own = at->base == AD_BASE_ARENA || begin == end;
        see(c, stage, at, own ? moment : begin, own ? moment + i->loop.body + 1 + i->loop.after : end);
    }
}

/* Returns how many moments there are; an output is read when the run is over. */
static int64_t visit_all(ad_compiler *c, visitor *see)
{
    ad_plan *plan = c->plan;
    int64_t m = 0;
    for (int64_t s = 0; s < plan->stages; s++) {
        ad_stage *stage = &plan->stage[s];
        for (int64_t k = 0; k < stage->shared.count; k++, m++) {
            visit_operands(c, stage, &stage->shared.at[k], m, m, m, see);
            visit_moves(c, stage, &stage->shared.at[k], m, m, m, see);
        }
        int64_t begin = m, end = m + stage->body.count - 1;
        for (int k = 0; stage->axis >= 0 && k < plan->carries; k++)
            see(c, stage, &plan->carried[k].buffer, begin, begin);
        for (int64_t k = 0; k < stage->body.count; k++, m++) {
            visit_operands(c, stage, &stage->body.at[k], m, begin, end, see);
            visit_moves(c, stage, &stage->body.at[k], m, begin, end + 1, see);
        }
        for (int64_t k = 0; k < stage->accumulators; k++) see(c, stage, &stage->accumulator[k].result, begin, end);
    }
    for (int k = 0; k < plan->outputs; k++) see(c, NULL, &plan->output[k].at, m, m);
    return m;
}

static void touch(ad_compiler *c, ad_stage *stage, ad_operand *at, int64_t first, int64_t last)
{
    ad_spans *spans = spans_of(c, at);
    (void)stage;
    if (!spans) return;
    ad_span_touch(spans, at->span, first);
    ad_span_touch(spans, at->span, last);
}

/* ---- Loops ---- */

/* What is there before a loop and needed in it is needed until the loop is over. */
static void keep_through(ad_compiler *c, const ad_operand *at, int64_t begin, int64_t end)
{
    ad_spans *spans = spans_of(c, at);
    if (!spans) return;
    const ad_span *span = &spans->at[at->span];
    if (span->first < begin) ad_span_touch(spans, at->span, end);
    else if (span->last >= end) ad_span_touch(spans, at->span, begin);
}

/* Loops in loops come first: what they need, those around them do. */
static int64_t keep_through_loops(ad_compiler *c, const ad_code *code, int64_t moment)
{
    for (int64_t k = code->count - 1; k >= 0; k--) {
        if (code->at[k].action != DO_loop) continue;
        int64_t begin = moment + k, end = begin + code->at[k].loop.body + 1;
        for (int64_t j = k + 1; j < k + 1 + code->at[k].loop.body; j++) {
            const ad_instruction *i = &code->at[j];
            for (int o = 0; o < AD_OPERANDS; o++) keep_through(c, &i->operand[o], begin, end);
            for (int64_t m = 0; i->action == DO_loop && m < i->loop.moves; m++)
                keep_through(c, &c->plan->move[i->loop.move + m].at, begin, end);
        }
    }
    return moment + code->count;
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

/* The operand in whose place the result may be written: it is read for the last time here, in full, in the order in
 * which the result is written. */
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

/* Numbers that so many instructions write. */
static double numbers_of(const ad_instruction *i, int64_t count)
{
    double numbers = 0;
    for (int64_t k = 0; k < count; k++) {
        numbers += (double)(i[k].count * i[k].factor);
        if (i[k].action != DO_loop) continue;
        numbers += (double)i[k].loop.steps * numbers_of(i + k + 1, i[k].loop.body);
        k += i[k].loop.body;
    }
    return numbers;
}

/* Nanoseconds a row, roughly: it only decides how many shards a batch is worth. */
static double guess_cost(const ad_stage *stage)
{
    return stage->gemm_flops / 60 + stage->gemv_flops / 10 + 0.3 * numbers_of(stage->body.at, stage->body.count);
}

static void reach(ad_compiler *c, ad_stage *stage, ad_operand *at, int64_t first, int64_t last)
{
    (void)first, (void)last;
    if (!stage || spans_of(c, at) != &c->arena) return;
    const ad_span *span = &c->arena.at[at->span];
    if (stage->arena_row_bytes < span->offset + span->bytes) stage->arena_row_bytes = span->offset + span->bytes;
}

/* ---- Addresses ---- */

static void settle(ad_compiler *c, ad_stage *stage, ad_operand *at, int64_t first, int64_t last)
{
    const ad_spans *spans = spans_of(c, at);
    (void)first, (void)last;
    if (!spans) return;
    int64_t offset = spans->at[at->span].offset; /* shared: behind the constants, which stay */
    offset = at->base == AD_BASE_ARENA ? offset * stage->block_rows : offset + c->plan->constant_bytes;
    at->offset += offset;
    ad_range *range = c->plan->range[at->base];
    if (range) range[at->span] = (ad_range){offset, spans->at[at->span].bytes};
}

/* What a build that checks ranges keeps. */
static void keep_ranges(ad_compiler *c)
{
#ifdef GIBBS_CHECK_RANGES
    const ad_spans *spans[] = {&c->arena, &c->shared};
    for (int k = 0; k < 2; k++) {
        c->plan->range[k] = gibbs_alloc_zero(&c->plan->alloc, (size_t)spans[k]->count, sizeof(ad_range));
        if (!c->plan->range[k]) ad_out_of_memory(c);
    }
#endif
    (void)c;
}

void ad_layout(ad_compiler *c)
{
    ad_plan *plan = c->plan;
    int64_t moments = visit_all(c, touch), moment = 0, ignored;
    for (int64_t s = 0; s < plan->stages; s++)
        moment = keep_through_loops(c, &plan->stage[s].body, keep_through_loops(c, &plan->stage[s].shared, moment));
    moment = 0;
    for (int64_t s = 0; s < plan->stages; s++)
        moment = inherit(c, &plan->stage[s].body, inherit(c, &plan->stage[s].shared, moment));
    keep_ranges(c);
    if (ad_spans_place(&plan->alloc, &c->arena, moments, &ignored) ||
        ad_spans_place(&plan->alloc, &c->shared, moments, &plan->shared_bytes)) {
        ad_out_of_memory(c);
        return;
    }
    plan->shared_bytes += plan->constant_bytes;
    visit_all(c, reach);
    for (int64_t s = 0; s < plan->stages; s++) {
        ad_stage *stage = &plan->stage[s];
        stage->block_rows = choose_rows(stage->arena_row_bytes, c->block_bytes);
        stage->row_cost = guess_cost(stage);
    }
    visit_all(c, settle);
}
