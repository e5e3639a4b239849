/* cost.c — what recorded nodes cost to run, roughly: enough to tell one way to a result from another. */
#include "jacobian.h"

/* Strides, not work; a permutation is mostly read by what cannot read its strides. */
static bool is_free(ad_op op)
{
    switch (op) {
    case OP_lift: case OP_expand: case OP_reshape: case OP_slice: case OP_regroup: case OP_ungroup: return true;
    default: return ad_ops[op].kind == KIND_LEAF;
    }
}

static double count_of(const ad_tape *tape, int32_t id) { return (double)ad_shape_count(&tape->node[id].shape); }

/* Numbers read and written for a sample; what all samples share stays in cache. A number of a product takes 1/24 of the
 * time of one that comes and goes. */
static double cost_of(const ad_tape *tape, int32_t id)
{
    enum { PRODUCTS = 24 };
    const ad_node *node = &tape->node[id];
    double cost = count_of(tape, id);
    if (is_free(node->op)) return 0;
    if (!ad_structures[node->op]) return cost * (1 + node->nin) / 2;
    for (int k = 0; k < node->nin; k++)
        if (node->axis < 0 || tape->node[node->in[k]].axis >= 0) cost += count_of(tape, node->in[k]);
    if (node->op == OP_matmul)
        cost += count_of(tape, id) * (double)tape->node[node->in[0]].shape.dim[node->attr[0] ? 1 : 2] / PRODUCTS;
    if (node->op == OP_batch_matmul)
        cost += count_of(tape, id) * ((double)tape->node[node->in[0]].shape.dim[0] / PRODUCTS - 1);
    return cost;
}

/* How often it runs: once a sample, which is taken to be once in a batch of ROWS for what is shared. */
static double times(const ad_tape *tape, const ad_node *node)
{
    enum { ROWS = 128 };
    int32_t axis = node->axis;
    for (int k = 0; k < node->nin && axis < 0; k++) axis = tape->node[node->in[k]].axis;
    return axis < 0 ? 1.0 / ROWS : (double)ad_axis_factor(tape, axis);
}

bool ad_cost_beyond(ad_var v, ad_var y, double *cost)
{
    ad_tape *tape = v.tape;
    int64_t count = (v.id > y.id ? v.id : y.id) + 1;
    bool *marks = gibbs_alloc_zero(&tape->alloc, (size_t)(2 * count), sizeof *marks), *needed = marks;
    *cost = 0;
    if (!marks) return ad_fail(tape, GIBBS_MEMORY, "jacobian: out of memory"), false;
    bool *known = marks + count;
    needed[v.id] = known[y.id] = true;
    ad_mark_sources(tape, v.id, NULL, needed);
    ad_mark_sources(tape, y.id, NULL, known);
    for (int64_t i = 0; i < count; i++)
        if (needed[i] && !known[i]) *cost += cost_of(tape, (int32_t)i) * times(tape, &tape->node[i]);
    gibbs_release(&tape->alloc, marks);
    return true;
}
