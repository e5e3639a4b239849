/* layout.c — places the buffers of a body in one arena: two buffers share bytes when they are never alive at the
 * same instruction, and an elementwise result takes the place of an operand that dies there. Offsets are in bytes
 * a row of the block; the number of rows a block has then follows from the memory aimed at. */
#include "compile.h"

enum { MAX_BLOCK_ROWS = 1024, GOOD_ROWS = 128, L2_BYTES = 1 << 20, L3_BYTES = 1 << 22 };

static int64_t top_of(const ad_compiler *c)
{
    int64_t top = 0;
    for (int64_t b = 0; b < c->buffers; b++)
        if (c->buffer[b].offset + c->buffer[b].row_bytes > top) top = c->buffer[b].offset + c->buffer[b].row_bytes;
    return top;
}

/* The placed buffers that are alive where the next one begins, by offset. */
typedef struct alive {
    int32_t *at;
    int64_t count;
} alive;

static void forget_dead(const ad_compiler *c, alive *a, int64_t number)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < a->count; k++)
        if (c->buffer[a->at[k]].last >= number) a->at[kept++] = a->at[k];
    a->count = kept;
}

static void insert(const ad_compiler *c, alive *a, int32_t index)
{
    int64_t k = a->count++;
    for (; k > 0 && c->buffer[a->at[k - 1]].offset > c->buffer[index].offset; k--) a->at[k] = a->at[k - 1];
    a->at[k] = index;
}

/* The lowest place where nothing that lives at the same time lies: a first fit. */
static void place(ad_compiler *c, alive *a, int32_t index)
{
    ad_buffer *b = &c->buffer[index];
    b->offset = 0;
    for (int64_t k = 0; k < a->count; k++) {
        const ad_buffer *o = &c->buffer[a->at[k]];
        if (b->offset + b->row_bytes <= o->offset) break;
        if (b->offset < o->offset + o->row_bytes) b->offset = o->offset + o->row_bytes;
    }
}

/* The operand of an elementwise instruction whose buffer it may overwrite: it is read for the last time here,
 * in full, in the order in which the result is written. */
static int dying_operand(const ad_compiler *c, const ad_instruction *i, int64_t number)
{
    bool in_order = i->run == ad_run_elementwise || i->run == ad_run_copy || i->run == ad_run_logistic;
    if (!in_order || i->operand[0].buffer < 0) return -1;
    for (int k = 1; k <= i->nin; k++) {
        int32_t b = i->operand[k].buffer;
        if (b < 0 || c->buffer[b].last != number || i->operand[k].offset) continue;
        if (c->buffer[b].row_bytes != c->buffer[i->operand[0].buffer].row_bytes) continue;
        bool same = true;
        for (int l = 0; l < i->loops.count; l++) same &= i->loops.stride[k][l] == i->loops.stride[0][l];
        for (int o = 1; o <= i->nin; o++) same &= o == k || i->operand[o].buffer != b;
        if (same) return k;
    }
    return -1;
}

/* Buffers come in the order in which they begin. */
static void place_all(ad_compiler *c, const ad_stage *stage)
{
    int32_t next = 0;
    if (!c->buffers) return;
    alive alive = {gibbs_alloc(&c->plan->alloc, (size_t)c->buffers, sizeof *alive.at), 0};
    if (!alive.at) ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
    for (int64_t number = 0; number < stage->body.count && !c->status; number++) {
        const ad_instruction *i = &stage->body.at[number];
        int dying = dying_operand(c, i, number);
        forget_dead(c, &alive, number);
        for (; next < c->buffers && c->buffer[next].first <= number; next++) {
            if (dying < 0 || next != i->operand[0].buffer) place(c, &alive, next);
            else {
                c->buffer[next].offset = c->buffer[i->operand[dying].buffer].offset;
                c->buffer[i->operand[dying].buffer].last = number - 1; /* the rest of its life is the result's */
            }
            insert(c, &alive, next);
        }
    }
    gibbs_release(&c->plan->alloc, alive.at);
}

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
    place_all(c, stage);
    stage->arena_row_bytes = top_of(c);
    stage->block_rows = choose_rows(stage->arena_row_bytes, c->block_bytes);
    stage->row_cost = guess_cost(stage);
    for (int64_t k = 0; k < stage->body.count; k++)
        for (int o = 0; o < AD_OPERANDS; o++) {
            ad_operand *at = &stage->body.at[k].operand[o];
            if (at->buffer >= 0) at->offset += c->buffer[at->buffer].offset * stage->block_rows;
        }
    for (int k = 0; k < c->plan->carries; k++) {
        ad_operand *at = &c->plan->carried[k].buffer;
        if (at->buffer >= 0) at->offset = c->buffer[at->buffer].offset * stage->block_rows, at->buffer = -1;
    }
}
