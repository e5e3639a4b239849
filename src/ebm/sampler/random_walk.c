/* random_walk.c — Metropolis with Gaussian steps, which are symmetric: their density leaves the ratio. Its state is x
 * and E. */
#include "transition.h"

enum { X, ENERGY, STATE };

static void start(const ebm_sampler_graph *graph, ad_var x, ad_var *cache)
{
    cache[ENERGY - 1] = ebm_transition_energy(graph, x);
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var proposed[STATE], sd = ad_mul(graph->step, graph->scale);
    proposed[X] = ad_add(state[X], ad_mul(sd, ebm_transition_normal(graph)));
    proposed[ENERGY] = ebm_transition_energy(graph, proposed[X]);
    return ebm_transition_metropolis(graph, ad_sub(state[ENERGY], proposed[ENERGY]), state, proposed, STATE, next);
}

/* Roberts, Gelman & Gilks 1997: best in high dimensions, and in one (Gelman, Roberts & Gilks 1996). */
static double target(int64_t dim) { return dim == 1 ? 0.44 : 0.234; }

const ebm_sampler ebm_random_walk = {
    .name = "random_walk", .caches = STATE - 1, .adjusted = 1, .start = start, .step = step, .target = target,
};
