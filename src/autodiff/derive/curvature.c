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

/* Σ over elements of w·(p∘q), for each direction: weights [s], tangents p and q. */
static void add_weighted(ad_curve *c, ad_var node, ad_var w, ad_tangent p, ad_tangent q)
{
    int64_t D = c->directions;
    if (ad_is_null(w) || ad_is_zero(w) || p.kind == TANGENT_ZERO || q.kind == TANGENT_ZERO) return;
    if (p.kind == TANGENT_DIAGONAL && q.kind == TANGENT_DIAGONAL) {
        add_term(c, ad_reshape(ad_mul(w, ad_mul(p.v, q.v)), ad_vec(D)));
        return;
    }
    int64_t n = ad_count(node);
    ad_var both = ad_mul(ad_tangent_dense(node, p, D), ad_tangent_dense(node, q, D));
    ad_var weights = ad_broadcast_to(w, ad_node_of(node)->axis, ad_node_of(node)->shape);
    add_term(c, ad_matmul(ad_reshape(both, ad_mat(D, n)), ad_reshape(weights, ad_vec(n))));
}

/* Unary and binary ops: v̄ (f_aa ȧ² + 2 f_ab ȧḃ + f_bb ḃ²). */
static void curve_elementwise(ad_curve *c, const ad_node *node, const ad_var *in, ad_var vbar, const ad_tangent *t)
{
    for (int i = 0; i < node->nin; i++)
        for (int j = i; j < node->nin; j++) {
            if (t[i].kind == TANGENT_ZERO || t[j].kind == TANGENT_ZERO) continue;
            ad_var f = ad_second_partial(node->op, i, j, in[0], in[node->nin - 1]);
            if (ad_is_null(f)) return;
            ad_var w = ad_chain(vbar, f);
            add_weighted(c, in[0], i == j ? w : ad_scale(w, 2), t[i], t[j]);
        }
}

/* 2⟨v̄, ȦᵢḂᵢ⟩, with the D directions in the leading dimension. */
static void curve_matmul(ad_curve *c, const ad_node *node, const ad_var *in, ad_var vbar, const ad_tangent *t)
{
    if (t[0].kind == TANGENT_ZERO || t[1].kind == TANGENT_ZERO) return;
    ad_var dense[2];
    int64_t D = c->directions, L = node->shape.dim[0];
    for (int k = 0; k < 2; k++) {
        ad_shape s = ad_node_of(in[k])->shape, one = ad_shape_prepend(D, &s);
        s.dim[0] = L;
        ad_shape all = ad_shape_prepend(D, &s);
        dense[k] = ad_expand(ad_reshape(ad_tangent_dense(in[k], t[k], D), one), all);
        dense[k] = ad_reshape(dense[k], ad_cube(D * L, s.dim[1], s.dim[2]));
    }
    ad_var product = ad_matmul_core(dense[0], node->attr[0], dense[1], node->attr[1]);
    product = ad_reshape(product, ad_shape_prepend(D, &node->shape));
    add_term(c, ad_scale(ad_sum_but_first(ad_mul(product, vbar)), 2));
}

/* v̄ (Σ p t² − (Σ p t)²) with p the softmax; over a batch likewise. Where t is diagonal the sums are of one term, and
 * over a batch of one a sample. */
static void curve_logsumexp(ad_curve *c, ad_var y, const ad_node *node, ad_var x, ad_var vbar, ad_tangent tangent)
{
    bool within = node->op == OP_logsumexp, diagonal = tangent.kind == TANGENT_DIAGONAL;
    ad_var p = ad_reduction_weight(y), t = diagonal ? tangent.v : ad_tangent_dense(x, tangent, c->directions);
    ad_var first = ad_mul(p, t), second = ad_mul(first, t);
    if (!within) {
        first = ad_batch_reduce(OP_batch_sum, node->attr[0], first);
        second = ad_batch_reduce(OP_batch_sum, node->attr[0], second);
    } else if (diagonal) {
        vbar = ad_unreduce(node, vbar, x);
    } else {
        first = ad_sum_range(OP_sum, first, node->attr[0] + 1, node->attr[1]);
        second = ad_sum_range(OP_sum, second, node->attr[0] + 1, node->attr[1]);
    }
    ad_var term = ad_chain(ad_sub(second, ad_square(first)), vbar);
    add_term(c, diagonal ? ad_reshape(term, ad_vec(c->directions)) : ad_sum_but_first(term));
}

