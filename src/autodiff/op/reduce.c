/* reduce.c — sum, max, logsumexp and norm over dimensions of one sample; and softmax, the logsumexp's slope. */
#include "op.h"

#include <math.h>

/* The dimensions first … first+count−1 of `x` without what an expand repeats, if it repeats all of them. */
static bool repeats(ad_var x, int first, int count, ad_var *source, double *times)
{
    ad_node n = *ad_node_of(x);
    if (n.op != OP_expand) return false;
    ad_var inner = ad_input_of(x, 0);
    ad_shape s = ad_node_of(inner)->shape, kept = {0};
    *times = 1;
    for (int i = 0; i < n.shape.rank; i++) {
        int own = i - (n.shape.rank - s.rank);
        int64_t size = own < 0 ? 1 : s.dim[own];
        bool reduced = i >= first && i < first + count;
        if (reduced && size != 1) return false;
        if (reduced) *times *= (double)n.shape.dim[i];
        else if (own >= 0) kept.dim[kept.rank++] = size;
    }
    *source = ad_reshape(inner, kept);
    return true;
}

/* Reductions of something repeated: n·x for a sum, x for a maximum, x + log n for a logsumexp. */
static ad_var reduce_repeated(ad_op op, ad_var source, double times, ad_shape shape)
{
    ad_var x = ad_expand(source, shape);
    if (op == OP_sum) return ad_scale(x, times);
    return op == OP_logsumexp ? ad_shift(x, log(times)) : x;
}

ad_var ad_sum_range(ad_op op, ad_var x, int first, int count)
{
    if (ad_is_null(x)) return x;
    ad_tape *tape = x.tape;
    ad_shape own = ad_node_of(x)->shape, shape = ad_shape_drop(&own, first, count);
    if (count == 0) return x;
    if (op != OP_norm && ad_shape_count(&shape) == ad_shape_count(&own)) return ad_reshape(x, shape);
    if (ad_node_of(x)->op == OP_lift) {
        ad_axis axis = {tape, ad_node_of(x)->axis};
        ad_var y = ad_sum_range(op, ad_input_of(x, 0), first, count);
        return ad_is_null(y) ? y : ad_lift(axis, y);
    }
    ad_var source;
    double times;
    if (op != OP_norm && repeats(x, first, count, &source, &times)) return reduce_repeated(op, source, times, shape);
    ad_node node = ad_proto(op, &x, 1, shape);
    node.attr[0] = first;
    node.attr[1] = count;
    return ad_record(tape, &node);
}

/* exp(x)/Σ exp(x): what is computed adds up to 1 whatever is added to all x. */
ad_var ad_softmax_range(ad_var x, int first, int count)
{
    if (ad_is_null(x)) return x;
    ad_node of = *ad_node_of(x), node = ad_proto(OP_softmax, &x, 1, of.shape);
    if (ad_shape_part(&of.shape, first, first + count) == 1) return ad_fill(x.tape, of.axis, of.shape, 1);
    node.attr[0] = first;
    node.attr[1] = count;
    return ad_hoist(x.tape, &node);
}

ad_var ad_softmax(ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("softmax", &x, 1, &tape)) return ad_handle(tape, -1);
    int rank = ad_node_of(x)->shape.rank;
    if (rank < 1) return ad_fail(tape, GIBBS_SHAPE, "softmax: needs a vector, got a scalar");
    return ad_softmax_range(x, rank - 1, 1);
}

/* One reduction for each run of neighbouring dimensions, from the last, so that the numbers of those before hold. */
static ad_var reduce_mask(ad_op op, ad_var x, unsigned mask)
{
    ad_tape *tape;
    if (!ad_check_args(ad_ops[op].name, &x, 1, &tape)) return ad_handle(tape, -1);
    int rank = ad_node_of(x)->shape.rank;
    if (mask >> rank)
        return ad_fail(tape, GIBBS_ARGUMENT, "%s: the mask %#x names dimensions beyond %d", ad_ops[op].name, mask,
                       rank);
    for (int last = rank; last > 0;) {
        int first = last;
        while (first > 0 && (mask >> (first - 1) & 1)) first--;
        if (first < last) x = ad_sum_range(op, x, first, last - first);
        last = first < last ? first : last - 1;
    }
    return x;
}

static unsigned all_dims(ad_var x) { return ad_is_null(x) ? 0 : (1u << ad_node_of(x)->shape.rank) - 1; }

