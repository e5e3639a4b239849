/* quad_scan.c — a scan, step by step: its states and inputs are put where the body finds them, and what depends on
 * them is forgotten before the next step. */
#include "quad.h"

#include <stdlib.h>
#include <string.h>

typedef struct steps {
    quad_machine *m;
    const ad_node *scan;
    const ad_loop *loop;
    bool *depends; /* on what a step is given */
    int64_t turns;
} steps;

static int64_t size_of(const steps *s, int32_t id) { return quad_size(s->m, (ad_var){NULL, id}); }

static void mark(steps *s)
{
    const ad_tape *tape = s->m->tape;
    for (int k = 0; k < s->loop->states + s->loop->inputs; k++) s->depends[s->loop->given[k]] = true;
    for (int64_t i = 0; i < s->m->size; i++)
        for (int k = 0; k < tape->node[i].nin; k++) s->depends[i] |= s->depends[tape->node[i].in[k]];
}

/* Row `step` of each sample's [steps, n]. */
static void take_row(const steps *s, int32_t from, int64_t step, int32_t to)
{
    int64_t all = size_of(s, to), n = all / quad_rows(s->m, s->m->tape->node[to].axis);
    for (int64_t e = 0; e < all; e++)
        s->m->value[to][e] = s->m->value[from][(e / n * s->loop->steps + step) * n + e % n];
}

static void put_row(const steps *s, const quad *from, int32_t of, int64_t step, quad *to)
{
    int64_t all = size_of(s, of), n = all / quad_rows(s->m, s->m->tape->node[of].axis);
    for (int64_t e = 0; e < all; e++) to[(e / n * s->loop->steps + step) * n + e % n] = from[e];
}

/* Forgets what the step has computed, of which the new states are kept. */
static bool next_states(steps *s)
{
    int states = s->loop->states;
    quad **next = calloc((size_t)states + 1, sizeof *next);
    for (int k = 0; k < states; k++) {
        const quad *v = quad_value(s->m, (ad_var){(ad_tape *)s->m->tape, s->loop->next[k]});
        size_t bytes = (size_t)size_of(s, s->loop->given[k]) * sizeof *v;
        if (!v) return free(next), false;
        next[k] = malloc(bytes);
        memcpy(next[k], v, bytes);
    }
    for (int64_t i = 0; i < s->m->size; i++)
        if (s->depends[i]) free(s->m->value[i]), s->m->value[i] = NULL;
    for (int k = 0; k < states; k++) s->m->value[s->loop->given[k]] = next[k];
    free(next);
    return true;
}

static bool run(steps *s, const ad_node *result, quad *out)
{
    const ad_loop *loop = s->loop;
    for (int k = 0; k < loop->states; k++) {
        size_t bytes = (size_t)size_of(s, loop->given[k]) * sizeof *out;
        memcpy(quad_leaf(s->m, (ad_var){NULL, loop->given[k]}), s->m->value[s->scan->in[k]], bytes);
    }
    int32_t of = result->op == OP_scan_last ? loop->given[result->attr[0]] : ad_listed(s->m->tape, result);
    for (int64_t turn = 0; turn < s->turns; turn++) {
        int64_t step = loop->reverse ? s->turns - 1 - turn : turn;
        for (int k = loop->states; k < loop->states + loop->inputs; k++) {
            quad_leaf(s->m, (ad_var){NULL, loop->given[k]});
            take_row(s, s->scan->in[k], step, loop->given[k]);
        }
        const quad *v = quad_value(s->m, (ad_var){(ad_tape *)s->m->tape, of});
        if (!v) return false;
        if (result->op == OP_scan_stack) put_row(s, v, of, step, out);
        for (int64_t e = 0; result->op == OP_scan_sum && e < size_of(s, of); e++) out[e] += v[e];
        if (!next_states(s)) return false;
    }
    if (result->op == OP_scan_last) memcpy(out, s->m->value[of], (size_t)size_of(s, of) * sizeof *out);
    return true;
}

bool quad_scan(quad_machine *m, const ad_node *result, quad *out)
{
    const ad_node *scan = &m->tape->node[result->in[0]];
    steps s = {.m = m, .scan = scan, .loop = m->tape->loop[scan->attr[0]],
               .depends = calloc((size_t)m->size, sizeof *s.depends)};
    s.turns = s.loop->steps;
    if (s.loop->by_length && m->value[scan->in[scan->nin - 1]][0] < (quad)s.turns)
        s.turns = (int64_t)m->value[scan->in[scan->nin - 1]][0];
    mark(&s);
    /* a node that depends on what a step is given may have a value in a loop around: it is kept aside */
    quad **outer = calloc((size_t)m->size, sizeof *outer);
    for (int64_t i = 0; i < m->size; i++)
        if (s.depends[i]) outer[i] = m->value[i], m->value[i] = NULL;
    bool done = run(&s, result, out);
    for (int64_t i = 0; i < m->size; i++)
        if (s.depends[i]) free(m->value[i]), m->value[i] = outer[i];
    free(outer);
    free(s.depends);
    return done;
}
