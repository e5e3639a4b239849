/* moments.h — the mean and the covariance of a table's rows, for proposals that are fitted to data. */
#ifndef GIBBS_PROPOSAL_MOMENTS_H
#define GIBBS_PROPOSAL_MOMENTS_H

#include "base/base.h"

#include <gibbs/ebm.h>

/* One block: the mean [cols], `widen` times the standard deviations [cols] (divisor rows), and with `full` widen² times
 * the covariance [cols, cols]. DATA (empty, not finite), ARGUMENT (widen is not positive and finite), NUMERIC (a
 * column is constant, or its variance over- or underflows), SIZE, MEMORY; sentences begin with `who`. */
gibbs_status ebm_moments_new(const char *who, const ebm_data *data, double widen, int full,
                             const gibbs_allocator *allocator, double **mean, gibbs_error *error);
void ebm_moments_free(double *mean, const gibbs_allocator *allocator);

#endif