ad_var ad_sum_dims(ad_var x, unsigned mask) { return reduce_mask(OP_sum, x, mask); }
ad_var ad_max_reduce_dims(ad_var x, unsigned mask) { return reduce_mask(OP_max_reduce, x, mask); }
ad_var ad_logsumexp_dims(ad_var x, unsigned mask) { return reduce_mask(OP_logsumexp, x, mask); }
ad_var ad_sum(ad_var x) { return ad_sum_dims(x, all_dims(x)); }
ad_var ad_max_reduce(ad_var x) { return ad_max_reduce_dims(x, all_dims(x)); }
ad_var ad_dot(ad_var a, ad_var b) { return ad_sum(ad_mul(a, b)); }
ad_var ad_logsumexp(ad_var x) { return ad_logsumexp_dims(x, all_dims(x)); }

ad_var ad_sum_but_first(ad_var x)
{
    if (ad_is_null(x)) return x;
    return ad_sum_dims(x, all_dims(x) & ~1u);
}

/* ---- Rules ---- */

ad_var ad_unreduce(const ad_node *node, ad_var reduced, ad_var argument)
{
    ad_shape full = ad_node_of(argument)->shape, kept = full;
    for (int i = 0; i < node->attr[1]; i++) kept.dim[node->attr[0] + i] = 1;
    return ad_expand(ad_reshape(reduced, kept), full);
}

/* Of a maximum 1 where x attains it, which is then to be divided by how often that is. */
static ad_var attained(const ad_call *c)
{
    return ad_shift(ad_neg(ad_less(ad_arg(c, 0), ad_unreduce(&c->node, c->y, ad_arg(c, 0)))), 1);
}

static ad_var total(const ad_call *c, ad_var shares)
{
    return ad_sum_range(OP_sum, shares, c->node.attr[0], c->node.attr[1]);
}

static ad_var slope(const ad_call *c)
{
    ad_var x = ad_arg(c, 0);
    if (c->node.op == OP_norm) return ad_unit(x, ad_unreduce(&c->node, c->y, x));
    if (c->node.op == OP_logsumexp) return ad_softmax_range(x, c->node.attr[0], c->node.attr[1]);
    ad_var shares = attained(c);
    return ad_div(shares, ad_unreduce(&c->node, total(c, shares), x));
}

static ad_var again(const ad_node *node, const ad_var *in)
{
    return ad_sum_range(node->op, in[0], node->attr[0], node->attr[1]);
}

static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    ad_var x = ad_arg(c, which);
    if (c->node.op == OP_sum) return ad_unreduce(&c->node, ybar, x);
    if (c->node.op != OP_max_reduce) return ad_chain(ad_unreduce(&c->node, ybar, x), slope(c));
    ad_var shares = attained(c); /* their sum divides ȳ, which is smaller */
    return ad_chain(ad_unreduce(&c->node, ad_chain(ybar, ad_recip(total(c, shares))), x), shares);
}

/* What does not attain a maximum is not taken. */
static ad_var mask(const ad_call *c, ad_var taken, int which)
{
    ad_var x = ad_arg(c, which), spread = ad_is_null(taken) ? taken : ad_unreduce(&c->node, taken, x);
    if (c->node.op != OP_max_reduce) return spread;
    return ad_is_null(taken) ? slope(c) : ad_masked(slope(c), spread);
}

static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    if (c->node.op != OP_sum) t = ad_chain(t, slope(c));
    return ad_sum_range(OP_sum, t, c->node.attr[0] + 1, c->node.attr[1]);
}

/* Of what is diagonal: directions differ in the dimensions that are left alone, [p,r,q] to [p,r,q,p,q]. */
static bool joint(const ad_call *c, const ad_tangent *t, int64_t D, ad_tangent *out)
{
    if (t[0].kind != TANGENT_DIAGONAL) return false;
    const ad_node *node = &c->node;
    ad_shape s = ad_node_of(ad_arg(c, 0))->shape, dense = ad_shape_prepend(D, &node->shape);
    int64_t p = ad_shape_part(&s, 0, node->attr[0]), q = ad_shape_part(&s, node->attr[0] + node->attr[1], s.rank);
    ad_var v = node->op == OP_sum ? t[0].v : ad_chain(t[0].v, slope(c));
    v = ad_reshape(v, (ad_shape){5, {p, D / (p * q), q, 1, 1}});
    v = ad_reshape(ad_where_equal(p * q, (ad_shape){5, {p, 1, q, p, q}}, v), dense);
    *out = (ad_tangent){.kind = TANGENT_DENSE, .v = ad_broadcast_to(v, ad_is_shared(v) ? node->axis : -1, dense)};
    return true;
}

