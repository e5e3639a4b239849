/* dispatch.c — which of the kernel tables this machine runs. */
#include "base/isa.h"
#include "kernels.h"

extern const ad_kernels ad_kernels_f32_base, ad_kernels_f64_base;
#ifdef GIBBS_HAVE_V3
extern const ad_kernels ad_kernels_f32_v3, ad_kernels_f64_v3;
#else
#define ad_kernels_f32_v3 ad_kernels_f32_base
#define ad_kernels_f64_v3 ad_kernels_f64_base
#endif
#ifdef GIBBS_HAVE_V4
extern const ad_kernels ad_kernels_f32_v4, ad_kernels_f64_v4;
#else
#define ad_kernels_f32_v4 ad_kernels_f32_v3
#define ad_kernels_f64_v4 ad_kernels_f64_v3
#endif

const ad_kernels *ad_kernels_for(gibbs_dtype dtype)
{
    static const ad_kernels *const table[3][2] = {
        {&ad_kernels_f32_base, &ad_kernels_f64_base},
        {&ad_kernels_f32_v3, &ad_kernels_f64_v3},
        {&ad_kernels_f32_v4, &ad_kernels_f64_v4},
    };
    return table[gibbs_isa()][dtype == GIBBS_FLOAT64];
}
