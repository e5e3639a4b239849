/* curvature.c — the exact Hessian diagonal by tangents × adjoint curvature:
 *
 *     ∂²y/∂xᵢ² = Σ over nodes v of  v̄ · D²φ_v[ẋᵢ, ẋᵢ]
 *
 * The adjoints v̄ are those of the gradient (the same nodes), the tangents ẋᵢ come from one forward sweep with d
 * directions through what some node that is not linear depends on: only these nodes contribute. The result is
 * recorded, so one more ad_grad gives the θ-gradient of implicit score matching. */
#include "jacobian.h"

typedef struct ad_curve {
    ad_tape *tape;
    int64_t directions;
    int32_t x_axis;
    ad_var sum; /* [D] */
} ad_curve;

/* Adds a term [D]; summed over the samples when x is shared and the term is not. */
static void add_term(ad_curve *c, ad_var term)
{
    if (ad_is_null(term) || ad_is_zero(term)) return;
    int32_t axis = ad_node_of(term)->axis;
    if (c->x_axis < 0 && axis >= 0) term = ad_batch_reduce(OP_batch_sum, axis, term);
    c->sum = ad_is_null(c->sum) ? term : ad_add(c->sum, term);
}

/* Σ over elements of w·(p∘q), for each direction: weights [s], tangents p and q; of those that are taken. */
static void add_weighted(ad_curve *c, ad_var node, ad_var w, ad_var mask, ad_tangent p, ad_tangent q)
{
    int64_t D = c->directions;
    if (ad_is_null(w) || ad_is_zero(w) || p.kind == TANGENT_ZERO || q.kind == TANGENT_ZERO) return;
    if (p.kind == TANGENT_DIAGONAL && q.kind == TANGENT_DIAGONAL) {
        add_term(c, ad_reshape(ad_masked_if(mask, ad_mul(w, ad_mul(p.v, q.v))), ad_vec(D)));
        return;
    }
    int64_t n = ad_count(node);
    ad_var both = ad_masked_if(mask, ad_mul(ad_tangent_dense(node, p, D), ad_tangent_dense(node, q, D)));
    ad_var weights = ad_broadcast_to(w, ad_node_of(node)->axis, ad_node_of(node)->shape);
    add_term(c, ad_matmul(ad_reshape(both, ad_mat(D, n)), ad_reshape(weights, ad_vec(n))));
}

/* Elementwise ops: v̄ Σ f_ij ȧᵢȧⱼ over pairs of arguments, each pair of different ones twice. */
static void curve_elementwise(ad_curve *c, const ad_call *v, ad_var vbar, ad_var mask, const ad_tangent *t)
{
    ad_var in[2] = {ad_arg(v, 0), ad_arg(v, v->node.nin - 1)};
    for (int i = 0; i < v->node.nin; i++)
        for (int j = i; j < v->node.nin; j++) {
            if (t[i].kind == TANGENT_ZERO || t[j].kind == TANGENT_ZERO) continue;
            ad_var f = ad_second_partial(v->node.op, i, j, in[0], in[1]);
            if (ad_is_null(f)) return;
            ad_var w = ad_masked_if(mask, ad_chain(vbar, f));
            add_weighted(c, in[0], i == j ? w : ad_scale(w, 2), mask, t[i], t[j]);
        }
}

/* An op without a rule of its own, as a user's: ⟨ẋᵢ, jvp along ẋᵢ of its vjp with v̄ held⟩, recorded on placeholders so
 * that nothing else counts as depending on the arguments, then put in place. All placeholders are on the op's own axis:
 * the vjp by a shared one would be summed over the samples, and add_term would sum it again. */
static void curve_general(ad_curve *c, const ad_call *v, ad_var vbar, ad_var mask, const ad_tangent *t)
{
    ad_var p[AD_MAX_ARGUMENTS + 1], actual[AD_MAX_ARGUMENTS + 1];
    const ad_node *node = &v->node;
    int n = node->nin;
    for (int k = 0; k < n; k++) {
        actual[k] = ad_arg(v, k);
        p[k] = ad_placeholder(c->tape, PLACE_ARGUMENT + k, node->axis, ad_node_of(actual[k])->shape);
    }
    actual[n] = vbar;
    p[n] = ad_placeholder(c->tape, PLACE_ARGUMENT + n, node->axis, node->shape);
    ad_var y = ad_rebuild(node, p), all = ad_handle(c->tape, -1), any = ad_is_null(mask) ? mask : ad_sum(mask);
    for (int64_t d = 0; d < c->directions && c->tape->error.status == GIBBS_OK; d++) {
        ad_var along[AD_MAX_ARGUMENTS], g[AD_MAX_ARGUMENTS], one = ad_constant(c->tape, 0);
        for (int k = 0; k < n; k++) {
            ad_shape own = ad_node_of(actual[k])->shape; /* read before anything is recorded: the nodes may move */
            along[k] = ad_reshape(ad_slice(ad_tangent_dense(actual[k], t[k], c->directions), 0, d, 1), own);
        }
        if (ad_vjp(y, p[n], p, n, g)) return;
        for (int k = 0; k < n; k++) one = ad_add(one, ad_dot(ad_jvp(g[k], p, along, n), along[k]));
        one = ad_reshape(ad_masked_if(any, ad_substitute(one, p, actual, n + 1)), ad_vec(1));
        all = d ? ad_concat(all, one, 0) : one;
    }
    add_term(c, all);
}

