/* stages.c — which node is computed in which stage.
 *
 * Greedy: run all shared nodes that can be; then open a body over the axis that can finish the most, with every
 * reduction and output of that axis whose needs are met; repeat. All reductions that are ready share the pass.
 * (A level for each node and axis, as one would first think of, can be cyclic: Σ_A may need Σ_B of one pass and
 * another Σ_A be needed by a Σ_B of the same pass.)
 *
 * What later stages need of a body's values is computed again there, except scalars per sample, which are stored:
 * they cost little memory and often much work (an energy, a log weight). A plan that computes anything again has a twin
 * that stores everything; a run takes the twin when its rows are few enough (run_plan.c). */
#include "compile.h"

#include <string.h>

static const ad_node *node_at(const ad_compiler *c, int64_t i) { return &c->tape->node[i]; }

static bool is_reduction(const ad_compiler *c, int64_t i)
{
    const ad_node *n = node_at(c, i);
    return ad_ops[n->op].kind == KIND_BATCH && n->axis < 0;
}

static int32_t root_of(const ad_compiler *c, int64_t i)
{
    const ad_node *n = node_at(c, i);
    int32_t axis = n->axis < 0 ? n->attr[0] : n->axis;
    return ad_axis_root(c->tape, axis);
}

/* Reductions and kept per-sample values are what bodies are run for. */
static bool is_target(const ad_compiler *c, int64_t i)
{
    return c->live[i] && !c->done[i] && node_at(c, i)->op != OP_batch_scatter_add &&
           (is_reduction(c, i) || (c->keep[i] && node_at(c, i)->axis >= 0));
}

/* ---- Shared code ---- */

static bool inputs_done(const ad_compiler *c, const ad_node *n)
{
    for (int k = 0; k < n->nin; k++)
        if (!c->done[n->in[k]]) return false;
    return true;
}

static void run_shared(ad_compiler *c)
{
    for (int64_t i = 0; i < c->count && !c->status; i++) {
        const ad_node *n = node_at(c, i);
        bool whole = n->op == OP_batch_scatter_add;
        if (!c->live[i] || c->done[i] || (n->axis >= 0 && !whole) || is_reduction(c, i) || !inputs_done(c, n)) continue;
        if (!ad_is_view(n->op) && !c->gathers[i] && !ad_is_piece(c, (int32_t)i)) ad_emit_node(c, (int32_t)i);
        c->done[i] = true;
    }
}

/* ---- Choosing a body ---- */

/* mark[i]: per-sample node i can be computed in a body now. */
static void mark_ready(ad_compiler *c)
{
    for (int64_t i = 0; i < c->count; i++) {
        const ad_node *n = node_at(c, i);
        c->mark[i] = c->live[i] && n->axis >= 0 && n->op != OP_batch_scatter_add;
        for (int k = 0; k < n->nin && c->mark[i]; k++) {
            int32_t in = n->in[k];
            bool whole = n->op == OP_batch_gather && k == 0;
            c->mark[i] = c->done[in] || (!whole && node_at(c, in)->axis >= 0 && c->mark[in]);
        }
    }
}

static bool target_ready(const ad_compiler *c, int64_t i)
{
    const ad_node *n = node_at(c, i);
    if (n->axis >= 0) return c->mark[i];
    for (int k = 0; k < n->nin; k++)
        if (!c->done[n->in[k]] && !c->mark[n->in[k]]) return false;
    return true;
}

/* The root axis to run next: one that leaves nothing of its own behind if there is such, else the one with most to
 * do; −1 when nothing is ready. */
static int32_t choose_axis(const ad_compiler *c)
{
    int32_t best = -1;
    int64_t best_score = 0;
    for (int32_t a = 0; a < c->tape->axes; a++) {
        int64_t ready = 0, waiting = 0;
        for (int64_t i = 0; i < c->count; i++)
            if (is_target(c, i) && root_of(c, i) == a) target_ready(c, i) ? ready++ : waiting++;
        int64_t score = ready + (ready && !waiting ? c->count : 0);
        if (score > best_score) best = a, best_score = score;
    }
    return best;
}

/* later[i]: some target that this body does not reach depends on node i. */
static void mark_later(ad_compiler *c, int32_t axis)
{
    for (int64_t i = 0; i < c->count; i++)
        c->later[i] = is_target(c, i) && !(root_of(c, i) == axis && target_ready(c, i));
    for (int64_t i = c->count - 1; i >= 0; i--)
        if (c->later[i])
            for (int k = 0; k < node_at(c, i)->nin; k++)
                if (!c->done[node_at(c, i)->in[k]]) c->later[node_at(c, i)->in[k]] = true;
}

