/* sweeps.h — Gibbs sweeps of many chains on couplings: what chains do in place of recorded moves. The local fields
 * F = linear + xJ are made at every evaluation and kept while the chains move: a label that changes adds a row of J. */
#ifndef GIBBS_SWEEPS_H
#define GIBBS_SWEEPS_H

#include "ebm/model/model.h"

typedef struct ebm_sweeps ebm_sweeps;

/* *sweeps is NULL where the model's energy is of no degree 2, or log q of the base (NULL: none) not linear: recorded
 * moves then. The options are filled in; their space's values must outlive the sweeps. */
gibbs_status ebm_sweeps_new(ebm_model *model, const ebm_chain_options *options, const ebm_proposal *base,
                            ebm_sweeps **sweeps, gibbs_error *error);
void ebm_sweeps_free(ebm_sweeps *sweeps);

/* Couplings at the model's present parameters, the fields of the chains at x, `rows` rows of the model's dtype, and
 * their energies and log q of the base, of the dtype, until the next evaluation. Puts x at exactly the space's
 * values. */
gibbs_status ebm_sweeps_evaluate(ebm_sweeps *sweeps, void *x, int64_t rows, const void **energy, const void **log_q,
                                 gibbs_error *error);

/* `steps` sweeps of the chains that were just evaluated. beta: rows numbers, or NULL for 1. The draws are a function of
 * seed, of first_step + k, of the row and the variable; those of the order, not of the row. */
void ebm_sweeps_move(ebm_sweeps *sweeps, void *x, int64_t rows, const void *beta, int64_t steps, uint64_t seed,
                     uint64_t first_step);

/* Sweeps between two evaluations, at most: rounding adds up in the fields. */
enum { EBM_SWEEPS_A_FIELD = 64 };

#endif
