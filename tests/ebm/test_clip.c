/* Gradient clipping and learning-rate schedules. */
#include "ebm/optim/kernel.h"
#include "optim_helpers.h"

#include <criterion/criterion.h>
#include <float.h>
#include <gibbs/optim.h>
#include <math.h>

static ebm_optim_square_fn *const square_kernels[] = GIBBS_ISA_TABLE(ebm_optim_square);

Test(schedule, values)
{
    static const struct {
        ebm_schedule schedule;
        int64_t step, steps;
        double rate;
    } cases[] = {
        {EBM_SCHEDULE_CONSTANT, 0, 100, 2}, {EBM_SCHEDULE_CONSTANT, 99, 100, 2},
        {EBM_SCHEDULE_LINEAR, 0, 100, 2},   {EBM_SCHEDULE_LINEAR, 25, 100, 1.5},
        {EBM_SCHEDULE_LINEAR, 99, 100, .02}, {EBM_SCHEDULE_LINEAR, 150, 100, 0},
        {EBM_SCHEDULE_COSINE, 0, 100, 2},   {EBM_SCHEDULE_COSINE, 50, 100, 1},
        {EBM_SCHEDULE_COSINE, 25, 100, 1.7071067811865475}, {EBM_SCHEDULE_COSINE, 150, 100, 0},
        {EBM_SCHEDULE_INVERSE, 0, 100, 2},  {EBM_SCHEDULE_INVERSE, 10, 100, 1},
        {EBM_SCHEDULE_INVERSE, 90, 100, .2}, {EBM_SCHEDULE_INVERSE, 1, 5, 2. / 3},
        {EBM_SCHEDULE_LINEAR, 0, 1, 2},     {EBM_SCHEDULE_LINEAR, 0, 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rate = ebm_schedule_rate(cases[i].schedule, 2, cases[i].step, cases[i].steps);
        cr_assert_float_eq(rate, cases[i].rate, 1e-15, "case %zu: %.17g", i, rate);
    }
}

Test(clip, scales_to_the_limit)
{
    EACH(gibbs_dtype, dtype, dtypes) EACH(int, n, sizes) {
        double g[LARGEST], before[LARGEST], sum = 0, after = 0, eps = *dtype == GIBBS_FLOAT32 ? 1e-6 : 1e-14;
        uint64_t seed = 12;
        for (int i = 0; i < *n; i++) {
            put(*dtype, g, i, 1 + random_number(&seed));
            before[i] = get(*dtype, g, i);
            sum += before[i] * before[i];
        }
        double norm = ebm_clip_gradient(*dtype, *n, g, 0.5);
        cr_assert_float_eq(norm, sqrt(sum), 1e-13 * sqrt(sum));
        double factor = norm > 0.5 ? 0.5 / norm : 1;
        for (int i = 0; i < *n; i++) {
            cr_assert_float_eq(get(*dtype, g, i), factor * before[i], eps);
            after += pow(get(*dtype, g, i), 2);
        }
        cr_assert(sqrt(after) <= 0.5 + eps);
    }
}

Test(clip, leaves_alone_what_is_within_or_unlimited)
{
    const double limits[] = {0, -1, 5, 6, INFINITY};
    EACH(double, limit, limits) {
        double g[] = {3, 0, -4};
        cr_assert_eq(ebm_clip_gradient(GIBBS_FLOAT64, 3, g, *limit), 5);
        cr_assert(g[0] == 3 && g[1] == 0 && g[2] == -4);
    }
    double zero[3] = {0};
    cr_assert_eq(ebm_clip_gradient(GIBBS_FLOAT64, 3, zero, 1), 0);
}

Test(clip, extremes)
{
    double big[] = {3e200, 4e200}, tiny[] = {3e-200, -4e-200}, most[] = {DBL_MAX, DBL_MAX, DBL_MAX};
    cr_assert_float_eq(ebm_clip_gradient(GIBBS_FLOAT64, 2, big, 10) / 5e200, 1, 1e-15);
    cr_assert_float_eq(big[0], 6, 1e-14);
    cr_assert_float_eq(ebm_clip_gradient(GIBBS_FLOAT64, 2, tiny, 1) / 5e-200, 1, 1e-15);
    cr_assert_eq(tiny[0], 3e-200);
    cr_assert_eq(ebm_clip_gradient(GIBBS_FLOAT64, 3, most, 1), INFINITY);
    cr_assert_float_eq(most[2], sqrt(1. / 3), 1e-15);
    float large[] = {3e30f, 4e30f};
    cr_assert_float_eq(ebm_clip_gradient(GIBBS_FLOAT32, 2, large, 1) / 5e30, 1, 1e-7);
    cr_assert_float_eq(large[1], 0.8, 1e-7);
}

Test(clip, what_is_not_finite_is_reported_and_left)
{
    double bad[] = {1, NAN, 1}, infinite[] = {1, -INFINITY, 7};
    cr_assert(isnan(ebm_clip_gradient(GIBBS_FLOAT64, 3, bad, 0.1)));
    cr_assert(bad[0] == 1 && bad[2] == 1);
    cr_assert_eq(ebm_clip_gradient(GIBBS_FLOAT64, 3, infinite, 0.1), INFINITY);
    cr_assert(infinite[0] == 1 && infinite[1] == -INFINITY && infinite[2] == 7);
}

Test(clip, every_build_adds_floats_to_the_same_bits)
{
    float g[1000];
    double d[1000];
    uint64_t seed = 13;
    for (int i = 0; i < 1000; i++) d[i] = g[i] = (float)random_number(&seed);
    for (int isa = 0; isa <= gibbs_isa(); isa++)
        for (int n = 0; n < 1000; n += 37) {
            long double sum = 0;
            for (int i = 0; i < n; i++) sum += (long double)g[i] * g[i];
            double base = square_kernels[0](GIBBS_FLOAT32, n, g);
            cr_assert_eq(square_kernels[isa](GIBBS_FLOAT32, n, g), base, "isa %d, n %d", isa, n);
            cr_assert_float_eq(base, (double)sum, 1e-15 * (double)sum);
            cr_assert_float_eq(square_kernels[isa](GIBBS_FLOAT64, n, d), (double)sum, 1e-15 * (double)sum);
        }
}
