#ifndef BENCH_SWEEPS_H
#define BENCH_SWEEPS_H

#include <gibbs/status.h>

/* A JSON object a line for each sampler's sweep: ours and C by hand in milliseconds a sweep, and ours over that. */
gibbs_status bench_sweeps_print(gibbs_error *error);

#endif
