/* reduce.c — sum, max and logsumexp over dimensions of one sample, and what is composed from them. */
#include "tape.h"

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
    if (ad_shape_count(&shape) == ad_shape_count(&own)) return ad_reshape(x, shape);
    if (ad_node_of(x)->op == OP_lift) {
        ad_axis axis = {tape, ad_node_of(x)->axis};
        ad_var y = ad_sum_range(op, ad_input_of(x, 0), first, count);
        return ad_is_null(y) ? y : ad_lift(axis, y);
    }
    ad_var source;
    double times;
    if (repeats(x, first, count, &source, &times)) return reduce_repeated(op, source, times, shape);
    ad_node node = ad_proto(op, &x, 1, shape);
    node.attr[0] = first;
    node.attr[1] = count;
    return ad_record(tape, &node);
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
ad_var ad_logsumexp(ad_var x) { return ad_logsumexp_dims(x, all_dims(x)); }

/* A logsumexp of large numbers is rounded, by at most log n. So exp(x − logsumexp x) has a factor too many, between 1/n
 * and n, and is to be divided by its sum; then the result no longer depends on what was subtracted. */
ad_var ad_exp_offset(ad_var x, ad_var total) { return ad_exp(ad_sub(x, ad_offset(total))); }

ad_var ad_softmax(ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("softmax", &x, 1, &tape)) return ad_handle(tape, -1);
    ad_shape s = ad_node_of(x)->shape;
    if (s.rank < 1) return ad_fail(tape, GIBBS_SHAPE, "softmax: needs a vector, got a scalar");
    unsigned last = 1u << (s.rank - 1);
    ad_var total = ad_logsumexp_dims(x, last);
    s.dim[s.rank - 1] = 1;
    ad_var weight = ad_exp_offset(x, ad_reshape(total, s));
    return ad_div(weight, ad_reshape(ad_sum_dims(weight, last), s));
}

ad_var ad_norm(ad_var x) { return ad_sqrt(ad_sum(ad_square(x))); }
ad_var ad_dot(ad_var a, ad_var b) { return ad_sum(ad_mul(a, b)); }

ad_var ad_quadratic_form(ad_var x, ad_var A) { return ad_matmul(ad_matmul(x, A), x); }

ad_var ad_rbm_free_energy(ad_var v, ad_var W, ad_var a, ad_var b)
{
    ad_tape *tape;
    if (!ad_check_args("rbm_free_energy", (ad_var[]){v, W, a, b}, 4, &tape)) return ad_handle(tape, -1);
    ad_var hidden = ad_sum(ad_softplus(ad_add(ad_matmul(v, W), b)));
    return ad_neg(ad_add(ad_matmul(v, a), hidden));
}

ad_var ad_log_mixture(ad_var log_weight, ad_var log_density) { return ad_logsumexp(ad_add(log_weight, log_density)); }
