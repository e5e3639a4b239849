#ifndef BENCH_PRODUCTS_H
#define BENCH_PRODUCTS_H

#include <gibbs/status.h>

/* A JSON object a line for each number type and kind of shape: in how many our products reach 0.95 of BLAS's speed, the
 * geometric mean of the ratios, and the worst. One thread. */
gibbs_status bench_products_print(gibbs_error *error);

#endif
