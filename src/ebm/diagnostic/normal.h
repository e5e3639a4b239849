/* normal.h — quantiles of the normal law. */
#ifndef GIBBS_NORMAL_H
#define GIBBS_NORMAL_H

/* z with Φ(z) = p, 0 < p < 1. */
double ebm_normal_quantile(double p);

#endif
