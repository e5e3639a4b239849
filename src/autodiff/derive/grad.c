/* grad.c — the reverse sweep. It walks the tape from y down and records the adjoints as new nodes; only what lies
 * on a path from some x to y is visited. The order is that of the ids, so asking twice gives the same ids. */
#include "derive.h"

#include <string.h>

bool ad_differentiable(const ad_node *node, int k)
{
    if (node->op == OP_select) return k > 0;
    bool indexed = node->op == OP_gather || node->op == OP_scatter_add || node->op == OP_batch_gather ||
                   node->op == OP_batch_scatter_add;
    return !(indexed && k == 1);
}

void ad_paths_free(ad_tape *tape, ad_paths *paths) { gibbs_release(&tape->alloc, paths->active); }

static void mark_forward(const ad_tape *tape, ad_paths *p)
{
    for (int64_t i = 0; i < p->count; i++) {
        const ad_node *node = &tape->node[i];
        ad_class smooth = ad_ops[node->op].smooth;
        if (p->is_x[i]) continue;
        for (int k = 0; k < node->nin; k++) {
            if (p->depends[node->in[k]] && smooth != CLASS_STOP) p->depends[i] = true;
            if (p->active[node->in[k]] && ad_differentiable(node, k) && smooth != CLASS_STOP && smooth != CLASS_FLAT)
                p->active[i] = true;
        }
    }
}

bool ad_paths_mark(const char *what, ad_var y, const ad_var *x, int n, ad_paths *p)
{
    ad_tape *tape = y.tape;
    size_t count = (size_t)y.id + 1;
    bool *marks = gibbs_alloc_zero(&tape->alloc, 4 * count, sizeof *marks);
    if (!marks) return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what), false;
    *p = (ad_paths){(int64_t)count, marks, marks + count, marks + 2 * count, marks + 3 * count};
    for (int i = 0; i < n; i++)
        if (x[i].id <= y.id) p->active[x[i].id] = p->depends[x[i].id] = p->is_x[x[i].id] = true;
    mark_forward(tape, p);
    p->needed[y.id] = true;
    for (int64_t i = y.id; i >= 0; i--)
        if (p->needed[i] && !p->is_x[i])
            for (int k = 0; k < tape->node[i].nin; k++) p->needed[tape->node[i].in[k]] = true;
    return true;
}

bool ad_paths_new(const char *what, ad_var y, const ad_var *x, int n, ad_paths *p)
{
    if (!ad_paths_mark(what, y, x, n, p)) return false;
    for (int i = 0; i < n; i++)
        if (ad_bypassed(what, x[i], p)) return ad_paths_free(y.tape, p), false;
    return true;
}

void ad_adjoints(ad_var y, ad_var ybar, const ad_paths *p, int32_t *adjoint)
{
    ad_tape *tape = y.tape;
    memset(adjoint, -1, (size_t)p->count * sizeof *adjoint);
    adjoint[y.id] = ybar.id;
    for (int32_t i = y.id; i >= 0 && tape->error.status == GIBBS_OK; i--) {
        if (adjoint[i] < 0 || !p->active[i] || p->is_x[i]) continue;
        ad_node node = tape->node[i];
        for (int k = 0; k < node.nin; k++) {
            if (!p->active[node.in[k]] || !ad_differentiable(&node, k)) continue;
            ad_var part = ad_vjp_node(ad_handle(tape, i), ad_handle(tape, adjoint[i]), k);
            if (ad_is_null(part) || ad_is_zero(part)) continue;
            int32_t *sum = &adjoint[node.in[k]];
            *sum = *sum < 0 ? part.id : ad_add(ad_handle(tape, *sum), part).id;
        }
    }
}

static ad_var zero_like(ad_var v)
{
    ad_node n = *ad_node_of(v);
    return ad_fill(v.tape, n.axis, n.shape, 0);
}

static gibbs_status null_all(ad_tape *tape, int n, ad_var *dx)
{
    for (int i = 0; i < n && dx; i++) dx[i] = ad_handle(tape, -1);
    return ad_tape_status(tape);
}

