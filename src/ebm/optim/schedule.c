/* schedule.c — learning rates over the steps. */
#include <gibbs/optim.h>

#include <math.h>

#define PI 3.14159265358979323846

/* Each schedule is a function of the share of the steps done, u ∈ [0, 1]; beyond the last step u stays 1. */
static double constant(double u)
{
    (void)u;
    return 1;
}

static double linear(double u)
{
    return 1 - u;
}

static double cosine(double u)
{
    return 0.5 * (1 + cos(PI * u));
}

static double inverse(double u)
{
    return 1 / (1 + 10 * u);
}

double ebm_schedule_rate(ebm_schedule schedule, double rate, int64_t step, int64_t steps)
{
    static double (*const shape[])(double) = {
        [EBM_SCHEDULE_CONSTANT] = constant,
        [EBM_SCHEDULE_LINEAR] = linear,
        [EBM_SCHEDULE_COSINE] = cosine,
        [EBM_SCHEDULE_INVERSE] = inverse,
    };
    if ((unsigned)schedule >= sizeof shape / sizeof shape[0] || step < 0 || steps < 1) return rate;
    double u = step < steps ? (double)step / (double)steps : 1;
    return rate * shape[schedule](u);
}

double ebm_schedule_warmed(ebm_schedule schedule, double rate, int64_t step, int64_t steps, int64_t warmup)
{
    if (step >= 0 && step < warmup) return rate * ((double)(step + 1) / (double)warmup);
    return warmup > 0 ? ebm_schedule_rate(schedule, rate, step - warmup, steps - warmup)
                      : ebm_schedule_rate(schedule, rate, step, steps);
}
