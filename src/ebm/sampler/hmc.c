/* hmc.c — Hamiltonian Monte Carlo. Its state is x, E and ∇E. The momentum is kept in units of √mass: r ~ N(0, I),
 * and step and mass are one vector e = h/√mass in both updates. */
#include "transition.h"

/* Half a step of r at both ends makes the map its own inverse once r is turned round, and keeps volumes: only then is
 * the ratio of the total energies the right one. */
static ad_var leapfrog(const ebm_sampler_graph *graph, ad_var momentum, ad_var *at)
{
    ad_var e = ad_mul(graph->step, graph->scale), half = ad_scale(e, 0.5), r = momentum;
    r = ad_sub(r, ad_mul(half, at[EBM_GRADIENT]));
    for (int l = 1; l <= graph->leapfrog_steps; l++) {
        at[EBM_X] = ad_add(at[EBM_X], ad_mul(e, r));
        ebm_transition_start(graph, at[EBM_X], at + 1);
        r = ad_sub(r, ad_mul(l < graph->leapfrog_steps ? e : half, at[EBM_GRADIENT]));
    }
    return r;
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var proposed[] = {state[EBM_X], state[EBM_ENERGY], state[EBM_GRADIENT]};
    ad_var before = ebm_transition_normal(graph), after = leapfrog(graph, before, proposed);
    ad_var kinetic = ad_scale(ad_sub(ad_sum(ad_square(before)), ad_sum(ad_square(after))), 0.5);
    ad_var log_ratio = ad_add(ad_sub(state[EBM_ENERGY], proposed[EBM_ENERGY]), kinetic);
    return ebm_transition_metropolis(graph, log_ratio, state, proposed, EBM_GRADIENT_STATE, next);
}

static double target(int64_t dim)
{
    (void)dim;
    return 0.8;
}

const ebm_sampler ebm_hmc = {
    .name = "hmc", .caches = EBM_GRADIENT_STATE - 1, .adjusted = 1, .start = ebm_transition_start, .step = step,
    .target = target,
};
