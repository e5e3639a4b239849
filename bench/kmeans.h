/* kmeans.h — GradBench's `kmeans`: Σ_n min_k |x_n − c_k|² of N points and K centroids in d dimensions, its gradient and
 * the diagonal of its Hessian by the centroids. The Hessian has no other elements. */
#ifndef BENCH_KMEANS_H
#define BENCH_KMEANS_H

#include "direct.h"

extern const bench_recipe bench_kmeans;

ad_var bench_kmeans_cost(ad_var x, ad_var centroids); /* x [d], a row, centroids [K, d] → the cost */

#endif
