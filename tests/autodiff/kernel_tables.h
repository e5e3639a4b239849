/* kernel_tables.h — the kernel tables that were built and that this machine runs. */
#ifndef GIBBS_TEST_KERNEL_TABLES_H
#define GIBBS_TEST_KERNEL_TABLES_H

#include "autodiff/kernel/kernels.h"
#include "base/isa.h"
#include "plan_helpers.h"

extern const ad_kernels ad_kernels_f32_base, ad_kernels_f64_base;
#ifdef GIBBS_HAVE_V3
extern const ad_kernels ad_kernels_f32_v3, ad_kernels_f64_v3;
#endif
#ifdef GIBBS_HAVE_V4
extern const ad_kernels ad_kernels_f32_v4, ad_kernels_f64_v4;
#endif

typedef struct table {
    const char *name;
    const ad_kernels *kernels; /* NULL: not built, or not for this machine */
    int isa;
} table;

enum { TABLES = 6 };
static table tables[TABLES] = {
    {"float32, base", &ad_kernels_f32_base, GIBBS_ISA_BASE},
    {"float64, base", &ad_kernels_f64_base, GIBBS_ISA_BASE},
#ifdef GIBBS_HAVE_V3
    {"float32, v3", &ad_kernels_f32_v3, GIBBS_ISA_V3},
    {"float64, v3", &ad_kernels_f64_v3, GIBBS_ISA_V3},
#endif
#ifdef GIBBS_HAVE_V4
    {"float32, v4", &ad_kernels_f32_v4, GIBBS_ISA_V4},
    {"float64, v4", &ad_kernels_f64_v4, GIBBS_ISA_V4},
#endif
};

/* gibbs_isa is the best set here, unless the environment asks for less: then less is tested. */
__attribute__((constructor)) static void leave_out_what_does_not_run(void)
{
    for (int k = 0; k < TABLES; k++)
        if (tables[k].isa > gibbs_isa()) tables[k].kernels = NULL;
}

static inline void put(const table *t, void *at, int64_t i, double v)
{
    t->kernels->from_double(1, (char *)at + (size_t)i * t->kernels->size, &v);
}

#endif
