/* slopes.c — the recorded partial derivatives of elementwise ops, expanded from ops.def. */
#include "derive.h"

#include <math.h>

/* The words of the columns. An argument that is a condition has no derivative. */
#define K(like, c) ad_constant((like).tape, c)
#define ZERO(like) ad_constant((like).tape, 0)
#define WHERE_NOT(c) ad_select(c, K(c, 0), K(c, 1))
#define SLOPE(v) ad_pole(ad_recip(ad_pole(v))) /* 1/v, and NaN where either is infinite */
#define NONE ((ad_var){NULL, -1})

/* Unused arguments are expected. */
#define UNARY(name, value, dx, smooth, low, high)                         \
    static ad_var slope_##name(const ad_var *in, ad_var y, int which)     \
    {                                                                     \
        ad_var x = in[0];                                                 \
        (void)x, (void)y, (void)which;                                    \
        return dx;                                                        \
    }
#define BINARY(name, value, da, db, smooth, commutes, low, high)          \
    static ad_var slope_##name(const ad_var *in, ad_var y, int which)     \
    {                                                                     \
        ad_var a = in[0], b = in[1];                                      \
        (void)a, (void)b, (void)y;                                        \
        return which ? db : da;                                           \
    }
#define TERNARY(name, value, da, db, dc, smooth, low, high)               \
    static ad_var slope_##name(const ad_var *in, ad_var y, int which)     \
    {                                                                     \
        ad_var a = in[0], b = in[1], c = in[2];                           \
        (void)a, (void)b, (void)c, (void)y;                               \
        return which == 0 ? da : which == 1 ? db : dc;                    \
    }
#include "autodiff/tape/ops.def"

static ad_var (*const slope[OP_COUNT])(const ad_var *in, ad_var y, int which) = {
#define UNARY(name, value, dx, smooth, low, high) [OP_##name] = slope_##name,
#define BINARY(name, value, da, db, smooth, commutes, low, high) [OP_##name] = slope_##name,
#define TERNARY(name, value, da, db, dc, smooth, low, high) [OP_##name] = slope_##name,
#include "autodiff/tape/ops.def"
};

ad_var ad_slope(ad_op op, const ad_var *in, ad_var y, int which) { return slope[op](in, y, which); }

static ad_var slope_of(const ad_call *c, int which)
{
    ad_var in[3];
    for (int k = 0; k < c->node.nin; k++) in[k] = ad_arg(c, k);
    return ad_slope(c->node.op, in, c->y, which);
}

ad_var ad_times_slope(const ad_call *c, ad_var v, int which)
{
    ad_var d = slope_of(c, which);
    return ad_ops[c->node.op].smooth == CLASS_PICK ? ad_masked(d, v) : ad_chain(v, d);
}

ad_var ad_mask_of(const ad_call *c, ad_var mask, int which)
{
    if (ad_ops[c->node.op].smooth != CLASS_PICK) return mask;
    ad_var d = slope_of(c, which);
    return ad_is_null(mask) ? d : ad_masked(d, mask);
}

bool ad_differentiable(const ad_node *node, int k)
{
    if (node->op == OP_select || node->op == OP_masked) return k > 0;
    if (node->op == OP_scan) return k < node->nin - node->attr[1]; /* a length is none */
    return !ad_structures[node->op] || k < node->nin - ad_structures[node->op]->indices;
}