/* 2⟨C̄, Σₙ ȧᵢᵀḃᵢ⟩ = 2 Σₙ ⟨ȧᵢ C̄, ḃᵢ⟩ for each direction. */
static void curve_batch_matmul(ad_curve *c, const ad_node *node, const ad_var *in, ad_var vbar, const ad_tangent *t)
{
    if (t[0].kind == TANGENT_ZERO || t[1].kind == TANGENT_ZERO) return;
    ad_var a = ad_tangent_dense(in[0], t[0], c->directions), b = ad_tangent_dense(in[1], t[1], c->directions);
    ad_var terms = ad_sum_but_first(ad_mul(ad_matmul(a, vbar), b));
    add_term(c, ad_scale(ad_batch_reduce(OP_batch_sum, node->attr[0], terms), 2));
}

/* Any other op, a user's: ⟨ẋᵢ, jvp along ẋᵢ of its vjp with v̄ held⟩, recorded on placeholders so that nothing
 * else counts as depending on the arguments, then put in place. All placeholders are on the op's own axis: the vjp by
 * a shared one would be summed over the samples, and add_term would sum it again. */
static void curve_general(ad_curve *c, const ad_node *node, const ad_var *in, ad_var vbar, const ad_tangent *t)
{
    ad_var p[AD_MAX_ARGUMENTS + 1], actual[AD_MAX_ARGUMENTS + 1];
    int n = node->nin;
    for (int k = 0; k < n; k++) {
        actual[k] = in[k];
        p[k] = ad_placeholder(c->tape, 10 + k, node->axis, ad_node_of(in[k])->shape);
    }
    actual[n] = vbar;
    p[n] = ad_placeholder(c->tape, 10 + n, node->axis, node->shape);
    ad_var y = ad_rebuild(node, p), all = ad_handle(c->tape, -1);
    for (int64_t d = 0; d < c->directions && c->tape->error.status == GIBBS_OK; d++) {
        ad_var along[AD_MAX_ARGUMENTS], g[AD_MAX_ARGUMENTS], one = ad_constant(c->tape, 0);
        for (int k = 0; k < n; k++) {
            ad_shape own = ad_node_of(in[k])->shape; /* read before anything is recorded: the nodes may move */
            along[k] = ad_reshape(ad_slice(ad_tangent_dense(in[k], t[k], c->directions), 0, d, 1), own);
        }
        if (ad_vjp(y, p[n], p, n, g)) return;
        for (int k = 0; k < n; k++) one = ad_add(one, ad_dot(ad_jvp(g[k], p, along, n), along[k]));
        one = ad_reshape(ad_substitute(one, p, actual, n + 1), ad_vec(1));
        all = d ? ad_concat(all, one, 0) : one;
    }
    add_term(c, all);
}

/* Which arguments move with x. */
static bool moves(const ad_paths *paths, const ad_node *node, int k)
{
    return paths->active[node->in[k]] && ad_differentiable(node, k);
}

static void curve_node(ad_curve *c, ad_var y, ad_var vbar, const ad_paths *paths, const ad_tangent *tangent)
{
    ad_node node = *ad_node_of(y);
    ad_var in[AD_MAX_ARGUMENTS];
    ad_tangent t[AD_MAX_ARGUMENTS] = {{0}};
    bool moving = false;
    for (int k = 0; k < node.nin; k++) {
        in[k] = ad_handle(c->tape, node.in[k]);
        if (moves(paths, &node, k)) t[k] = tangent[node.in[k]];
        moving |= t[k].kind != TANGENT_ZERO;
    }
    if (!moving || ad_ops[node.op].smooth != CLASS_SMOOTH) return;
    if (ad_ops[node.op].partial[0]) curve_elementwise(c, &node, in, vbar, t);
    else if (node.op == OP_matmul) curve_matmul(c, &node, in, vbar, t);
    else if (node.op == OP_batch_matmul) curve_batch_matmul(c, &node, in, vbar, t);
    else if (node.op == OP_user) curve_general(c, &node, in, vbar, t);
    else if (node.op == OP_logsumexp || node.op == OP_batch_logsumexp) curve_logsumexp(c, y, &node, in[0], vbar, t[0]);
    else ad_fail(c->tape, GIBBS_SMOOTH, "hess_diag: %s has no curvature rule", ad_ops[node.op].name);
}

