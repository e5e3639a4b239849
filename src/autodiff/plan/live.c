/* live.c — what some output depends on, and how often each value is read; of each scan, which nodes its body computes.
 *
 * A node of a body is live where the body of some live scan computes it; it is no part of any stage. Only what live
 * results need is computed, states among them. */
#include "passes.h"

#include <stdlib.h>

typedef struct walk {
    ad_compiler *c;
    const ad_loop *loop;
    const ad_node *scan;
    int32_t *seen;  /* of each node: the last scan that reached it, 1 more than its node */
    int32_t *stack; /* nodes to go on from; then what the body computes */
    int64_t height, found;
    int32_t *body, number;
} walk;

static void reach(walk *w, int32_t id)
{
    w->c->value[id].live = true;
    w->c->value[id].uses++;
    if (w->seen[id] == w->number) return;
    w->seen[id] = w->number;
    w->stack[w->height++] = id;
}

static void reach_root(walk *w, int32_t id)
{
    w->c->value[id].lent = true;
    reach(w, id);
}

/* Whether the body has it from outside: from a body around it, perhaps. */
static bool is_captured(const ad_loop *loop, int32_t id)
{
    int64_t low = 0, high = loop->captured;
    while (low < high) { /* they are in order */
        int64_t middle = (low + high) / 2;
        if (loop->capture[middle] < id) low = middle + 1;
        else high = middle;
    }
    return low < loop->captured && loop->capture[low] == id;
}

static int number_given(const ad_loop *loop, int32_t id)
{
    for (int k = 0; k < loop->states + loop->inputs; k++)
        if (loop->given[k] == id) return k;
    return -1;
}

/* A value that a step gives, or one from outside, is not the body's to write over, nor to compute again. */
static void walk_body(walk *w)
{
    ad_compiler *c = w->c;
    while (w->height) {
        int32_t id = w->stack[--w->height];
        const ad_node *node = ad_node_at(c, id);
        int given = number_given(w->loop, id);
        bool captured = given < 0 && is_captured(w->loop, id);
        if (given >= 0) {
            ad_value *from = &c->value[w->scan->in[given]];
            c->value[id].lent = from->lent = from->live = true;
            from->uses++;
            if (given < w->loop->states) reach_root(w, w->loop->next[given]);
        } else if (captured) c->value[id].lent = true;
        else
            for (int k = 0; k < node->nin; k++) reach(w, node->in[k]);
        if (!captured) w->body[w->found++] = id;
    }
}

static int by_id(const void *a, const void *b)
{
    int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

static void keep_body(walk *w, int32_t scan)
{
    ad_compiler *c = w->c;
    ad_plan_loop loop = {scan, c->steps, c->steps + w->found};
    qsort(w->body, (size_t)w->found, sizeof *w->body, by_id);
    if (!ad_one_more(c, &c->loop, &c->loop_capacity, c->loops, sizeof loop)) return;
    c->loop[c->loops++] = loop;
    for (int64_t k = 0; k < w->found; k++) {
        if (!ad_one_more(c, &c->step, &c->step_capacity, c->steps, sizeof *c->step)) return;
        int given = number_given(w->loop, w->body[k]);
        c->step[c->steps++] = (ad_plan_step){w->body[k], given < 0 ? FORM_OWN : FORM_GIVEN, {given, -1}};
    }
}

static void mark_scan(walk *w, int32_t scan)
{
    ad_compiler *c = w->c;
    w->scan = ad_node_at(c, scan);
    w->loop = ad_loop_of(c->tape, w->scan);
    w->found = w->height = 0;
    w->number = scan + 1;
    for (int64_t i = scan + 1; i < c->count; i++) {
        const ad_node *n = ad_node_at(c, i);
        if (!c->value[i].live || !ad_is_scan_result(n->op) || n->in[0] != scan) continue;
        c->value[i].lent = true; /* results may lie in each other */
        reach_root(w, n->op == OP_scan_last ? w->loop->given[n->attr[0]] : ad_listed(c->tape, n));
    }
    walk_body(w);
    if (w->loop->by_length) {
        ad_value *length = &c->value[w->scan->in[w->scan->nin - 1]];
        length->live = true;
        length->uses++;
    }
    keep_body(w, scan);
}

/* What a step of some scan gives, and what depends on it. */
static void mark_inside(ad_compiler *c)
{
    for (int64_t i = 0; i < c->count; i++) {
        const ad_node *n = ad_node_at(c, i);
        bool drawn = (n->op == OP_normal || n->op == OP_uniform) && n->attr[0];
        bool inside = n->op == OP_scan_value || drawn;
        for (int k = 0; k < n->nin; k++) inside |= c->value[n->in[k]].inside;
        c->value[i].inside = inside;
    }
    for (int k = 0; k < c->outputs; k++)
        if (c->value[c->output[k].id].inside)
            ad_compile_fail(c, GIBBS_ARGUMENT,
                            "output %d is made of a value in the body of a scan: it has none outside; "
                            "let the body write it to out", k + 1);
}

static void mark_all(ad_compiler *c, walk *w)
{
    for (int k = 0; k < c->outputs; k++) c->value[c->output[k].id].live = true, c->value[c->output[k].id].uses++;
    for (int32_t i = (int32_t)c->count - 1; i >= 0; i--) {
        const ad_node *n = ad_node_at(c, i);
        if (!c->value[i].live) continue;
        if (n->op == OP_scan) mark_scan(w, i);
        else if (!c->value[i].inside)
            for (int k = 0; k < n->nin; k++) c->value[n->in[k]].live = true, c->value[n->in[k]].uses++;
    }
}

void ad_find_live(ad_compiler *c)
{
    const gibbs_allocator *a = &c->plan->alloc;
    int32_t *memory = gibbs_alloc_zero(a, 3 * (size_t)c->count, sizeof *memory);
    if (!memory) {
        ad_out_of_memory(c);
        return;
    }
    walk w = {.c = c, .seen = memory, .stack = memory + c->count, .body = memory + 2 * c->count};
    mark_inside(c);
    if (!c->status) mark_all(c, &w);
    gibbs_release(a, memory);
}
