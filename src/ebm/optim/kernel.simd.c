/* The optimisers' loops for both number types (kernel_template.h), one build per instruction set. */
#include "kernel.h"

#include <math.h>

#define T float
#define SQRT sqrtf
#define NAME(name) name##_f32
#include "kernel_template.h"
#undef T
#undef SQRT
#undef NAME

#define T double
#define SQRT sqrt
#define NAME(name) name##_f64
#include "kernel_template.h"

void GIBBS_ISA_NAME(ebm_optim_sgd)(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    if (dtype == GIBBS_FLOAT32) sgd_f32(n, w, g, state, args);
    else sgd_f64(n, w, g, state, args);
}

void GIBBS_ISA_NAME(ebm_optim_adam)(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    if (dtype == GIBBS_FLOAT32) adam_f32(n, w, g, state, args);
    else adam_f64(n, w, g, state, args);
}

double GIBBS_ISA_NAME(ebm_optim_square)(gibbs_dtype dtype, int64_t n, const void *g)
{
    return dtype == GIBBS_FLOAT32 ? square_f32(n, g) : square_f64(n, g);
}
