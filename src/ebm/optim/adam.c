#include "kernel.h"

#include <math.h>

static ebm_optim_update_fn *const kernel[] = GIBBS_ISA_TABLE(ebm_optim_adam);

/* 1 − βᵗ, without cancellation for β near 1. */
static double one_minus_power(double beta, double t)
{
    return -expm1(t * log(beta));
}

/* The paper's α m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ) is α′ m/(√v + ε′): the loop divides once and
 * knows nothing of t. State: the n first moments, then the n second moments. */
static void adam_update(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    double t = (double)args->step + 1, root = sqrt(one_minus_power(args->beta2, t));
    ebm_optim_step folded = *args;
    folded.rate = args->rate * root / one_minus_power(args->beta1, t);
    folded.epsilon = args->epsilon * root;
    kernel[gibbs_isa()](dtype, n, w, g, state, &folded);
}

const ebm_optimizer ebm_adam = {"adam", 2, adam_update};
