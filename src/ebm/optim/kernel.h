/* kernel.h — the loops over the parameters, built once per instruction set (kernel.simd.c). */
#ifndef EBM_OPTIM_KERNEL_H
#define EBM_OPTIM_KERNEL_H

#include "base/isa.h"

#include <gibbs/optim.h>

/* The arguments of ebm_optimizer.update. For Adam and AdamW, `rate` and `epsilon` come with the bias correction in them
 * (ebm_adam_fold); AdamW's `weight_decay` comes as the factor 1 − rate·λ that w keeps. */
#define EBM_OPTIM_UPDATE_ARGUMENTS \
    gibbs_dtype dtype, int64_t n, void *w, const void *g, void *state, const ebm_optim_step *args

/* One update of n parameters, whose state is at slot[0], slot[1], …. */
enum { EBM_OPTIM_SLOTS = 2 };
typedef void ebm_optim_kernel_fn(gibbs_dtype dtype, int64_t n, void *w, const void *g, void *const *slot,
                                 const ebm_optim_step *args);

/* One update of all parameters, in parts that threads take, without subnormals as in a run (base/float_word.h).
 * `kernel` has a loop for each instruction set. */
void ebm_optim_run(ebm_optim_kernel_fn *const *kernel, int slots, EBM_OPTIM_UPDATE_ARGUMENTS);

/* Σ gᵢ² in double. The order of the additions depends on n alone. */
typedef double ebm_optim_square_fn(gibbs_dtype dtype, int64_t n, const void *g);

/* average += weight·(w − average). */
typedef void ebm_optim_average_fn(gibbs_dtype dtype, int64_t n, double *average, const void *w, double weight);

#define EBM_OPTIM_DECLARE(isa)                     \
    ebm_optim_kernel_fn ebm_optim_sgd_##isa;       \
    ebm_optim_kernel_fn ebm_optim_adam_##isa;      \
    ebm_optim_kernel_fn ebm_optim_adamw_##isa;     \
    ebm_optim_kernel_fn ebm_optim_rmsprop_##isa;   \
    ebm_optim_square_fn ebm_optim_square_##isa;    \
    ebm_optim_average_fn ebm_optim_average_##isa;
EBM_OPTIM_DECLARE(base)
EBM_OPTIM_DECLARE(v3)
EBM_OPTIM_DECLARE(v4)

/* 1 − βᵗ, without cancellation for β near 1. */
double ebm_one_minus_power(double beta, double t);

/* The paper's α m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ) is α′ m/(√v + ε′): the step with α′ and ε′. The loop
 * divides once and knows nothing of t. */
ebm_optim_step ebm_adam_fold(const ebm_optim_step *args);

#endif
