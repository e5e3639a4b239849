/* stein_kernel.h — the kernel of the kernel Stein discrepancy, recorded for one pair of points. */
#ifndef GIBBS_STEIN_KERNEL_H
#define GIBBS_STEIN_KERNEL_H

#include "ebm/model/model.h"

/* k as a function of t = ‖x − x′‖² and a length. */
typedef ad_var (*ebm_radial)(ad_var t, double scale);
ad_var ebm_radial_rbf(ad_var t, double scale); /* exp(−t/2s²) */
ad_var ebm_radial_imq(ad_var t, double scale); /* (s² + t)^−½ */

/* u(x, x′) with the scores s = −∇E at both. */
ad_var ebm_stein_kernel(ebm_radial radial, double scale, const ad_var x[2], const ad_var score[2]);

#endif
