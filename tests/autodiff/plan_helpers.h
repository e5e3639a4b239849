/* plan_helpers.h — what the tests of plans share: a plan with its workspace, memory of either number type, and a
 * small deterministic source of numbers. */
#ifndef GIBBS_TEST_PLAN_HELPERS_H
#define GIBBS_TEST_PLAN_HELPERS_H

#include <criterion/criterion.h>
#include <gibbs/ad.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/sanitized.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Asserts that a call with an error argument succeeds, with its sentence when it does not. */
#define MUST(call, error) cr_assert_eq((call), GIBBS_OK, "%s", (error).message)

/* How many times as many random programs as usual: GIBBS_TEST_TIMES of the environment, 1 where it is not set. */
static inline uint64_t test_times(void)
{
    const char *times = getenv("GIBBS_TEST_TIMES");
    return times && atoi(times) > 1 ? (uint64_t)atoi(times) : 1;
}

typedef struct runner {
    ad_plan *plan;
    ad_workspace *w;
} runner;

static inline runner runner_with(const ad_var *outputs, int count, const ad_plan_options *options)
{
    gibbs_error error = {.status = GIBBS_OK};
    runner r;
    MUST(ad_compile(outputs, count, options, &r.plan, &error), error);
    MUST(ad_workspace_new(r.plan, &r.w, &error), error);
    return r;
}

static inline runner runner_new(const ad_var *outputs, int count, int64_t block_bytes)
{
    ad_plan_options options = {.block_bytes = block_bytes};
    return runner_with(outputs, count, &options);
}

static inline void runner_free(runner r)
{
    ad_workspace_free(r.w);
    ad_plan_free(r.plan);
}

static inline void bind(runner r, ad_var input, const void *memory)
{
    gibbs_error error = {.status = GIBBS_OK};
    MUST(ad_bind(r.w, input, memory, &error), error);
}

static inline void set_rows(runner r, ad_axis axis, int64_t rows)
{
    gibbs_error error = {.status = GIBBS_OK};
    MUST(ad_set_rows(r.w, axis, rows, &error), error);
}

static inline void run_with(runner r, ad_run_options options)
{
    gibbs_error error = {.status = GIBBS_OK};
    MUST(ad_run(r.w, &options, &error), error);
}

static inline void run(runner r) { run_with(r, (ad_run_options){0}); }

/* splitmix64: the tests' own numbers, independent of the library's. */
static inline uint64_t next_bits(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline double next_number(uint64_t *state, double low, double high)
{
    return low + (high - low) * (double)(next_bits(state) >> 11) * 0x1p-53;
}

static inline int64_t next_below(uint64_t *state, int64_t n) { return (int64_t)(next_bits(state) % (uint64_t)n); }

/* Numbers in [-1, 1) that float32 holds exactly, so that both number types compute with the same data. */
static inline double *random_numbers(int64_t count, uint64_t seed)
{
    double *x = malloc((size_t)count * sizeof *x);
    for (int64_t i = 0; i < count; i++) x[i] = (float)next_number(&seed, -1, 1);
    return x;
}

/* A copy in the number type of the tape. */
static inline void *in_type(gibbs_dtype dtype, const double *x, int64_t count)
{
    void *copy = malloc((size_t)count * gibbs_dtype_size(dtype));
    for (int64_t i = 0; i < count; i++) {
        if (dtype == GIBBS_FLOAT32) ((float *)copy)[i] = (float)x[i];
        else ((double *)copy)[i] = x[i];
    }
    return copy;
}

static inline double number_at(gibbs_dtype dtype, const void *x, int64_t i)
{
    return dtype == GIBBS_FLOAT32 ? ((const float *)x)[i] : ((const double *)x)[i];
}

/* Output `k` of the runner agrees with `expected` to `tolerance`, relative to the largest expected number. */
static inline void expect_close(runner r, int k, gibbs_dtype dtype, const double *expected, int64_t count,
                                double tolerance, const char *what)
{
    double scale = 1e-300;
    const void *got = ad_result(r.w, k);
    cr_assert_not_null(got, "%s: no result", what);
    for (int64_t i = 0; i < count; i++) scale = fabs(expected[i]) > scale ? fabs(expected[i]) : scale;
    for (int64_t i = 0; i < count; i++) {
        double v = number_at(dtype, got, i);
        cr_assert(fabs(v - expected[i]) <= tolerance * scale, "%s: element %lld of %lld is %.17g, not %.17g", what,
                  (long long)i, (long long)count, v, expected[i]);
    }
}

#endif
