/* emit_scan.c — a scan: one loop instruction, its body behind it, and what its results are.
 *
 * What a step reads and writes lies in slices: of an input, of a state, of a result that has a value for each step.
 * Each has a slot whose base the loop moves, so that the body's instructions are like any others. Per-sample slices
 * have the rows of a full block, so that each lies as the value of one step would: a stack is what a body without a
 * loop would have in as many places. A state lies in two slices in turn; or, where a result is to have the states of
 * all steps, in that result. Where it can, a node of the body is computed where it is to be; else it is copied. */
#include "emit.h"

typedef struct loop_state {
    ad_compiler *c;
    int32_t scan;
    const ad_node *node;
    const ad_loop *loop;
    const ad_plan_loop *body;
    int64_t move; /* the first of the loop's */
} loop_state;

static int64_t bytes_of(const loop_state *s, int32_t id)
{
    return ad_shape_count(&ad_node_at(s->c, id)->shape) * ad_number_size(s->c);
}

static bool is_shared(const loop_state *s) { return s->loop->axis < 0; }

/* Room for so many slices of a node's value. */
static ad_operand new_slices(const loop_state *s, int32_t id, int64_t slices)
{
    int64_t bytes = bytes_of(s, id) * slices;
    if (is_shared(s)) return ad_shared_new(s->c, bytes);
    return ad_arena_new(s->c, bytes * ad_axis_factor(s->c->tape, s->loop->axis),
                        ad_shape_count(&ad_node_at(s->c, id)->shape));
}

static ad_move slices_at(const loop_state *s, int32_t id, ad_operand at, int64_t first, int64_t slices)
{
    ad_move move = {.at = at, .first = first, .slices = slices};
    if (is_shared(s)) move.bytes = bytes_of(s, id);
    else move.row_bytes = bytes_of(s, id) * ad_axis_factor(s->c->tape, s->loop->axis);
    return move;
}

static int64_t row_stride_of(const loop_state *s, int32_t id)
{
    return is_shared(s) ? 0 : ad_shape_count(&ad_node_at(s->c, id)->shape);
}

static void place(const loop_state *s, int32_t id, ad_operand at, int64_t stage)
{
    if (stage != AD_RESERVED) stage = is_shared(s) ? AD_EVERYWHERE : s->c->stage_number;
    s->c->value[id].place = (ad_place){at, stage};
}

/* ---- Roots: nodes whose values a step writes somewhere ---- */

/* What a root has the numbers of, in their order. */
static int32_t unshaped(const loop_state *s, int32_t id)
{
    while (ad_node_at(s->c, id)->op == OP_reshape && !ad_is_placed(s->c, id)) id = ad_node_at(s->c, id)->in[0];
    return id;
}

/* Whether the node can be computed at the place that it is given. */
static bool may_reserve(const loop_state *s, int32_t id)
{
    const ad_node *n = ad_node_at(s->c, id);
    const ad_value *value = &s->c->value[id];
    if (!value->inside || value->depth != s->c->depth || !n->nin || ad_is_view(n->op)) return false;
    return value->place.stage == AD_NOWHERE && value->into < 0;
}

static void reserve(const loop_state *s, int32_t id, ad_operand at)
{
    id = unshaped(s, id);
    if (may_reserve(s, id)) place(s, id, at, AD_RESERVED);
}

static void write_root(const loop_state *s, int32_t id, ad_operand at)
{
    int32_t of = unshaped(s, id);
    if (!ad_is_placed(s->c, of) || s->c->value[of].place.at.base != at.base) ad_store(s->c, id, at);
}

/* ---- States ---- */

/* The live result that has the states of all steps, before them (given) or behind (next); −1: none. */
static int32_t stack_of(const loop_state *s, int32_t of)
{
    for (int32_t i = s->scan + 1; i < s->c->count; i++) {
        const ad_node *n = ad_node_at(s->c, i);
        if (s->c->value[i].live && n->op == OP_scan_stack && n->in[0] == s->scan && ad_listed(s->c->tape, n) == of)
            return i;
    }
    return -1;
}

/* Whether node `id` of the body reads another one, and how often. */
static int reads_of(const loop_state *s, int32_t id, int32_t of)
{
    const ad_node *n = ad_node_at(s->c, id);
    int reads = 0;
    for (int k = 0; k < n->nin; k++) reads += n->in[k] == of;
    return reads;
}

