/* paths.c — which nodes lie between some x and y. */
#include "derive.h"

void ad_paths_free(ad_tape *tape, ad_paths *paths) { gibbs_release(&tape->alloc, paths->active); }

/* Whether an op's slopes are finite wherever its arguments are moderate numbers, and so are its values. Products are
 * said to be, though those of very large numbers overflow: networks of kinks, and distances of which one is the least,
 * are made of them, and would run several times as long with masks. */
static bool has_finite_slopes(ad_op op)
{
    switch (op) {
    case OP_neg: case OP_add: case OP_sub: case OP_mul: case OP_chain: case OP_masked: case OP_max:
    case OP_min: case OP_abs: case OP_select: case OP_sin: case OP_cos: case OP_tanh: case OP_tanh_slope:
    case OP_sigmoid: case OP_sigmoid_slope: case OP_softplus: case OP_logcosh: case OP_atan:
    case OP_atan_slope: case OP_erf: case OP_erfc: case OP_elu: case OP_max_reduce: case OP_logsumexp:
    case OP_softmax: case OP_batch_max: case OP_batch_logsumexp: case OP_matmul: case OP_batch_matmul: return true;
    default: return ad_structures[op] && ad_ops[op].smooth == CLASS_LINEAR;
    }
}

static void mark_forward(const ad_tape *tape, ad_paths *p)
{
    for (int64_t i = 0; i < p->count; i++) {
        const ad_node *node = &tape->node[i];
        ad_class smooth = ad_ops[node->op].smooth;
        if (p->is_x[i]) continue;
        for (int k = 0; k < node->nin; k++) {
            if (p->reads[node->in[k]]) p->reads[i] = true;
            if (p->depends[node->in[k]] && smooth != CLASS_STOP) p->depends[i] = true;
            if (p->active[node->in[k]] && ad_differentiable(node, k) && smooth != CLASS_STOP && smooth != CLASS_FLAT)
                p->active[i] = true, p->steep[i] |= p->steep[node->in[k]];
        }
        p->steep[i] |= p->active[i] && !has_finite_slopes(node->op);
    }
}

bool ad_paths_new(const char *what, ad_var y, const ad_var *x, int n, ad_paths *p)
{
    ad_tape *tape = y.tape;
    size_t count = (size_t)y.id + 1;
    bool *marks = gibbs_alloc_zero(&tape->alloc, 6 * count, sizeof *marks);
    if (!marks) return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what), false;
    *p = (ad_paths){(int64_t)count, marks, marks + count, marks + 2 * count, marks + 3 * count,
                    marks + 4 * count, marks + 5 * count};
    for (int i = 0; i < n; i++)
        if (x[i].id <= y.id)
            p->active[x[i].id] = p->depends[x[i].id] = p->reads[x[i].id] = p->is_x[x[i].id] = true;
    mark_forward(tape, p);
    p->needed[y.id] = true;
    ad_mark_sources(tape, y.id, p->is_x, p->needed);
    return true;
}

bool ad_check_lists(const char *op, ad_var y, const ad_var *x, int n, const ad_var *other, ad_tape **tape)
{
    if (!ad_check_args(op, &y, 1, tape)) return false;
    if (n < 0) return ad_fail(*tape, GIBBS_ARGUMENT, "%s: %d vars", op, n), false;
    if (n > 0 && (!x || !other)) return ad_fail(*tape, GIBBS_ARGUMENT, "%s: a list is NULL", op), false;
    for (int i = 0; i < n; i++)
        if (!ad_check_args(op, (ad_var[]){y, x[i]}, 2, tape)) return false;
    return true;
}
