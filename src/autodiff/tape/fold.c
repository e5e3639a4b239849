/* fold.c — simple algebra at record time. A rule returns the folded var, or the null var when it does not apply;
 * operands have one type (axis and shape), and so has what a rule returns. */
#include "tape.h"

#include "base/float_word.h"

#include <math.h>

static const ad_var NONE = {NULL, -1};

static bool is_op(ad_var v, ad_op op) { return ad_node_of(v)->op == op; }

static ad_var fill_like(ad_var v, double value)
{
    ad_node n = *ad_node_of(v);
    return ad_fill(v.tape, n.axis, n.shape, value);
}

/* As in a run: no subnormal result, and not the host's rounding. */
static double evaluate(ad_op op, double a, double b)
{
    gibbs_float_word host = gibbs_float_enter();
    double value = ad_ops[op].eval(a, b);
    gibbs_float_leave(host);
    return value;
}

static ad_var fold_unary(ad_op op, ad_var x)
{
    if (op == OP_neg && is_op(x, OP_neg)) return ad_input_of(x, 0);
    if (op == OP_neg && is_op(x, OP_sub)) return ad_sub(ad_input_of(x, 1), ad_input_of(x, 0));
    if (op == OP_recip && is_op(x, OP_recip)) return ad_input_of(x, 0);
    return NONE;
}

static ad_var fold_add(ad_var a, ad_var b)
{
    if (ad_is_zero(a)) return b;
    if (ad_is_zero(b)) return a;
    if (is_op(b, OP_neg)) return ad_sub(a, ad_input_of(b, 0));
    if (is_op(a, OP_neg)) return ad_sub(b, ad_input_of(a, 0));
    if (a.id != b.id) return NONE;
    /* x + x, as in every derivative of a square: the 2 goes to the adjoint, which is often the smaller factor */
    return is_op(a, OP_chain) ? ad_chain(ad_scale(ad_input_of(a, 0), 2), ad_input_of(a, 1)) : ad_scale(a, 2);
}

static ad_var fold_sub(ad_var a, ad_var b)
{
    if (ad_is_zero(b)) return a;
    if (ad_is_zero(a)) return ad_neg(b);
    if (is_op(b, OP_neg)) return ad_add(a, ad_input_of(b, 0));
    return NONE;
}

/* c·(k·x) → (ck)·x for known numbers c and k. */
static ad_var merge_scales(double c, ad_var x)
{
    double k;
    if (!is_op(x, OP_mul)) return NONE;
    for (int i = 0; i < 2; i++)
        if (ad_is_constant(ad_input_of(x, i), &k)) return ad_scale(ad_input_of(x, 1 - i), evaluate(OP_mul, c, k));
    return NONE;
}

/* mul and chain alike: where one factor is a known 0 the product is 0, whatever the other would be. */
static ad_var fold_product(ad_op op, ad_var a, ad_var b)
{
    ad_var v[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        double c;
        if (!ad_is_constant(v[i], &c)) continue;
        if (c == 0) return v[i];
        if (c == 1) return v[1 - i];
        if (c == -1) return ad_neg(v[1 - i]);
        ad_var merged = merge_scales(c, v[1 - i]);
        return !ad_is_null(merged) || op == OP_mul ? merged : ad_mul(a, b);
    }
    for (int i = 0; i < 2; i++)
        if (is_op(v[i], OP_neg)) {
            v[i] = ad_input_of(v[i], 0);
            return ad_neg(ad_elementwise(op, v, 2));
        }
    return NONE;
}

static ad_var fold_pow(ad_var a, ad_var b)
{
    double c;
    if (!ad_is_constant(b, &c)) return NONE;
    if (c == 0) return fill_like(a, 1);
    if (c == 1) return a;
    if (c == 2) return ad_mul(a, a);
    if (c == -1) return ad_recip(a);
    return NONE;
}

static ad_var fold_binary(ad_op op, ad_var a, ad_var b)
{
    double c;
    switch (op) {
    case OP_add: return fold_add(a, b);
    case OP_sub: return fold_sub(a, b);
    case OP_mul:
    case OP_chain: return fold_product(op, a, b);
    case OP_div: return ad_is_constant(b, &c) && c == 1 ? a : NONE;
    case OP_pow: return fold_pow(a, b);
    case OP_max:
    case OP_min: return a.id == b.id ? a : NONE;
    default: return NONE;
    }
}

static ad_var fold_select(ad_var c, ad_var a, ad_var b)
{
    double value;
    if (ad_is_constant(c, &value)) return value != 0 ? a : b;
    return a.id == b.id ? a : NONE;
}

static ad_var fold_constants(ad_op op, const ad_var *v, int n)
{
    double c[2] = {0, 0};
    if (op == OP_select || op == OP_stop_gradient) return NONE;
    for (int i = 0; i < n; i++)
        if (!ad_is_constant(v[i], &c[i])) return NONE;
    return fill_like(v[0], evaluate(op, c[0], c[1]));
}

ad_var ad_fold(ad_op op, const ad_var *v, int n)
{
    ad_var folded = fold_constants(op, v, n);
    if (!ad_is_null(folded)) return folded;
    if (n == 1) return fold_unary(op, v[0]);
    if (n == 2) return fold_binary(op, v[0], v[1]);
    return fold_select(v[0], v[1], v[2]);
}
