/* fuse.c — nodes that one instruction computes together: a sum with a product, which is added up where the other term
 * lies; sums of products over batches and of scattered tables, likewise; what covers a part of a larger value, which is
 * written there at once (pieces.c); and functions of one argument that share most of their work. The rest of a plan is
 * one instruction a node: fusing more was measured and did not pay (docs/speed.md). */
#include "compile.h"

#include <string.h>

/* The product that `id` is, seen through reshapes, when nothing else reads it. */
static int32_t product_behind(const ad_compiler *c, const bool *cone, int32_t id)
{
    const ad_node *node = c->tape->node;
    while (cone[id] && c->uses[id] == 1 && !c->keep[id] && node[id].op == OP_reshape) id = node[id].in[0];
    return cone[id] && c->uses[id] == 1 && !c->keep[id] && node[id].op == OP_matmul && node[id].axis >= 0 ? id : -1;
}

static void fuse_sum(ad_compiler *c, const bool *cone, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    if (ad_piece_of_sum(c, id) >= 0) return;
    for (int k = 0; k < 2 && c->partner[id] < 0; k++) c->partner[id] = product_behind(c, cone, node->in[k]);
    if (c->partner[id] >= 0) c->fused[c->partner[id]] = true;
}

/* ---- Sums of products over batches, be they of one pass or of several, and of tables that are scattered into ---- */

static int32_t term_of(const ad_compiler *c, int32_t id)
{
    const ad_node *node = c->tape->node;
    while (node[id].op == OP_reshape && c->uses[id] == 1) id = node[id].in[0];
    bool adds = (node[id].op == OP_batch_matmul || node[id].op == OP_scatter_add) && node[id].axis < 0;
    return c->uses[id] == 1 && (adds || c->gathers[id]) ? id : -1;
}

static void gather_terms(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    if (node->axis >= 0) return;
    int32_t a = term_of(c, node->in[0]), b = term_of(c, node->in[1]);
    c->gathers[id] = a >= 0 && b >= 0;
    if (c->gathers[id]) c->into[a] = c->into[b] = id;
}

void ad_fuse_sums(ad_compiler *c)
{
    for (int32_t i = 0; i < c->count; i++) {
        if (!c->live[i]) continue;
        if (c->tape->node[i].op == OP_add) gather_terms(c, i);
        ad_take_pieces(c, i);
    }
    for (int64_t i = c->count - 1; i >= 0; i--) { /* sums within sums, joins within joins: what is outermost */
        int32_t outer = c->into[i];
        if (outer < 0 || c->into[outer] < 0) continue;
        c->into[i] = c->into[outer];
        c->at[i] += c->at[outer];
    }
}

/* ---- Functions of one argument ---- */

static bool is_logistic(const ad_node *n)
{
    return n->axis >= 0 && (n->op == OP_softplus || n->op == OP_sigmoid || n->op == OP_sigmoid_slope);
}

/* A function that some stage computes is computed with those of its argument that the body computes already. */
void ad_pull_family(ad_compiler *c, bool *cone)
{
    const ad_node *node = c->tape->node;
    bool *begun = c->mark; /* of an argument: a function of it is in the body */
    memset(begun, 0, (size_t)c->count * sizeof *begun);
    for (int64_t i = 0; i < c->count; i++) {
        if (!c->live[i] || !is_logistic(&node[i])) continue;
        if (begun[node[i].in[0]] && !c->done[i]) cone[i] = true;
        if (cone[i]) begun[node[i].in[0]] = true;
    }
}

/* Links each to the next function of its argument: next[argument] is the last one met, from the end. */
static void fuse_families(ad_compiler *c, const bool *cone, int32_t *next)
{
    const ad_node *node = c->tape->node;
    for (int32_t i = (int32_t)c->count - 1; i >= 0; i--) {
        if (!cone[i] || !is_logistic(&node[i])) continue;
        int32_t *last = &next[node[i].in[0]];
        c->partner[i] = *last;
        if (*last >= 0) c->fused[*last] = true;
        *last = i;
    }
}

void ad_fuse(ad_compiler *c, const bool *cone)
{
    int32_t *next = gibbs_alloc(&c->plan->alloc, (size_t)c->count, sizeof *next);
    if (!next) {
        ad_compile_fail(c, GIBBS_MEMORY, "out of memory");
        return;
    }
    memset(next, -1, (size_t)c->count * sizeof *next);
    memset(c->partner, -1, (size_t)c->count * sizeof *c->partner);
    memset(c->fused, 0, (size_t)c->count * sizeof *c->fused);
    fuse_families(c, cone, next);
    gibbs_release(&c->plan->alloc, next);
    for (int32_t i = 0; i < c->count; i++)
        if (cone[i] && c->tape->node[i].axis >= 0 && c->tape->node[i].op == OP_add) fuse_sum(c, cone, i);
}
