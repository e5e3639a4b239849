/* dispatch.c — which of the kernel tables this machine runs. */
#include "base/isa.h"
#include "kernels.h"

extern const ad_kernels ad_kernels_f32_base, ad_kernels_f32_v3, ad_kernels_f32_v4;
extern const ad_kernels ad_kernels_f64_base, ad_kernels_f64_v3, ad_kernels_f64_v4;

const ad_kernels *ad_kernels_for(gibbs_dtype dtype)
{
    static const ad_kernels *const of_float[] = GIBBS_ISA_TABLE(&ad_kernels_f32);
    static const ad_kernels *const of_double[] = GIBBS_ISA_TABLE(&ad_kernels_f64);
    return (dtype == GIBBS_FLOAT64 ? of_double : of_float)[gibbs_isa()];
}
