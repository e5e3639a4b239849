/* kernel_tables.h — the kernel tables that were built and that this machine runs. */
#ifndef GIBBS_TEST_KERNEL_TABLES_H
#define GIBBS_TEST_KERNEL_TABLES_H

#include "autodiff/kernel/kernels.h"
#include "base/isa.h"
#include "plan_helpers.h"

#include <math.h>

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

/* The numbers as the table's type and back again, so that both sides see the same. */
static inline void *typed(const table *t, double *x, int64_t count)
{
    char *copy = malloc((size_t)count * t->kernels->size);
    t->kernels->from_double(count, copy, x);
    for (int64_t i = 0; i < count; i++) x[i] = t->kernels->get(copy, i);
    return copy;
}

static inline void expect_numbers(const table *t, const void *got, const double *expected, int64_t count, double scale,
                           const char *what)
{
    double tolerance = (t->kernels->size == 4 ? 2e-6 : 2e-14) * scale;
    for (int64_t i = 0; i < count; i++) {
        double y = t->kernels->get(got, i);
        bool same = isnan(expected[i])   ? isnan(y)
                    : isinf(expected[i]) ? y == expected[i]
                                         : fabs(y - expected[i]) <= tolerance;
        cr_assert(same, "%s, number %lld is %.17g, not %.17g (%s)", what, (long long)i, y, expected[i], t->name);
    }
}

#endif
