/* chains.h — chains in the model's own number type, for contrastive divergence; and along a path, for annealed
 * importance sampling. */
#ifndef GIBBS_CHAINS_H
#define GIBBS_CHAINS_H

#include "base/options.h"
#include "ebm/model/model.h"

/* Fills in what is 0. ARGUMENT, SHAPE: what ebm_chains_new refuses before it records. */
gibbs_status ebm_chain_options_fill(const ebm_model *model, ebm_chain_options *options, gibbs_error *error);

/* The options' numbers. */
extern const gibbs_option_table ebm_chain_numbers;

/* What a sampler sees on the axis of its chains with these options, filled in, tempering and the step's var apart. */
ebm_sampler_graph ebm_sampler_graph_of(ebm_model *model, const ad_var *theta, ad_axis chain,
                                       const ebm_chain_options *options);

/* As ebm_chains_start, from rows × dim numbers of the model's dtype; they are copied. Nothing is allocated once a
 * size has been started. */
gibbs_status ebm_chains_start_native(ebm_chains *chains, const void *x, int64_t rows, gibbs_error *error);

/* Where the chains are, and the given columns of a conditional model's: rows × so many numbers of the model's dtype,
 * owned by the chains, until the next run. */
const void *ebm_chains_native(const ebm_chains *chains);
const void *ebm_chains_given(const ebm_chains *chains);

/* Chains of E_β = βE − (1 − β) log q, q the base; β is 1 until it is set, for the rows that have been started. */
gibbs_status ebm_chains_new_path(ebm_model *model, const ebm_chain_options *options, const ebm_proposal *base,
                                 ebm_chains **chains, gibbs_error *error);
void ebm_chains_set_beta(ebm_chains *chains, double beta);

/* E and log q of every chain where it is now, of the model's dtype, until the next run. */
gibbs_status ebm_chains_evaluate(ebm_chains *chains, const void **energy, const void **log_q, gibbs_error *error);

/* Moves chains that have just been evaluated at the present β; `steps` is at most ebm_chains_most. */
gibbs_status ebm_chains_move(ebm_chains *chains, int64_t steps, uint64_t seed, uint64_t step0, gibbs_error *error);
int64_t ebm_chains_most(const ebm_chains *chains);

#endif
