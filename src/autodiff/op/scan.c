/* scan.c — a body that is recorded once and run many times: a loop, its node and its results. The derivatives of a
 * scan are scans (derive/scan_reverse.c, scan_tangent.c).
 *
 * The body's nodes lie on the tape itself. What they are made of other than what a step gives is captured: it is an
 * input of the scan's node, so that whoever walks the tape from results to leaves finds it. */
#include "op.h"

#include <string.h>

/* ---- What a body is made of ---- */

/* Marks what the marked nodes depend on, down to what each step gives. */
static void mark_reached(const ad_tape *tape, const bool *given, bool *reached)
{
    ad_mark_sources(tape, tape->size - 1, given, reached);
}

static bool is_drawn_here(const ad_node *node, int32_t family)
{
    return (node->op == OP_normal || node->op == OP_uniform) && node->attr[0] == family && family;
}

/* Of the reached nodes, those that depend on what a step gives. */
static void mark_inside(const ad_tape *tape, int32_t family, const bool *reached, bool *inside)
{
    for (int64_t i = 0; i < tape->size; i++) {
        const ad_node *node = &tape->node[i];
        if (!reached[i] || inside[i]) continue;
        inside[i] = is_drawn_here(node, family);
        for (int k = 0; k < node->nin; k++) inside[i] |= inside[node->in[k]];
    }
}

bool *ad_scan_inside(ad_tape *tape, const ad_loop *loop)
{
    bool *inside = gibbs_alloc_zero(&tape->alloc, 2 * (size_t)tape->size, sizeof *inside);
    if (!inside) return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory"), NULL;
    bool *reached = inside + tape->size;
    for (int k = 0; k < loop->states + loop->inputs; k++) inside[loop->given[k]] = true;
    for (int k = 0; k < loop->states; k++) reached[loop->next[k]] = true;
    for (int64_t k = 0; k < loop->lists; k++) reached[loop->listed[k]] = true;
    mark_reached(tape, inside, reached);
    mark_inside(tape, loop->family, reached, inside);
    return inside;
}

/* ---- Making one ---- */

/* Whether the body may do what the node does: it is on the loop's axis, or adds up over its samples, which is what
 * derivatives do. */
static bool check_inside(ad_tape *tape, const ad_loop *loop, const ad_node *node)
{
    bool sums = node->axis < 0 && (node->op == OP_batch_sum || node->op == OP_batch_matmul || node->op == OP_scan_sum);
    if (sums || (node->axis == loop->axis && (ad_ops[node->op].kind != KIND_BATCH))) return true;
    if (node->op == OP_scan) return true;
    ad_fail(tape, GIBBS_AXIS, "scan: %s in the body mixes samples, or is on «%s» and not on «%s»", ad_op_said(node->op),
            ad_axis_name(tape, node->axis), ad_axis_name(tape, loop->axis));
    return false;
}

static bool is_given(const ad_loop *loop, int64_t id)
{
    for (int k = 0; k < loop->states + loop->inputs; k++)
        if (loop->given[k] == id) return true;
    return false;
}

/* Marks what the body's nodes and roots read from outside. */
static void mark_captured(ad_tape *tape, const ad_loop *loop, const bool *inside, bool *taken)
{
    const bool *reached = inside + tape->size;
    for (int64_t i = 0; i < tape->size; i++) {
        const ad_node *node = &tape->node[i];
        if (!reached[i] || !inside[i] || is_given(loop, i)) continue;
        if (!check_inside(tape, loop, node)) return;
        for (int k = 0; k < node->nin; k++)
            if (!inside[node->in[k]]) taken[node->in[k]] = true;
    }
    for (int k = 0; k < loop->states; k++)
        if (!inside[loop->next[k]]) taken[loop->next[k]] = true;
    for (int64_t k = 0; k < loop->lists; k++)
        if (!inside[loop->listed[k]]) taken[loop->listed[k]] = true;
}

/* In the order of the nodes. False when memory is out, or the body does what it may not. */
static bool find_captured(ad_tape *tape, ad_loop *loop)
{
    bool *inside = ad_scan_inside(tape, loop);
    bool *taken = inside ? gibbs_alloc_zero(&tape->alloc, (size_t)tape->size, sizeof *taken) : NULL;
    if (taken) mark_captured(tape, loop, inside, taken);
    for (int64_t i = 0; taken && i < tape->size; i++) loop->captured += taken[i];
    if (taken) loop->capture = gibbs_alloc(&tape->alloc, (size_t)loop->captured + 1, sizeof *loop->capture);
    for (int32_t i = 0, n = 0; loop->capture && i < tape->size; i++)
        if (taken[i]) loop->capture[n++] = i;
    gibbs_release(&tape->alloc, inside);
    gibbs_release(&tape->alloc, taken);
    if (!loop->capture) ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    return tape->error.status == GIBBS_OK;
}

