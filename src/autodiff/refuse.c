/* refuse.c — what autodiff cannot see must be refused: curvature at kinks, divergence at jumps, and samples that see
 * one another where a derivative of each sample alone is asked for. */
#include "jacobian.h"

bool ad_mixes_samples(ad_op op)
{
    return ad_ops[op].kind == KIND_BATCH || op == OP_regroup || op == OP_ungroup;
}

/* A select may jump where its condition changes; a user's op that is not declared smooth may do anything. */
static bool rougher(const ad_tape *tape, const ad_node *node, ad_smoothness least)
{
    if (least == AD_ANY) return false;
    if (node->op == OP_user) return !tape->side[node->side].user->smooth;
    ad_class smooth = ad_ops[node->op].smooth;
    if (smooth == CLASS_FLAT || node->op == OP_select) return true;
    return least == AD_TWICE && smooth == CLASS_KINK;
}

static const char *op_name(const ad_tape *tape, const ad_node *node)
{
    return node->op == OP_user ? tape->side[node->side].name : ad_ops[node->op].name;
}

static void complain(const char *what, ad_tape *tape, int64_t i, bool mixes, ad_smoothness least)
{
    const char *why = mixes               ? "lies between the per-sample x and y: it mixes samples"
                      : least == AD_TWICE ? "between x and y is not twice continuously differentiable; its curvature "
                                            "would be missed"
                                          : "between x and y may jump; the divergence of a jump would be missed";
    ad_fail(tape, GIBBS_SMOOTH, "%s: %s (node %lld) %s", what, op_name(tape, &tape->node[i]), (long long)i,
            why);
}

bool ad_refuse(const char *what, ad_var y, const ad_var *x, int n, bool apart, ad_smoothness least)
{
    ad_tape *tape = y.tape;
    ad_paths p;
    if (!ad_paths_new(y, x, n, &p)) return true;
    for (int64_t i = 0; i < p.count && tape->error.status == GIBBS_OK; i++) {
        const ad_node *node = &tape->node[i];
        if (!p.depends[i] || !p.needed[i] || p.is_x[i]) continue;
        bool mixes = apart && ad_mixes_samples(node->op);
        if (mixes || rougher(tape, node, least)) complain(what, tape, i, mixes, least);
    }
    ad_paths_free(tape, &p);
    return tape->error.status != GIBBS_OK;
}

bool ad_check_alike(const char *what, ad_var y, const ad_var *x, int n, ad_tape **tape, int32_t *axis)
{
    if (!ad_check_args(what, &y, 1, tape)) return false;
    if (!x || n < 1) return ad_fail(*tape, GIBBS_ARGUMENT, "%s: no x", what), false;
    for (int i = 0; i < n; i++)
        if (!ad_check_args(what, (ad_var[]){y, x[i]}, 2, tape)) return false;
    *axis = ad_node_of(x[0])->axis;
    for (int i = 1; i < n; i++)
        if (ad_node_of(x[i])->axis != *axis)
            return ad_fail(*tape, GIBBS_AXIS, "%s: x 1 and x %d must both be shared, or be on one axis", what, i + 1),
                   false;
    return true;
}