/* v̄ (Σ p t² − (Σ p t)²) with p the softmax; of a norm v̄/|x| (Σ t² − (Σ u t)²) with u = x/|x|. Where t is diagonal the
 * sums are of one term. */
static ad_var curvature(const ad_call *c, ad_var vbar, ad_var taken, const ad_tangent *tangents, int64_t D)
{
    ad_var x = ad_arg(c, 0);
    bool diagonal = tangents[0].kind == TANGENT_DIAGONAL;
    ad_var t = diagonal ? tangents[0].v : ad_tangent_dense(x, tangents[0], D);
    bool norm = c->node.op == OP_norm;
    ad_var first = ad_mul(slope(c), t), second = ad_mul(norm ? t : first, t);
    if (norm) vbar = ad_mul(vbar, ad_pole(ad_recip(c->y)));
    if (diagonal) {
        vbar = ad_unreduce(&c->node, vbar, x);
        if (!ad_is_null(taken)) taken = ad_unreduce(&c->node, taken, x);
    } else {
        first = ad_sum_range(OP_sum, first, c->node.attr[0] + 1, c->node.attr[1]);
        second = ad_sum_range(OP_sum, second, c->node.attr[0] + 1, c->node.attr[1]);
    }
    ad_var term = ad_masked_if(taken, ad_chain(ad_sub(second, ad_mul(first, first)), vbar));
    return diagonal ? ad_reshape(term, ad_vec(D)) : ad_sum_but_first(term);
}

const ad_structure ad_structure_sum = {.again = again, .adjoint = adjoint, .tangent = tangent, .joint = joint};
const ad_structure ad_structure_max_reduce = {
    .again = again, .adjoint = adjoint, .mask = mask, .tangent = tangent, .joint = joint,
};
const ad_structure ad_structure_logsumexp = {
    .again = again, .adjoint = adjoint, .mask = mask, .tangent = tangent, .joint = joint, .curvature = curvature,
};
const ad_structure ad_structure_norm = {
    .again = again, .adjoint = adjoint, .mask = mask, .tangent = tangent, .joint = joint, .curvature = curvature,
};

/* ---- Rules of the softmax ---- */

static ad_var softmax_again(const ad_node *node, const ad_var *in)
{
    return ad_softmax_range(in[0], node->attr[0], node->attr[1]);
}

/* Σ over the dimensions that the shares are of, `before` others in front, repeated. */
static ad_var softmax_total(const ad_call *c, ad_var v, int before)
{
    ad_node sum = c->node;
    sum.attr[0] += before;
    return ad_is_null(v) ? v : ad_unreduce(&sum, ad_sum_range(OP_sum, v, sum.attr[0], sum.attr[1]), v);
}

/* The Jacobian diag(y) − yyᵀ, which is symmetric, times v. */
static ad_var softmax_product(const ad_call *c, ad_var v, int before)
{
    ad_var shares = ad_chain(v, c->y), mean = softmax_total(c, shares, before);
    return ad_sub(shares, ad_chain(mean, c->y));
}

static ad_var softmax_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return softmax_product(c, ybar, 0);
}

/* Every x has a part in each of the shares that it is divided among. */
static ad_var softmax_mask(const ad_call *c, ad_var taken, int which)
{
    (void)which;
    return softmax_total(c, taken, 0);
}

static ad_var softmax_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which;
    return softmax_product(c, t, D > 0);
}

/* Σ v̄ y ((t − m)² − Σ y (t − m)²), m = Σ y t. */
static ad_var softmax_curvature(const ad_call *c, ad_var vbar, ad_var taken, const ad_tangent *tangents, int64_t D)
{
    ad_var t = ad_tangent_dense(ad_arg(c, 0), tangents[0], D);
    ad_var off = ad_sub(t, softmax_total(c, ad_mul(c->y, t), 1)), square = ad_mul(off, off);
    ad_var second = ad_mul(c->y, ad_sub(square, softmax_total(c, ad_mul(c->y, square), 1)));
    return ad_sum_but_first(ad_masked_if(taken, ad_chain(second, vbar)));
}

const ad_structure ad_structure_softmax = {
    .again = softmax_again, .adjoint = softmax_adjoint, .mask = softmax_mask, .tangent = softmax_tangent,
    .curvature = softmax_curvature,
};
