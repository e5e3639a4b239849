/* paths.c — which nodes lie between some x and y. */
#include "derive.h"

void ad_paths_free(ad_tape *tape, ad_paths *paths)
{
    gibbs_release(&tape->alloc, paths->active);
    *paths = (ad_paths){0};
}

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

bool ad_loop_is_steep(ad_tape *tape, ad_loop *loop)
{
    bool *inside = loop->steep ? NULL : ad_scan_inside(tape, loop), steep = false;
    for (int64_t i = 0; inside && i < tape->size && !steep; i++) {
        const ad_node *node = &tape->node[i];
        if (!inside[i] || !inside[tape->size + i] || ad_ops[node->op].kind == KIND_LEAF) continue;
        steep = node->op == OP_scan ? ad_loop_is_steep(tape, ad_loop_of(tape, node)) : !has_finite_slopes(node->op);
    }
    if (inside) loop->steep = steep ? 1 : -1;
    gibbs_release(&tape->alloc, inside);
    return loop->steep > 0;
}

static bool is_steep(ad_tape *tape, const ad_node *node)
{
    return node->op == OP_scan ? ad_loop_is_steep(tape, ad_loop_of(tape, node)) : !has_finite_slopes(node->op);
}

static void mark_forward(ad_tape *tape, ad_paths *p)
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
        p->steep[i] |= p->active[i] && is_steep(tape, node);
    }
}

static bool paths_blank(const char *what, ad_tape *tape, size_t count, ad_paths *p)
{
    bool *marks = gibbs_alloc_zero(&tape->alloc, 6 * count, sizeof *marks);
    if (!marks) return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what), false;
    *p = (ad_paths){.count = (int64_t)count, .active = marks, .depends = marks + count, .reads = marks + 2 * count,
                    .is_x = marks + 3 * count, .needed = marks + 4 * count, .steep = marks + 5 * count};
    return true;
}

bool ad_paths_between(ad_tape *tape, int64_t count, const int32_t *x, const bool *active, const bool *steep, int n,
                      const int32_t *root, int roots, ad_paths *p)
{
    if (!paths_blank("scan", tape, (size_t)count, p)) return false;
    for (int k = 0; k < n; k++) {
        p->is_x[x[k]] = true;
        p->active[x[k]] = p->depends[x[k]] = p->reads[x[k]] = active[k];
        p->steep[x[k]] = steep[k] && active[k];
    }
    p->apart = true;
    mark_forward(tape, p);
    for (int k = 0; k < roots; k++) p->needed[root[k]] = true;
    ad_mark_sources(tape, count - 1, p->is_x, p->needed);
    return true;
}

bool ad_paths_new(const char *what, ad_var y, const ad_var *x, int n, ad_paths *p)
{
    ad_tape *tape = y.tape;
    if (!paths_blank(what, tape, (size_t)y.id + 1, p)) return false;
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
