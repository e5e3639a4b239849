/* jacobian.c — matrices of derivatives, without recording anything once an element.
 *
 * Forward: one sweep carries a direction for each element of x. Backward: Jᵀu for a placeholder u is one reverse sweep,
 * linear in u, and a forward sweep with a direction for each element of u takes u away again: ∂(Jᵀu)/∂u = Jᵀ. Either
 * way the directions lie in one leading dimension, so that products stay products of many rows.
 *
 * A reverse sweep from per-sample y to a shared x adds the samples up. Each sample's own gradient comes by transposing
 * twice: the tangent of y along a per-sample placeholder v is linear in v, and its gradient by v adds nothing up. What
 * is left to run are the shared products of the ordinary gradient, and an outer product a sample. */
#include "jacobian.h"

#include <math.h>

ad_tangent ad_forward(ad_var y, ad_var x)
{
    ad_tape *tape = y.tape;
    ad_tangent result = {.kind = TANGENT_ZERO, .v = {tape, -1}};
    ad_paths paths;
    if (!ad_paths_new("jacobian", y, &x, 1, &paths)) return result;
    ad_node at = *ad_node_of(x);
    ad_tangent *tangent = gibbs_alloc_zero(&tape->alloc, (size_t)paths.count, sizeof *tangent);
    if (!tangent) ad_fail(tape, GIBBS_MEMORY, "jacobian: out of memory");
    else {
        ad_tangent unit = {.kind = TANGENT_DIAGONAL, .v = ad_fill(tape, at.axis, at.shape, 1)};
        if (x.id <= y.id) tangent[x.id] = unit;
        ad_tangents(y, &paths, ad_shape_count(&at.shape), tangent);
        if (paths.active[y.id] && tape->error.status == GIBBS_OK) result = tangent[y.id];
    }
    gibbs_release(&tape->alloc, tangent);
    ad_paths_free(tape, &paths);
    return result;
}

/* ∂y/∂x as [count(y), count(x)], or its transpose as the sweep makes it, on `axis`. */
static ad_var forward_matrix(ad_var y, ad_var x, bool transposed, int32_t axis)
{
    ad_tangent t = ad_forward(y, x);
    if (y.tape->error.status) return ad_handle(y.tape, -1);
    int64_t rows = ad_count(x), cols = ad_count(y);
    ad_var matrix = ad_on_axis(ad_reshape(ad_tangent_dense(y, t, rows), ad_mat(rows, cols)), axis);
    return transposed ? matrix : ad_transpose(matrix);
}

static ad_var join(ad_var all, ad_var part, int dim) { return ad_is_null(all) ? part : ad_concat(all, part, dim); }

/* ---- Each sample's own product ---- */

/* dx[i] = (∂yₙ/∂x[i])ᵀ ȳₙ for every sample n of y, by shared x that no op between leads to other samples. */
static gibbs_status own_vjp(ad_var y, ad_var ybar, const ad_var *x, int n, ad_var *dx)
{
    ad_tape *tape = y.tape;
    int32_t axis = ad_node_of(y)->axis;
    ad_var *v = gibbs_alloc(&tape->alloc, (size_t)n, sizeof *v);
    if (!v) return ad_fail(tape, GIBBS_MEMORY, "gradient: out of memory"), GIBBS_MEMORY;
    for (int i = 0; i < n; i++) {
        ad_shape s = ad_node_of(x[i])->shape;
        v[i] = ad_placeholder(tape, PLACE_DIRECTION + i, axis, s);
    }
    ad_var along = ad_tangent_along("gradient", y, x, v, n);
    if (!ad_is_null(along)) ad_vjp(along, ybar, v, n, dx);
    gibbs_release(&tape->alloc, v);
    return ad_tape_status(tape);
}

/* Whether own_vjp may be asked: no op between mixes samples, and no user's op takes a shared argument, since what its
 * recorded derivative gives for a shared value is added up. */
