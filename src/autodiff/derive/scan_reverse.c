/* scan_reverse.c — the adjoint of a scan: a scan that runs the other way. Its states are the adjoints of the states,
 * and sums of those of what is captured; its inputs the adjoints of what each step wrote; a step is the reverse
 * sweep of the body. By a shared value of a per-sample scan the loop adds up over steps and samples (scan_sums.c).
 *
 * Masks (derive.h) go along where the body has slopes that may not be finite: of a state one number a sample,
 * whether anything of it was taken. So a branch that is not taken in one step, or a state that nothing reads, does
 * not spoil the steps before. What the results' masks leave out in whole is no part of the result. */
#include "scan.h"

typedef struct reversal {
    ad_scan_site site;
    const ad_adjoint *outer; /* of the results */
    ad_adjoint *inner;       /* of the body's nodes */
    ad_scan_build build;
    ad_vars bar, mask;       /* of each state: given; null where there is none */
    ad_vars step_sum;        /* of each input of the scan: what is added up over steps and samples; else null */
    ad_var taken;            /* per sample, whether any result was; null: all were */
    bool masked;
} reversal;

static ad_var none(const reversal *r) { return ad_handle(r->site.tape, -1); }

static ad_var filled(const reversal *r, int32_t like, double value)
{
    const ad_node *n = &r->site.tape->node[like];
    return ad_fill(r->site.tape, n->axis, n->shape, value);
}

/* Whether something was taken: one number, 0 or 1. */
static ad_var any(ad_var mask) { return ad_sign(ad_sum(mask)); }

static ad_var spread(const reversal *r, ad_var number, int32_t like)
{
    ad_shape shape = r->site.tape->node[like].shape;
    return ad_broadcast_to(number, -1, shape);
}

static bool matters(const void *context, int32_t result)
{
    return ((const ad_adjoint *)context)[result].value >= 0;
}

/* ---- What the body's sweep begins with ---- */

/* The result that is state k behind the last step; −1: none. */
static int32_t last_of(const reversal *r, int k)
{
    for (int j = 0; j < r->site.results; j++) {
        const ad_node *n = &r->site.tape->node[r->site.result[j]];
        if (n->op == OP_scan_last && n->attr[0] == k) return r->site.result[j];
    }
    return -1;
}

static void give_states(reversal *r)
{
    ad_scan_site *s = &r->site;
    for (int k = 0; k < s->loop->states; k++) {
        ad_node own = s->tape->node[s->at[k]];
        ad_var bar = none(r), mask = none(r);
        if (s->active[k]) bar = ad_scan_value(s->tape, s->scan.id, SCAN_BAR, k, own.axis, own.shape);
        if (s->active[k] && r->masked) mask = ad_scan_value(s->tape, s->scan.id, SCAN_MASK, k, own.axis, ad_scalar());
        ad_vars_add(s->tape, &r->bar, bar);
        ad_vars_add(s->tape, &r->mask, mask);
    }
}

/* The adjoints of what a step wrote are given to it; that of a sum over all steps is the same in each. */
static ad_adjoint given_to_root(reversal *r, int32_t result)
{
    ad_scan_site *s = &r->site;
    ad_adjoint outer = r->outer[result];
    ad_node n = s->tape->node[result], of = s->tape->node[ad_scan_root(s, result)];
    if (n.op == OP_scan_sum) return outer;
    ad_adjoint given = {-1, -1};
    int number = n.attr[0];
    given.value = ad_scan_value(s->tape, s->scan.id, SCAN_LIST_BAR, number, of.axis, of.shape).id;
    ad_scan_add_input(s->tape, &r->build, ad_handle(s->tape, given.value), ad_handle(s->tape, outer.value));
    if (outer.mask < 0 || !r->masked) return given;
    given.mask = ad_scan_value(s->tape, s->scan.id, SCAN_LIST_MASK, number, of.axis, of.shape).id;
    ad_scan_add_input(s->tape, &r->build, ad_handle(s->tape, given.mask), ad_handle(s->tape, outer.mask));
    return given;
}

