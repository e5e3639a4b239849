/* adamw.c — AdamW (Loshchilov & Hutter 2019): Adam with decoupled weight decay. */
#include "kernel.h"

static ebm_optim_kernel_fn *const kernel[] = GIBBS_ISA_TABLE(ebm_optim_adamw);

/* State: Adam's. The decay follows the schedule's rate, not the rate with Adam's bias correction. */
static void adamw_update(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_step folded = ebm_adam_fold(args);
    folded.weight_decay = 1 - args->rate * args->weight_decay;
    ebm_optim_run(kernel, 2, dtype, n, w, g, state, &folded);
}

const ebm_optimizer ebm_adamw = {"adamw", 2, adamw_update, 1};
