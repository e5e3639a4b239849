/* independence_mh.c — Metropolis–Hastings with proposals that do not depend on x. Its state is x and log w. */
#include "ebm/proposal/record_proposal.h"
#include "transition.h"

enum { X, LOG_WEIGHT, STATE };

/* log w = −E − log q */
static ad_var log_weight(const ebm_sampler_graph *graph, ad_var x)
{
    ad_var log_q = ebm_proposal_log_density_at(graph->proposal, graph->chain, graph->given, x, graph->theta);
    return ad_neg(ad_add(ebm_transition_energy(graph, x), log_q));
}

static void start(const ebm_sampler_graph *graph, ad_var x, ad_var *cache)
{
    cache[LOG_WEIGHT - 1] = log_weight(graph, x);
}

static ad_var step(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    ad_var proposed[STATE];
    proposed[X] = ebm_proposal_draw_at(graph->proposal, graph->chain, graph->given, EBM_STREAM_SAMPLER_NORMAL,
                                       graph->theta);
    proposed[LOG_WEIGHT] = log_weight(graph, proposed[X]);
    ad_var log_ratio = ad_sub(proposed[LOG_WEIGHT], state[LOG_WEIGHT]);
    return ebm_transition_metropolis(graph, log_ratio, state, proposed, STATE, next);
}

const ebm_sampler ebm_independence_mh = {
    .name = "independence_mh", .caches = STATE - 1, .needs_proposal = 1, .adjusted = 1, .start = start, .step = step,
};
