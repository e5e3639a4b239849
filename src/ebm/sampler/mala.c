/* mala.c — the Metropolis-adjusted Langevin algorithm. Its state is x, E and ∇E: a step evaluates the energy once. */
#include "transition.h"

enum { X, ENERGY, GRADIENT, STATE };

static void evaluate(const ebm_sampler_graph *graph, ad_var x, ad_var *energy, ad_var *gradient)
{
    *energy = ebm_transition_energy(graph, x);
    *gradient = ebm_transition_gradient(*energy, x);
}

static void start(const ebm_sampler_graph *graph, ad_var x, ad_var *cache)
{
    evaluate(graph, x, &cache[ENERGY - 1], &cache[GRADIENT - 1]);
}

/* log q(x|x′) − log q(x′|x) = −(|x − x′ + h g′|² − |x′ − x + h g|²)/4h. With x′ − x = −h g + √(2h) ε and s = g + g′
 * this is −½ s·(½ h s − √(2h) ε), which divides no difference of large numbers by a small one. */
static ad_var log_reverse_over_forward(const ebm_sampler_graph *graph, ad_var g, ad_var g_new, ad_var normal)
{
    ad_var h = graph->step, s = ad_add(g, g_new);
    ad_var drift = ad_mul(ad_scale(h, 0.5), s), noise = ad_mul(ad_sqrt(ad_scale(h, 2)), normal);
    return ad_scale(ad_dot(s, ad_sub(drift, noise)), -0.5);
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var proposed[STATE], normal = ebm_transition_normal(graph);
    proposed[X] = ebm_transition_langevin(graph, state[X], state[GRADIENT], normal);
    evaluate(graph, proposed[X], &proposed[ENERGY], &proposed[GRADIENT]);
    ad_var log_target = ad_sub(state[ENERGY], proposed[ENERGY]);
    ad_var log_proposal = log_reverse_over_forward(graph, state[GRADIENT], proposed[GRADIENT], normal);
    return ebm_transition_metropolis(graph, ad_add(log_target, log_proposal), state, proposed, STATE, next);
}

/* Roberts & Rosenthal 1998: best in high dimensions. */
static double target(int64_t dim)
{
    (void)dim;
    return 0.574;
}

const ebm_sampler ebm_mala = {
    .name = "mala", .caches = STATE - 1, .adjusted = 1, .start = start, .step = step, .target = target,
};
