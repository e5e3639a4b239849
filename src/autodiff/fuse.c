/* fuse.c — nodes that one instruction computes together: a sum with a product, which BLAS adds up where the other term
 * lies; and two functions that share most of their work. The rest of a plan is one instruction a node: fusing more was
 * measured and did not pay (docs/design.md). */
#include "compile.h"

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
    for (int k = 0; k < 2 && c->partner[id] < 0; k++) c->partner[id] = product_behind(c, cone, node->in[k]);
    if (c->partner[id] >= 0) c->fused[c->partner[id]] = true;
}

/* The sigmoid of what `id` is the softplus of, or the other way round, recorded later; −1 for none. */
static int32_t pair_of(const ad_compiler *c, int32_t id)
{
    const ad_node *node = c->tape->node;
    ad_op wanted = node[id].op == OP_softplus ? OP_sigmoid : OP_softplus;
    if (node[id].axis < 0 || (node[id].op != OP_softplus && node[id].op != OP_sigmoid)) return -1;
    for (int32_t i = id + 1; i < c->count; i++)
        if (c->live[i] && node[i].op == wanted && node[i].in[0] == node[id].in[0]) return i;
    return -1;
}

void ad_pull_pairs(ad_compiler *c, bool *cone)
{
    for (int32_t i = 0; i < c->count; i++) {
        int32_t other = cone[i] ? pair_of(c, i) : -1;
        if (other >= 0 && !c->done[other]) cone[other] = true;
    }
}

static void fuse_pair(ad_compiler *c, const bool *cone, int32_t id)
{
    int32_t other = pair_of(c, id);
    if (other < 0 || !cone[other]) return;
    c->partner[id] = other;
    c->fused[other] = true;
}

void ad_fuse(ad_compiler *c, const bool *cone)
{
    for (int32_t i = 0; i < c->count; i++) {
        c->partner[i] = -1;
        c->fused[i] = false;
    }
    for (int32_t i = 0; i < c->count; i++) {
        const ad_node *node = &c->tape->node[i];
        if (!cone[i] || node->axis < 0 || c->fused[i]) continue;
        if (node->op == OP_add) fuse_sum(c, cone, i);
        else fuse_pair(c, cone, i);
    }
}
