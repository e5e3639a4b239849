#define _POSIX_C_SOURCE 199309L
#include "timing.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_SAMPLES = 20000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static gibbs_status group(bench_work work, void *context, int calls, double *seconds, gibbs_error *error)
{
    double start = now();
    for (int i = 0; i < calls; i++) {
        gibbs_status status = work(context, error);
        if (status) return status;
    }
    *seconds = (now() - start) / calls;
    return GIBBS_OK;
}

gibbs_status bench_median(bench_work work, void *context, double seconds, double *microseconds, gibbs_error *error)
{
    static double sample[MOST_SAMPLES];
    int count = 0;
    gibbs_status status = group(work, context, 1, &sample[0], error);
    int calls = sample[0] < 20e-6 ? (int)ceil(20e-6 / fmax(sample[0], 1e-8)) : 1;
    for (double end = now() + seconds; !status && count < MOST_SAMPLES && (!count || now() < end); count++)
        status = group(work, context, calls, &sample[count], error);
    if (status) return status;
    qsort(sample, (size_t)count, sizeof *sample, ascending);
    *microseconds = 1e6 * 0.5 * (sample[(count - 1) / 2] + sample[count / 2]);
    return GIBBS_OK;
}