/* ---- Filling a body ---- */

/* later[i] becomes: a node that this body does not compute reads i, be it through views. */
static void mark_read_later(ad_compiler *c, const bool *cone)
{
    memset(c->later, 0, (size_t)c->count * sizeof *c->later);
    for (int64_t i = c->count - 1; i >= 0; i--) {
        const ad_node *n = node_at(c, i);
        bool reads = c->live[i] && !c->done[i] && (!cone[i] || (ad_is_view(n->op) && c->later[i]));
        for (int k = 0; reads && k < n->nin; k++) c->later[n->in[k]] = true;
    }
}

static void mark_stored(ad_compiler *c, const bool *cone)
{
    if (c->stores) mark_read_later(c, cone);
    for (int64_t i = 0; i < c->count; i++) {
        const ad_node *n = node_at(c, i);
        if (!cone[i] || !c->later[i] || n->axis < 0 || n->nin == 0 || ad_is_view(n->op)) continue;
        if (c->stores || ad_shape_count(&n->shape) == 1) c->keep[i] = true;
        else c->recomputes = true;
    }
}

/* What the body computes: its targets, and what they need that is not done. Returned in `cone`. */
static void mark_cone(ad_compiler *c, int32_t axis, bool *cone)
{
    for (int64_t i = 0; i < c->count; i++) cone[i] = is_target(c, i) && root_of(c, i) == axis && target_ready(c, i);
    for (int64_t i = c->count - 1; i >= 0; i--) {
        if (!cone[i]) continue;
        for (int k = 0; k < node_at(c, i)->nin; k++)
            if (!c->done[node_at(c, i)->in[k]]) cone[node_at(c, i)->in[k]] = true;
    }
}

static void fill_body(ad_compiler *c, int32_t axis, bool *cone)
{
    c->stage->axis = axis;
    c->plan->counted[axis] = true;
    ad_place_carried(c);
    if (c->stores) ad_pull_family(c, cone);
    mark_stored(c, cone);
    ad_fuse(c, cone);
    for (int64_t i = 0; i < c->count && !c->status; i++) {
        if (!cone[i]) continue;
        const ad_node *n = node_at(c, i);
        if (!ad_is_view(n->op)) {
            if (!c->fused[i] && !ad_is_piece(c, (int32_t)i)) ad_emit_node(c, (int32_t)i);
        } else if (c->keep[i]) {
            ad_view view = ad_view_of(c, (int32_t)i);
            if (c->place[i].stage != -1) ad_emit_copy(c, (int32_t)i, &view);
        }
        if (n->axis < 0 || c->keep[i]) c->done[i] = true;
    }
}

static bool open_stage(ad_compiler *c)
{
    ad_plan *plan = c->plan;
    ad_stage stage = {.axis = -1};
    if (!gibbs_grow(&plan->alloc, &plan->stage, &plan->stage_capacity, plan->stages, plan->stages + 1, sizeof stage))
        return ad_compile_fail(c, GIBBS_MEMORY, "out of memory"), false;
    plan->stage[plan->stages] = stage;
    c->stage = &plan->stage[plan->stages];
    c->stage_number = plan->stages++;
    c->arena.count = 0;
    return true;
}

/* Outputs are stored in whole, and so is what an op reads in another order than that of its own rows. */
static void mark_kept(ad_compiler *c, const ad_var *outputs, int count)
{
    for (int k = 0; k < count; k++)
        if (node_at(c, outputs[k].id)->axis >= 0) c->keep[outputs[k].id] = true;
    for (int64_t i = 0; i < c->count; i++) {
        const ad_node *n = node_at(c, i);
        if (!c->live[i]) continue;
        if (n->op == OP_batch_gather) c->keep[n->in[0]] = true;
        if (n->op == OP_batch_scatter_add) c->keep[i] = c->keep[n->in[0]] = c->keep[n->in[1]] = true;
    }
}

void ad_schedule(ad_compiler *c, const ad_var *outputs, int count)
{
    bool *cone = gibbs_alloc(&c->plan->alloc, (size_t)c->count, sizeof *cone);
    if (!cone) ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
    mark_kept(c, outputs, count);
    for (bool more = true; more && !c->status;) {
        if (!open_stage(c)) break;
        run_shared(c);
        mark_ready(c);
        int32_t axis = choose_axis(c);
        more = axis >= 0;
        if (!more) break;
        mark_later(c, axis);
        mark_cone(c, axis, cone);
        fill_body(c, axis, cone);
        if (!c->status) ad_layout(c, c->stage);
    }
    gibbs_release(&c->plan->alloc, cone);
}
