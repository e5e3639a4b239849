/* timing.h — the median time of something that is repeated. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <gibbs/status.h>

typedef gibbs_status (*bench_work)(void *context, gibbs_error *error);

/* Runs `work` once untimed, then for at least `seconds`, and returns the median of a call in microseconds. Calls
 * under 20 µs are timed in groups, so that reading the clock does not count. */
gibbs_status bench_median(bench_work work, void *context, double seconds, double *microseconds, gibbs_error *error);

#endif