static void sweep_body(reversal *r, ad_sweep *sweep)
{
    ad_scan_site *s = &r->site;
    int roots = 0, most = s->loop->states + s->results;
    int32_t *root = gibbs_alloc(&s->tape->alloc, (size_t)most + 1, sizeof *root);
    ad_adjoint *bar = gibbs_alloc(&s->tape->alloc, (size_t)most + 1, sizeof *bar);
    if (!root || !bar) ad_fail(s->tape, GIBBS_MEMORY, "scan: out of memory");
    for (int k = 0; root && bar && k < s->loop->states; k++) {
        if (!s->active[k] || !s->paths.active[s->loop->next[k]] || s->tape->error.status) continue;
        ad_var mask = ad_is_null(r->mask.at[k]) ? none(r) : spread(r, r->mask.at[k], s->at[k]);
        root[roots] = s->loop->next[k];
        bar[roots++] = (ad_adjoint){r->bar.at[k].id, mask.id};
    }
    for (int k = 0; root && bar && k < s->results; k++) {
        int32_t of = ad_scan_root(s, s->result[k]);
        if (s->tape->node[s->result[k]].op == OP_scan_last || !s->paths.active[of] || s->tape->error.status) continue;
        root[roots] = of;
        bar[roots++] = given_to_root(r, s->result[k]);
    }
    if (s->tape->error.status == GIBBS_OK) sweep(s->tape, root, bar, roots, &s->paths, r->inner);
    gibbs_release(&s->tape->alloc, root);
    gibbs_release(&s->tape->alloc, bar);
}

/* Whether masks are wanted: a slope may not be finite, and something may not be taken. Tried without. */
static bool wants_masks(reversal *r, ad_sweep *sweep)
{
    ad_scan_site *s = &r->site;
    if (!ad_loop_is_steep(s->tape, s->loop)) return false;
    for (int k = 0; k < s->results; k++)
        if (r->outer[s->result[k]].mask >= 0) return true;
    for (int k = 0; k < s->loop->states; k++)
        if (s->active[k] && last_of(r, k) < 0) return true;
    give_states(r);
    sweep_body(r, sweep);
    bool wants = false;
    for (int k = 0; k < s->loop->states; k++)
        wants |= s->active[k] && (r->inner[s->at[k]].value < 0 || r->inner[s->at[k]].mask >= 0);
    r->bar.count = r->mask.count = r->build.input.count = r->build.from.count = 0;
    return wants;
}

/* ---- The loop ---- */

static void add_states(reversal *r)
{
    ad_scan_site *s = &r->site;
    for (int k = 0; k < s->loop->states && s->tape->error.status == GIBBS_OK; k++) {
        int32_t at = s->at[k], last = last_of(r, k);
        if (!s->active[k]) continue;
        ad_adjoint end = last < 0 ? (ad_adjoint){-1, -1} : r->outer[last], own = r->inner[at];
        ad_var next = own.value < 0 ? filled(r, at, 0) : ad_handle(s->tape, own.value);
        ad_scan_add_state(s->tape, &r->build, r->bar.at[k],
                          last < 0 ? filled(r, at, 0) : ad_handle(s->tape, end.value), next);
        if (ad_is_null(r->mask.at[k])) continue;
        ad_var first = last < 0 ? ad_constant(s->tape, 0) : end.mask < 0 ? ad_constant(s->tape, 1)
                                                                         : any(ad_handle(s->tape, end.mask));
        ad_var then = own.value < 0 ? ad_constant(s->tape, 0) : own.mask < 0 ? ad_constant(s->tape, 1)
                                                                             : any(ad_handle(s->tape, own.mask));
        ad_scan_add_state(s->tape, &r->build, r->mask.at[k], first, then);
    }
}

/* Values that a step reads, and what the adjoint of each is: written by each step, or added up. */
static void add_results(reversal *r)
{
    ad_scan_site *s = &r->site;
    for (int k = 0; k < s->x && s->tape->error.status == GIBBS_OK; k++) {
        ad_node own = s->tape->node[s->at[k]];
        ad_var value = ad_handle(s->tape, r->inner[s->at[k]].value), sum = none(r);
        bool captured = k >= s->given;
        if (k >= s->loop->states && !ad_is_null(value)) {
            if (!captured) ad_vars_add(s->tape, &r->build.listed, value);
            else if (own.axis < 0 && s->loop->axis >= 0) sum = value;
            else {
                ad_var so_far = ad_scan_value(s->tape, s->scan.id, SCAN_SUM, k, own.axis, own.shape);
                ad_scan_add_state(s->tape, &r->build, so_far, filled(r, s->at[k], 0), ad_add(so_far, value));
            }
        }
        ad_vars_add(s->tape, &r->step_sum, sum);
    }
}

