/* refuse.c — what autodiff cannot see must be refused: curvature at kinks, divergence at jumps, and samples that see
 * one another where a derivative of each sample alone is asked for. */
#include "jacobian.h"

bool ad_mixes_samples(ad_op op)
{
    return ad_ops[op].kind == KIND_BATCH || op == OP_regroup || op == OP_ungroup;
}

/* A select may jump where its condition changes; a user's op that is not declared smooth may do anything. */
static bool rougher(const ad_tape *tape, const ad_node *node, const ad_paths *p, ad_smoothness least)
{
    if (least == AD_ANY || (node->op == OP_masked && !p->depends[node->in[0]])) return false;
    if (node->op == OP_user) return !tape->side[node->side].user->smooth;
    ad_class smooth = ad_ops[node->op].smooth;
    if (smooth == CLASS_FLAT || node->op == OP_select || node->op == OP_masked) return true;
    return least == AD_TWICE && (smooth == CLASS_KINK || smooth == CLASS_PICK);
}

static const char *op_name(const ad_tape *tape, const ad_node *node)
{
    return node->op == OP_user ? tape->side[node->side].name : ad_op_said(node->op);
}

/* What to take in place of a rough op. */
static const char *smooth_instead(ad_op op)
{
    switch (op) {
    case OP_abs: return "; take sqrt(x^2 + small)";
    case OP_max: return "; take softplus or silu for relu, logsumexp for max";
    case OP_min: return "; take -logsumexp of what is negated";
    case OP_max_reduce: return "; take logsumexp";
    case OP_elu: return "; take softplus or silu";
    case OP_select: return "; take weights by a sigmoid";
    case OP_step:
    case OP_less: return "; take a sigmoid of the difference";
    case OP_sign: return "; take tanh(x/small)";
    case OP_user: return "; if the op is smooth, say so in its ad_user_op";
    default: return "";
    }
}

/* Whether every argument of node k is one of node i's. */
static bool compares(const ad_tape *tape, int64_t k, int64_t i)
{
    const ad_node *inner = &tape->node[k], *outer = &tape->node[i];
    for (int a = 0; a < inner->nin; a++) {
        bool shared = false;
        for (int b = 0; b < outer->nin; b++) shared |= outer->in[b] == inner->in[a];
        if (!shared) return false;
    }
    return true;
}

/* Whether node k was recorded with i in it: a select that decides by what i sees, as elu by what its min does; and a
 * kink where i, of its derivative, jumps. */
static bool holds(const ad_tape *tape, int64_t k, int64_t i)
{
    const ad_node *node = &tape->node[k];
    bool jumps = ad_ops[tape->node[i].op].smooth == CLASS_FLAT;
    if (node->op == OP_select) return node->in[0] == i || compares(tape, i, node->in[0]);
    bool kink = ad_ops[node->op].smooth == CLASS_KINK || ad_ops[node->op].smooth == CLASS_PICK;
    return jumps && kink && node->op != OP_masked && compares(tape, k, i);
}

/* The op that was written and is to be named: a select for the less of its condition, |x| for the sign in its
 * derivative. Selects go first. Where it is the kink that matters (AD_TWICE), y must need it. The node itself where
 * there is no such op. */
static int64_t written(const ad_tape *tape, int64_t i, const ad_paths *p, ad_smoothness least)
{
    int64_t count = least == AD_TWICE ? p->count : tape->size, found = i;
    for (int64_t k = count - 1; k >= 0 && least != AD_CONTINUOUS; k--) {
        bool select = tape->node[k].op == OP_select, before = tape->node[found].op == OP_select;
        if ((select || !before) && (least != AD_TWICE || p->needed[k]) && holds(tape, k, i)) found = k;
    }
    return found;
}

static void complain(const char *what, ad_tape *tape, int64_t i, bool mixes, ad_smoothness least)
{
    static const char *const rough[] = {
        [AD_CONTINUOUS] = "between x and y may jump: the divergence of a jump would be missed",
        [AD_FOLLOWED] = "has a kink or a jump that a parameter moves, and no derivative by it sees that move",
        [AD_TWICE] = "between x and y is not twice continuously differentiable: its curvature would be missed",
    };
    const char *why = mixes ? "lies between the per-sample x and y: it mixes samples" : rough[least];
    const ad_node *node = &tape->node[i];
    ad_fail(tape, GIBBS_SMOOTH, "%s: %s (node %lld) %s%s", what, op_name(tape, node), (long long)i, why,
            mixes ? "" : smooth_instead(node->op));
}

static void look_inside(const char *what, ad_tape *tape, const ad_node *scan, const ad_paths *p, ad_smoothness least);

/* What lies between the x and y, and depends on x. */
static void look(const char *what, ad_tape *tape, const ad_paths *p, bool apart, ad_smoothness least)
{
    for (int64_t i = 0; i < p->count && tape->error.status == GIBBS_OK; i++) {
        ad_node node = tape->node[i];
        if (!p->depends[i] || !p->needed[i] || p->is_x[i]) continue;
        bool mixes = apart && ad_mixes_samples(node.op);
        if (mixes) complain(what, tape, i, true, least);
        else if (node.op == OP_scan) look_inside(what, tape, &node, p, least);
        else if (rougher(tape, &node, p, least)) complain(what, tape, written(tape, i, p, least), false, least);
    }
}

/* A state depends on x where its first one does, or what a step makes of it. */
static bool body_paths(ad_tape *tape, const ad_node *scan, const ad_paths *p, int32_t *list, bool *depends,
                       ad_paths *inner)
{
    const ad_loop *loop = ad_loop_of(tape, scan);
    int given = loop->states + loop->inputs, n = given + loop->captured, roots = 0;
    int32_t *x = list, *root = list + n;
    for (int k = 0; k < n; k++) x[k] = k < given ? loop->given[k] : loop->capture[k - given];
    for (int k = 0; k < n; k++) depends[k] = p->depends[scan->in[k]];
    for (int k = 0; k < loop->states; k++) root[roots++] = loop->next[k];
    for (int64_t k = 0; k < loop->lists; k++) root[roots++] = loop->listed[k];
    for (bool more = true; more;) {
        if (!ad_paths_between(tape, tape->size, x, depends, depends, n, root, roots, inner)) return false;
        more = false;
        for (int k = 0; k < loop->states; k++)
            if (!depends[k] && inner->depends[loop->next[k]]) depends[k] = more = true;
        if (more) ad_paths_free(tape, inner);
    }
    return true;
}

static void look_inside(const char *what, ad_tape *tape, const ad_node *scan, const ad_paths *p, ad_smoothness least)
{
    const ad_loop *loop = ad_loop_of(tape, scan);
    size_t n = (size_t)scan->nin + (size_t)loop->states + (size_t)loop->lists;
    int32_t *list = gibbs_alloc(&tape->alloc, n, sizeof *list);
    bool *depends = gibbs_alloc_zero(&tape->alloc, n, sizeof *depends);
    ad_paths inner = {0};
    if (!list || !depends) ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what);
    else if (body_paths(tape, scan, p, list, depends, &inner)) look(what, tape, &inner, false, least);
    ad_paths_free(tape, &inner);
    gibbs_release(&tape->alloc, list);
    gibbs_release(&tape->alloc, depends);
}

bool ad_refuse(const char *what, ad_var y, const ad_var *x, int n, bool apart, ad_smoothness least)
{
    ad_tape *tape = y.tape;
    ad_paths p;
    if (!ad_paths_new(what, y, x, n, &p)) return true;
    look(what, tape, &p, apart, least);
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
    return ad_check_independent(what, y, x, n);
}
