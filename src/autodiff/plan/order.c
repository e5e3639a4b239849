/* order.c — what is needed, in which stages and in which order.
 *
 * Greedy: run all shared nodes that can be; then open a body over the axis that can finish the most, with every
 * reduction and output of that axis whose needs are met; repeat. All reductions that are ready share the pass.
 * (A level for each node and axis, as one would first think of, can be cyclic: Σ_A may need Σ_B of one pass and
 * another Σ_A be needed by a Σ_B of the same pass.)
 *
 * What later stages need of a body's values is computed again there, except scalars per sample, which are stored:
 * they cost little memory and often much work (an energy, a log weight). A plan that computes anything again has a twin
 * that stores everything; a run takes the twin when its rows are few enough (run_plan.c). */
#include "passes.h"

typedef struct mark {
    bool done;   /* given, or computed by an earlier stage or in shared code, and there to be read */
    bool ready;  /* per-sample, and can be computed in a body now */
    bool here;   /* the body being filled computes it */
    bool later;  /* what this body does not compute depends on it; or, where all is stored, reads it */
    bool begun;  /* of an argument: the body computes a softplus, sigmoid or slope of it */
} mark;

typedef struct order {
    ad_compiler *c;
    mark *at;
    int64_t count;
} order;

static void add_step(order *o, int64_t node)
{
    ad_compiler *c = o->c;
    if (!ad_one_more(c, &c->step, &c->step_capacity, c->steps, sizeof *c->step)) return;
    c->step[c->steps++] = (ad_plan_step){(int32_t)node, FORM_OWN, {-1, -1}};
}

/* ---- What is needed ---- */

/* Bytes of one sample, its children included, then fit an int64_t many times over. */
static void check_sizes(ad_compiler *c)
{
    for (int64_t i = 0; i < c->count && !c->status; i++) {
        const ad_node *node = ad_node_at(c, i);
        if (!c->value[i].live || node->axis < 0) continue;
        if (ad_shape_count(&node->shape) > ((int64_t)1 << 40) / ad_axis_factor(c->tape, node->axis))
            ad_compile_fail(c, GIBBS_SIZE, "a value has more than 2^40 numbers for one sample, its children added up");
    }
}

/* Outputs are stored in whole, and so is what an op reads in another order than that of its own rows. */
static void mark_kept(ad_compiler *c)
{
    ad_value *value = c->value;
    for (int k = 0; k < c->outputs; k++)
        if (ad_node_at(c, c->output[k].id)->axis >= 0) value[c->output[k].id].kept = true;
    for (int64_t i = 0; i < c->count; i++) {
        const ad_node *n = ad_node_at(c, i);
        if (!value[i].live) continue;
        if (n->op == OP_batch_gather) value[n->in[0]].kept = true;
        if (n->op == OP_batch_scatter_add) value[i].kept = value[n->in[0]].kept = value[n->in[1]].kept = true;
    }
}

/* ---- Shared code ---- */

/* Whether the node's input is needed: of a scan not all are. */
static bool reads(const order *o, const ad_node *n, int k) { return o->c->value[n->in[k]].live; }

/* What is ordered: a body's nodes are not. */
static bool is_ordered(const order *o, int64_t i) { return o->c->value[i].live && !o->c->value[i].inside; }

static bool is_reduction(const ad_node *n) { return ad_ops[n->op].kind == KIND_BATCH && n->axis < 0; }

static bool inputs_done(const order *o, const ad_node *n)
{
    for (int k = 0; k < n->nin; k++)
        if (reads(o, n, k) && !o->at[n->in[k]].done) return false;
    return true;
}

static void order_shared(order *o)
{
    for (int64_t i = 0; i < o->count; i++) {
        const ad_node *n = ad_node_at(o->c, i);
        bool shared = n->axis < 0 ? !is_reduction(n) : n->op == OP_batch_scatter_add;
        if (!shared || !is_ordered(o, i) || o->at[i].done || !inputs_done(o, n)) continue;
        add_step(o, i);
        o->at[i].done = true;
    }
}

/* ---- Choosing a body ---- */

static int32_t root_of(const order *o, const ad_node *n)
{
    return ad_axis_root(o->c->tape, n->axis < 0 ? ad_batch_axis(n) : n->axis);
}

/* Reductions and kept per-sample values are what bodies are run for. */
static bool is_target(const order *o, int64_t i)
{
    const ad_node *n = ad_node_at(o->c, i);
    return is_ordered(o, i) && !o->at[i].done && n->op != OP_batch_scatter_add &&
           (is_reduction(n) || (o->c->value[i].kept && n->axis >= 0));
}

static void mark_ready(order *o)
{
    for (int64_t i = 0; i < o->count; i++) {
        const ad_node *n = ad_node_at(o->c, i);
        bool ready = is_ordered(o, i) && n->axis >= 0 && n->op != OP_batch_scatter_add;
        for (int k = 0; k < n->nin && ready; k++) {
            if (!reads(o, n, k)) continue;
            const mark *in = &o->at[n->in[k]];
            bool whole = n->op == OP_batch_gather && k == 0;
            ready = in->done || (!whole && ad_node_at(o->c, n->in[k])->axis >= 0 && in->ready);
        }
        o->at[i].ready = ready;
    }
}

static bool target_ready(const order *o, int64_t i)
{
    const ad_node *n = ad_node_at(o->c, i);
    if (n->axis >= 0) return o->at[i].ready;
    for (int k = 0; k < n->nin; k++)
        if (!o->at[n->in[k]].done && !o->at[n->in[k]].ready) return false;
    return true;
}

/* The root axis to run next: one that leaves nothing of its own behind if there is such, else the one with most to
 * do; −1 when nothing is ready. */
