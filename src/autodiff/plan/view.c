/* view.c — lifts, expansions, reshapes, permutations, slices and regroupings are no work: they change the strides
 * with which a consumer reads. Where a consumer cannot read that way, the value is copied once. */
#include "compile.h"

#include <string.h>

bool ad_is_view(ad_op op)
{
    return op == OP_lift || op == OP_expand || op == OP_reshape || op == OP_permute || op == OP_slice ||
           op == OP_regroup || op == OP_ungroup || op == OP_stop_gradient;
}

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

static ad_view tight_view(const ad_shape *shape, ad_operand at)
{
    ad_view v = {.at = at};
    tight_strides(shape, v.stride);
    return v;
}

static ad_view expand_view(const ad_node *node, const ad_node *source, ad_view v)
{
    ad_view out = {.at = v.at};
    int extra = node->shape.rank - source->shape.rank;
    for (int i = extra; i < node->shape.rank; i++)
        out.stride[i] = source->shape.dim[i - extra] == 1 ? 0 : v.stride[i - extra];
    return out;
}

/* The strides of a view node, from those of its source; false when the source must be copied first. */
static bool derive_view(ad_compiler *c, const ad_node *node, ad_view v, ad_view *out)
{
    const ad_node *source = &c->tape->node[node->in[0]];
    *out = v;
    switch (node->op) {
    case OP_lift: out->at.row_stride = 0; return true;
    case OP_stop_gradient: return true;
    case OP_expand: *out = expand_view(node, source, v); return true;
    case OP_reshape: return reshape_strides(&source->shape, v.stride, &node->shape, out->stride);
    case OP_permute:
        for (int i = 0; i < node->shape.rank; i++) out->stride[i] = v.stride[node->attr[i]];
        return true;
    case OP_slice:
        out->at.offset += node->attr[1] * v.stride[node->attr[0]] * (int64_t)c->plan->kernels->size;
        return true;
    case OP_regroup: /* child rows of one parent follow each other */
        memmove(out->stride + 1, v.stride, sizeof v.stride - sizeof v.stride[0]);
        out->stride[0] = v.at.row_stride;
        out->at.row_stride = v.at.row_stride * node->shape.dim[0];
        return true;
    default: /* ungroup */
        memmove(out->stride, v.stride + 1, sizeof v.stride - sizeof v.stride[0]);
        out->at.row_stride = v.stride[0];
        return v.at.row_stride == v.stride[0] * source->shape.dim[0];
    }
}

ad_view ad_view_of(ad_compiler *c, int32_t id)
{
    const ad_node *node = &c->tape->node[id];
    const ad_place *place = &c->place[id];
    if (place->stage == -1 || place->stage == c->stage_number) return tight_view(&node->shape, place->at);
    ad_view out, source = ad_view_of(c, node->in[0]);
    if (derive_view(c, node, source, &out)) return out;
    ad_emit_copy(c, node->in[0], &source);
    derive_view(c, node, ad_view_of(c, node->in[0]), &out);
    return out;
}

ad_operand ad_contiguous(ad_compiler *c, int32_t id, ad_need need)
{
    const ad_node *node = &c->tape->node[id];
    ad_view v = ad_view_of(c, id);
    int64_t count = ad_shape_count(&node->shape), apart = v.at.row_stride;
    bool rows_ok = node->axis < 0 || need == NEED_ROW || apart == count || (need == NEED_ROWS_APART && apart > count);
    if (ad_row_tight(&node->shape, v.stride) && rows_ok) return v.at;
    ad_emit_copy(c, id, &v);
    return c->place[id].at;
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

/* The nest that runs over a node's rows and dimensions with the strides of view[0 … n−1]; view[0] is the result. */
ad_nest ad_plan_nest(const ad_tape *tape, int32_t id, const ad_view *view, int n)
{
    const ad_node *node = &tape->node[id];
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

ad_loops ad_pack_nest(ad_compiler *c, const ad_nest *nest, int operands)
{
    int64_t *size = ad_chunk_new(c, (1 + operands) * nest->count);
    ad_loops loops = {nest->count, nest->rows, size};
    if (!size) return (ad_loops){0};
    for (int d = 0; d < nest->count; d++) *size++ = nest->n[d];
    for (int k = 0; k < operands; k++)
        for (int d = 0; d < nest->count; d++) *size++ = nest->stride[k][d];
    return loops;
}

/* True when the innermost loop reads operand k with stride 0 or 1. */
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