static bool same_ids(const int32_t *a, const int32_t *b, int64_t n)
{
    return n == 0 || !memcmp(a, b, (size_t)n * sizeof *a);
}

static bool same_loop(const ad_loop *a, const ad_loop *b)
{
    return a->steps == b->steps && a->store_bytes == b->store_bytes && a->numbers.all == b->numbers.all &&
           a->numbers.first == b->numbers.first && a->numbers.stride == b->numbers.stride && a->axis == b->axis &&
           a->family == b->family && a->states == b->states && a->inputs == b->inputs && a->captured == b->captured &&
           a->reverse == b->reverse && a->derived == b->derived && a->by_length == b->by_length &&
           a->lists >= b->lists &&
           same_ids(a->given, b->given, a->states + a->inputs) && same_ids(a->next, b->next, a->states) &&
           same_ids(a->capture, b->capture, a->captured) && same_ids(a->listed, b->listed, b->lists);
}

static void free_loop(ad_tape *tape, ad_loop *loop)
{
    if (!loop) return;
    gibbs_release(&tape->alloc, loop->listed);
    gibbs_release(&tape->alloc, loop->given);
    gibbs_release(&tape->alloc, loop->capture);
    gibbs_release(&tape->alloc, loop);
}

static ad_loop *new_loop(ad_tape *tape, const ad_scan_parts *p)
{
    ad_loop *loop = gibbs_alloc(&tape->alloc, 1, sizeof *loop);
    if (!loop) return NULL;
    *loop = p->loop;
    int given = loop->states + loop->inputs;
    loop->captured = 0;
    loop->lists = 0;
    loop->list_capacity = p->lists + 1;
    loop->capture = NULL;
    loop->steep = 0;
    loop->given = gibbs_alloc(&tape->alloc, (size_t)(given + loop->states) + 1, sizeof(int32_t));
    loop->listed = gibbs_alloc(&tape->alloc, (size_t)p->lists + 1, sizeof(int32_t));
    if (!loop->given || !loop->listed) return free_loop(tape, loop), NULL;
    loop->next = loop->given + given;
    for (int k = 0; k < given; k++) loop->given[k] = p->given[k].id;
    for (int k = 0; k < loop->states; k++) loop->next[k] = p->next[k].id;
    for (int k = 0; k < p->lists; k++) loop->listed[loop->lists++] = p->listed[k].id;
    return loop;
}

/* The number of the loop on the tape, which owns it from here on; or of one like it. −1 when memory is out. */
static int32_t keep_loop(ad_tape *tape, ad_loop *loop)
{
    for (int64_t k = 0; k < tape->loops; k++)
        if (same_loop(tape->loop[k], loop)) return free_loop(tape, loop), (int32_t)k;
    if (!gibbs_grow(&tape->alloc, &tape->loop, &tape->loop_capacity, tape->loops, tape->loops + 1, sizeof loop))
        return free_loop(tape, loop), -1;
    tape->loop[tape->loops] = loop;
    return (int32_t)tape->loops++;
}

static ad_var record_scan(ad_tape *tape, const ad_scan_parts *p, int32_t number)
{
    const ad_loop *loop = tape->loop[number];
    int given = loop->states + loop->inputs, n = given + loop->captured + loop->by_length;
    ad_var *in = gibbs_alloc(&tape->alloc, (size_t)n + 1, sizeof *in), scan = ad_handle(tape, -1);
    if (!in) return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    for (int k = 0; k < given; k++) in[k] = p->from[k];
    for (int k = 0; k < loop->captured; k++) in[given + k] = ad_handle(tape, loop->capture[k]);
    if (loop->by_length) in[n - 1] = p->length;
    ad_node node = ad_proto(OP_scan, in, n, ad_scalar());
    node.axis = loop->axis;
    node.attr[0] = number;
    node.attr[1] = loop->by_length;
    scan = ad_record(tape, &node);
    gibbs_release(&tape->alloc, in);
    return scan;
}

ad_var ad_scan_record(ad_tape *tape, const ad_scan_parts *p)
{
    if (tape->error.status) return ad_handle(tape, -1);
    ad_loop *loop = new_loop(tape, p);
    if (!loop) return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    if (!find_captured(tape, loop)) return free_loop(tape, loop), ad_handle(tape, -1);
    int32_t number = keep_loop(tape, loop);
    return number < 0 ? ad_fail(tape, GIBBS_MEMORY, "scan: out of memory") : record_scan(tape, p, number);
}