static int32_t choose_axis(const order *o)
{
    int32_t best = -1;
    int64_t best_score = 0;
    for (int32_t a = 0; a < o->c->tape->axes; a++) {
        int64_t ready = 0, waiting = 0;
        for (int64_t i = 0; i < o->count; i++)
            if (is_target(o, i) && root_of(o, ad_node_at(o->c, i)) == a) target_ready(o, i) ? ready++ : waiting++;
        int64_t score = ready + (ready && !waiting ? o->count : 0);
        if (score > best_score) best = a, best_score = score;
    }
    return best;
}

/* ---- Filling a body ---- */

/* What the body computes and later ones read is stored, if it is a number a sample, or the plan stores all. */
static bool is_stored(const order *o, int64_t i)
{
    const ad_node *n = ad_node_at(o->c, i);
    bool value = n->axis >= 0 && n->nin > 0 && !ad_is_view(n->op) && n->op != OP_scan;
    return value && o->at[i].here && o->at[i].later && (o->c->stores || ad_shape_count(&n->shape) == 1);
}

/* The body's targets, and what they need that is not done; and the same of what other targets need: through what is
 * stored they need nothing. */
static void mark_here_and_later(order *o, int32_t axis)
{
    for (int64_t i = 0; i < o->count; i++) {
        bool target = is_target(o, i), here = target && root_of(o, ad_node_at(o->c, i)) == axis && target_ready(o, i);
        o->at[i].here = here;
        o->at[i].later = target && !here;
    }
    for (int64_t i = o->count - 1; i >= 0; i--) {
        const mark *m = &o->at[i];
        const ad_node *n = ad_node_at(o->c, i);
        bool later = m->later && (o->c->stores || !is_stored(o, i));
        for (int k = 0; (m->here || later) && k < n->nin; k++) {
            mark *in = &o->at[n->in[k]];
            if (in->done || !reads(o, n, k)) continue;
            in->here |= m->here;
            in->later |= later;
        }
    }
}

/* A function that some stage computes is computed with those of its argument that the body computes already. */
static void pull_families(order *o)
{
    for (int64_t i = 0; i < o->count; i++) o->at[i].begun = false;
    for (int64_t i = 0; i < o->count; i++) {
        const ad_node *n = ad_node_at(o->c, i);
        if (!is_ordered(o, i) || !ad_is_of_family(n)) continue;
        mark *argument = &o->at[n->in[0]];
        if (argument->begun && !o->at[i].done) o->at[i].here = true;
        if (o->at[i].here) argument->begun = true;
    }
}

/* A loop that the body runs gives all its results. */
static void pull_results(order *o)
{
    for (int64_t i = 0; i < o->count; i++) {
        const ad_node *n = ad_node_at(o->c, i);
        bool result = is_ordered(o, i) && (n->op == OP_scan_last || n->op == OP_scan_stack) && n->axis >= 0;
        if (result && !o->at[i].done && o->at[n->in[0]].here) o->at[i].here = true;
    }
}

/* What a node that this body does not compute reads, be it through views. */
static void mark_read_later(order *o)
{
    for (int64_t i = 0; i < o->count; i++) o->at[i].later = false;
    for (int64_t i = o->count - 1; i >= 0; i--) {
        const ad_node *n = ad_node_at(o->c, i);
        const mark *m = &o->at[i];
        bool needs = is_ordered(o, i) && !m->done && (!m->here || (ad_is_view(n->op) && m->later));
        for (int k = 0; needs && k < n->nin; k++) o->at[n->in[k]].later = true;
    }
}

static void mark_stored(order *o)
{
    ad_compiler *c = o->c;
    for (int64_t i = 0; i < o->count; i++) {
        const ad_node *n = ad_node_at(c, i);
        bool again = o->at[i].here && o->at[i].later && n->axis >= 0 && n->nin > 0 && !ad_is_view(n->op);
        if (is_stored(o, i)) c->value[i].kept = true;
        else if (again) c->recomputes |= n->op != OP_scan || !c->stores;
    }
}

static void order_body(order *o, int32_t axis)
{
    mark_here_and_later(o, axis);
    if (o->c->stores) pull_families(o), pull_results(o), mark_read_later(o);
    mark_stored(o);
    for (int64_t i = 0; i < o->count; i++) {
        if (!o->at[i].here) continue;
        add_step(o, i);
        if (ad_node_at(o->c, i)->axis < 0 || o->c->value[i].kept) o->at[i].done = true;
    }
}

static void order_stages(order *o)
{
    ad_compiler *c = o->c;
    for (int32_t axis = 0; axis >= 0 && !c->status;) {
        ad_stage_steps stage = {.first = c->steps};
        order_shared(o);
        stage.body = c->steps;
        mark_ready(o);
        stage.axis = axis = choose_axis(o);
        if (axis >= 0) order_body(o, axis);
        stage.end = c->steps;
        if (!ad_one_more(c, &c->stage_steps, &c->stage_capacity, c->stages, sizeof stage)) return;
        c->stage_steps[c->stages++] = stage;
    }
}

void ad_order(ad_compiler *c)
{
    order o = {c, gibbs_alloc_zero(&c->plan->alloc, (size_t)c->count, sizeof *o.at), c->count};
    if (!o.at) {
        ad_out_of_memory(c);
        return;
    }
    check_sizes(c);
    mark_kept(c);
    for (int64_t i = 0; i < c->count; i++) o.at[i].done = c->value[i].live && ad_is_given(ad_node_at(c, i)->op);
    order_stages(&o);
    gibbs_release(&c->plan->alloc, o.at);
}
