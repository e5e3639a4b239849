/* slice.c — slice, pad and concat: a part of a value, a value as a part, and values side by side. */
#include "op.h"

bool ad_check_dim(const char *op, ad_var x, int dim)
{
    if (dim >= 0 && dim < ad_node_of(x)->shape.rank) return true;
    ad_fail(x.tape, GIBBS_ARGUMENT, "%s: there is no dimension %d in %d", op, dim, ad_node_of(x)->shape.rank);
    return false;
}

/* The operand of a concat in which the elements from *start on lie, as deep as they do; *start becomes where in it. So
 * what is sliced out of joined values does not depend on the others: y of a conditional energy's row [x, y]. */
static ad_var joined_part(ad_var x, int dim, int64_t *start, int64_t count)
{
    for (const ad_node *node = ad_node_of(x); node->op == OP_concat && node->attr[0] == dim; node = ad_node_of(x)) {
        int k = 0;
        int64_t first = 0, own = x.tape->node[node->in[0]].shape.dim[dim];
        while (*start >= first + own && k + 1 < node->nin)
            first += own, own = x.tape->node[node->in[++k]].shape.dim[dim];
        if (*start < first || *start + count > first + own) break;
        x = ad_handle(x.tape, node->in[k]);
        *start -= first;
    }
    return x;
}

ad_var ad_slice(ad_var x, int dim, int64_t start, int64_t count)
{
    ad_tape *tape;
    if (!ad_check_args("slice", &x, 1, &tape) || !ad_check_dim("slice", x, dim)) return ad_handle(tape, -1);
    int64_t size = ad_node_of(x)->shape.dim[dim];
    if (start < 0 || count < 1 || start > size - count)
        return ad_fail(tape, GIBBS_ARGUMENT, "slice: %lld elements from %lld do not lie in a dimension of %lld",
                       (long long)count, (long long)start, (long long)size);
    x = joined_part(x, dim, &start, count);
    ad_node node = ad_proto(OP_slice, &x, 1, ad_node_of(x)->shape);
    if (count == node.shape.dim[dim]) return x;
    node.shape.dim[dim] = count;
    node.attr[0] = dim;
    node.attr[1] = (int32_t)start;
    if (ad_is_zero(x)) return ad_fill(tape, node.axis, node.shape, 0);
    return ad_hoist(tape, &node);
}

ad_var ad_pad(ad_var x, int dim, int64_t before, int64_t after)
{
    ad_tape *tape;
    if (!ad_check_args("pad", &x, 1, &tape) || !ad_check_dim("pad", x, dim)) return ad_handle(tape, -1);
    ad_node node = ad_proto(OP_pad, &x, 1, ad_node_of(x)->shape);
    if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX)
        return ad_fail(tape, GIBBS_ARGUMENT, "pad: %lld before and %lld after are out of range", (long long)before,
                       (long long)after);
    if (before + after == 0) return x;
    node.shape.dim[dim] += before + after;
    node.attr[0] = dim;
    node.attr[1] = (int32_t)before;
    node.attr[2] = (int32_t)after;
    if (ad_is_zero(x)) return ad_fill(tape, node.axis, node.shape, 0);
    return ad_hoist(tape, &node);
}

bool ad_same_axis(const char *op, ad_var *a, ad_var *b)
{
    int32_t p = ad_node_of(*a)->axis, q = ad_node_of(*b)->axis;
    if (p >= 0 && q >= 0 && p != q) {
        ad_fail(a->tape, GIBBS_AXIS, "%s: axes «%s» and «%s» meet", op, ad_axis_name(a->tape, p),
                ad_axis_name(a->tape, q));
        return false;
    }
    if (p < 0 && q >= 0) *a = ad_lift((ad_axis){a->tape, q}, *a);
    if (q < 0 && p >= 0) *b = ad_lift((ad_axis){b->tape, p}, *b);
    return !ad_is_null(*a) && !ad_is_null(*b);
}

/* The axis of those that are per-sample, −1 where all are shared; false when they are on two. */
static bool joint_axis(const ad_var *x, int n, int32_t *axis)
{
    *axis = -1;
    for (int k = 0; k < n; k++) {
        int32_t own = ad_node_of(x[k])->axis;
        if (own >= 0 && *axis >= 0 && own != *axis)
            return ad_fail(x->tape, GIBBS_AXIS, "concat: axes «%s» and «%s» meet", ad_axis_name(x->tape, *axis),
                           ad_axis_name(x->tape, own)), false;
        if (own >= 0) *axis = own;
    }
    return true;
}

