/* sgd.c — stochastic gradient descent with momentum (Polyak 1964). */
#include "kernel.h"

static ebm_optim_kernel_fn *const kernel[] = GIBBS_ISA_TABLE(ebm_optim_sgd);

static void sgd_update(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_run(kernel, 1, dtype, n, w, g, state, args);
}

const ebm_optimizer ebm_sgd = {"sgd", 1, sgd_update, 0};
