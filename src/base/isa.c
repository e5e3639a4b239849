#include "isa.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int built(void)
{
#if defined(GIBBS_HAVE_V4)
    return GIBBS_ISA_V4;
#elif defined(GIBBS_HAVE_V3)
    return GIBBS_ISA_V3;
#else
    return GIBBS_ISA_BASE;
#endif
}

/* The features named stand for the whole level: no processor has them without the level's small ones (lzcnt,
 * movbe, f16c), which not every compiler lets us ask for. */
static int supported(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
             __builtin_cpu_supports("bmi2");
    int v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
    return v3 ? (v4 ? GIBBS_ISA_V4 : GIBBS_ISA_V3) : GIBBS_ISA_BASE;
#else
    return GIBBS_ISA_BASE;
#endif
}

static int allowed(void)
{
    static const char *const name[GIBBS_ISA_COUNT] = {"base", "v3", "v4"};
    const char *wish = getenv("GIBBS_ISA");
    for (int isa = 0; wish && isa < GIBBS_ISA_COUNT; isa++)
        if (strcmp(wish, name[isa]) == 0) return isa;
    return GIBBS_ISA_COUNT - 1;
}

/* Threads that arrive together may each compute it; the first to store wins, so all see one answer. */
int gibbs_isa(void)
{
    static _Atomic int chosen = -1;
    int isa = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (isa >= 0) return isa;
    int none = -1;
    isa = allowed();
    if (isa > built()) isa = built();
    if (isa > supported()) isa = supported();
    return atomic_compare_exchange_strong(&chosen, &none, isa) ? isa : none;
}