/* Which arguments move with x. */
static bool moves(const ad_paths *paths, const ad_node *node, int k)
{
    return paths->active[node->in[k]] && ad_differentiable(node, k);
}

static void curve_node(ad_curve *c, ad_var y, ad_adjoint adjoint, const ad_tangent *t)
{
    ad_call v = ad_call_of(y);
    ad_var vbar = ad_handle(c->tape, adjoint.value), mask = ad_handle(c->tape, adjoint.mask);
    const ad_structure *op = ad_structures[v.node.op];
    int moving = 0;
    for (int k = 0; k < v.node.nin; k++) moving += t[k].kind != TANGENT_ZERO;
    if (!moving || ad_ops[v.node.op].smooth != CLASS_SMOOTH || (op && op->bilinear && moving < 2)) return;
    if (!op) curve_elementwise(c, &v, vbar, mask, t);
    else if (op->curvature) add_term(c, op->curvature(&v, vbar, mask, t, c->directions));
    else curve_general(c, &v, vbar, mask, t);
}

/* ---- Which tangents are needed ---- */

/* Whether the node may have a curvature term: a product of which one factor moves has none. */
static bool bends(ad_tape *tape, const ad_node *node, const ad_paths *paths)
{
    if (ad_ops[node->op].smooth != CLASS_SMOOTH) return false;
    const ad_structure *op = ad_structures[node->op];
    if (op) return !op->bilinear || (moves(paths, node, 0) && moves(paths, node, 1));
    ad_var in[2] = {ad_handle(tape, node->in[0]), ad_handle(tape, node->in[node->nin - 1])};
    for (int i = 0; i < node->nin; i++)
        for (int j = i; j < node->nin; j++)
            if (moves(paths, node, i) && moves(paths, node, j) &&
                !ad_is_zero(ad_second_partial(node->op, i, j, in[0], in[1])))
                return true;
    return false;
}

/* Marks the nodes whose tangents a curvature term needs: of x itself alone, in a sum of functions of its elements. */
static void mark_wanted(ad_var y, const ad_paths *paths, const ad_adjoint *adjoint, bool *wanted)
{
    for (int32_t i = y.id; i >= 0 && y.tape->error.status == GIBBS_OK; i--) {
        ad_node node = y.tape->node[i];
        if (!paths->active[i] || paths->is_x[i] || !(wanted[i] || adjoint[i].value >= 0)) continue;
        if (!wanted[i] && !bends(y.tape, &node, paths)) continue;
        for (int k = 0; k < node.nin; k++) wanted[node.in[k]] |= moves(paths, &node, k);
    }
}

/* ---- Entry points ---- */

static void sum_curvature(ad_curve *c, ad_var y, ad_var x, const ad_paths *paths, ad_adjoint *adjoint,
                          ad_tangent *tangent, bool *wanted)
{
    ad_node own = *ad_node_of(y), at = *ad_node_of(x);
    ad_adjoints(y, ad_fill(c->tape, own.axis, ad_scalar(), 1), paths, adjoint);
    tangent[x.id] = (ad_tangent){.kind = TANGENT_DIAGONAL, .v = ad_fill(c->tape, at.axis, at.shape, 1)};
    ad_paths bent = *paths;
    bent.needed = wanted;
    mark_wanted(y, paths, adjoint, wanted);
    ad_tangents(y, &bent, c->directions, tangent);
    ad_tangent *t = gibbs_alloc(&c->tape->alloc, (size_t)ad_most_arguments(c->tape, paths->count), sizeof *t);
    if (!t) ad_fail(c->tape, GIBBS_MEMORY, "curvature: out of memory");
    for (int32_t i = 0; i <= y.id && c->tape->error.status == GIBBS_OK; i++) {
        if (adjoint[i].value < 0 || !paths->active[i] || paths->is_x[i]) continue;
        ad_tangents_of_arguments(&c->tape->node[i], paths, tangent, t);
        curve_node(c, ad_handle(c->tape, i), adjoint[i], t);
    }
    gibbs_release(&c->tape->alloc, t);
}