/* ---- Results ---- */

ad_var ad_scan_last(ad_var scan, int state)
{
    if (ad_is_null(scan)) return scan;
    const ad_loop *loop = ad_loop_of(scan.tape, ad_node_of(scan));
    ad_node node = ad_proto(OP_scan_last, &scan, 1, scan.tape->node[loop->given[state]].shape);
    node.attr[0] = state;
    return ad_record(scan.tape, &node);
}

static int32_t number_in_list(ad_tape *tape, ad_loop *loop, int32_t id)
{
    for (int64_t k = 0; k < loop->lists; k++)
        if (loop->listed[k] == id) return (int32_t)k;
    if (!gibbs_grow(&tape->alloc, &loop->listed, &loop->list_capacity, loop->lists, loop->lists + 1, sizeof id))
        return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory"), -1;
    loop->listed[loop->lists] = id;
    return (int32_t)loop->lists++;
}

static ad_var result(ad_op op, ad_var scan, int32_t number, int32_t of)
{
    ad_tape *tape = scan.tape;
    ad_loop *loop = ad_loop_of(tape, ad_node_of(scan));
    ad_shape own = tape->node[of].shape;
    if (op == OP_scan_stack && own.rank == AD_MAX_RANK)
        return ad_fail(tape, GIBBS_SHAPE,
                       "scan: a value of the body has %d dimensions, and those of all steps need one more", own.rank);
    ad_node node = ad_proto(op, &scan, 1, op == OP_scan_stack ? ad_shape_prepend(loop->steps, &own) : own);
    node.attr[op == OP_scan_sum] = number;
    if (op == OP_scan_sum) node.attr[0] = loop->axis, node.axis = -1;
    return ad_record(tape, &node);
}

ad_var ad_scan_of(ad_op op, ad_var scan, ad_var of)
{
    if (ad_is_null(scan) || ad_is_null(of)) return ad_handle(scan.tape, -1);
    int32_t number = number_in_list(scan.tape, ad_loop_of(scan.tape, ad_node_of(scan)), of.id);
    return number < 0 ? ad_handle(scan.tape, -1) : result(op, scan, number, of.id);
}

static ad_var result_again(const ad_node *node, const ad_var *in)
{
    ad_tape *tape = in[0].tape;
    if (node->op == OP_scan_last) return ad_scan_last(in[0], node->attr[0]);
    int32_t number = node->attr[node->op == OP_scan_sum];
    return result(node->op, in[0], number, ad_loop_of(tape, ad_node_of(in[0]))->listed[number]);
}

/* Of a sum over steps and samples: what each sample adds in all steps. */
static ad_var sum_weight(const ad_call *c, ad_var ybar)
{
    ad_tape *tape = c->y.tape;
    ad_node of = tape->node[ad_listed(tape, &c->node)];
    ad_var scan = ad_arg(c, 0), part[2];
    if (of.op == OP_scan_sum)
        return ad_fail(tape, GIBBS_SMOOTH, "influence: there is no rule for a sum over the steps of a scan in a scan; "
                       "a scan that is run in segments is one loop with larger store_bytes");
    for (int k = 0; k < of.nin; k++) {
        ad_var v = ad_on_axis(ad_handle(tape, of.in[k]), of.attr[0]);
        part[k] = ad_scan_of(OP_scan_stack, scan, v);
    }
    if (tape->error.status) return ad_handle(tape, -1);
    if (of.op == OP_batch_sum) return ad_dot(ybar, ad_sum_dims(part[0], 1u));
    for (int k = 0; k < 2; k++) {
        ad_shape s = ad_shape_of(part[k]);
        part[k] = ad_reshape(part[k], ad_mat(s.dim[0] * s.dim[1], s.dim[2]));
    }
    return ad_dot(ybar, ad_matmul(ad_transpose(part[0]), part[1]));
}

/* Derivatives of a scan and of its results are the sweeps' (derive/scan_reverse.c, scan_tangent.c), and how a scan is
 * recorded again is told there, too: it takes the rules of all ops. */
const ad_structure ad_structure_scan = {0};
const ad_structure ad_structure_scan_last = {.again = result_again};
const ad_structure ad_structure_scan_stack = {.again = result_again};
const ad_structure ad_structure_scan_sum = {.again = result_again, .weight = sum_weight};
