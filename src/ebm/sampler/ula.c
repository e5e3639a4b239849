/* ula.c — the unadjusted Langevin algorithm: every move counts as accepted, and the bias stays. */
#include "transition.h"

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var gradient = ebm_transition_gradient(ebm_transition_energy(graph, state[0]), state[0]);
    next[0] = ebm_transition_langevin(graph, state[0], gradient, ebm_transition_normal(graph));
    return ad_constant(graph->tape, 1);
}

const ebm_sampler ebm_ula = {.name = "ula", .step = step};
