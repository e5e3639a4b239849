/* influence.c — the derivative of a batch's result by a sample's weight (the infinitesimal jackknife, Jaeckel 1972).
 *
 * Let every reduction over the axis weigh sample n by ωₙ: Σₙ ωₙ xₙ, log Σₙ ωₙ exp xₙ, Σₙ ωₙ aₙᵀbₙ. A reduction r with
 * adjoint r̄ then contributes ⟨r̄, ∂r/∂ωₙ⟩, at ω = 1
 *
 *     sum        ⟨r̄, xₙ⟩
 *     logsumexp  ⟨r̄, exp(xₙ − r)⟩
 *     products   ⟨r̄, aₙᵀbₙ⟩
 *
 * and r̄ is the adjoint in the whole of y: reductions may feed one another. */
#include "jacobian.h"

#include <string.h>

/* The axis whose samples the node adds up; −1: none. */
static int32_t reduced_axis(const ad_tape *tape, const ad_node *node)
{
    if (node->op == OP_batch_scatter_add) return tape->node[node->in[1]].axis;
    return ad_ops[node->op].kind == KIND_BATCH && node->axis < 0 ? node->attr[0] : -1;
}

static bool descends(const ad_tape *tape, int32_t axis, int32_t from)
{
    while (axis >= 0 && axis != from) axis = tape->axis[axis].parent;
    return axis >= 0;
}

/* ⟨r̄, ∂r/∂ω⟩ for the samples of the reduced axis. */
static ad_var weight_slope(ad_var r, ad_var rbar)
{
    ad_call c = ad_call_of(r);
    const ad_structure *op = ad_structures[c.node.op];
    if (op && op->weight) return op->weight(&c, rbar);
    return ad_fail(r.tape, GIBBS_SMOOTH, "influence: %s (node %d) has no derivative by a sample's weight",
                   ad_ops[c.node.op].name, r.id);
}

/* From a child axis to the axis itself: all elements of a sample have its weight. */
static ad_var lifted_up(ad_var slope, int32_t axis)
{
    while (!ad_is_null(slope) && ad_node_of(slope)->axis >= 0 && ad_node_of(slope)->axis != axis)
        slope = ad_sum(ad_regroup(slope));
    return slope;
}

/* Marks what depends on an argument of such a reduction; adjoints are wanted through these too. */
static bool mark(ad_var y, int32_t axis, ad_paths *paths)
{
    ad_tape *tape = y.tape;
    int n = 0;
    ad_var *x = gibbs_alloc(&tape->alloc, 2 * ((size_t)y.id + 1), sizeof *x);
    if (!x) return ad_fail(tape, GIBBS_MEMORY, "influence: out of memory"), false;
    for (int32_t i = 0; i <= y.id; i++)
        for (int k = 0; k < tape->node[i].nin && descends(tape, reduced_axis(tape, &tape->node[i]), axis); k++)
            if (ad_differentiable(&tape->node[i], k)) x[n++] = ad_handle(tape, tape->node[i].in[k]);
    bool done = ad_paths_new("influence", y, x, n, paths);
    if (done) memset(paths->is_x, 0, (size_t)paths->count * sizeof *paths->is_x);
    gibbs_release(&tape->alloc, x);
    return done;
}

static ad_var sum_of_slopes(ad_var y, int32_t axis, const ad_paths *paths, ad_adjoint *adjoint)
{
    ad_tape *tape = y.tape;
    ad_var sum = ad_fill(tape, axis, ad_scalar(), 0);
    ad_adjoints(y, ad_constant(tape, 1), paths, adjoint);
    for (int32_t i = 0; i <= y.id && tape->error.status == GIBBS_OK; i++)
        if (adjoint[i].value >= 0 && descends(tape, reduced_axis(tape, &tape->node[i]), axis))
            sum = ad_add(sum, lifted_up(weight_slope(ad_handle(tape, i), ad_handle(tape, adjoint[i].value)), axis));
    return ad_on_axis(sum, axis);
}

ad_var ad_influence(ad_axis axis, ad_var y)
{
    ad_tape *tape;
    ad_paths paths;
    if (!ad_check_args("influence", &y, 1, &tape) || !ad_axis_check("influence", axis, tape))
        return ad_handle(tape, -1);
    ad_node own = *ad_node_of(y);
    if (own.axis >= 0 || own.shape.rank) return ad_fail(tape, GIBBS_SHAPE, "influence: y must be a shared scalar");
    if (!mark(y, axis.id, &paths)) return ad_handle(tape, -1);
    ad_adjoint *adjoint = gibbs_alloc(&tape->alloc, (size_t)paths.count, sizeof *adjoint);
    ad_var slope = ad_handle(tape, -1);
    if (!adjoint) ad_fail(tape, GIBBS_MEMORY, "influence: out of memory");
    else slope = sum_of_slopes(y, axis.id, &paths, adjoint);
    gibbs_release(&tape->alloc, adjoint);
    ad_paths_free(tape, &paths);
    return tape->error.status ? ad_handle(tape, -1) : slope;
}
