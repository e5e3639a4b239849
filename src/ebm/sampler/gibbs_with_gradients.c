/* gibbs_with_gradients.c — Metropolis–Hastings on a discrete x, whose proposals change one variable and are weighted by
 * what a first-order expansion says of the energy (Grathwohl et al. 2021, algorithm 1). A change is named by the column
 * that it turns: of a binary x to its other value, of one-hot blocks to one. Its state is x, E and log q of every
 * change. */
#include "discrete.h"

#include "autodiff/op/op.h"

#include <math.h>

enum { X, ENERGY, LOG_Q, STATE };

/* ∇E·(x′ − x) of every change: one a column. */
static ad_var slopes(const ebm_sampler_graph *graph, ad_var x, ad_var gradient)
{
    int64_t n = graph->model->dim, K = graph->space.labels;
    if (!graph->space.one_hot) return ad_mul(gradient, ad_sub(ebm_discrete_other(graph, x), x));
    ad_shape blocks = ad_mat(n / K, K);
    ad_var g = ad_reshape(gradient, blocks), now = ad_sum_dims(ad_mul(g, ad_reshape(x, blocks)), 2);
    return ad_reshape(ad_sub(g, ad_reshape(now, ad_mat(n / K, 1))), ad_vec(n));
}

/* A column that is one already cannot be turned to one. */
static ad_var possible(const ebm_sampler_graph *graph, ad_var x, ad_var log_weight)
{
    return graph->space.one_hot ? ad_select(x, ad_constant(graph->tape, -INFINITY), log_weight) : log_weight;
}

/* E and log q(x′|x); of the columns that cannot be turned some number, since infinities are not kept. */
static void evaluate(const ebm_sampler_graph *graph, ad_var x, ad_var *energy, ad_var *log_q)
{
    x = ad_as_variable(x);
    *energy = ebm_transition_energy(graph, x);
    ad_var log_weight = ad_scale(slopes(graph, x, ebm_transition_gradient(*energy, x)), -0.5);
    *log_q = ad_sub(log_weight, ad_logsumexp(possible(graph, x, log_weight)));
}

static void start(const ebm_sampler_graph *graph, ad_var x, ad_var *cache)
{
    evaluate(graph, x, &cache[ENERGY - 1], &cache[LOG_Q - 1]);
}

static ad_var at(ad_var mask, ad_var v) { return ad_sum(ad_select(mask, v, ad_constant(v.tape, 0))); }

/* The columns of the variable that is changed, and x′. */
static ad_var change(const ebm_sampler_graph *graph, ad_var x, ad_var column, ad_var *here)
{
    int64_t n = graph->model->dim, K = graph->space.labels;
    ad_var turned = ebm_discrete_equal(ebm_discrete_count(graph, n, 1), column);
    *here = turned;
    if (!graph->space.one_hot) return ad_select(turned, ebm_discrete_other(graph, x), x);
    ad_var block = ebm_discrete_count(graph, n, K);
    *here = ebm_discrete_equal(block, ad_gather(block, column));
    return ad_select(*here, turned, x);
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var proposed[STATE], here, column = ebm_discrete_pick(graph, ad_exp(possible(graph, state[X], state[LOG_Q])));
    proposed[X] = change(graph, state[X], column, &here);
    evaluate(graph, proposed[X], &proposed[ENERGY], &proposed[LOG_Q]);
    ad_var forth = graph->space.one_hot ? ad_mul(here, proposed[X]) : here; /* the change, and the one that undoes it */
    ad_var back = graph->space.one_hot ? ad_mul(here, state[X]) : here;
    ad_var log_proposal = ad_sub(at(back, proposed[LOG_Q]), at(forth, state[LOG_Q]));
    ad_var log_ratio = ad_add(ad_sub(state[ENERGY], proposed[ENERGY]), log_proposal);
    return ebm_transition_metropolis(graph, log_ratio, state, proposed, STATE, next);
}

const ebm_sampler ebm_gibbs_with_gradients = {
    .name = "gibbs_with_gradients", .caches = STATE - 1, .adjusted = 1, .discrete = 1, .start = start, .step = step,
};
