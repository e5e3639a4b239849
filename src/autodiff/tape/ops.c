/* ops.c — ops.def expanded into the table that the rest of the engine reads. */
#include "tape.h"

#include <math.h>

#define K(like, c) ad_constant((like).tape, c)
#define ZERO(like) ad_constant((like).tape, 0)

/* Recorded partial derivatives. Unused arguments are expected. */
#define UNARY(name, value, dx, smooth, low, high)                       \
    static ad_var partial_a_##name(ad_var x, ad_var unused, ad_var y)   \
    {                                                                   \
        (void)x, (void)unused, (void)y;                                 \
        return dx;                                                      \
    }
#define BINARY(name, value, da, db, smooth, commutes, low, high)        \
    static ad_var partial_a_##name(ad_var a, ad_var b, ad_var y)        \
    {                                                                   \
        (void)a, (void)b, (void)y;                                      \
        return da;                                                      \
    }                                                                   \
    static ad_var partial_b_##name(ad_var a, ad_var b, ad_var y)        \
    {                                                                   \
        (void)a, (void)b, (void)y;                                      \
        return db;                                                      \
    }
#include "ops.def"

/* Values in double, for constant folding. */
#define REAL double
#define FN(f) f
#include "autodiff/kernel/formulas.h"
#define UNARY(name, value, dx, smooth, low, high)      \
    static double eval_##name(double x, double unused) \
    {                                                  \
        (void)unused;                                  \
        return value;                                  \
    }
#define BINARY(name, value, da, db, smooth, commutes, low, high) \
    static double eval_##name(double a, double b) { return value; }
#include "ops.def"

const ad_op_row ad_ops[OP_COUNT] = {
#define LEAF(name) {#name, KIND_LEAF, CLASS_LEAF, 0, false, 0, 0, {NULL, NULL}, NULL},
#define UNARY(name, value, dx, smooth, low, high) \
    {#name, KIND_UNARY, CLASS_##smooth, 1, false, low, high, {partial_a_##name, NULL}, eval_##name},
#define BINARY(name, value, da, db, smooth, commutes, low, high) \
    {#name, KIND_BINARY, CLASS_##smooth, 2, commutes, low, high, {partial_a_##name, partial_b_##name}, eval_##name},
#define STRUCTURAL(name, arguments, smooth) \
    {#name, KIND_STRUCTURAL, CLASS_##smooth, arguments, false, 0, 0, {NULL, NULL}, NULL},
#define BATCH(name, arguments, smooth) \
    {#name, KIND_BATCH, CLASS_##smooth, arguments, false, 0, 0, {NULL, NULL}, NULL},
#include "ops.def"
};

const char *ad_op_said(ad_op op)
{
    switch (op) {
    case OP_chain: return "a product of the chain rule";
    case OP_max: return "max or relu";
    default: return ad_ops[op].name;
    }
}

int ad_op_count(void) { return OP_COUNT; }

ad_op_info ad_op_describe(int op)
{
    static const char *const kinds[] = {"leaf", "unary", "binary", "structural", "batch"};
    static const int smooth[] = {0, 2, 2, 1, 0, 0};
    if (op < 0 || op >= OP_COUNT) return (ad_op_info){0};
    const ad_op_row *row = &ad_ops[op];
    return (ad_op_info){row->name, row->arguments, smooth[row->smooth],
                        op == OP_select ? "select" : kinds[row->kind], row->low, row->high};
}
