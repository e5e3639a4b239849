/* kernel.h — the loops over the parameters, built once per instruction set (kernel.simd.c). */
#ifndef EBM_OPTIM_KERNEL_H
#define EBM_OPTIM_KERNEL_H

#include "base/isa.h"

#include <gibbs/optim.h>

/* The arguments of ebm_optimizer.update. For Adam, `rate` and `epsilon` come with the bias correction in them. */
#define EBM_OPTIM_UPDATE_ARGUMENTS \
    gibbs_dtype dtype, int64_t n, void *w, const void *g, void *state, const ebm_optim_step *args
typedef void ebm_optim_update_fn(EBM_OPTIM_UPDATE_ARGUMENTS);

/* Σ gᵢ² in double. The order of the additions depends on n alone. */
typedef double ebm_optim_square_fn(gibbs_dtype dtype, int64_t n, const void *g);

#define EBM_OPTIM_DECLARE(isa)                   \
    ebm_optim_update_fn ebm_optim_sgd_##isa;     \
    ebm_optim_update_fn ebm_optim_adam_##isa;    \
    ebm_optim_square_fn ebm_optim_square_##isa;
EBM_OPTIM_DECLARE(base)
EBM_OPTIM_DECLARE(v3)
EBM_OPTIM_DECLARE(v4)

#endif
