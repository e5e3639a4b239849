/* view.c — lifts, expansions, reshapes, permutations, slices and regroupings are no work: they change the strides
 * with which a consumer reads, in a nest of loops. */
#include "emit.h"

#include <string.h>

static void tight_strides(const ad_shape *s, int64_t *stride)
{
    int64_t step = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= s->dim[i];
    }
}

bool ad_row_tight(const ad_shape *s, const int64_t *stride)
{
    int64_t step = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        if (s->dim[i] != 1 && stride[i] != step) return false;
        step *= s->dim[i];
    }
    return true;
}

/* Splits both shapes into the smallest groups of equal size; within a group the old dimensions must lie tight
 * against each other. False when some group does not: the value must be copied. */
static bool reshape_strides(const ad_shape *from, const int64_t *old, const ad_shape *to, int64_t *out)
{
    int i = 0, j = 0;
    while (i < from->rank || j < to->rank) {
        int i0 = i, j0 = j;
        int64_t p = i < from->rank ? from->dim[i++] : 1, q = j < to->rank ? to->dim[j++] : 1;
        while (p != q || (i < from->rank && from->dim[i] == 1) || (j < to->rank && to->dim[j] == 1)) {
            if (p < q || (p == q && i < from->rank && from->dim[i] == 1)) p *= from->dim[i++];
            else q *= to->dim[j++];
        }
        int64_t step = 0, next = -1;
        for (int k = i - 1; k >= i0; k--) {
            if (from->dim[k] == 1) continue;
            if (next < 0) step = old[k];
            else if (old[k] != next) return false;
            next = old[k] * from->dim[k];
        }
        for (int k = j - 1; k >= j0; k--) {
            out[k] = to->dim[k] == 1 ? 0 : step;
            step *= to->dim[k];
        }
    }
    return true;
}

ad_view ad_tight_view(const ad_shape *shape, ad_operand at)
{
    ad_view v = {.at = at};
    tight_strides(shape, v.stride);
    return v;
}

static ad_view expand_view(const ad_shape *shape, const ad_shape *source, ad_view v)
{
    ad_view out = {.at = v.at};
    int extra = shape->rank - source->rank;
    for (int i = extra; i < shape->rank; i++) out.stride[i] = source->dim[i - extra] == 1 ? 0 : v.stride[i - extra];
    return out;
}

bool ad_derive_view(const ad_node *node, const ad_shape *source, int64_t number_size, ad_view v, ad_view *out)
{
    *out = v;
    switch (node->op) {
    case OP_lift: out->at.row_stride = 0; return true;
    case OP_stop_gradient:
    case OP_variable: return true;
    case OP_expand: *out = expand_view(&node->shape, source, v); return true;
    case OP_reshape: return reshape_strides(source, v.stride, &node->shape, out->stride);
    case OP_permute:
        for (int i = 0; i < node->shape.rank; i++) out->stride[i] = v.stride[ad_permuted(node, i)];
        return true;
    case OP_slice:
        out->at.offset += ad_start(node) * v.stride[ad_along(node)] * number_size;
        return true;
    case OP_regroup: /* child rows of one parent follow each other */
        memmove(out->stride + 1, v.stride, sizeof v.stride - sizeof v.stride[0]);
        out->stride[0] = v.at.row_stride;
        out->at.row_stride = v.at.row_stride * node->shape.dim[0];
        return true;
    default: /* ungroup */
        memmove(out->stride, v.stride + 1, sizeof v.stride - sizeof v.stride[0]);
        if (source->dim[0] == 1) return true;
        out->at.row_stride = v.stride[0];
        return v.at.row_stride == v.stride[0] * source->dim[0];
    }
}

/* ---- Loop nests ---- */

static void push_loop(ad_nest *l, int64_t n, const int64_t *strides, int operands, bool rows)
{
    int last = l->count - 1;
    bool merges = last >= 0;
    for (int k = 0; k < operands && merges; k++) merges = l->stride[k][last] == strides[k] * n;
    if (merges) { /* the loop outside runs on where this one ends: one loop */
        l->n[last] *= n;
        for (int k = 0; k < operands; k++) l->stride[k][last] = strides[k];
        return;
    }
    if (rows) l->rows = l->count;
    l->n[l->count] = n;
    for (int k = 0; k < operands; k++) l->stride[k][l->count] = strides[k];
    l->count++;
}

ad_nest ad_plan_nest(const ad_node *node, const ad_view *view, int n)
{
    int64_t strides[AD_OPERANDS];
    ad_nest nest = {.rows = -1};
    if (node->axis >= 0) {
        for (int k = 0; k < n; k++) strides[k] = view[k].at.row_stride;
        push_loop(&nest, 1, strides, n, true);
    }
    for (int i = 0; i < node->shape.rank; i++) {
        if (node->shape.dim[i] == 1) continue;
        for (int k = 0; k < n; k++) strides[k] = view[k].stride[i];
        push_loop(&nest, node->shape.dim[i], strides, n, false);
    }
    if (nest.count == 0) {
        for (int k = 0; k < n; k++) strides[k] = 1;
        push_loop(&nest, 1, strides, n, false);
    }
    return nest;
}

bool ad_inner_ok(const ad_nest *loops, int k)
{
    int64_t stride = loops->stride[k][loops->count - 1];
    return stride == 0 || stride == 1;
}

/* Where the innermost loop is short, loops.c spreads out what does not lie as tight as the result, operand 0. */
bool ad_is_spread(const ad_nest *loops, int k, int64_t size)
{
    if (loops->count == 1 || loops->n[loops->count - 1] * size > AD_SHORT_BYTES) return false;
    for (int d = 0; d < loops->count; d++)
        if (loops->stride[k][d] != loops->stride[0][d]) return true;
    return false;
}