static gibbs_status sweep(const char *what, ad_var y, ad_var ybar, const ad_var *x, int n, ad_var *dx)
{
    ad_tape *tape = y.tape;
    ad_paths paths;
    if (!ad_paths_new(what, y, x, n, &paths)) return null_all(tape, n, dx);
    int32_t *adjoint = gibbs_alloc(&tape->alloc, (size_t)paths.count, sizeof *adjoint);
    if (!adjoint) ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what);
    else {
        ad_adjoints(y, ybar, &paths, adjoint);
        for (int i = 0; i < n; i++)
            dx[i] = x[i].id <= y.id && adjoint[x[i].id] >= 0 ? ad_handle(tape, adjoint[x[i].id]) : zero_like(x[i]);
    }
    gibbs_release(&tape->alloc, adjoint);
    ad_paths_free(tape, &paths);
    return tape->error.status ? null_all(tape, n, dx) : GIBBS_OK;
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

gibbs_status ad_vjp(ad_var y, ad_var ybar, const ad_var *x, int n, ad_var *dx)
{
    ad_tape *tape;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (!ad_check_lists("vjp", y, x, n, dx, &tape) || !ad_check_args("vjp", (ad_var[]){y, ybar}, 2, &tape))
        return null_all(tape, n, dx);
    ad_node own = *ad_node_of(y), bar = *ad_node_of(ybar);
    if (!ad_shape_equal(&own.shape, &bar.shape) || (bar.axis >= 0 && bar.axis != own.axis)) {
        ad_fail(tape, GIBBS_SHAPE, "vjp: the cotangent is %s («%s»), y is %s («%s»)",
                ad_shape_text(&bar.shape, a, sizeof a), ad_axis_name(tape, bar.axis),
                ad_shape_text(&own.shape, b, sizeof b), ad_axis_name(tape, own.axis));
        return null_all(tape, n, dx);
    }
    return sweep("vjp", y, ad_broadcast_to(ybar, own.axis, own.shape), x, n, dx);
}

gibbs_status ad_grad(ad_var y, const ad_var *x, int n, ad_var *dx)
{
    ad_tape *tape;
    char text[AD_SHAPE_TEXT];
    if (!ad_check_lists("grad", y, x, n, dx, &tape)) return null_all(tape, n, dx);
    ad_node own = *ad_node_of(y);
    if (own.shape.rank) {
        ad_fail(tape, GIBBS_SHAPE, "grad: y must be a scalar, not %s", ad_shape_text(&own.shape, text, sizeof text));
        return null_all(tape, n, dx);
    }
    return sweep("grad", y, ad_fill(tape, own.axis, ad_scalar(), 1), x, n, dx);
}

/* v as a direction of x: of its shape, on its axis. */
static ad_var direction(ad_var v, ad_var x, int number)
{
    ad_node at = *ad_node_of(x);
    v = ad_broadcast_to(v, ad_is_shared(v) ? at.axis : -1, at.shape);
    if (ad_is_null(v) || ad_node_of(v)->axis == at.axis) return v;
    return ad_fail(x.tape, GIBBS_AXIS, "jvp: v %d is on another axis than x", number);
}

ad_var ad_jvp(ad_var y, const ad_var *x, const ad_var *v, int n)
{
    ad_tape *tape;
    if (!ad_check_lists("jvp", y, x, n, v, &tape) || !ad_check_lists("jvp", y, v, n, x, &tape))
        return ad_handle(tape, -1);
    ad_var *along = gibbs_alloc(&tape->alloc, (size_t)(n > 0 ? n : 1), sizeof *along);
    if (!along) return ad_fail(tape, GIBBS_MEMORY, "jvp: out of memory");
    for (int i = 0; i < n && tape->error.status == GIBBS_OK; i++) along[i] = direction(v[i], x[i], i + 1);
    ad_var result = tape->error.status ? ad_handle(tape, -1) : ad_tangent_along("jvp", y, x, along, n);
    gibbs_release(&tape->alloc, along);
    return result;
}

ad_var ad_hvp(ad_var y, ad_var x, ad_var v)
{
    ad_tape *tape;
    ad_var dx;
    if (!ad_check_args("hvp", (ad_var[]){y, x, v}, 3, &tape)) return ad_handle(tape, -1);
    if (ad_grad(y, &x, 1, &dx)) return dx;
    return ad_jvp(dx, &x, &v, 1);
}
