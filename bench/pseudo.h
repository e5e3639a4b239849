#ifndef BENCH_PSEUDO_H
#define BENCH_PSEUDO_H

#include <gibbs/status.h>

/* A JSON object a line for each model: pseudo-likelihood, value and gradient, and the two products that it cannot do
 * without, in milliseconds, and the one over the other. */
gibbs_status bench_pseudo_print(gibbs_error *error);

#endif
