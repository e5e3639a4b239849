/* batch_ops.c — reductions over the samples of an axis, and moves between axes. */
#include "tape.h"

ad_var ad_batch_reduce(ad_op op, int32_t axis, ad_var x)
{
    if (ad_is_null(x)) return x;
    ad_tape *tape = x.tape;
    ad_axis handle = {tape, axis};
    if (ad_node_of(x)->op == OP_lift) x = ad_input_of(x, 0);
    ad_shape shape = ad_node_of(x)->shape;
    if (ad_node_of(x)->axis < 0) {
        if (op == OP_batch_sum) return ad_mul(x, ad_batch_count(handle));
        return op == OP_batch_logsumexp ? ad_add(x, ad_log(ad_batch_count(handle))) : x;
    }
    ad_node node = ad_proto(op, &x, 1, shape);
    node.axis = -1;
    node.attr[0] = axis;
    return ad_record(tape, &node);
}

static ad_var checked_reduce(ad_op op, ad_axis axis, ad_var x)
{
    ad_tape *tape;
    const char *name = ad_ops[op].name;
    if (!ad_check_args(name, &x, 1, &tape) || !ad_axis_check(name, axis, tape)) return ad_handle(tape, -1);
    int32_t own = ad_node_of(x)->axis;
    if (own >= 0 && own != axis.id)
        return ad_fail(tape, GIBBS_AXIS, "%s: the value is on axis «%s», not on «%s»", name, ad_axis_name(tape, own),
                       ad_axis_name(tape, axis.id));
    return ad_batch_reduce(op, axis.id, x);
}

ad_var ad_batch_sum(ad_axis axis, ad_var x) { return checked_reduce(OP_batch_sum, axis, x); }
ad_var ad_batch_logsumexp(ad_axis axis, ad_var x) { return checked_reduce(OP_batch_logsumexp, axis, x); }
ad_var ad_batch_max(ad_axis axis, ad_var x) { return checked_reduce(OP_batch_max, axis, x); }

ad_var ad_batch_mean(ad_axis axis, ad_var x)
{
    if (ad_is_shared(x) && ad_axis_check("batch_mean", axis, x.tape)) return x;
    ad_var sum = ad_batch_sum(axis, x);
    return ad_mul(sum, ad_recip(ad_batch_count(axis)));
}

static ad_var sum_of_core(int32_t axis, ad_var x) { return ad_batch_reduce(OP_batch_sum, axis, x); }

static ad_var unlift(ad_var v) { return ad_node_of(v)->op == OP_lift ? ad_input_of(v, 0) : v; }

/* aᵀb of two [k,·] matrices through the matrix product. */
static ad_var transposed_product(ad_var a, ad_var b)
{
    if (ad_is_null(a) || ad_is_null(b)) return ad_handle(a.tape ? a.tape : b.tape, -1);
    ad_shape s = ad_node_of(a)->shape, t = ad_node_of(b)->shape;
    ad_var product = ad_matmul_core(ad_reshape(a, ad_cube(1, s.dim[0], s.dim[1])), true,
                                    ad_reshape(b, ad_cube(1, t.dim[0], t.dim[1])), false);
    return ad_is_null(product) ? product : ad_reshape(product, ad_mat(s.dim[1], t.dim[1]));
}

ad_var ad_batch_matmul_core(int32_t axis, ad_var a, ad_var b)
{
    if (ad_is_null(a) || ad_is_null(b)) return ad_handle(a.tape ? a.tape : b.tape, -1);
    ad_tape *tape = a.tape;
    a = unlift(a);
    b = unlift(b);
    bool per_a = ad_node_of(a)->axis >= 0, per_b = ad_node_of(b)->axis >= 0;
    ad_shape shape = ad_mat(ad_node_of(a)->shape.dim[1], ad_node_of(b)->shape.dim[1]);
    if (ad_is_zero(a) || ad_is_zero(b)) return ad_fill(tape, -1, shape, 0);
    if (per_a && per_b) {
        ad_node node = ad_proto(OP_batch_matmul, (ad_var[]){a, b}, 2, shape);
        node.axis = -1;
        node.attr[0] = axis;
        return ad_record(tape, &node);
    }
    if (per_a) return transposed_product(sum_of_core(axis, a), b);
    return transposed_product(a, sum_of_core(axis, b));
}

