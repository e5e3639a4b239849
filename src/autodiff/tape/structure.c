/* structure.c — ops that move elements within a sample, or between a child axis and its parent. */
#include "tape.h"

ad_var ad_hoist(ad_tape *tape, const ad_node *proto)
{
    ad_node node = *proto;
    bool lifted = node.axis >= 0;
    for (int i = 0; i < node.nin; i++) {
        const ad_node *in = &tape->node[node.in[i]];
        if (in->axis >= 0 && in->op != OP_lift) lifted = false;
    }
    if (!lifted) return ad_record(tape, &node);
    for (int i = 0; i < node.nin; i++)
        if (tape->node[node.in[i]].op == OP_lift) node.in[i] = tape->node[node.in[i]].in[0];
    node.axis = -1;
    ad_var shared = ad_record(tape, &node);
    return ad_is_null(shared) ? shared : ad_lift((ad_axis){tape, proto->axis}, shared);
}

/* An expand whose dimensions of size 1 alone change stays outermost, so that elementwise ops still find it and compute
 * what repeats once. The null var when other dimensions change. */
static ad_var reshape_below_expand(ad_var x, ad_shape to)
{
    ad_var source = ad_input_of(x, 0);
    ad_shape full = ad_node_of(x)->shape, from = ad_node_of(source)->shape, narrow = to;
    int i = full.rank - 1, j = to.rank - 1;
    for (;; i--, j--) {
        while (i >= 0 && full.dim[i] == 1) i--;
        for (; j >= 0 && to.dim[j] == 1; j--) narrow.dim[j] = 1;
        if (i < 0 || j < 0 || full.dim[i] != to.dim[j]) break;
        int k = i - (full.rank - from.rank);
        narrow.dim[j] = k >= 0 ? from.dim[k] : 1;
    }
    return i < 0 && j < 0 ? ad_expand(ad_reshape(source, narrow), to) : ad_handle(NULL, -1);
}

ad_var ad_reshape(ad_var x, ad_shape shape)
{
    ad_tape *tape;
    if (!ad_check_args("reshape", &x, 1, &tape)) return ad_handle(tape, -1);
    ad_shape own = ad_node_of(x)->shape;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (ad_shape_equal(&own, &shape)) return x;
    if (!ad_rank_check("reshape", tape, &shape)) return ad_handle(tape, -1);
    if (ad_shape_count(&shape) != ad_shape_count(&own))
        return ad_fail(tape, GIBBS_SHAPE, "reshape: %s and %s have different numbers of elements",
                       ad_shape_text(&own, a, sizeof a), ad_shape_text(&shape, b, sizeof b));
    if (ad_node_of(x)->op == OP_reshape) return ad_reshape(ad_input_of(x, 0), shape);
    double c;
    if (ad_is_constant(x, &c)) return ad_fill(tape, ad_node_of(x)->axis, shape, c);
    if (ad_node_of(x)->op == OP_expand) {
        ad_var expanded = reshape_below_expand(x, shape);
        if (!ad_is_null(expanded)) return expanded;
    }
    ad_node node = ad_proto(OP_reshape, &x, 1, shape);
    return ad_hoist(tape, &node);
}

ad_var ad_permute(ad_var x, const int *order)
{
    ad_tape *tape;
    if (!ad_check_args("permute", &x, 1, &tape)) return ad_handle(tape, -1);
    if (!order) return ad_fail(tape, GIBBS_ARGUMENT, "permute: no order");
    ad_node own = *ad_node_of(x);
    ad_node node = ad_proto(OP_permute, &x, 1, own.shape);
    unsigned seen = 0;
    bool identity = true;
    for (int i = 0; i < own.shape.rank; i++) {
        if (order[i] < 0 || order[i] >= own.shape.rank || (seen >> order[i] & 1))
            return ad_fail(tape, GIBBS_ARGUMENT, "permute: the order is no permutation of %d dimensions",
                           own.shape.rank);
        seen |= 1u << order[i];
        node.attr[i] = order[i];
        node.shape.dim[i] = own.shape.dim[order[i]];
        identity &= order[i] == i;
    }
    if (identity) return x;
    if (own.op == OP_permute) {
        int joint[AD_MAX_RANK];
        for (int i = 0; i < own.shape.rank; i++) joint[i] = own.attr[order[i]];
        return ad_permute(ad_input_of(x, 0), joint);
    }
    return ad_hoist(tape, &node);
}

ad_var ad_transpose(ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("transpose", &x, 1, &tape)) return ad_handle(tape, -1);
    int rank = ad_node_of(x)->shape.rank, order[AD_MAX_RANK];
    if (rank < 2) return ad_fail(tape, GIBBS_SHAPE, "transpose: needs a matrix, got %d dimensions", rank);
    for (int i = 0; i < rank; i++) order[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return ad_permute(x, order);
}

static bool check_dim(const char *op, ad_var x, int dim)
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
    if (!ad_check_args("slice", &x, 1, &tape) || !check_dim("slice", x, dim)) return ad_handle(tape, -1);
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
    if (!ad_check_args("pad", &x, 1, &tape) || !check_dim("pad", x, dim)) return ad_handle(tape, -1);
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

/* Lifts whichever of two operands is shared while the other is per-sample; false when their axes differ. */
static bool same_axis(const char *op, ad_var *a, ad_var *b)
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

