/* bypass.c — an x that y was recorded past: folding records many an op on what its argument was made of. */
#include "derive.h"

/* Whether ops on the node may be recorded on its arguments instead. */
static bool looked_through(ad_tape *tape, const ad_node *node)
{
    double c;
    switch (node->op) {
    case OP_neg:
    case OP_recip:
    case OP_lift:
    case OP_expand:
    case OP_reshape:
    case OP_permute:
    case OP_concat:
    case OP_regroup:
    case OP_ungroup: return true;
    case OP_mul:
        for (int k = 0; k < 2; k++)
            if (ad_is_constant(ad_handle(tape, node->in[k]), &c)) return true;
        return false;
    default: return false;
    }
}

/* What the x are made of: from each down the arguments, but for constants, of what is looked through. */
static void mark_sources(ad_tape *tape, int64_t count, const bool *x, bool *made)
{
    double c;
    for (int64_t i = count - 1; i >= 0; i--) {
        const ad_node *node = &tape->node[i];
        if (!(x[i] || made[i]) || !looked_through(tape, node)) continue;
        for (int k = 0; k < node->nin; k++) made[node->in[k]] |= !ad_is_constant(ad_handle(tape, node->in[k]), &c);
    }
}

/* What the node is a known multiple of, below what broadcasts it. */
static int32_t unscaled(ad_tape *tape, int32_t id)
{
    for (double c;;) {
        const ad_node *node = &tape->node[id];
        if (node->op == OP_lift || node->op == OP_expand) id = node->in[0];
        else if (node->op == OP_mul && ad_is_constant(ad_handle(tape, node->in[0]), &c)) id = node->in[1];
        else if (node->op == OP_mul && ad_is_constant(ad_handle(tape, node->in[1]), &c)) id = node->in[0];
        else return id;
    }
}

/* Whether y needs what −x is recorded as, of a difference x: the difference the other way round, or a sum. */
static bool needs_negative(ad_var x, const ad_paths *p)
{
    if (ad_node_of(x)->op != OP_sub) return false;
    ad_var minus = ad_neg(x);
    return ad_is_null(minus) || (minus.id < p->count && p->needed[minus.id]);
}

/* Whether y needs what a multiple of x is recorded as, of a product of the chain rule. */
static bool needs_multiple(ad_var x, const ad_paths *p)
{
    const ad_node *node = x.tape->node, *own = &node[x.id];
    for (int64_t i = 0; i < p->count && own->op == OP_chain; i++)
        if (p->needed[i] && node[i].op == OP_chain && node[i].in[1] == own->in[1] && node[i].in[0] != own->in[0] &&
            unscaled(x.tape, node[i].in[0]) == unscaled(x.tape, own->in[0]))
            return true;
    return false;
}

/* Which x it is, once it is known that there is one. */
static void blame(const char *what, const ad_var *x, int n, const ad_paths *p)
{
    for (int k = 0; n > 1 && k < n; k++)
        if (ad_bypassed(what, &x[k], 1, p)) return;
    ad_fail(x->tape, GIBBS_ARGUMENT,
            "%s: y was not recorded from argument %s (node %d) alone, but from what that was made of; "
            "ask for the derivative by a leaf",
            what, ad_op_said(ad_node_of(*x)->op), x->id);
}

static bool is_leaf(ad_var x) { return ad_ops[ad_node_of(x)->op].kind == KIND_LEAF; }

bool ad_bypassed(const char *what, const ad_var *x, int n, const ad_paths *p)
{
    int64_t count = 0;
    for (int k = 0; k < n; k++)
        if (!is_leaf(x[k]) && x[k].id >= count) count = x[k].id + 1;
    if (!count) return false;
    ad_tape *tape = x->tape;
    bool *own = gibbs_alloc_zero(&tape->alloc, 2 * (size_t)count, sizeof *own), found = false;
    if (!own) return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what), true;
    bool *made = own + count;
    for (int k = 0; k < n; k++)
        if (!is_leaf(x[k])) own[x[k].id] = true;
    mark_sources(tape, count, own, made);
    for (int32_t i = 0; i < count && !found; i++) {
        ad_var at = ad_handle(tape, i);
        if (own[i] || made[i])
            found = (made[i] && i < p->count && p->needed[i]) || needs_negative(at, p) || needs_multiple(at, p);
    }
    gibbs_release(&tape->alloc, own);
    if (found) blame(what, x, n, p);
    return found;
}