static bool separable(ad_var y, const ad_var *x, int n)
{
    ad_tape *tape = y.tape;
    ad_paths p;
    if (!ad_paths_new("gradient", y, x, n, &p)) return false;
    bool yes = true;
    for (int64_t i = 0; i < p.count && yes; i++) {
        const ad_node *node = &tape->node[i];
        if (!p.depends[i] || !p.needed[i] || p.is_x[i]) continue;
        yes = !ad_mixes_samples(node->op);
        for (int k = 0; k < node->nin && node->op == OP_user; k++)
            yes &= !p.active[node->in[k]] || tape->node[node->in[k]].axis >= 0;
    }
    ad_paths_free(tape, &p);
    return yes;
}

static void own_gradients(ad_var y, const ad_var *x, int n, ad_var *dx)
{
    ad_tape *tape = y.tape;
    int32_t axis = ad_node_of(y)->axis;
    if (separable(y, x, n)) own_vjp(y, ad_fill(tape, axis, ad_scalar(), 1), x, n, dx);
    else
        for (int i = 0; i < n && tape->error.status == GIBBS_OK; i++) {
            ad_shape s = ad_node_of(x[i])->shape;
            dx[i] = ad_reshape(forward_matrix(y, x[i], true, axis), s);
        }
    for (int i = 0; i < n && tape->error.status == GIBBS_OK; i++) dx[i] = ad_on_axis(dx[i], axis);
}

gibbs_status ad_grad_per_sample(ad_var y, const ad_var *x, int n, ad_var *dx)
{
    ad_tape *tape;
    int32_t from;
    bool alike = ad_check_alike("grad_per_sample", y, x, n, &tape, &from);
    if (!dx) ad_fail(tape, GIBBS_ARGUMENT, "grad_per_sample: no place for the gradients");
    else if (alike && (ad_is_shared(y) || ad_node_of(y)->shape.rank))
        ad_fail(tape, GIBBS_SHAPE, "grad_per_sample: y must be a per-sample scalar");
    else if (alike && from >= 0)
        ad_fail(tape, GIBBS_AXIS, "grad_per_sample: x must be shared; by a per-sample x ad_grad is per-sample already");
    else if (alike) own_gradients(y, x, n, dx);
    if (tape && ad_tape_status(tape) == GIBBS_OK) return GIBBS_OK;
    for (int i = 0; i < n && dx; i++) dx[i] = ad_handle(tape, -1);
    return tape ? ad_tape_status(tape) : GIBBS_TAPE;
}

/* ---- Jacobians ---- */

static ad_var backward(ad_var y, const ad_var *x, int n, bool own, int32_t axis)
{
    ad_tape *tape = y.tape;
    ad_node at = *ad_node_of(y);
    ad_var u = ad_placeholder(tape, PLACE_COTANGENT, at.axis, at.shape), all = ad_handle(tape, -1);
    ad_var *g = gibbs_alloc(&tape->alloc, (size_t)n, sizeof *g);
    if (!g) ad_fail(tape, GIBBS_MEMORY, "jacobian: out of memory");
    else if (!(own ? own_vjp(y, u, x, n, g) : ad_vjp(y, u, x, n, g)))
        for (int i = 0; i < n && tape->error.status == GIBBS_OK; i++)
            all = join(all, forward_matrix(g[i], u, true, axis), 1);
    gibbs_release(&tape->alloc, g);
    return tape->error.status ? ad_handle(tape, -1) : all;
}

static ad_var forward(ad_var y, const ad_var *x, int n, bool transposed, int32_t axis)
{
    ad_var all = ad_handle(y.tape, -1);
    for (int i = 0; i < n && y.tape->error.status == GIBBS_OK; i++)
        all = join(all, forward_matrix(y, x[i], transposed, axis), !transposed);
    return y.tape->error.status ? ad_handle(y.tape, -1) : all;
}

/* A Jacobian that was asked for, and which ways give it. */
typedef struct question {
    ad_var y;
    const ad_var *x;
    int n;
    bool own; /* of each sample of y, by shared x */
    int32_t axis;
    bool can[3]; /* by ad_way */
} question;

static ad_var record(const question *q, ad_way way)
{
    return way == AD_FORWARD ? forward(q->y, q->x, q->n, false, q->axis) : backward(q->y, q->x, q->n, q->own, q->axis);
}

static bool is_one(const ad_var *x, int n) { return n == 1 && ad_count(x[0]) == 1; }

/* Both ways are recorded, counted and taken back. One that is refused, as where a unit matrix would be too large, is
 * the dearer; where memory is out, it is out. */
