/* tangent.c — the forward sweep: D directions at once, in a leading dimension of every tangent. A zero tangent and
 * a diagonal one (element i moves in direction i only) never become D matrices: x itself and elementwise functions
 * of it stay diagonal, and the tangent of xW for diagonal ẋ = 1 is W itself, shared by all samples. */
#include "derive.h"

/* An op without a forward rule: the product with the transpose of its own vjp is linear in a placeholder cotangent u,
 * and its derivative by u is the tangent (the trick of double transposition). */
static ad_var transposed(const ad_call *c, ad_var t, int which, int64_t D)
{
    ad_tape *tape = c->y.tape;
    ad_var all = ad_handle(tape, -1), u = ad_placeholder(tape, PLACE_TRANSPOSED, c->node.axis, c->node.shape);
    ad_var g = ad_vjp_node(c->y, u, which);
    ad_shape own = ad_node_of(ad_arg(c, which))->shape; /* read before anything is recorded: the nodes may move */
    for (int64_t d = 0; d < D && !ad_is_null(g); d++) {
        ad_var along = ad_reshape(ad_slice(t, 0, d, 1), own), one;
        if (ad_grad(ad_dot(g, along), &u, 1, &one)) return one;
        one = ad_reshape(one, ad_shape_prepend(1, &c->node.shape));
        all = d ? ad_concat(all, one, 0) : one;
    }
    return all;
}

/* The tangent of y through its argument `which`, whose dense tangent [D, s…] is t. */
static ad_var push(const ad_call *c, ad_var t, int which, int64_t D)
{
    const ad_structure *op = ad_structures[c->node.op];
    if (!op) return ad_times_slope(c, t, which);
    return op->tangent ? op->tangent(c, t, which, D) : transposed(c, t, which, D);
}

/* An op that keeps elements has a diagonal tangent, if its arguments have. */
static bool push_diagonal(const ad_call *c, const ad_tangent *t, ad_tangent *out)
{
    const ad_structure *op = ad_structures[c->node.op];
    if (op && !op->keeps) return false;
    for (int k = 0; k < c->node.nin; k++)
        if (t[k].kind == TANGENT_DENSE) return false;
    *out = (ad_tangent){.kind = TANGENT_ZERO, .v = ad_handle(c->y.tape, -1)};
    for (int k = 0; k < c->node.nin; k++) {
        if (t[k].kind == TANGENT_ZERO) continue;
        ad_var part = push(c, t[k].v, k, 0);
        out->v = out->kind == TANGENT_ZERO ? part : ad_add(out->v, part);
        out->kind = TANGENT_DIAGONAL;
    }
    return true;
}

/* Under the masks of its arguments, where all that move have one: of ops that keep elements. */
static ad_var joint_mask(const ad_call *c, const ad_tangent *t)
{
    const ad_structure *op = ad_structures[c->node.op];
    ad_var mask = ad_handle(c->y.tape, -1);
    for (int k = 0; k < c->node.nin; k++) {
        if (t[k].kind == TANGENT_ZERO) continue;
        if (ad_is_null(t[k].mask) || (op && !op->keeps)) return ad_handle(c->y.tape, -1);
        ad_var own = op ? op->tangent(c, t[k].mask, k, 1) : t[k].mask;
        mask = ad_is_null(mask) ? own : ad_add(mask, own);
    }
    return mask;
}

static ad_tangent tangent_of(ad_var y, const ad_tangent *t, int64_t D)
{
    ad_call c = ad_call_of(y);
    const ad_structure *op = ad_structures[c.node.op];
    ad_tangent out = {.kind = TANGENT_ZERO, .v = {y.tape, -1}};
    if (push_diagonal(&c, t, &out) || (op && op->joint && op->joint(&c, t, D, &out))) return out;
    for (int k = 0; k < c.node.nin; k++) {
        if (t[k].kind == TANGENT_ZERO || !ad_differentiable(&c.node, k)) continue;
        ad_var part = push(&c, ad_tangent_dense(ad_arg(&c, k), t[k], D), k, D);
        out.v = out.kind == TANGENT_ZERO ? part : ad_add(out.v, part);
        out.kind = TANGENT_DENSE;
    }
    out.mask = joint_mask(&c, t);
    if (!op && out.kind == TANGENT_DENSE) out.v = ad_masked_if(out.mask, out.v);
    return out;
}

