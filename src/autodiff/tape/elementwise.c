/* elementwise.c — the constructors of every elementwise op, expanded from ops.def: simple algebra, else a node. */
#include "tape.h"

#include "base/float_word.h"

#include <math.h>

/* ---- Values in double, for constant folding ---- */

#define REAL double
#define FN(f) f
#include "autodiff/kernel/formulas.h"
#define UNARY(name, value, dx, smooth, low, high)               \
    static double eval_##name(double x, double b, double c)     \
    {                                                           \
        (void)b, (void)c;                                       \
        return value;                                           \
    }
#define BINARY(name, value, da, db, smooth, commutes, low, high) \
    static double eval_##name(double a, double b, double c)      \
    {                                                            \
        (void)c;                                                 \
        return value;                                            \
    }
#define TERNARY(name, value, da, db, dc, smooth, low, high) \
    static double eval_##name(double a, double b, double c) { return value; }
#include "ops.def"

static double (*const eval[OP_COUNT])(double a, double b, double c) = {
#define UNARY(name, value, dx, smooth, low, high) [OP_##name] = eval_##name,
#define BINARY(name, value, da, db, smooth, commutes, low, high) [OP_##name] = eval_##name,
#define TERNARY(name, value, da, db, dc, smooth, low, high) [OP_##name] = eval_##name,
#include "ops.def"
};

/* ---- Folding: a rule returns the folded var, or the null var when it does not apply. Operands have one type (axis and
 * shape), and so has what a rule returns. ---- */

static const ad_var NONE = {NULL, -1};

static bool is_op(ad_var v, ad_op op) { return ad_node_of(v)->op == op; }

static ad_var fill_like(ad_var v, double value)
{
    ad_node n = *ad_node_of(v);
    return ad_fill(v.tape, n.axis, n.shape, value);
}

/* As in a run: no subnormal result, and not the host's rounding. */
static double evaluate(ad_op op, const double *v)
{
    gibbs_float_word host = gibbs_float_enter();
    double value = eval[op](v[0], v[1], v[2]);
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
        if (ad_is_constant(ad_input_of(x, i), &k))
            return ad_scale(ad_input_of(x, 1 - i), evaluate(OP_mul, (double[3]){c, k, 0}));
    return NONE;
}

/* mul and chain alike, but for infinite factors of a chain: where one is a known 0 the product is 0, whatever the other
 * would be. */
