/* bootstrap.h — the covariance of an estimate over tables of rows drawn from the table. */
#ifndef GIBBS_BOOTSTRAP_H
#define GIBBS_BOOTSTRAP_H

#include "base/base.h"

#include <gibbs/ebm.h>

/* Fills result's covariance [p, p], p parameters and a learnt log Z, of `fits` fits that start where the float64 `twin`
 * stands. Errors: those of ebm_fit, MEMORY. */
gibbs_status ebm_bootstrap(ebm_model *twin, const ebm_data *data, const ebm_fit_options *options, int64_t fits,
                           uint64_t seed, ebm_uncertainty *result, gibbs_error *error);

#endif
