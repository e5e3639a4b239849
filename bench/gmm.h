/* gmm.h — GradBench's `gmm`: the log posterior of a Gaussian mixture and its gradient. With K components in d
 * dimensions, x of N rows, and lower triangular factors Q_k of the precisions, exp(q_k) on their diagonals and l_k
 * below, column by column:
 *
 *     Σ_n logsumexp_k(α_k + Σ_j q_kj − ½|Q_k (x_n − μ_k)|²) − N (logsumexp(α) + ½ d log 2π) + Σ_k log W(Q_kᵀQ_k)
 *
 * with the Wishart density W of d + m + 1 degrees of freedom and scale matrix I/γ². ADBench, where the problem comes
 * from, has three mistakes that this definition has not. */
#ifndef BENCH_GMM_H
#define BENCH_GMM_H

#include "direct.h"

extern const bench_recipe bench_gmm;

typedef struct bench_gmm_spec {
    int64_t dim, components;
    double gamma, m;
} bench_gmm_spec;

/* Of the leaves x [d] (a row), α [K], μ [K, d], q [K, d], l [K, d(d − 1)/2]. */
ad_var bench_gmm_posterior(const bench_gmm_spec *spec, const ad_var *leaf);

/* Rows of the factors that are taken together: see gmm.c. */
int64_t bench_gmm_band(const bench_case *c);

#endif
