/* quad.c — the interpreter's memory, its order of evaluation, and elementwise ops, expanded from ops.def. */
#define _GNU_SOURCE
#include "quad.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REAL quad
#define FN(f) f##f128
#include "autodiff/kernel/formulas.h"
#undef POLYGAMMA
#undef LOG_ERFC
#undef LOG_ERFC_SLOPE
#undef LOG_NDTR
#undef LOG_NDTR_SLOPE
#define POLYGAMMA(n, x) quad_polygamma((int)(n), x)
#define LOG_ERFC(x) quad_log_erfc(x)
#define LOG_ERFC_SLOPE(n, x) quad_log_erfc_slope((int)(n), x)
#define LOG_NDTR(x) quad_log_ndtr(x)
#define LOG_NDTR_SLOPE(n, x) quad_log_ndtr_slope((int)(n), x)

quad quad_exp(quad x) { return EXP(x); }
quad quad_log(quad x) { return LOG(x); }
quad quad_sin(quad x) { return SIN(x); }

#define UNARY(name, value, dx, smooth, low, high)  \
    static quad quad_##name##_of(quad x, quad b, quad c) \
    {                                              \
        (void)b, (void)c;                          \
        return value;                              \
    }
#define BINARY(name, value, da, db, smooth, commutes, low, high) \
    static quad quad_##name##_of(quad a, quad b, quad c) { return (void)c, value; }
#define TERNARY(name, value, da, db, dc, smooth, low, high) \
    static quad quad_##name##_of(quad a, quad b, quad c) { return value; }
#include "autodiff/tape/ops.def"

static quad (*const elementwise[OP_COUNT])(quad, quad, quad) = {
#define UNARY(name, value, dx, smooth, low, high) [OP_##name] = quad_##name##_of,
#define BINARY(name, value, da, db, smooth, commutes, low, high) [OP_##name] = quad_##name##_of,
#define TERNARY(name, value, da, db, dc, smooth, low, high) [OP_##name] = quad_##name##_of,
#include "autodiff/tape/ops.def"
};

bool quad_start(quad_machine *m, const ad_tape *tape, const int64_t *rows)
{
    *m = (quad_machine){.tape = tape, .size = tape->size, .value = calloc((size_t)tape->size, sizeof(quad *))};
    for (int i = 0; i < QUAD_ROOTS && i < tape->axes; i++) m->rows[i] = rows[i];
    return m->value != NULL;
}

void quad_end(quad_machine *m)
{
    for (int64_t i = 0; m->value && i < m->size; i++) free(m->value[i]);
    free(m->value);
    m->value = NULL;
}

void quad_forget(quad_machine *m)
{
    for (int64_t i = 0; i < m->size; i++) {
        ad_op op = m->tape->node[i].op;
        if (op == OP_input || op == OP_parameter) continue;
        free(m->value[i]);
        m->value[i] = NULL;
    }
}

int64_t quad_rows(const quad_machine *m, int32_t axis)
{
    int64_t rows = 1;
    if (axis < 0) return 1;
    for (; m->tape->axis[axis].parent >= 0; axis = m->tape->axis[axis].parent) rows *= m->tape->axis[axis].count;
    return rows * m->rows[axis];
}

int64_t quad_size(const quad_machine *m, ad_var v)
{
    const ad_node *node = &m->tape->node[v.id];
    int64_t count = quad_rows(m, node->axis);
    for (int i = 0; i < node->shape.rank; i++) count *= node->shape.dim[i];
    return count;
}

quad *quad_leaf(quad_machine *m, ad_var leaf)
{
    if (!m->value[leaf.id]) m->value[leaf.id] = calloc((size_t)quad_size(m, leaf), sizeof(quad));
    return m->value[leaf.id];
}

static bool evaluate_leaf(const quad_machine *m, const ad_node *node, int64_t n, quad *out)
{
    for (int64_t i = 0; i < n; i++) {
        if (node->op == OP_constant) out[i] = (quad)node->value;
        else if (node->op == OP_array) out[i] = (quad)m->tape->side[node->side].array[i];
        else if (node->op == OP_batch_count) out[i] = (quad)quad_rows(m, node->attr[0]);
        else return false; /* an input without a value, or a random leaf */
    }
    return true;
}

static bool evaluate_samples(const quad_machine *m, const ad_node *node, const quad *const *in, int64_t n, quad *out)
{
    int64_t rows = quad_rows(m, node->axis);
    const quad *at[QUAD_MOST_ARGUMENTS];
    for (int64_t r = 0; r < rows; r++) {
        for (int k = 0; k < node->nin; k++) {
            ad_var v = {NULL, node->in[k]};
            int64_t own = m->tape->node[v.id].axis < 0 ? 0 : quad_size(m, v) / rows;
            at[k] = in[k] + r * own;
        }
        if (!quad_structural(m, node, at, out + r * (n / rows))) return false;
    }
    return true;
}

static bool evaluate(quad_machine *m, int32_t id, int64_t n, quad *out)
{
    const ad_node *node = &m->tape->node[id];
    const quad *in[QUAD_MOST_ARGUMENTS] = {NULL};
    if (node->op == OP_scan) return true; /* it has no value: its results have */
    if (ad_is_scan_result(node->op)) return quad_scan(m, node, out);
    if (node->nin > QUAD_MOST_ARGUMENTS) return false;
    for (int k = 0; k < node->nin; k++) in[k] = m->value[node->in[k]];
    if (node->op == OP_stop_gradient && m->held && m->held->value[id])
        return memcpy(out, m->held->value[id], (size_t)n * sizeof *out), true;
    if (node->nin == 0) return evaluate_leaf(m, node, n, out);
    if (elementwise[node->op]) {
        for (int k = 0; k < node->nin; k++)
            if (quad_size(m, (ad_var){NULL, node->in[k]}) != n) return false; /* invariant 3 of the tape */
        for (int64_t i = 0; i < n; i++) out[i] = elementwise[node->op](in[0][i], in[node->nin > 1][i], in[node->nin - 1][i]);
        return true;
    }
    bool whole = ad_ops[node->op].kind == KIND_BATCH || node->op == OP_regroup || node->op == OP_ungroup;
    return whole ? quad_batch(m, node, in, out) : evaluate_samples(m, node, in, n, out);
}

const quad *quad_value(quad_machine *m, ad_var v)
{
    const ad_node *node = &m->tape->node[v.id];
    if (m->value[v.id]) return m->value[v.id];
    for (int k = 0; k < node->nin; k++)
        if (!quad_value(m, (ad_var){v.tape, node->in[k]})) return NULL;
    int64_t n = quad_size(m, v);
    quad *out = calloc((size_t)n, sizeof *out);
    if (!out || !evaluate(m, v.id, n, out)) {
        m->failure = ad_ops[node->op].name;
        free(out);
        return NULL;
    }
    return m->value[v.id] = out;
}
