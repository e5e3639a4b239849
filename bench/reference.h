/* reference.h — the numbers that everybody must agree on. */
#ifndef BENCH_REFERENCE_H
#define BENCH_REFERENCE_H

#include "problem.h"

/* Writes the case's parameters, data, artificial points with log q and, in float64, loss ("value") and gradient. */
gibbs_status bench_reference_write(const bench_case *c, const char *path, gibbs_error *error);

/* OK when our answer at the file's points (and, in float64, at the points that the problem drew itself) is the file's
 * within 1e-9 (float64) or 1e-3 (float32): the value relative to max(1, |value|), the gradient in the Euclidean norm.
 * Else NUMERIC. */
gibbs_status bench_reference_check(bench_problem *p, const char *path, gibbs_error *error);

#endif
