/* The choice among the builds of *.simd.c files. */
#include "base/isa.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Each Criterion test is a process of its own, in which the first call of gibbs_isa reads the environment. */
static int isa_when_asked_for(const char *wish)
{
    setenv("GIBBS_ISA", wish, 1);
    int isa = gibbs_isa();
    setenv("GIBBS_ISA", "base", 1);
    cr_assert_eq(gibbs_isa(), isa, "the choice changed after it was made");
    return isa;
}

static int best_here(void)
{
    int best = GIBBS_ISA_BASE;
#if defined(GIBBS_HAVE_V3)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = GIBBS_ISA_V3;
#endif
#if defined(GIBBS_HAVE_V4)
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) best = GIBBS_ISA_V4;
#endif
    return best;
}

Test(isa, the_best_unless_told) { cr_assert_eq(isa_when_asked_for("nonsense"), best_here()); }
Test(isa, base_when_told) { cr_assert_eq(isa_when_asked_for("base"), GIBBS_ISA_BASE); }
Test(isa, v3_at_most_when_told)
{
    int best = best_here();
    cr_assert_eq(isa_when_asked_for("v3"), best < GIBBS_ISA_V3 ? best : GIBBS_ISA_V3);
}
Test(isa, v4_when_told_and_there) { cr_assert_eq(isa_when_asked_for("v4"), best_here()); }
