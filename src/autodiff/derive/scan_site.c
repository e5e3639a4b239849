/* scan_site.c — a scan as its derivatives see it, and the scan that a derivative becomes. */
#include "scan.h"

#include <string.h>

int32_t ad_scan_root(const ad_scan_site *s, int32_t result)
{
    const ad_node *n = &s->tape->node[result];
    return n->op == OP_scan_last ? s->loop->next[n->attr[0]] : ad_listed(s->tape, n);
}

/* Marks the paths in the body with the states that are active. */
static bool mark_body(ad_scan_site *s, bool *active, bool *steep, int32_t *root)
{
    int roots = 0;
    for (int k = 0; k < s->loop->states; k++)
        if (active[k]) root[roots++] = s->loop->next[k];
    for (int k = 0; k < s->results; k++) root[roots++] = ad_scan_root(s, s->result[k]);
    for (int k = 0; k < s->x; k++) steep[k] = s->outer->steep[s->node.in[k]] || ad_loop_is_steep(s->tape, s->loop);
    return ad_paths_between(s->tape, s->scan.id, s->at, active, steep, s->x, root, roots, &s->paths);
}

/* A state is active where its first one is, or what the step makes of it. */
static bool find_active(ad_scan_site *s, bool *active, bool *steep, int32_t *root)
{
    for (int k = 0; k < s->x; k++) active[k] = s->outer->active[s->node.in[k]];
    for (bool more = true; more;) {
        if (!mark_body(s, active, steep, root)) return false;
        more = false;
        for (int k = 0; k < s->loop->states; k++)
            if (!active[k] && s->paths.active[s->loop->next[k]]) active[k] = more = true;
        if (more) ad_paths_free(s->tape, &s->paths);
    }
    return true;
}

static bool find_paths(ad_scan_site *s)
{
    size_t n = (size_t)s->x + 1;
    bool *marks = gibbs_alloc_zero(&s->tape->alloc, 2 * n, sizeof *marks);
    int32_t *root = gibbs_alloc(&s->tape->alloc, n + (size_t)s->results, sizeof *root);
    bool done = marks && root && find_active(s, marks, marks + n, root);
    if (!marks || !root) ad_fail(s->tape, GIBBS_MEMORY, "scan: out of memory");
    gibbs_release(&s->tape->alloc, root);
    s->active = marks;
    return done;
}

/* Of the scan, and not a variable of its own. */
static bool is_result(const ad_scan_site *s, int32_t id)
{
    const ad_node *n = &s->tape->node[id];
    return ad_is_scan_result(n->op) && n->in[0] == s->scan.id && !s->outer->is_x[id];
}

bool ad_scan_site_new(ad_var scan, const ad_paths *outer, const void *context,
                      bool (*matters)(const void *context, int32_t result), ad_scan_site *s)
{
    ad_tape *tape = scan.tape;
    *s = (ad_scan_site){.tape = tape, .scan = scan, .node = *ad_node_of(scan), .outer = outer};
    s->loop = ad_loop_of(tape, &s->node);
    s->given = s->loop->states + s->loop->inputs;
    s->x = s->given + s->loop->captured;
    s->at = gibbs_alloc(&tape->alloc, (size_t)s->x + 1, sizeof *s->at);
    for (int32_t i = scan.id + 1; i < outer->count; i++) s->results += is_result(s, i) && matters(context, i);
    s->result = gibbs_alloc(&tape->alloc, (size_t)s->results + 1, sizeof *s->result);
    if (!s->at || !s->result) return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory"), false;
    s->results = 0;
    for (int32_t i = scan.id + 1; i < outer->count; i++)
        if (is_result(s, i) && matters(context, i)) s->result[s->results++] = i;
    for (int k = 0; k < s->x; k++) s->at[k] = k < s->given ? s->loop->given[k] : s->loop->capture[k - s->given];
    return find_paths(s);
}

void ad_scan_site_free(ad_scan_site *s)
{
    ad_paths_free(s->tape, &s->paths);
    gibbs_release(&s->tape->alloc, s->active);
    gibbs_release(&s->tape->alloc, s->result);
    gibbs_release(&s->tape->alloc, s->at);
}

/* ---- Making one ---- */

void ad_vars_add(ad_tape *tape, ad_vars *vars, ad_var v)
{
    if (gibbs_grow(&tape->alloc, &vars->at, &vars->capacity, vars->count, vars->count + 1, sizeof v))
        vars->at[vars->count++] = v;
    else ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
}

void ad_scan_add_state(ad_tape *tape, ad_scan_build *b, ad_var given, ad_var first, ad_var next)
{
    if (tape->error.status) return;
    int32_t axis = ad_node_of(given)->axis;
    ad_vars_add(tape, &b->state, given);
    ad_vars_add(tape, &b->first, ad_on_axis(first, axis));
    ad_vars_add(tape, &b->next, ad_on_axis(next, axis));
}

void ad_scan_add_input(ad_tape *tape, ad_scan_build *b, ad_var given, ad_var from)
{
    if (tape->error.status) return;
    ad_vars_add(tape, &b->input, given);
    ad_vars_add(tape, &b->from, ad_on_axis(from, ad_node_of(given)->axis));
}

static void append(ad_tape *tape, ad_vars *to, const ad_vars *from)
{
    for (int64_t k = 0; k < from->count; k++) ad_vars_add(tape, to, from->at[k]);
}

ad_var ad_scan_finish(const ad_scan_site *s, const ad_scan_build *b, bool reverse)
{
    ad_tape *tape = s->tape;
    ad_vars given = {0}, from = {0};
    ad_var scan = ad_handle(tape, -1);
    if (tape->error.status) return scan;
    append(tape, &given, &b->state);
    append(tape, &given, &b->input);
    append(tape, &from, &b->first);
    append(tape, &from, &b->from);
    ad_scan_parts parts = {.loop = *s->loop, .given = given.at, .from = from.at, .next = b->next.at,
                           .listed = b->listed.at, .lists = (int)b->listed.count, .length = scan};
    parts.loop.states = (int)b->state.count;
    parts.loop.inputs = (int)b->input.count;
    parts.loop.reverse = s->loop->reverse != reverse;
    parts.loop.derived = true;
    if (s->loop->by_length) parts.length = ad_handle(tape, s->node.in[s->node.nin - 1]);
    for (int64_t k = 0; k < given.count + b->next.count + b->listed.count && !tape->error.status; k++) {
        ad_var v = k < given.count                   ? from.at[k]
                   : k < given.count + b->next.count ? b->next.at[k - given.count]
                                                     : b->listed.at[k - given.count - b->next.count];
        if (ad_is_null(v)) ad_fail(tape, GIBBS_SMOOTH, "scan: a part of its derivative could not be recorded");
    }
    if (tape->error.status == GIBBS_OK) scan = ad_scan_record(tape, &parts);
    gibbs_release(&tape->alloc, given.at);
    gibbs_release(&tape->alloc, from.at);
    return scan;
}

void ad_scan_build_free(ad_tape *tape, ad_scan_build *b)
{
    ad_vars *lists[] = {&b->state, &b->first, &b->next, &b->input, &b->from, &b->listed};
    for (int k = 0; k < GIBBS_COUNT(lists); k++) gibbs_release(&tape->alloc, lists[k]->at);
}
