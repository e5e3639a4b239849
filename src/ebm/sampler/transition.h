/* transition.h — the parts that the samplers' transitions are made of, recorded. */
#ifndef GIBBS_TRANSITION_H
#define GIBBS_TRANSITION_H

#include "ebm/model/model.h"

/* A standard normal of x's shape, new at every step. */
ad_var ebm_transition_normal(const ebm_sampler_graph *graph);

/* E at x as a per-sample scalar, and ∇xE. */
ad_var ebm_transition_energy(const ebm_sampler_graph *graph, ad_var x);
ad_var ebm_transition_gradient(ad_var energy, ad_var x);

/* The state of samplers that go by the gradient is x, E and ∇E; their `start`, which gives the two after x. */
enum { EBM_X, EBM_ENERGY, EBM_GRADIENT, EBM_GRADIENT_STATE };
void ebm_transition_start(const ebm_sampler_graph *graph, ad_var x, ad_var *cache);

/* x − h∇E + √(2h) ε: step and noise are tied, so the limit h → 0 has the temperature 1. */
ad_var ebm_transition_langevin(const ebm_sampler_graph *graph, ad_var x, ad_var gradient, ad_var normal);

/* Metropolis–Hastings: accepts with probability min(1, e^log_ratio), and next[k] is proposed[k] or state[k] for
 * k < count. A NaN log_ratio is not above any number, so it rejects, and so does −∞. Returns 1 where accepted. */
ad_var ebm_transition_metropolis(const ebm_sampler_graph *graph, ad_var log_ratio, const ad_var *state,
                                 const ad_var *proposed, int count, ad_var *next);

#endif
