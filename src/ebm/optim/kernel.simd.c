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

#define UPDATE(name)                                                    \
    void GIBBS_ISA_NAME(ebm_optim_##name)(gibbs_dtype dtype, int64_t n, void *w, const void *g, void *const *slot, \
                                          const ebm_optim_step *args)                                               \
    {                                                                                                               \
        if (dtype == GIBBS_FLOAT32) name##_f32(n, w, g, slot, args);                                                \
        else name##_f64(n, w, g, slot, args);                                                                       \
    }
UPDATE(sgd)
UPDATE(adam)
UPDATE(adamw)
UPDATE(rmsprop)

double GIBBS_ISA_NAME(ebm_optim_square)(gibbs_dtype dtype, int64_t n, const void *g)
{
    return dtype == GIBBS_FLOAT32 ? square_f32(n, g) : square_f64(n, g);
}

void GIBBS_ISA_NAME(ebm_optim_average)(gibbs_dtype dtype, int64_t n, double *average, const void *w, double weight)
{
    if (dtype == GIBBS_FLOAT32) average_f32(n, average, w, weight);
    else average_f64(n, average, w, weight);
}
