/* mala.c — the Metropolis-adjusted Langevin algorithm. Its state is x, E and ∇E: a step evaluates the energy once. */
#include "transition.h"

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
    ad_var proposed[EBM_GRADIENT_STATE], normal = ebm_transition_normal(graph);
    proposed[EBM_X] = ebm_transition_langevin(graph, state[EBM_X], state[EBM_GRADIENT], normal);
    ebm_transition_start(graph, proposed[EBM_X], proposed + 1);
    ad_var log_target = ad_sub(state[EBM_ENERGY], proposed[EBM_ENERGY]);
    ad_var log_proposal = log_reverse_over_forward(graph, state[EBM_GRADIENT], proposed[EBM_GRADIENT], normal);
    ad_var log_ratio = ad_add(log_target, log_proposal);
    return ebm_transition_metropolis(graph, log_ratio, state, proposed, EBM_GRADIENT_STATE, next);
}

/* Roberts & Rosenthal 1998: best in high dimensions. */
static double target(int64_t dim)
{
    (void)dim;
    return 0.574;
}

const ebm_sampler ebm_mala = {
    .name = "mala", .caches = EBM_GRADIENT_STATE - 1, .adjusted = 1, .start = ebm_transition_start, .step = step,
    .target = target,
};
