/* denoise.h — denoising score matching, mean ½‖y/σ² − ∇E(x + y)‖² with y ~ N(0, σ²), at given y: the library's own loss
 * draws its noise inside its graph. */
#ifndef BENCH_DENOISE_H
#define BENCH_DENOISE_H

#include "problem.h"

#include <gibbs/extend.h>

/* Records the loss at the graph's x and y, both on the data axis. */
ad_var bench_denoise_record(ebm_graph *g, double sd);

/* y[rows, dim] as the problem's objective has it in its first evaluation. */
gibbs_status bench_denoise_noise(const bench_problem *p, double *y, gibbs_error *error);

#endif
