/* The loops of sweeps on couplings for both number types (kernel_template.h), one build per instruction set. */
#include "kernel.h"

#include <math.h>

/* The variable at that place of the order. */
static inline int64_t variable_at(const ebm_sweep *s, int64_t turn)
{
    return s->order ? s->order[s->first + turn] : s->first + turn;
}

#define T float
#define ABS fabsf
#define NAME(name) name##_f32
#include "kernel_template.h"
#undef T
#undef ABS
#undef NAME

#define T double
#define ABS fabs
#define NAME(name) name##_f64
#include "kernel_template.h"

#define SWEEP(name)                                                  \
    void GIBBS_ISA_NAME(ebm_sweep_##name)(const ebm_sweep *s)        \
    {                                                                \
        if (s->c->dtype == GIBBS_FLOAT32) name##_f32(s);             \
        else name##_f64(s);                                          \
    }
SWEEP(fields)
SWEEP(columns)
SWEEP(columns_at_once)

#define TURN(name)                                                             \
    void GIBBS_ISA_NAME(ebm_sweep_##name)(const ebm_sweep *s, int64_t turn)    \
    {                                                                          \
        if (s->c->dtype == GIBBS_FLOAT32) name##_f32(s, turn);                 \
        else name##_f64(s, turn);                                              \
    }
TURN(log_weights)
TURN(pick)

void GIBBS_ISA_NAME(ebm_sweep_energies)(const ebm_sweep *s, double *energy)
{
    if (s->c->dtype == GIBBS_FLOAT32) energies_f32(s, energy);
    else energies_f64(s, energy);
}
