/* floor.h — the time of a case's matrix products alone: no activations, no random numbers, no optimiser. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "cases.h"

/* Microseconds of one step's GEMM calls on one thread, at the best blocking of their rows: 64, 128, … up to the whole
 * batch (to FLOOR_ROWS for larger batches, whose time is scaled up from so many rows), and which blocking that was.
 * GIBBS_OK with *microseconds NaN when the case has no matrix products. */
gibbs_status bench_floor(const bench_case *c, gibbs_dtype dtype, double seconds, double *microseconds,
                         int64_t *block, gibbs_error *error);

/* Floating-point operations of those calls. */
double bench_floor_flops(const bench_case *c);

#endif