void ad_tangents_of_arguments(const ad_node *node, const ad_paths *p, const ad_tangent *tangent, ad_tangent *t)
{
    for (int k = 0; k < node->nin; k++)
        t[k] = p->active[node->in[k]] && ad_differentiable(node, k) ? tangent[node->in[k]] : (ad_tangent){0};
}

void ad_tangents(ad_var y, const ad_paths *p, int64_t directions, ad_tangent *tangent)
{
    ad_tape *tape = y.tape;
    ad_tangent *t = gibbs_alloc(&tape->alloc, (size_t)ad_most_arguments(tape, p->count), sizeof *t);
    if (!t) ad_fail(tape, GIBBS_MEMORY, "derivative: out of memory");
    for (int32_t i = 0; i <= y.id && tape->error.status == GIBBS_OK; i++) {
        if (!p->active[i] || !p->needed[i] || p->is_x[i]) continue;
        if (tape->node[i].op == OP_scan) ad_scan_tangents(ad_handle(tape, i), p, directions, tangent, ad_tangents);
        if (tape->node[i].op == OP_scan || ad_is_scan_result(tape->node[i].op)) continue;
        ad_tangents_of_arguments(&tape->node[i], p, tangent, t);
        tangent[i] = tangent_of(ad_handle(tape, i), t, directions);
        if (tangent[i].kind != TANGENT_ZERO && ad_is_zero(tangent[i].v)) tangent[i].kind = TANGENT_ZERO;
    }
    gibbs_release(&tape->alloc, t);
}

/* Where a direction that is a known array is not 0, as [1, s…]; the null var where it is nowhere 0, or not known. */
static ad_var known_mask(ad_var v)
{
    ad_tape *tape = v.tape;
    while (!ad_is_null(v) && (ad_node_of(v)->op == OP_lift || ad_node_of(v)->op == OP_reshape)) v = ad_input_of(v, 0);
    if (ad_is_null(v) || ad_node_of(v)->op != OP_array) return ad_handle(tape, -1);
    const double *array = tape->side[ad_node_of(v)->side].array;
    int64_t zeros = 0, count = ad_count(v);
    for (int64_t i = 0; i < count; i++) zeros += array[i] == 0;
    ad_shape along = ad_shape_of(v);
    return zeros ? ad_reshape(ad_square(ad_sign(v)), ad_shape_prepend(1, &along)) : ad_handle(tape, -1);
}

ad_var ad_tangent_along(const char *what, ad_var y, const ad_var *x, const ad_var *v, int n)
{
    ad_tape *tape = y.tape;
    ad_node own = *ad_node_of(y);
    ad_var along = ad_handle(tape, -1);
    ad_paths paths;
    if (!ad_paths_new(what, y, x, n, &paths)) return along;
    ad_tangent *tangent = gibbs_alloc_zero(&tape->alloc, (size_t)paths.count, sizeof *tangent);
    if (!tangent) ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what);
    for (int i = 0; i < n && tangent; i++) {
        ad_shape s = ad_node_of(x[i])->shape;
        ad_shape along_x = ad_shape_prepend(1, &s);
        ad_tangent t = {TANGENT_DENSE, ad_reshape(v[i], along_x), known_mask(v[i])};
        if (x[i].id <= y.id) tangent[x[i].id] = t;
    }
    if (tangent) ad_tangents(y, &paths, 1, tangent);
    if (tape->error.status == GIBBS_OK)
        along = ad_on_axis(ad_reshape(ad_tangent_dense(y, tangent[y.id], 1), own.shape), own.axis);
    gibbs_release(&tape->alloc, tangent);
    ad_paths_free(tape, &paths);
    return along;
}
