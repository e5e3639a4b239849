/* Schedules after a warm-up. Without one: test_clip.c. */
#include <criterion/criterion.h>
#include <gibbs/optim.h>
#include <math.h>

Test(optim_schedule, warmed_values)
{
    static const struct {
        ebm_schedule schedule;
        int64_t step, steps, warmup;
        double rate;
    } cases[] = {
        {EBM_SCHEDULE_CONSTANT, 0, 100, 10, .2}, {EBM_SCHEDULE_CONSTANT, 4, 100, 10, 1},
        {EBM_SCHEDULE_CONSTANT, 9, 100, 10, 2},  {EBM_SCHEDULE_CONSTANT, 10, 100, 10, 2},
        {EBM_SCHEDULE_CONSTANT, 99, 100, 10, 2}, {EBM_SCHEDULE_LINEAR, 3, 120, 20, .4},
        {EBM_SCHEDULE_LINEAR, 19, 120, 20, 2},   {EBM_SCHEDULE_LINEAR, 20, 120, 20, 2},
        {EBM_SCHEDULE_LINEAR, 45, 120, 20, 1.5}, {EBM_SCHEDULE_LINEAR, 119, 120, 20, .02},
        {EBM_SCHEDULE_COSINE, 0, 110, 10, .2},   {EBM_SCHEDULE_COSINE, 10, 110, 10, 2},
        {EBM_SCHEDULE_COSINE, 35, 110, 10, 1.7071067811865475}, {EBM_SCHEDULE_COSINE, 60, 110, 10, 1},
        {EBM_SCHEDULE_COSINE, 110, 110, 10, 0},  {EBM_SCHEDULE_INVERSE, 15, 105, 5, 1},
        {EBM_SCHEDULE_LINEAR, 0, 4, 1, 2},       {EBM_SCHEDULE_LINEAR, 1, 4, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rate = ebm_schedule_warmed(cases[i].schedule, 2, cases[i].step, cases[i].steps, cases[i].warmup);
        cr_expect_float_eq(rate, cases[i].rate, 1e-15, "case %zu: %.17g", i, rate);
    }
}

/* None is none; with one no rate is 0 or above the full one, it rises evenly, and then is the schedule's, moved. */
Test(optim_schedule, warm_up_comes_before_the_schedule)
{
    enum { STEPS = 60, WARMUP = 7 };
    for (ebm_schedule s = EBM_SCHEDULE_CONSTANT; s <= EBM_SCHEDULE_INVERSE; s++)
        for (int64_t step = 0; step < STEPS; step++) {
            double plain = ebm_schedule_rate(s, 0.3, step, STEPS);
            cr_expect_eq(ebm_schedule_warmed(s, 0.3, step, STEPS, 0), plain);
            cr_expect_eq(ebm_schedule_warmed(s, 0.3, step, STEPS, -5), plain);
            double rate = ebm_schedule_warmed(s, 0.3, step, STEPS, WARMUP);
            cr_expect(rate > 0 && rate <= 0.3);
            if (step < WARMUP) cr_expect_float_eq(rate, 0.3 * (double)(step + 1) / WARMUP, 1e-16);
            else cr_expect_eq(rate, ebm_schedule_rate(s, 0.3, step - WARMUP, STEPS - WARMUP));
        }
}