/* A state that only its own next one is made of, element by element, as a sum so far is: one place serves for both. */
static bool is_replaced(const loop_state *s, int k)
{
    int32_t given = s->loop->given[k], next = s->loop->next[k];
    ad_kind kind = ad_ops[ad_node_at(s->c, next)->op].kind;
    int reads = 0;
    bool elementwise = kind == KIND_UNARY || kind == KIND_BINARY || kind == KIND_TERNARY;
    if (!elementwise || reads_of(s, next, given) != 1) return false;
    for (int64_t i = s->body->first; i < s->body->end; i++) {
        const ad_plan_step *step = &s->c->step[i];
        if (step->form != FORM_GIVEN) reads += reads_of(s, step->node, given) + reads_of(s, step->node, next);
        if (step->form == FORM_GIVEN && step->node == next) return false;
    }
    for (int j = 0; j < s->loop->states; j++)
        reads += s->loop->next[j] == given || (j != k && s->loop->next[j] == next);
    return reads == 1 && stack_of(s, given) < 0 && stack_of(s, next) < 0;
}

static bool keeps_states(const loop_state *s, int k)
{
    if (s->loop->reverse || s->loop->by_length) return false;
    return stack_of(s, s->loop->given[k]) >= 0 || stack_of(s, s->loop->next[k]) >= 0;
}

static void add_stacked(const loop_state *s, int32_t id, ad_operand at, int64_t first)
{
    ad_compiler *c = s->c;
    if (id < 0) return;
    if (is_shared(s)) {
        at.offset += first * bytes_of(s, id) / s->loop->steps;
        c->value[id].place = (ad_place){at, AD_EVERYWHERE};
        return;
    }
    if (ad_one_more(c, &c->stacked, &c->stacked_capacity, c->stacks, sizeof *c->stacked))
        c->stacked[c->stacks++] = (ad_stacked){id, c->stage_number, first, at};
}

/* The first state is copied to slice 0. */
static void begin_state(loop_state *s, int k, ad_operand *read, ad_operand *write)
{
    ad_compiler *c = s->c;
    int32_t id = s->loop->given[k], from = s->node->in[k];
    bool all = keeps_states(s, k);
    int64_t slices = all ? s->loop->steps + 1 : is_replaced(s, k) ? 1 : 2;
    ad_operand at = new_slices(s, id, slices);
    ad_store(c, from, at);
    ad_move move = slices_at(s, id, at, 0, slices);
    move.state = true;
    *read = ad_moved_new(c, &move, row_stride_of(s, id));
    move.first = slices > 1;
    *write = ad_moved_new(c, &move, row_stride_of(s, id));
    place(s, id, *read, 0);
    if (!all) return;
    add_stacked(s, stack_of(s, id), at, 0);
    if (s->loop->next[k] != id) add_stacked(s, stack_of(s, s->loop->next[k]), at, 1);
}

/* ---- Inputs ---- */

static void begin_input(loop_state *s, int k)
{
    ad_compiler *c = s->c;
    int32_t id = s->loop->given[k], from = s->node->in[k];
    const ad_stacked *stacked = ad_stacked_of(c, from);
    ad_move move;
    int64_t row_stride = row_stride_of(s, id);
    if (stacked) move = slices_at(s, id, stacked->at, stacked->first, stacked->first + s->loop->steps);
    else {
        const ad_shape *shape = &ad_node_at(c, from)->shape;
        ad_shape one = ad_shape_drop(shape, 0, 1);
        ad_view v = ad_view_of(c, from);
        if (!ad_row_tight(&one, v.stride + 1)) {
            ad_read(c, from, NEED_ROW);
            v = ad_view_of(c, from);
        }
        row_stride = v.at.row_stride;
        move = (ad_move){.at = v.at, .slices = s->loop->steps, .bytes = v.stride[0] * ad_number_size(c)};
    }
    place(s, id, ad_moved_new(c, &move, row_stride), 0);
}

/* ---- The loop ---- */

static bool is_live(const loop_state *s, int32_t id)
{
    for (int64_t k = s->body->first; k < s->body->end; k++)
        if (s->c->step[k].node == id) return s->c->step[k].form == FORM_GIVEN;
    return false;
}