ad_var ad_batch_matmul(ad_axis axis, ad_var a, ad_var b)
{
    ad_tape *tape;
    ad_var v[2] = {a, b};
    char p[AD_SHAPE_TEXT], q[AD_SHAPE_TEXT];
    if (!ad_check_args("batch_matmul", v, 2, &tape) || !ad_axis_check("batch_matmul", axis, tape))
        return ad_handle(tape, -1);
    ad_shape s[2];
    for (int i = 0; i < 2; i++) {
        s[i] = ad_node_of(v[i])->shape;
        int32_t own = ad_node_of(v[i])->axis;
        if (own >= 0 && own != axis.id)
            return ad_fail(tape, GIBBS_AXIS, "batch_matmul: a factor is on axis «%s», not on «%s»",
                           ad_axis_name(tape, own), ad_axis_name(tape, axis.id));
        if (s[i].rank == 1) v[i] = ad_reshape(v[i], ad_mat(1, s[i].dim[0]));
    }
    if (s[0].rank != s[1].rank || s[0].rank < 1 || s[0].rank > 2 || (s[0].rank == 2 && s[0].dim[0] != s[1].dim[0]))
        return ad_fail(tape, GIBBS_SHAPE, "batch_matmul: shapes %s and %s do not agree",
                       ad_shape_text(&s[0], p, sizeof p), ad_shape_text(&s[1], q, sizeof q));
    return ad_batch_matmul_core(axis.id, v[0], v[1]);
}

static bool scalar_index(const char *op, ad_var index)
{
    if (ad_node_of(index)->axis >= 0 && ad_node_of(index)->shape.rank == 0) return true;
    ad_fail(index.tape, GIBBS_SHAPE, "%s: the index must be a per-sample scalar", op);
    return false;
}

ad_var ad_batch_gather(ad_var x, ad_var index)
{
    ad_tape *tape;
    if (!ad_check_args("batch_gather", (ad_var[]){x, index}, 2, &tape) || !scalar_index("batch_gather", index))
        return ad_handle(tape, -1);
    int32_t axis = ad_node_of(index)->axis;
    ad_node own = *ad_node_of(x);
    if (own.axis < 0 || own.op == OP_lift) return ad_lift((ad_axis){tape, axis}, unlift(x));
    ad_node node = ad_proto(OP_batch_gather, (ad_var[]){x, index}, 2, own.shape);
    node.axis = axis;
    node.attr[0] = own.axis;
    return ad_record(tape, &node);
}

ad_var ad_batch_scatter_add(ad_axis axis, ad_var g, ad_var index)
{
    ad_tape *tape;
    if (!ad_check_args("batch_scatter_add", (ad_var[]){g, index}, 2, &tape) ||
        !ad_axis_check("batch_scatter_add", axis, tape) || !scalar_index("batch_scatter_add", index))
        return ad_handle(tape, -1);
    int32_t own = ad_node_of(g)->axis, from = ad_node_of(index)->axis;
    if (own >= 0 && own != from)
        return ad_fail(tape, GIBBS_AXIS, "batch_scatter_add: axes «%s» and «%s» meet", ad_axis_name(tape, own),
                       ad_axis_name(tape, from));
    if (own < 0) g = ad_lift((ad_axis){tape, from}, g);
    if (ad_is_null(g)) return g;
    if (ad_is_zero(g)) return ad_fill(tape, axis.id, ad_node_of(g)->shape, 0);
    ad_node node = ad_proto(OP_batch_scatter_add, (ad_var[]){g, index}, 2, ad_node_of(g)->shape);
    node.axis = axis.id;
    node.attr[0] = axis.id;
    return ad_record(tape, &node);
}
