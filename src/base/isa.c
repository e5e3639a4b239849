#include "isa.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The features named stand for the whole level: no processor has them without the level's small ones (lzcnt,
 * movbe, f16c), which not every compiler lets us ask for. */
#define HAS __builtin_cpu_supports
static int runs_base(void) { return 1; }
#ifdef GIBBS_HAVE_V3
static int runs_v3(void) { return HAS("avx2") && HAS("fma") && HAS("bmi") && HAS("bmi2"); }
#else
#define runs_v3 NULL
#endif
#ifdef GIBBS_HAVE_V4
static int runs_v4(void)
{
    return HAS("avx2") && HAS("fma") && HAS("bmi") && HAS("bmi2") && HAS("avx512f") && HAS("avx512bw") &&
           HAS("avx512cd") && HAS("avx512dq") && HAS("avx512vl");
}
#else
#define runs_v4 NULL
#endif

static const struct set {
    const char *name;
    int (*runs)(void); /* whether this machine has it; NULL: not built */
} sets[GIBBS_ISA_COUNT] = {{"base", runs_base}, {"v3", runs_v3}, {"v4", runs_v4}};

static int choose(void)
{
    const char *wish = getenv("GIBBS_ISA");
    int isa = 0;
    while (isa < GIBBS_ISA_COUNT - 1 && (!wish || strcmp(wish, sets[isa].name))) isa++;
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    while (!sets[isa].runs || !sets[isa].runs()) isa--;
    return isa;
}

/* Threads that arrive together may each compute it; the first to store wins, so all see one answer. */
int gibbs_isa(void)
{
    static _Atomic int chosen = -1;
    int isa = atomic_load_explicit(&chosen, memory_order_relaxed), none = -1;
    if (isa >= 0) return isa;
    isa = choose();
    return atomic_compare_exchange_strong(&chosen, &none, isa) ? isa : none;
}
