/* gibbs.c — a sweep of Gibbs sampling. A recorded move redraws one variable from its full conditional, by the energies
 * of all values that it can have; its state is x, E and the number of the variable whose turn it is, so that one
 * small plan serves all variables. A step of a chain is as many moves as there are variables. */
#include "discrete.h"

#include <math.h>

enum { X, ENERGY, TURN, STATE };

static void start(const ebm_sampler_graph *graph, ad_var x, ad_var *cache)
{
    cache[ENERGY - 1] = ebm_transition_energy(graph, x);
    cache[TURN - 1] = ad_constant(graph->tape, 0);
}

/* Two values: the other one is taken with probability σ(E − E′), whose log is −softplus(E′ − E). */
static void redraw_binary(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var proposed[TURN], mine = ebm_discrete_count(graph, graph->model->dim, 1);
    ad_var here = ebm_discrete_equal(mine, state[TURN]);
    proposed[X] = ad_select(here, ebm_discrete_other(graph, state[X]), state[X]);
    proposed[ENERGY] = ebm_transition_energy(graph, proposed[X]);
    ad_var log_probability = ad_neg(ad_softplus(ad_sub(proposed[ENERGY], state[ENERGY])));
    ebm_transition_metropolis(graph, log_probability, state, proposed, TURN, next);
}

/* x with the block whose turn it is set to `value` (a scalar of the block's axis, or of a child of it). */
static ad_var with_value(const ebm_sampler_graph *graph, ad_var x, ad_var turn, ad_var value)
{
    int64_t n = graph->model->dim, K = graph->space.labels;
    ad_var block = ebm_discrete_count(graph, n, K), column = ebm_discrete_count(graph, n, 1);
    ad_var chosen = ad_add(ad_mul(turn, ad_constant(graph->tape, (double)K)), value);
    return ad_select(ebm_discrete_equal(block, turn), ebm_discrete_equal(column, chosen), x);
}

static ad_var on_child(ad_axis child, int64_t count, ad_var v)
{
    ad_shape shape = ad_shape_of(v), all = {.rank = shape.rank + 1, .dim = {count}};
    for (int i = 0; i < shape.rank; i++) all.dim[i + 1] = shape.dim[i];
    return ad_is_null(v) ? v : ad_ungroup(child, ad_expand(v, all));
}

/* E of x with each value of the variable whose turn it is: [labels]. A NaN counts as +∞, as in Metropolis' rule. */
static ad_var energies(const ebm_sampler_graph *graph, const ad_var *state)
{
    int64_t K = graph->space.labels;
    ebm_sampler_graph alternatives = *graph;
    alternatives.chain = ad_axis_child(graph->chain, K, "values");
    ad_axis child = alternatives.chain;
    ad_var value = ad_ungroup(child, ebm_discrete_count(graph, K, 1));
    ad_var x = with_value(graph, on_child(child, K, state[X]), on_child(child, K, state[TURN]), value);
    ad_var E = ad_regroup(ebm_transition_energy(&alternatives, x)), top = ad_constant(graph->tape, INFINITY);
    return ad_select(ad_less(E, top), E, top);
}

static void redraw_category(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var E = energies(graph, state), least = ad_neg(ad_max_reduce(ad_neg(E)));
    ad_var value = ebm_discrete_pick(graph, ad_exp(ad_sub(least, E)));
    ad_var taken = ebm_discrete_equal(ebm_discrete_count(graph, graph->space.labels, 1), value);
    next[X] = with_value(graph, state[X], state[TURN], value);
    next[ENERGY] = ad_sum(ad_select(taken, E, ad_constant(graph->tape, 0)));
}

/* Any of n with the same probability. */
static ad_var any(const ebm_sampler_graph *graph, int64_t n)
{
    ad_var u = ad_scale(ad_uniform(graph->chain, ad_scalar(), EBM_STREAM_SAMPLER_TURN), (double)n);
    return ad_sum(ad_less(ebm_discrete_count(graph, n, 1), u)); /* 1 … n */
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *before, ad_var *next)
{
    ad_var state[STATE] = {before[X], before[ENERGY], before[TURN]}, one = ad_constant(graph->tape, 1);
    if (graph->order == EBM_ORDER_RANDOM) state[TURN] = ad_sub(any(graph, ebm_discrete_variables(graph)), one);
    ad_var turn = ad_add(state[TURN], one);
    ad_var last = ad_constant(graph->tape, (double)ebm_discrete_variables(graph) - 0.5);
    (graph->space.one_hot ? redraw_category : redraw_binary)(graph, state, next);
    next[TURN] = ad_select(ad_less(turn, last), turn, ad_constant(graph->tape, 0));
    return one;
}

const ebm_sampler ebm_gibbs = {
    .name = "gibbs", .caches = STATE - 1, .discrete = 1, .start = start, .step = step,
    .moves = ebm_discrete_variables,
};
