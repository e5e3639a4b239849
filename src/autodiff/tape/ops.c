/* ops.c — ops.def expanded into the table of what is known of an op without computing or differentiating it. */
#include "tape.h"

const ad_op_row ad_ops[OP_COUNT] = {
#define LEAF(name) {#name, KIND_LEAF, CLASS_LEAF, 0, false, 0, 0},
#define UNARY(name, value, dx, smooth, low, high) {#name, KIND_UNARY, CLASS_##smooth, 1, false, low, high},
#define BINARY(name, value, da, db, smooth, commutes, low, high) \
    {#name, KIND_BINARY, CLASS_##smooth, 2, commutes, low, high},
#define TERNARY(name, value, da, db, dc, smooth, low, high) {#name, KIND_TERNARY, CLASS_##smooth, 3, false, low, high},
#define STRUCTURAL(name, arguments, smooth) {#name, KIND_STRUCTURAL, CLASS_##smooth, arguments, false, 0, 0},
#define BATCH(name, arguments, smooth) {#name, KIND_BATCH, CLASS_##smooth, arguments, false, 0, 0},
#include "ops.def"
};

const char *ad_op_said(ad_op op)
{
    switch (op) {
    case OP_chain: return "a product of the chain rule";
    case OP_masked: return "a masked derivative, of max, min or select";
    case OP_max: return "max or relu";
    default: return ad_ops[op].name;
    }
}

int ad_op_count(void) { return OP_COUNT; }

ad_op_info ad_op_describe(int op)
{
    static const char *const kinds[] = {"leaf", "unary", "binary", "ternary", "structural", "batch"};
    static const int smooth[] = {0, 2, 2, 1, 1, 0, 0};
    if (op < 0 || op >= OP_COUNT) return (ad_op_info){0};
    const ad_op_row *row = &ad_ops[op];
    return (ad_op_info){row->name, row->arguments, smooth[row->smooth], kinds[row->kind], row->low, row->high};
}