/* What another loop, or another stage, has computed of the body's nodes does not count. */
static void forget_places(const loop_state *s)
{
    for (int64_t k = s->body->first; k < s->body->end; k++) {
        int32_t id = s->c->step[k].node;
        s->c->value[id].place.stage = AD_NOWHERE;
        s->c->value[id].depth = (int8_t)(s->c->depth + 1);
        for (int64_t j = 0; j < s->c->stacks && ad_node_at(s->c, id)->op == OP_scan_stack; j++)
            if (s->c->stacked[j].node == id) s->c->stacked[j].node = -1;
    }
}

static ad_code *code_of(const loop_state *s) { return is_shared(s) ? &s->c->stage->shared : &s->c->stage->body; }

static void open_loop(loop_state *s)
{
    ad_compiler *c = s->c;
    ad_instruction i = ad_blank(c, s->scan, DO_loop);
    i.nin = 0;
    i.count = 0;
    i.loop.steps = s->loop->steps;
    i.loop.all = s->loop->numbers.all;
    i.loop.first = s->loop->numbers.first;
    i.loop.stride = s->loop->numbers.stride;
    i.loop.reverse = s->loop->reverse;
    i.loop.by_length = s->loop->by_length;
    if (s->loop->by_length) i.loop.length = ad_read(c, s->node->in[s->node->nin - 1], NEED_ROWS);
    i.loop.move = s->move;
    ad_append(c, &i);
    c->opened[c->depth++] = code_of(s)->count - 1;
    c->in_shared = is_shared(s);
    c->times *= (double)s->loop->steps;
}

/* Moves that inner loops have added lie behind this one's. */
static int64_t close_loop(loop_state *s, int64_t moves)
{
    ad_compiler *c = s->c;
    int64_t at = c->opened[--c->depth];
    c->times /= (double)s->loop->steps;
    if (c->status) return at;
    code_of(s)->at[at].loop.body = code_of(s)->count - at - 1;
    code_of(s)->at[at].loop.moves = moves;
    return at;
}

/* Whether a state's slices are the result. */
static bool is_of_states(const loop_state *s, int32_t of)
{
    for (int k = 0; k < s->loop->states; k++)
        if ((s->loop->given[k] == of || s->loop->next[k] == of) && is_live(s, s->loop->given[k]) && keeps_states(s, k))
            return true;
    return false;
}

/* A result that has a value for each step, and where a step writes it. */
typedef struct stack {
    int32_t of;
    bool rows; /* each sample's steps lie together, so that nothing can be computed there */
    ad_operand at;
} stack;

/* What is stored in whole goes there at once, if a step's numbers are many. */
static stack begin_stack(loop_state *s, int32_t result)
{
    enum { WIDE = 128 };
    ad_compiler *c = s->c;
    int32_t of = ad_listed(c->tape, ad_node_at(c, result));
    bool rows = c->value[result].kept && !is_shared(s) && bytes_of(s, of) >= WIDE;
    ad_move move;
    ad_operand at = rows ? ad_place_new(c, result) : new_slices(s, of, s->loop->steps);
    if (rows) move = (ad_move){.by_row = true, .at = at, .slices = s->loop->steps, .bytes = bytes_of(s, of)};
    else move = slices_at(s, of, at, 0, s->loop->steps);
    if (!rows) add_stacked(s, result, at, 0);
    move.written = true;
    return (stack){of, rows, ad_moved_new(c, &move, rows ? at.row_stride : row_stride_of(s, of))};
}

/* All but those that a state's slices are, and what an earlier pass has stored. Returns how many there are. */
static int64_t begin_stacks(loop_state *s, stack *stacks)
{
    ad_compiler *c = s->c;
    int64_t count = 0;
    for (int32_t i = s->scan + 1; i < c->count && !c->status; i++) {
        const ad_node *n = ad_node_at(c, i);
        if (!c->value[i].live || n->op != OP_scan_stack || n->in[0] != s->scan) continue;
        bool stored = c->value[i].kept && c->value[i].place.stage == AD_EVERYWHERE;
        if (stored || is_of_states(s, ad_listed(c->tape, n))) continue;
        stacks[count++] = begin_stack(s, i);
    }
    return count;
}