/* ---- Which tangents are needed ---- */

/* Whether the node may have a curvature term: a product of which one factor moves has none. */
static bool bends(ad_tape *tape, const ad_node *node, const ad_paths *paths)
{
    if (ad_ops[node->op].smooth != CLASS_SMOOTH) return false;
    if (node->op == OP_matmul || node->op == OP_batch_matmul) return moves(paths, node, 0) && moves(paths, node, 1);
    if (!ad_ops[node->op].partial[0]) return true;
    ad_var in[2] = {ad_handle(tape, node->in[0]), ad_handle(tape, node->in[node->nin - 1])};
    for (int i = 0; i < node->nin; i++)
        for (int j = i; j < node->nin; j++)
            if (moves(paths, node, i) && moves(paths, node, j) &&
                !ad_is_zero(ad_second_partial(node->op, i, j, in[0], in[1])))
                return true;
    return false;
}

/* Marks the nodes whose tangents a curvature term needs: of x itself alone, in a sum of functions of its elements. */
static void mark_wanted(ad_var y, const ad_paths *paths, const int32_t *adjoint, bool *wanted)
{
    for (int32_t i = y.id; i >= 0 && y.tape->error.status == GIBBS_OK; i--) {
        ad_node node = y.tape->node[i];
        if (!paths->active[i] || paths->is_x[i] || !(wanted[i] || adjoint[i] >= 0)) continue;
        if (!wanted[i] && !bends(y.tape, &node, paths)) continue;
        for (int k = 0; k < node.nin; k++) wanted[node.in[k]] |= moves(paths, &node, k);
    }
}

/* ---- Entry points ---- */

static void sum_curvature(ad_curve *c, ad_var y, ad_var x, const ad_paths *paths, int32_t *adjoint, ad_tangent *tangent,
                          bool *wanted)
{
    ad_node own = *ad_node_of(y), at = *ad_node_of(x);
    ad_adjoints(y, ad_fill(c->tape, own.axis, ad_scalar(), 1), paths, adjoint);
    tangent[x.id] = (ad_tangent){TANGENT_DIAGONAL, ad_fill(c->tape, at.axis, at.shape, 1)};
    ad_paths bent = *paths;
    bent.needed = wanted;
    mark_wanted(y, paths, adjoint, wanted);
    ad_tangents(y, &bent, c->directions, tangent);
    for (int32_t i = 0; i <= y.id && c->tape->error.status == GIBBS_OK; i++)
        if (adjoint[i] >= 0 && paths->active[i] && !paths->is_x[i])
            curve_node(c, ad_handle(c->tape, i), ad_handle(c->tape, adjoint[i]), paths, tangent);
}

static ad_var hess_diag(const char *what, ad_var y, ad_var x, ad_smoothness least)
{
    ad_tape *tape;
    if (!ad_check_args(what, (ad_var[]){y, x}, 2, &tape)) return ad_handle(tape, -1);
    ad_node own = *ad_node_of(y), at = *ad_node_of(x);
    if (own.shape.rank) return ad_fail(tape, GIBBS_SHAPE, "%s: y must be a scalar", what);
    ad_paths paths;
    if (ad_refuse(what, y, &x, 1, at.axis >= 0, least) || !ad_paths_new(what, y, &x, 1, &paths))
        return ad_handle(tape, -1);
    ad_curve c = {tape, ad_shape_count(&at.shape), at.axis, {tape, -1}};
    size_t count = (size_t)y.id + 1;
    int32_t *adjoint = gibbs_alloc(&tape->alloc, count, sizeof *adjoint);
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
    bool refused = ad_refuse("directional_curvature", y, &x, 1, !ad_is_shared(x), AD_TWICE);
    return refused ? ad_handle(tape, -1) : ad_dot(ad_hvp(y, x, v), v);
}