static ad_var fold_product(ad_op op, ad_var a, ad_var b)
{
    ad_var v[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        double c;
        if (!ad_is_constant(v[i], &c) || (op == OP_chain && isinf(c))) continue;
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

static ad_var fold_pow(ad_op op, ad_var a, ad_var b)
{
    double c;
    if (!ad_is_constant(b, &c)) return NONE;
    if (c == 0) return fill_like(a, 1);
    if (c == 1) return a;
    if (c == 2) return ad_mul(a, a);
    if (c == -1) return op == OP_pow ? ad_recip(a) : ad_pole(ad_recip(a));
    return NONE;
}

/* A unit matrix, or one of zeros and ones that comes from it, in any shape. */
static bool is_unit(ad_var v)
{
    while (is_op(v, OP_reshape) || is_op(v, OP_lift) || is_op(v, OP_expand)) v = ad_input_of(v, 0);
    return is_op(v, OP_array) && v.tape->side[ad_node_of(v)->side].identity;
}

static ad_var fold_masked(ad_var mask, ad_var v)
{
    double c;
    if (ad_is_constant(mask, &c)) return c != 0 ? v : fill_like(v, 0);
    if (ad_is_constant(v, &c) && (c == 0 || is_unit(mask))) return c == 0 ? v : ad_scale(mask, c);
    if (is_op(v, OP_masked) && ad_input_of(v, 0).id == mask.id) return v;
    /* what a condition does not pick */
    bool negated = is_op(mask, OP_select) && ad_is_zero(ad_input_of(mask, 1));
    if (negated && ad_is_constant(ad_input_of(mask, 2), &c) && c != 0)
        return ad_select(ad_input_of(mask, 0), fill_like(v, 0), v);
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
    case OP_pow:
    case OP_pow_slope: return fold_pow(op, a, b);
    case OP_masked: return fold_masked(a, b);
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
    double c[3] = {0, 0, 0};
    if (op == OP_stop_gradient) return NONE;
    for (int i = 0; i < n; i++)
        if (!ad_is_constant(v[i], &c[i])) return NONE;
    return fill_like(v[0], evaluate(op, c));
}

static ad_var fold(ad_op op, const ad_var *v, int n)
{
    ad_var folded = fold_constants(op, v, n);
    if (!ad_is_null(folded)) return folded;
    if (n == 1) return fold_unary(op, v[0]);
    if (n == 2) return fold_binary(op, v[0], v[1]);
    return fold_select(v[0], v[1], v[2]);
}

/* ---- Recording ---- */

/* The axis and shape that all operands broadcast to; false, with the tape's error set, when there is none. */
static bool common_type(const char *op, const ad_var *v, int n, int32_t *axis, ad_shape *shape)
{
    ad_tape *tape = v[0].tape;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    *axis = -1;
    *shape = ad_scalar();
    for (int i = 0; i < n; i++) {
        const ad_node *node = ad_node_of(v[i]);
        if (*axis >= 0 && node->axis >= 0 && node->axis != *axis)
            return ad_fail(tape, GIBBS_AXIS, "%s: axes «%s» and «%s» meet", op, ad_axis_name(tape, *axis),
                           ad_axis_name(tape, node->axis)), false;
        if (node->axis >= 0) *axis = node->axis;
        if (!ad_shape_broadcast(shape, &node->shape, shape))
            return ad_fail(tape, GIBBS_SHAPE, "%s: shapes %s and %s do not agree", op,
                           ad_shape_text(shape, a, sizeof a), ad_shape_text(&node->shape, b, sizeof b)), false;
    }
    return true;
}

/* Operands are stripped of what broadcasts them, the op is recorded at the smallest type that they share, and the
 * result is broadcast: so a computation that is the same for all samples is done once. */
ad_var ad_elementwise(ad_op op, const ad_var *v, int n)
{
    ad_tape *tape;
    int32_t axis, core_axis;
    ad_shape shape, core_shape;
    const char *name = ad_ops[op].name;
    if (!ad_check_args(name, v, n, &tape)) return ad_handle(tape, -1);
    if (!common_type(name, v, n, &axis, &shape)) return ad_handle(tape, -1);
    ad_var core[3];
    for (int i = 0; i < n; i++) core[i] = ad_strip(v[i]);
    if (!common_type(name, core, n, &core_axis, &core_shape)) return ad_handle(tape, -1);
    for (int i = 0; i < n; i++) core[i] = ad_broadcast_to(core[i], core_axis, core_shape);
    for (int i = 0; i < n; i++)
        if (ad_is_null(core[i])) return ad_handle(tape, -1);
    ad_var y = fold(op, core, n);
    if (ad_is_null(y)) {
        ad_node node = ad_proto(op, core, n, core_shape);
        if (ad_ops[op].commutes && node.nin == 2 && node.in[0] > node.in[1]) {
            node.in[0] = core[1].id;
            node.in[1] = core[0].id;
        }
        y = ad_record(tape, &node);
    }
    return ad_broadcast_to(y, axis, shape);
}

#define UNARY(name, value, dx, smooth, low, high) \
    ad_var ad_##name(ad_var x) { return ad_elementwise(OP_##name, &x, 1); }
#define BINARY(name, value, da, db, smooth, commutes, low, high) \
    ad_var ad_##name(ad_var a, ad_var b) { return ad_elementwise(OP_##name, (ad_var[]){a, b}, 2); }
#define TERNARY(name, value, da, db, dc, smooth, low, high) \
    ad_var ad_##name(ad_var a, ad_var b, ad_var c) { return ad_elementwise(OP_##name, (ad_var[]){a, b, c}, 3); }
#include "ops.def"

/* ---- Composed ---- */

/* A number to go with x; nothing is recorded for an x that is null. */
static ad_var number(ad_var x, double c) { return ad_is_null(x) ? x : ad_constant(x.tape, c); }

ad_var ad_scale(ad_var x, double factor) { return ad_mul(x, number(x, factor)); }
ad_var ad_shift(ad_var x, double offset) { return ad_add(x, number(x, offset)); }
ad_var ad_relu(ad_var x) { return ad_max(number(x, 0), x); } /* of equal ones max takes the first: relu′(0) = 0 */
ad_var ad_silu(ad_var x) { return ad_mul(x, ad_sigmoid(x)); }

/* 1 + erf would cancel below 0. */
ad_var ad_gelu(ad_var x) { return ad_mul(x, ad_scale(ad_erfc(ad_scale(x, -M_SQRT1_2)), 0.5)); }

ad_var ad_digamma(ad_var x) { return ad_polygamma(number(x, 0), x); }

ad_var ad_clamp(ad_var x, double low, double high)
{
    if (!ad_is_null(x) && !(low <= high))
        return ad_fail(x.tape, GIBBS_ARGUMENT, "clamp: nothing lies between %g and %g", low, high);
    return ad_min(ad_max(x, number(x, low)), number(x, high));
}
