/* given.h — a loss at the parameters and artificial points of a file. An objective draws its own points, in float32
 * other ones than in float64; to be compared with the reference, the loss is recorded once more with its points as
 * inputs. Denoising, whose noise is in the loss, is recorded by denoise.c. */
#ifndef BENCH_GIVEN_H
#define BENCH_GIVEN_H

#include "problem.h"

/* Value and gradient of `loss` in the problem's dtype. `file` is what bench_reference_write wrote. */
gibbs_status bench_given_answer(bench_problem *p, const ebm_loss *loss, const ebm_tensors *file, double *value,
                                double *gradient, gibbs_error *error);

#endif