/* Where a state is behind the last step, if that can be told: others may read it there. */
static bool last_place(const loop_state *s, ad_operand read, ad_place *place)
{
    const ad_move *move = &s->c->plan->move[s->c->plan->slot[read.base - AD_BASE_SLOTS].leaf];
    int64_t slice = move->slices > 1 ? s->loop->steps % 2 : 0;
    if (move->slices > 2 || (move->slices > 1 && (s->loop->by_length || !is_shared(s)))) return false;
    *place = (ad_place){move->at, is_shared(s) ? AD_EVERYWHERE : s->c->stage_number};
    place->at.offset += slice * move->bytes;
    return true;
}

/* Of each result that is computed when the loop has ended. */
static void place_results(loop_state *s, const ad_operand *read)
{
    ad_compiler *c = s->c;
    for (int32_t i = s->scan + 1; i < c->count && !c->status; i++) {
        const ad_node *n = ad_node_at(c, i);
        if (!c->value[i].live || !ad_is_scan_result(n->op) || n->in[0] != s->scan) continue;
        if (c->value[i].place.stage == AD_EVERYWHERE) continue; /* shared stacks, and what an earlier pass has kept */
        if (n->op == OP_scan_sum) c->value[i].place = c->value[ad_listed(c->tape, n)].place;
        else if (n->op == OP_scan_last) {
            if (!c->value[i].kept && last_place(s, read[n->attr[0]], &c->value[i].place)) continue;
            ad_view from = ad_tight_view(&n->shape, read[n->attr[0]]);
            ad_copy(c, i, &from);
        } else if (c->value[i].kept) ad_unstack(c, i);
    }
}

static void write_roots(loop_state *s, const ad_operand *write, const stack *stacks, int64_t count)
{
    for (int k = 0; k < s->loop->states && !s->c->status; k++)
        if (is_live(s, s->loop->given[k])) write_root(s, s->loop->next[k], write[k]);
    for (int64_t k = 0; k < count && !s->c->status; k++) write_root(s, stacks[k].of, stacks[k].at);
}

static void emit_loop(loop_state *s, ad_operand *read, ad_operand *write, stack *stacks,
                      void (*emit)(ad_compiler *c, const ad_plan_step *step))
{
    ad_compiler *c = s->c;
    int states = s->loop->states;
    for (int k = 0; k < states + s->loop->inputs && !c->status; k++) {
        if (!is_live(s, s->loop->given[k])) continue;
        if (k < states) begin_state(s, k, &read[k], &write[k]);
        else begin_input(s, k);
    }
    int64_t count = begin_stacks(s, stacks), moves = c->plan->moves - s->move;
    open_loop(s);
    for (int k = 0; k < states; k++)
        if (is_live(s, s->loop->given[k])) reserve(s, s->loop->next[k], write[k]);
    for (int64_t k = 0; k < count; k++)
        if (!stacks[k].rows) reserve(s, stacks[k].of, stacks[k].at);
    for (int64_t k = s->body->first; k < s->body->end && !c->status; k++) emit(c, &c->step[k]);
    write_roots(s, write, stacks, count);
    int64_t at = close_loop(s, moves);
    place_results(s, read);
    if (!c->status) code_of(s)->at[at].loop.after = code_of(s)->count - 1 - at - code_of(s)->at[at].loop.body;
}

void ad_emit_scan(ad_compiler *c, int32_t id, void (*emit)(ad_compiler *c, const ad_plan_step *step))
{
    const ad_node *node = ad_node_at(c, id);
    loop_state s = {c, id, node, ad_loop_of(c->tape, node), NULL, c->plan->moves};
    for (int64_t k = 0; k < c->loops; k++)
        if (c->loop[k].scan == id) s.body = &c->loop[k];
    if (!s.body || c->depth == AD_MAX_DEPTH) {
        ad_compile_fail(c, GIBBS_SIZE, "scans lie more than %d deep in each other", AD_MAX_DEPTH);
        return;
    }
    const gibbs_allocator *a = &c->plan->alloc;
    ad_operand *slot = gibbs_alloc_zero(a, 2 * (size_t)s.loop->states + 1, sizeof *slot);
    stack *stacks = gibbs_alloc_zero(a, (size_t)s.loop->lists + 1, sizeof *stacks);
    if (!slot || !stacks) ad_out_of_memory(c);
    else {
        forget_places(&s);
        emit_loop(&s, slot, slot + s.loop->states, stacks, emit);
    }
    gibbs_release(a, slot);
    gibbs_release(a, stacks);
}
