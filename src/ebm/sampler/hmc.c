/* hmc.c — Hamiltonian Monte Carlo. Its state is x, E and ∇E. The momentum is kept in units of √mass: r ~ N(0, I),
 * and step and mass are one vector e = h/√mass in both updates. */
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

/* Half a step of r at both ends makes the map its own inverse once r is turned round, and keeps volumes: only then is
 * the ratio of the total energies the right one. */
static ad_var leapfrog(const ebm_sampler_graph *graph, ad_var momentum, ad_var *at)
{
    ad_var e = ad_mul(graph->step, graph->scale), half = ad_scale(e, 0.5), r = momentum;
    r = ad_sub(r, ad_mul(half, at[GRADIENT]));
    for (int l = 1; l <= graph->leapfrog_steps; l++) {
        at[X] = ad_add(at[X], ad_mul(e, r));
        evaluate(graph, at[X], &at[ENERGY], &at[GRADIENT]);
        r = ad_sub(r, ad_mul(l < graph->leapfrog_steps ? e : half, at[GRADIENT]));
    }
    return r;
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var proposed[STATE] = {state[X], state[ENERGY], state[GRADIENT]}, before = ebm_transition_normal(graph);
    ad_var after = leapfrog(graph, before, proposed);
    ad_var kinetic = ad_scale(ad_sub(ad_sum(ad_square(before)), ad_sum(ad_square(after))), 0.5);
    ad_var log_ratio = ad_add(ad_sub(state[ENERGY], proposed[ENERGY]), kinetic);
    return ebm_transition_metropolis(graph, log_ratio, state, proposed, STATE, next);
}

static double target(int64_t dim)
{
    (void)dim;
    return 0.8;
}

const ebm_sampler ebm_hmc = {
    .name = "hmc", .caches = STATE - 1, .adjusted = 1, .start = start, .step = step, .target = target,
};