/* A scan has no rule: its curvature is had from the gradient, along each direction. */
static bool has_scan(const ad_tape *tape, const ad_paths *paths)
{
    for (int64_t i = 0; i < paths->count; i++)
        if (tape->node[i].op == OP_scan && paths->active[i] && paths->needed[i]) return true;
    return false;
}

static ad_var by_directions(ad_var y, ad_var x)
{
    ad_tape *tape = x.tape;
    ad_node at = *ad_node_of(x);
    int64_t D = ad_shape_count(&at.shape);
    ad_var g;
    if (ad_grad(y, &x, 1, &g)) return g;
    ad_tangent t = ad_forward(g, x);
    if (tape->error.status) return ad_handle(tape, -1);
    if (t.kind == TANGENT_ZERO) return ad_fill(tape, at.axis, at.shape, 0);
    if (t.kind == TANGENT_DIAGONAL) return t.v;
    ad_var own = ad_masked(ad_eye(tape, D), ad_reshape(t.v, ad_mat(D, D)));
    return ad_on_axis(ad_reshape(ad_sum_dims(own, 1u << 1), at.shape), at.axis);
}

static ad_var hess_diag(const char *what, ad_var y, ad_var x, ad_smoothness least)
{
    ad_tape *tape;
    if (!ad_check_args(what, (ad_var[]){y, x}, 2, &tape)) return ad_handle(tape, -1);
    ad_node own = *ad_node_of(y), at = *ad_node_of(x);
    if (own.shape.rank) return ad_fail(tape, GIBBS_SHAPE, "%s: y must be a scalar", what);
    ad_paths paths;
    if (!ad_check_independent(what, y, &x, 1) || ad_refuse(what, y, &x, 1, at.axis >= 0, least) ||
        !ad_paths_new(what, y, &x, 1, &paths))
        return ad_handle(tape, -1);
    if (has_scan(tape, &paths)) return ad_paths_free(tape, &paths), by_directions(y, x);
    ad_curve c = {tape, ad_shape_count(&at.shape), at.axis, {tape, -1}};
    size_t count = (size_t)y.id + 1;
    ad_adjoint *adjoint = gibbs_alloc(&tape->alloc, count, sizeof *adjoint);
    ad_tangent *tangent = gibbs_alloc_zero(&tape->alloc, count, sizeof *tangent);
    bool *wanted = gibbs_alloc_zero(&tape->alloc, count, sizeof *wanted);
    if (!adjoint || !tangent || !wanted) ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what);
    else if (paths.active[y.id]) sum_curvature(&c, y, x, &paths, adjoint, tangent, wanted);
    gibbs_release(&tape->alloc, wanted);
    gibbs_release(&tape->alloc, adjoint);
    gibbs_release(&tape->alloc, tangent);
    ad_paths_free(tape, &paths);
    if (tape->error.status) return ad_handle(tape, -1);
    if (ad_is_null(c.sum)) return ad_fill(tape, at.axis, at.shape, 0);
    return ad_reshape(ad_broadcast_to(c.sum, ad_is_shared(c.sum) ? at.axis : -1, ad_vec(c.directions)), at.shape);
}

ad_var ad_hess_diag(ad_var y, ad_var x) { return hess_diag("hess_diag", y, x, AD_TWICE); }
ad_var ad_hess_diag_almost_everywhere(ad_var y, ad_var x) { return hess_diag("hess_diag", y, x, AD_ANY); }
ad_var ad_laplacian(ad_var y, ad_var x) { return ad_sum(hess_diag("laplacian", y, x, AD_TWICE)); }

ad_var ad_directional_curvature(ad_var y, ad_var x, ad_var v)
{
    ad_tape *tape;
    if (!ad_check_args("directional_curvature", (ad_var[]){y, x, v}, 3, &tape)) return ad_handle(tape, -1);
    bool refused = !ad_check_independent("directional_curvature", y, &x, 1) ||
                   ad_refuse("directional_curvature", y, &x, 1, !ad_is_shared(x), AD_TWICE);
    return refused ? ad_handle(tape, -1) : ad_dot(ad_hvp(y, x, v), v);
}
