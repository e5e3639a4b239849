/* chains.h — chains in the model's own number type, for contrastive divergence. */
#ifndef GIBBS_CHAINS_H
#define GIBBS_CHAINS_H

#include "ebm/model.h"

/* As ebm_chains_start, from rows × dim numbers of the model's dtype; they are copied. Nothing is allocated once a
 * size has been started. */
gibbs_status ebm_chains_start_native(ebm_chains *chains, const void *x, int64_t rows, gibbs_error *error);

/* Where the chains are: rows × dim numbers of the model's dtype, owned by the chains, until the next run. */
const void *ebm_chains_native(const ebm_chains *chains);

#endif