ad_var ad_join(const ad_var *x, int n, int dim)
{
    int32_t axis;
    ad_tape *tape = x->tape;
    if (n == 1) return x[0];
    if (tape->error.status || !joint_axis(x, n, &axis)) return ad_handle(tape, -1);
    ad_var *v = gibbs_alloc(&tape->alloc, (size_t)n, sizeof *v), y = ad_handle(tape, -1);
    if (!v) return ad_fail(tape, GIBBS_MEMORY, "concat: out of memory");
    ad_shape joint = ad_node_of(x[0])->shape;
    joint.dim[dim] = 0;
    for (int k = 0; k < n && tape->error.status == GIBBS_OK; k++) {
        v[k] = ad_on_axis(x[k], axis);
        joint.dim[dim] += ad_shape_of(x[k]).dim[dim];
    }
    if (tape->error.status == GIBBS_OK) {
        ad_node node = ad_proto(OP_concat, v, n, joint);
        node.attr[0] = dim;
        y = ad_hoist(tape, &node);
    }
    gibbs_release(&tape->alloc, v);
    return y;
}

ad_var ad_concat(ad_var a, ad_var b, int dim)
{
    ad_tape *tape;
    ad_var v[2] = {a, b};
    char s[AD_SHAPE_TEXT], t[AD_SHAPE_TEXT];
    if (!ad_check_args("concat", v, 2, &tape) || !ad_check_dim("concat", a, dim)) return ad_handle(tape, -1);
    ad_shape p = ad_node_of(a)->shape, q = ad_node_of(b)->shape;
    bool fits = p.rank == q.rank;
    for (int i = 0; fits && i < p.rank; i++) fits = i == dim || p.dim[i] == q.dim[i];
    if (!fits)
        return ad_fail(tape, GIBBS_SHAPE, "concat: shapes %s and %s do not fit along dimension %d",
                       ad_shape_text(&p, s, sizeof s), ad_shape_text(&q, t, sizeof t), dim);
    return ad_join(v, 2, dim);
}

/* ---- Rules ---- */

static ad_var slice_again(const ad_node *node, const ad_var *in)
{
    return ad_slice(in[0], node->attr[0], node->attr[1], node->shape.dim[node->attr[0]]);
}

static ad_var slice_adjoint(const ad_call *c, ad_var ybar, int which)
{
    int dim = c->node.attr[0];
    int64_t size = ad_node_of(ad_arg(c, which))->shape.dim[dim];
    return ad_pad(ybar, dim, c->node.attr[1], size - c->node.attr[1] - c->node.shape.dim[dim]);
}

static ad_var slice_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return ad_slice(t, c->node.attr[0] + 1, c->node.attr[1], c->node.shape.dim[c->node.attr[0]]);
}

const ad_structure ad_structure_slice = {
    .picks = true, .again = slice_again, .adjoint = slice_adjoint, .tangent = slice_tangent,
};

static ad_var pad_again(const ad_node *node, const ad_var *in)
{
    return ad_pad(in[0], node->attr[0], node->attr[1], node->attr[2]);
}

static ad_var pad_adjoint(const ad_call *c, ad_var ybar, int which)
{
    int dim = c->node.attr[0];
    return ad_slice(ybar, dim, c->node.attr[1], ad_node_of(ad_arg(c, which))->shape.dim[dim]);
}

static ad_var pad_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return ad_pad(t, c->node.attr[0] + 1, c->node.attr[1], c->node.attr[2]);
}

const ad_structure ad_structure_pad = {.again = pad_again, .adjoint = pad_adjoint, .tangent = pad_tangent};

static ad_var concat_again(const ad_node *node, const ad_var *in) { return ad_join(in, node->nin, node->attr[0]); }

/* Of all arguments at once: what is joined has a join for a tangent, not n sums. */
static bool concat_joint(const ad_call *c, const ad_tangent *t, int64_t D, ad_tangent *out)
{
    int n = c->node.nin, moving = 0;
    for (int k = 0; k < n; k++) moving += t[k].kind != TANGENT_ZERO;
    if (!moving) return false;
    ad_tape *tape = c->y.tape;
    ad_var *part = gibbs_alloc(&tape->alloc, (size_t)n, sizeof *part);
    *out = (ad_tangent){.kind = TANGENT_DENSE, .v = ad_handle(tape, -1)};
    if (!part) return ad_fail(tape, GIBBS_MEMORY, "concat: out of memory"), true;
    for (int k = 0; k < n; k++) part[k] = ad_tangent_dense(ad_arg(c, k), t[k], D);
    out->v = tape->error.status ? out->v : ad_join(part, n, c->node.attr[0] + 1);
    gibbs_release(&tape->alloc, part);
    return true;
}

/* Its adjoint is the reverse sweep's (derive/grad.c), which hands the outermost of a chain of concats down. */
const ad_structure ad_structure_concat = {.again = concat_again, .joint = concat_joint};
