/* adam.c — Adam (Kingma & Ba 2015): the bias correction, folded into the step. */
#include "kernel.h"

#include <math.h>

static ebm_optim_kernel_fn *const kernel[] = GIBBS_ISA_TABLE(ebm_optim_adam);

double ebm_one_minus_power(double beta, double t)
{
    return -expm1(t * log(beta));
}

ebm_optim_step ebm_adam_fold(const ebm_optim_step *args)
{
    double t = (double)args->step + 1, root = sqrt(ebm_one_minus_power(args->beta2, t));
    ebm_optim_step folded = *args;
    folded.rate = args->rate * root / ebm_one_minus_power(args->beta1, t);
    folded.epsilon = args->epsilon * root;
    return folded;
}

/* State: the n first moments, then the n second moments. */
static void adam_update(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_step folded = ebm_adam_fold(args);
    ebm_optim_run(kernel, 2, dtype, n, w, g, state, &folded);
}

const ebm_optimizer ebm_adam = {"adam", 2, adam_update, 0};
