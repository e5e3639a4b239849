/* grad.c — the reverse sweep. It walks the tape from y down and records the adjoints as new nodes; only what lies
 * on a path from some x to y is visited. The order is that of the ids, so asking twice gives the same ids. */
#include "derive.h"

#include <string.h>

/* The sweep's state. The adjoint of a concat in a concat is a part of another's, and is not recorded as one: so what is
 * joined takes one slice, however many concats it passes. */
typedef struct sweep_state {
    ad_tape *tape;
    const ad_paths *paths;
    ad_adjoint *adjoint;
    int32_t *start; /* of concats: where in the node adjoint[i] its own begins; −1: it is the whole */
} sweep_state;

static int32_t slice_of(sweep_state *s, int32_t whole, int dim, int64_t start, int64_t count)
{
    return whole < 0 ? -1 : ad_slice(ad_handle(s->tape, whole), dim, start, count).id;
}

static ad_adjoint part_of(sweep_state *s, ad_adjoint whole, int dim, int64_t start, int64_t count)
{
    return (ad_adjoint){slice_of(s, whole.value, dim, start, count), slice_of(s, whole.mask, dim, start, count)};
}

/* Records the adjoint of a concat that is a part of another's. */
static void settle(sweep_state *s, int32_t id)
{
    ad_node node = s->tape->node[id];
    if (s->start[id] < 0) return;
    int dim = node.attr[0];
    s->adjoint[id] = part_of(s, s->adjoint[id], dim, s->start[id], node.shape.dim[dim]);
    s->start[id] = -1;
}

/* What is added up was taken where a part was; everywhere, if one part was. */
static void add_part(sweep_state *s, int32_t id, ad_adjoint part)
{
    if (part.value < 0 || ad_is_zero(ad_handle(s->tape, part.value))) return;
    settle(s, id);
    ad_adjoint *sum = &s->adjoint[id];
    if (sum->value < 0) {
        *sum = part;
        return;
    }
    sum->value = ad_add(ad_handle(s->tape, sum->value), ad_handle(s->tape, part.value)).id;
    bool both = sum->mask >= 0 && part.mask >= 0;
    sum->mask = both ? ad_add(ad_handle(s->tape, sum->mask), ad_handle(s->tape, part.mask)).id : -1;
}

static void sweep_concat(sweep_state *s, int32_t id)
{
    ad_node node = s->tape->node[id];
    int dim = node.attr[0];
    int64_t at = s->start[id] < 0 ? 0 : s->start[id];
    for (int k = 0; k < node.nin; k++) {
        int32_t in = node.in[k];
        ad_node part = s->tape->node[in];
        if (s->paths->active[in] && part.op == OP_concat && part.attr[0] == dim && s->adjoint[in].value < 0)
            s->adjoint[in] = s->adjoint[id], s->start[in] = (int32_t)at;
        else if (s->paths->active[in])
            add_part(s, in, part_of(s, s->adjoint[id], dim, at, part.shape.dim[dim]));
        at += part.shape.dim[dim];
    }
}

static void sweep_node(sweep_state *s, int32_t id)
{
    ad_node node = s->tape->node[id];
    ad_var y = ad_handle(s->tape, id), ybar = ad_handle(s->tape, s->adjoint[id].value);
    for (int k = 0; k < node.nin; k++) {
        if (!s->paths->active[node.in[k]] || !ad_differentiable(&node, k)) continue;
        ad_var mask = ad_handle(s->tape, s->adjoint[id].mask), part;
        bool steep = s->paths->steep[node.in[k]];
        if (steep || mask.id >= 0) part = ad_vjp_masked(y, ybar, k, s->paths->apart, &mask);
        else part = ad_vjp_node(y, ybar, k);
        add_part(s, node.in[k], (ad_adjoint){part.id, steep ? mask.id : -1});
    }
}

/* A result of a scan leaves its adjoint where it is, and the scan is come by. */
static void sweep_result(sweep_state *s, int32_t id)
{
    s->adjoint[s->tape->node[id].in[0]].value = s->adjoint[id].value;
}

/* When all results have been swept. */
static void sweep_scan(sweep_state *s, int32_t id)
{
    ad_tape *tape = s->tape;
    ad_node node = tape->node[id];
    ad_adjoint *part = gibbs_alloc(&tape->alloc, (size_t)node.nin + 1, sizeof *part);
    if (!part) ad_fail(tape, GIBBS_MEMORY, "gradient: out of memory");
    else ad_scan_adjoints(ad_handle(tape, id), s->paths, s->adjoint, part, ad_adjoints_of);
    for (int k = 0; part && k < node.nin && tape->error.status == GIBBS_OK; k++)
        if (s->paths->active[node.in[k]]) add_part(s, node.in[k], part[k]);
    gibbs_release(&tape->alloc, part);
}

void ad_adjoints_of(ad_tape *tape, const int32_t *root, const ad_adjoint *bar, int roots, const ad_paths *p,
                    ad_adjoint *adjoint)
{
    sweep_state s = {tape, p, adjoint, gibbs_alloc(&tape->alloc, (size_t)p->count, sizeof *s.start)};
    if (!s.start) {
        ad_fail(tape, GIBBS_MEMORY, "gradient: out of memory");
        return;
    }
    memset(s.start, -1, (size_t)p->count * sizeof *s.start);
    memset(adjoint, -1, (size_t)p->count * sizeof *adjoint);
    for (int k = 0; k < roots; k++) add_part(&s, root[k], bar[k]);
    for (int32_t i = (int32_t)p->count - 1; i >= 0 && tape->error.status == GIBBS_OK; i--) {
        if (adjoint[i].value < 0 || !p->active[i]) continue;
        if (p->is_x[i]) settle(&s, i);
        else if (tape->node[i].op == OP_concat) sweep_concat(&s, i);
        else if (tape->node[i].op == OP_scan) sweep_scan(&s, i);
        else if (ad_is_scan_result(tape->node[i].op)) sweep_result(&s, i);
        else sweep_node(&s, i);
    }
    gibbs_release(&tape->alloc, s.start);
}

void ad_adjoints(ad_var y, ad_var ybar, const ad_paths *p, ad_adjoint *adjoint)
{
    ad_adjoints_of(y.tape, &y.id, &(ad_adjoint){ybar.id, -1}, 1, p, adjoint);
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
    if (!ad_check_independent(what, y, x, n) || !ad_paths_new(what, y, x, n, &paths)) return null_all(tape, n, dx);
    ad_adjoint *adjoint = gibbs_alloc(&tape->alloc, (size_t)paths.count, sizeof *adjoint);
    if (!adjoint) ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what);
    else {
        ad_adjoints(y, ybar, &paths, adjoint);
        for (int i = 0; i < n; i++) {
            int32_t id = x[i].id <= y.id ? adjoint[x[i].id].value : -1;
            dx[i] = id >= 0 ? ad_handle(tape, id) : zero_like(x[i]);
        }
    }
    gibbs_release(&tape->alloc, adjoint);
    ad_paths_free(tape, &paths);
    return tape->error.status ? null_all(tape, n, dx) : GIBBS_OK;
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
