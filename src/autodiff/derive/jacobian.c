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

static int64_t count_all(const ad_var *x, int n)
{
    int64_t count = 0;
    for (int i = 0; i < n; i++) count += ad_count(x[i]);
    return count;
}

/* Of the two ways, those that give each sample's own matrix; and of these, the one with fewer directions. */
ad_var ad_jacobian(ad_var y, const ad_var *x, int n)
{
    ad_tape *tape;
    int32_t from;
    if (!ad_check_alike("jacobian", y, x, n, &tape, &from)) return ad_handle(tape, -1);
    int32_t to = ad_node_of(y)->axis, axis = to >= 0 ? to : from;
    if (to >= 0 && from >= 0 && to != from)
        return ad_fail(tape, GIBBS_AXIS, "jacobian: y is on axis «%s», x on «%s»", ad_axis_name(tape, to),
                       ad_axis_name(tape, from));
    if (to >= 0 && from >= 0 && ad_refuse("jacobian", y, x, n, true, AD_ANY)) return ad_handle(tape, -1);
    bool fewer = ad_count(y) < count_all(x, n), own = to >= 0 && from < 0;
    if (to < 0 && from >= 0) return backward(y, x, n, false, axis); /* forward sweeps would add the samples up */
    if (!fewer || (own && !separable(y, x, n))) return forward(y, x, n, false, axis);
    return backward(y, x, n, own, axis);
}

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
