/* transition.c — Langevin moves and the Metropolis–Hastings rule. */
#include "transition.h"

#include "autodiff/op/op.h"

ad_var ebm_transition_normal(const ebm_sampler_graph *graph)
{
    return ad_normal(graph->chain, ad_vec(graph->model->dim), EBM_STREAM_SAMPLER_NORMAL);
}

ad_var ebm_transition_energy(const ebm_sampler_graph *graph, ad_var x)
{
    return ad_lift(graph->chain, ebm_sampler_energy(graph, x)); /* an energy may ignore x */
}

ad_var ebm_transition_gradient(ad_var energy, ad_var x)
{
    ad_var gradient = {energy.tape, -1};
    ad_grad(energy, &x, 1, &gradient);
    return gradient;
}

void ebm_transition_start(const ebm_sampler_graph *graph, ad_var x, ad_var *cache)
{
    x = ad_as_variable(x);
    cache[EBM_ENERGY - 1] = ebm_transition_energy(graph, x);
    cache[EBM_GRADIENT - 1] = ebm_transition_gradient(cache[EBM_ENERGY - 1], x);
}

ad_var ebm_transition_langevin(const ebm_sampler_graph *graph, ad_var x, ad_var gradient, ad_var normal)
{
    ad_var noise = ad_mul(ad_sqrt(ad_scale(graph->step, 2)), normal);
    return ad_add(ad_sub(x, ad_mul(graph->step, gradient)), noise);
}

ad_var ebm_transition_metropolis(const ebm_sampler_graph *graph, ad_var log_ratio, const ad_var *state,
                                 const ad_var *proposed, int count, ad_var *next)
{
    ad_var log_u = ad_log(ad_uniform(graph->chain, ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM));
    ad_var accept = ad_less(log_u, log_ratio);
    for (int k = 0; k < count; k++) next[k] = ad_select(accept, proposed[k], state[k]);
    return accept;
}
