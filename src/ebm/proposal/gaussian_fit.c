/* gaussian_fit.c — the Gaussian with the moments of the data, widened. */
#include "moments.h"

gibbs_status ebm_proposal_gaussian_fit(const ebm_data *data, int full, double widen, const gibbs_allocator *allocator,
                                       ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("gaussian", data && q, error);
    *q = NULL;
    double *mean;
    gibbs_status status = ebm_moments_new("gaussian", data, widen, full, allocator, &mean, error);
    if (status) return status;
    double *sd = mean + data->cols, *covariance = sd + data->cols;
    if (full) status = ebm_proposal_gaussian_full(data->cols, mean, covariance, allocator, q, error);
    else status = ebm_proposal_gaussian_diagonal(data->cols, mean, sd, allocator, q, error);
    ebm_moments_free(mean, allocator);
    return status;
}
