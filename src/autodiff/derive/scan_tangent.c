/* scan_tangent.c — the derivative of a scan along directions: a scan over the tangents of the states, whose step is the
 * forward sweep of the body. */
#include "scan.h"

typedef struct forward {
    ad_scan_site site;
    const ad_paths *outer;
    int64_t directions;
    ad_tangent *tangent;  /* of the nodes outside */
    ad_tangent *inner;    /* of the body's nodes */
    ad_scan_build build;
    ad_vars given;        /* of states and inputs: the leaf; null where it has no tangent */
    ad_vars root;         /* of results: the body's dense tangent */
} forward;

static bool matters(const void *context, int32_t result)
{
    const ad_paths *p = context;
    return p->active[result] && p->needed[result];
}

/* Tangents of a state before each step, and of a step's input: [D, s…]. */
static void give_tangents(forward *f)
{
    ad_scan_site *s = &f->site;
    for (int k = 0; k < s->x && s->tape->error.status == GIBBS_OK; k++) {
        ad_node own = s->tape->node[s->at[k]];
        ad_var leaf = ad_handle(s->tape, -1);
        const ad_tangent *outer = &f->tangent[s->node.in[k]];
        bool moves = s->paths.active[s->at[k]];
        if (k >= s->given) {
            f->inner[s->at[k]] = moves ? *outer : (ad_tangent){0};
            continue;
        }
        bool given = moves && (k < s->loop->states || outer->kind != TANGENT_ZERO);
        if (given)
            leaf = ad_scan_value(s->tape, s->scan.id, SCAN_TANGENT, k, own.axis,
                                 ad_shape_prepend(f->directions, &own.shape));
        if (given) f->inner[s->at[k]] = (ad_tangent){.kind = TANGENT_DENSE, .v = leaf, .mask = ad_handle(s->tape, -1)};
        ad_vars_add(s->tape, &f->given, leaf);
    }
}

static ad_var dense(const forward *f, int32_t node)
{
    ad_var v = ad_handle(f->site.tape, node);
    ad_tangent t = f->site.paths.active[node] ? f->inner[node] : (ad_tangent){0};
    return ad_on_axis(ad_tangent_dense(v, t, f->directions), ad_node_of(v)->axis);
}

static void add_states_and_inputs(forward *f)
{
    ad_scan_site *s = &f->site;
    for (int k = 0; k < s->given && s->tape->error.status == GIBBS_OK; k++) {
        if (ad_is_null(f->given.at[k])) continue;
        ad_var from = ad_handle(s->tape, s->node.in[k]);
        bool moves = s->outer->active[from.id];
        ad_var t = ad_tangent_dense(from, moves ? f->tangent[from.id] : (ad_tangent){0}, f->directions);
        if (k < s->loop->states) ad_scan_add_state(s->tape, &f->build, f->given.at[k], t, dense(f, s->loop->next[k]));
        else ad_scan_add_input(s->tape, &f->build, f->given.at[k], ad_move_dim(t, 1, 0));
    }
}

/* The number of a state among those that have a tangent. */
static int number_of(const forward *f, int state)
{
    int number = 0;
    for (int k = 0; k < state; k++) number += !ad_is_null(f->given.at[k]);
    return number;
}

static void fill_results(forward *f, ad_var scan)
{
    ad_scan_site *s = &f->site;
    for (int k = 0; k < s->results && s->tape->error.status == GIBBS_OK; k++) {
        ad_node n = s->tape->node[s->result[k]];
        ad_var t;
        if (n.op == OP_scan_last) {
            if (ad_is_null(f->given.at[n.attr[0]])) continue;
            t = ad_scan_last(scan, number_of(f, n.attr[0]));
        } else if (n.op == OP_scan_sum) t = ad_scan_sum_of(s, &f->build, scan, f->root.at[k]);
        else t = ad_move_dim(ad_scan_of(OP_scan_stack, scan, f->root.at[k]), 0, 1);
        f->tangent[s->result[k]] = (ad_tangent){.kind = TANGENT_DENSE, .v = t, .mask = ad_handle(s->tape, -1)};
    }
}

static void record(forward *f, ad_pusher *push)
{
    ad_scan_site *s = &f->site;
    ad_vars sums = {0};
    give_tangents(f);
    if (s->tape->error.status == GIBBS_OK)
        push(ad_handle(s->tape, s->scan.id - 1), &s->paths, f->directions, f->inner);
    add_states_and_inputs(f);
    for (int k = 0; k < s->results && s->tape->error.status == GIBBS_OK; k++) {
        bool sum = s->tape->node[s->result[k]].op == OP_scan_sum;
        ad_vars_add(s->tape, &f->root, dense(f, ad_scan_root(s, s->result[k])));
        if (s->tape->error.status || s->tape->node[s->result[k]].op == OP_scan_last) continue;
        ad_vars_add(s->tape, sum ? &sums : &f->build.listed, f->root.at[k]);
    }
    ad_scan_cut(s, &f->build, &sums);
    for (int64_t k = 0; k < sums.count && s->tape->error.status == GIBBS_OK; k++)
        ad_scan_list_sums(s, &f->build, sums.at[k]);
    ad_var scan = s->tape->error.status ? ad_handle(s->tape, -1) : ad_scan_finish(s, &f->build, false);
    if (!ad_is_null(scan)) fill_results(f, scan);
    gibbs_release(&s->tape->alloc, sums.at);
}

void ad_scan_tangents(ad_var scan, const ad_paths *paths, int64_t directions, ad_tangent *tangent, ad_pusher *push)
{
    ad_tape *tape = scan.tape;
    forward f = {.outer = paths, .directions = directions, .tangent = tangent};
    if (!ad_scan_site_new(scan, paths, paths, matters, &f.site)) return ad_scan_site_free(&f.site);
    f.inner = gibbs_alloc_zero(&tape->alloc, (size_t)scan.id + 1, sizeof *f.inner);
    if (!f.inner) ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    else record(&f, push);
    gibbs_release(&tape->alloc, f.inner);
    gibbs_release(&tape->alloc, f.given.at);
    gibbs_release(&tape->alloc, f.root.at);
    ad_scan_build_free(tape, &f.build);
    ad_scan_site_free(&f.site);
}
