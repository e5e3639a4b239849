/* rmsprop.c — RMSprop (Tieleman & Hinton 2012). */
#include "kernel.h"

static ebm_optim_kernel_fn *const kernel[] = GIBBS_ISA_TABLE(ebm_optim_rmsprop);

/* State: the n mean squares, then the n velocities. */
static void rmsprop_update(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_run(kernel, 2, dtype, n, w, g, state, args);
}

const ebm_optimizer ebm_rmsprop = {"rmsprop", 2, rmsprop_update, 0};