ad_var ad_concat(ad_var a, ad_var b, int dim)
{
    ad_tape *tape;
    ad_var v[2] = {a, b};
    char s[AD_SHAPE_TEXT], t[AD_SHAPE_TEXT];
    if (!ad_check_args("concat", v, 2, &tape) || !check_dim("concat", a, dim)) return ad_handle(tape, -1);
    ad_shape p = ad_node_of(a)->shape, q = ad_node_of(b)->shape, joint = p;
    bool fits = p.rank == q.rank;
    for (int i = 0; fits && i < p.rank; i++) fits = i == dim || p.dim[i] == q.dim[i];
    if (!fits)
        return ad_fail(tape, GIBBS_SHAPE, "concat: shapes %s and %s do not fit along dimension %d",
                       ad_shape_text(&p, s, sizeof s), ad_shape_text(&q, t, sizeof t), dim);
    if (!same_axis("concat", &v[0], &v[1])) return ad_handle(tape, -1);
    joint.dim[dim] += q.dim[dim];
    ad_node node = ad_proto(OP_concat, v, 2, joint);
    node.attr[0] = dim;
    return ad_hoist(tape, &node);
}

ad_var ad_gather(ad_var x, ad_var index)
{
    ad_tape *tape;
    ad_var v[2] = {x, index};
    if (!ad_check_args("gather", v, 2, &tape) || !check_dim("gather", x, 0)) return ad_handle(tape, -1);
    if (ad_node_of(x)->axis >= 0 && ad_node_of(index)->axis >= 0 && !same_axis("gather", &v[0], &v[1]))
        return ad_handle(tape, -1);
    ad_shape s = ad_node_of(x)->shape, m = ad_node_of(index)->shape, joint = m;
    if (m.rank + s.rank - 1 > AD_MAX_RANK)
        return ad_fail(tape, GIBBS_SIZE, "gather: more than %d dimensions", AD_MAX_RANK);
    for (int i = 1; i < s.rank; i++) joint.dim[joint.rank++] = s.dim[i];
    ad_node node = ad_proto(OP_gather, v, 2, joint);
    return ad_hoist(tape, &node);
}

ad_var ad_scatter_add(ad_var g, ad_var index, int64_t n)
{
    ad_tape *tape;
    ad_var v[2] = {g, index};
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (!ad_check_args("scatter_add", v, 2, &tape)) return ad_handle(tape, -1);
    ad_shape s = ad_node_of(g)->shape, m = ad_node_of(index)->shape;
    bool fits = s.rank >= m.rank && n >= 1 && n <= INT32_MAX;
    for (int i = 0; fits && i < m.rank; i++) fits = s.dim[i] == m.dim[i];
    if (!fits)
        return ad_fail(tape, GIBBS_SHAPE, "scatter_add: %s has no leading %s, or %lld rows are out of range",
                       ad_shape_text(&s, a, sizeof a), ad_shape_text(&m, b, sizeof b), (long long)n);
    if (!same_axis("scatter_add", &v[0], &v[1])) return ad_handle(tape, -1);
    ad_shape tail = ad_shape_drop(&s, 0, m.rank), joint = ad_shape_prepend(n, &tail);
    if (ad_is_zero(v[0])) return ad_fill(tape, ad_node_of(v[0])->axis, joint, 0);
    ad_node node = ad_proto(OP_scatter_add, v, 2, joint);
    return ad_hoist(tape, &node);
}

/* ---- Child axes ---- */

ad_var ad_regroup(ad_var child)
{
    ad_tape *tape;
    if (!ad_check_args("regroup", &child, 1, &tape)) return ad_handle(tape, -1);
    ad_node own = *ad_node_of(child);
    if (own.axis < 0 || tape->axis[own.axis].parent < 0)
        return ad_fail(tape, GIBBS_AXIS, "regroup: «%s» is no child axis", ad_axis_name(tape, own.axis));
    ad_shape shape = ad_shape_prepend(tape->axis[own.axis].count, &own.shape);
    int32_t parent = tape->axis[own.axis].parent;
    if (own.op == OP_lift) return ad_broadcast_to(ad_input_of(child, 0), parent, shape);
    if (own.op == OP_ungroup) return ad_input_of(child, 0);
    ad_node node = ad_proto(OP_regroup, &child, 1, shape);
    node.axis = parent;
    return ad_record(tape, &node);
}

ad_var ad_ungroup(ad_axis child, ad_var parent)
{
    ad_tape *tape;
    char a[AD_SHAPE_TEXT];
    if (!ad_check_args("ungroup", &parent, 1, &tape) || !ad_axis_check("ungroup", child, tape))
        return ad_handle(tape, -1);
    ad_axis_info info = tape->axis[child.id];
    ad_node own = *ad_node_of(parent);
    if (info.parent < 0) return ad_fail(tape, GIBBS_AXIS, "ungroup: «%s» is no child axis", info.name);
    if (own.axis >= 0 && own.axis != info.parent)
        return ad_fail(tape, GIBBS_AXIS, "ungroup: the value is on «%s», not on «%s», the parent of «%s»",
                       ad_axis_name(tape, own.axis), ad_axis_name(tape, info.parent), info.name);
    if (own.shape.rank < 1 || own.shape.dim[0] != info.count)
        return ad_fail(tape, GIBBS_SHAPE, "ungroup: the first dimension of %s is not the %lld of «%s»",
                       ad_shape_text(&own.shape, a, sizeof a), (long long)info.count, info.name);
    if (own.axis < 0) parent = ad_lift((ad_axis){tape, info.parent}, parent);
    if (own.op == OP_regroup && ad_node_of(ad_input_of(parent, 0))->axis == child.id) return ad_input_of(parent, 0);
    double c;
    ad_shape shape = ad_shape_drop(&own.shape, 0, 1);
    if (ad_is_constant(parent, &c)) return ad_fill(tape, child.id, shape, c);
    ad_node node = ad_proto(OP_ungroup, &parent, 1, shape);
    node.axis = child.id;
    return ad_record(tape, &node);
}