static ad_way cheaper(const question *q)
{
    ad_tape *tape = q->y.tape;
    double cost[3] = {0};
    if (!q->can[AD_FORWARD] || !q->can[AD_BACKWARD]) return q->can[AD_FORWARD] ? AD_FORWARD : AD_BACKWARD;
    if (is_one(q->x, q->n)) return AD_FORWARD;
    if (is_one(&q->y, 1)) return AD_BACKWARD;
    ad_mark mark = ad_tape_mark(tape);
    for (ad_way way = AD_FORWARD; way <= AD_BACKWARD; way++) {
        ad_var matrix = record(q, way);
        if (ad_is_null(matrix) || !ad_cost_beyond(matrix, q->y, &cost[way])) cost[way] = INFINITY;
        if (tape->error.status == GIBBS_MEMORY) break;
        ad_tape_rewind(tape, mark);
    }
    return cost[AD_BACKWARD] < cost[AD_FORWARD] ? AD_BACKWARD : AD_FORWARD;
}

/* Which ways give each sample's own matrix. */
static bool look_into(ad_var y, const ad_var *x, int n, question *q)
{
    ad_tape *tape;
    int32_t from;
    *q = (question){.y = y, .x = x, .n = n, .can = {true, true, true}};
    if (!ad_check_alike("jacobian", y, x, n, &tape, &from)) return q->y.tape = tape, false;
    int32_t to = ad_node_of(y)->axis;
    q->axis = to >= 0 ? to : from;
    q->own = to >= 0 && from < 0;
    if (to >= 0 && from >= 0 && to != from)
        return ad_fail(tape, GIBBS_AXIS, "jacobian: y is on axis «%s», x on «%s»", ad_axis_name(tape, to),
                       ad_axis_name(tape, from)), false;
    if (to >= 0 && from >= 0 && ad_refuse("jacobian", y, x, n, true, AD_ANY)) return false;
    q->can[AD_FORWARD] = !(to < 0 && from >= 0); /* forward sweeps would add the samples up */
    q->can[AD_BACKWARD] = !q->own || separable(y, x, n);
    return tape->error.status == GIBBS_OK;
}

ad_var ad_jacobian_by(ad_var y, const ad_var *x, int n, ad_way way)
{
    question q;
    if (!look_into(y, x, n, &q)) return ad_handle(q.y.tape, -1);
    if ((unsigned)way > AD_BACKWARD || !q.can[way])
        return ad_fail(y.tape, GIBBS_ARGUMENT, "jacobian: %s would add samples up here, or is no way; ask for "
                       "AD_CHEAPER", way == AD_FORWARD ? "forward" : way == AD_BACKWARD ? "backward" : "this");
    if (way == AD_CHEAPER) way = cheaper(&q);
    return y.tape->error.status ? ad_handle(y.tape, -1) : record(&q, way);
}

ad_var ad_jacobian(ad_var y, const ad_var *x, int n) { return ad_jacobian_by(y, x, n, AD_CHEAPER); }

ad_var ad_hessian(ad_var y, const ad_var *x, int n)
{
    ad_tape *tape;
    int32_t axis;
    if (!ad_check_alike("hessian", y, x, n, &tape, &axis)) return ad_handle(tape, -1);
    if (ad_node_of(y)->shape.rank) return ad_fail(tape, GIBBS_SHAPE, "hessian: y must be a scalar");
    if (ad_refuse("hessian", y, x, n, axis >= 0, AD_TWICE)) return ad_handle(tape, -1);
    ad_var all = ad_handle(tape, -1), *g = gibbs_alloc(&tape->alloc, (size_t)n, sizeof *g);
    if (!g) ad_fail(tape, GIBBS_MEMORY, "hessian: out of memory");
    else if (!ad_grad(y, x, n, g))
        for (int i = 0; i < n && tape->error.status == GIBBS_OK; i++)
            all = join(all, ad_reshape(g[i], ad_vec(ad_count(g[i]))), 0);
    gibbs_release(&tape->alloc, g);
    if (tape->error.status) return ad_handle(tape, -1);
    ad_var h = forward(all, x, n, true, axis);
    return ad_scale(ad_add(h, ad_transpose(h)), 0.5); /* the two halves are rounded differently */
}
