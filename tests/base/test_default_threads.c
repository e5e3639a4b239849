/* How many threads there are when nobody says. */
#define _GNU_SOURCE
#include "base/parallel.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

Test(default_threads, by_environment)
{
    static const struct {
        const char *wish;
        int threads; /* 0: as if there were no wish */
    } cases[] = {{"1", 1}, {"3", 3}, {"12", 12}, {"5,2", 5}, {"0", 0}, {"-4", 0}, {"many", 0}, {"", 0}};
    unsetenv("OMP_NUM_THREADS");
    int otherwise = gibbs_default_threads();
    cr_assert_geq(otherwise, 1);
    for (int k = 0; k < LENGTH(cases); k++) {
        setenv("OMP_NUM_THREADS", cases[k].wish, 1);
        int expected = cases[k].threads ? cases[k].threads : otherwise;
        cr_expect_eq(gibbs_default_threads(), expected, "OMP_NUM_THREADS=%s: %d threads, not %d", cases[k].wish,
                     gibbs_default_threads(), expected);
    }
}

#if defined(__linux__)
Test(default_threads, by_affinity)
{
    cpu_set_t all, some;
    unsetenv("OMP_NUM_THREADS");
    cr_assert_eq(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&some);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) { /* one processor, then one more, … */
        if (!CPU_ISSET(cpu, &all)) continue;
        CPU_SET(cpu, &some);
        cr_assert_eq(sched_setaffinity(0, sizeof some, &some), 0);
        cr_assert_eq(gibbs_default_threads(), CPU_COUNT(&some));
    }
    cr_assert(CPU_EQUAL(&some, &all));
}
#endif