/* ---- Its results ---- */

/* Whether any result was taken, of each sample; null where one was taken everywhere. */
static ad_var taken_at_all(const reversal *r)
{
    const ad_scan_site *s = &r->site;
    ad_var sum = none(r);
    for (int k = 0; k < s->results; k++) {
        ad_adjoint a = r->outer[s->result[k]];
        if (a.mask < 0) return none(r);
        ad_var own = any(ad_handle(s->tape, a.mask));
        sum = ad_is_null(sum) ? own : ad_add(sum, own);
    }
    return sum;
}

static ad_var part_of(const reversal *r, ad_var scan, int k, int *state, bool *summed)
{
    const ad_scan_site *s = &r->site;
    int32_t value = r->inner[s->at[k]].value;
    *summed = false;
    if (k < s->loop->states) {
        if (!s->active[k]) return none(r);
        int at = *state;
        *state += ad_is_null(r->mask.at[k]) ? 1 : 2;
        return ad_scan_last(scan, at);
    }
    if (value < 0) return none(r);
    if (k < s->given) return ad_scan_of(OP_scan_stack, scan, ad_handle(s->tape, value));
    *summed = !ad_is_null(r->step_sum.at[k]);
    return *summed ? ad_scan_sum_of(s, &r->build, scan, r->step_sum.at[k]) : ad_scan_last(scan, (*state)++);
}

static void fill_parts(reversal *r, ad_var scan, ad_adjoint *part)
{
    const ad_scan_site *s = &r->site;
    int state = 0;
    r->taken = taken_at_all(r);
    for (int k = 0; k < s->x && s->tape->error.status == GIBBS_OK; k++) {
        bool summed;
        ad_var v = part_of(r, scan, k, &state, &summed);
        if (ad_is_null(v)) continue;
        bool masks = !ad_is_null(r->taken) && !summed && s->outer->steep[s->node.in[k]];
        ad_var mask = masks ? spread(r, r->taken, s->node.in[k]) : none(r);
        part[k] = (ad_adjoint){ad_masked_if(mask, v).id, mask.id};
    }
}

static void record(reversal *r, ad_adjoint *part, ad_sweep *sweep)
{
    ad_scan_site *s = &r->site;
    r->masked = wants_masks(r, sweep);
    give_states(r);
    sweep_body(r, sweep);
    add_states(r);
    add_results(r);
    ad_scan_cut(s, &r->build, &r->step_sum);
    for (int k = 0; k < s->x && s->tape->error.status == GIBBS_OK; k++)
        if (!ad_is_null(r->step_sum.at[k])) ad_scan_list_sums(s, &r->build, r->step_sum.at[k]);
    ad_var scan = ad_scan_finish(s, &r->build, true);
    if (!ad_is_null(scan)) fill_parts(r, scan, part);
}

void ad_scan_adjoints(ad_var scan, const ad_paths *paths, const ad_adjoint *adjoint, ad_adjoint *part, ad_sweep *sweep)
{
    ad_tape *tape = scan.tape;
    reversal r = {.outer = adjoint};
    int n = ad_node_of(scan)->nin;
    for (int k = 0; k < n; k++) part[k] = (ad_adjoint){-1, -1};
    if (!ad_scan_site_new(scan, paths, adjoint, matters, &r.site)) return ad_scan_site_free(&r.site);
    r.inner = gibbs_alloc(&tape->alloc, (size_t)scan.id + 1, sizeof *r.inner);
    if (!r.inner) ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    else record(&r, part, sweep);
    gibbs_release(&tape->alloc, r.inner);
    gibbs_release(&tape->alloc, r.bar.at);
    gibbs_release(&tape->alloc, r.mask.at);
    gibbs_release(&tape->alloc, r.step_sum.at);
    ad_scan_build_free(tape, &r.build);
    ad_scan_site_free(&r.site);
}
