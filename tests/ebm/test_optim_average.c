/* The exponential moving average of parameters: closed forms, all builds, and what breaks it. */
#include "ebm/optim/kernel.h"
#include "optim_helpers.h"

#include <criterion/criterion.h>
#include <gibbs/optim.h>
#include <math.h>
#include <string.h>

static ebm_optim_average_fn *const kernels[] = GIBBS_ISA_TABLE(ebm_optim_average);

/* Worked out with pencil: β = ½ of 1, 3, -2: 1, (½ + 3)/1.5, (¼ + 1.5 − 2)/1.75 after the factor ½ is cancelled. */
Test(optim_average, by_hand)
{
    static const double w[] = {1, 3, -2}, expected[] = {1, 7.0 / 3, -1.0 / 7};
    double average = NAN;
    for (int t = 0; t < 3; t++) {
        ebm_average(GIBBS_FLOAT64, 1, &average, &w[t], 0.5, t);
        cr_expect_float_eq(average, expected[t], 1e-15, "step %d: %.17g", t, average);
    }
}

/* Σ (1−β)β^(t−k) wₖ/(1 − βᵗ), in long double from the definition. */
static double direct(double beta, const double *w, int t)
{
    long double a = 0;
    for (int k = 0; k <= t; k++) a = (long double)beta * a + (1 - (long double)beta) * w[k];
    return (double)(a / (1 - powl(beta, t + 1)));
}

typedef void averaging(gibbs_dtype dtype, int64_t n, double *average, const void *w, double beta, int64_t step);

static double worst_of(averaging *f)
{
    enum { STEPS = 400 };
    static const double betas[] = {0, 0.5, 0.9, 0.999, 0.99999};
    double w[STEPS], worst = 0;
    for (int b = 0; b < 5; b++) {
        uint64_t seed = 3;
        double average = NAN;
        for (int t = 0; t < STEPS; t++) {
            w[t] = 1 + random_number(&seed);
            f(GIBBS_FLOAT64, 1, &average, &w[t], betas[b], t);
            worst = fmax(worst, fabs(average - direct(betas[b], w, t)));
        }
    }
    return worst;
}

/* Controls: no correction of the bias, and one for the wrong step. */
static void uncorrected(gibbs_dtype dtype, int64_t n, double *average, const void *w, double beta, int64_t step)
{
    (void)dtype;
    for (int64_t i = 0; i < n; i++)
        average[i] = (step ? beta * average[i] : 0) + (1 - beta) * ((const double *)w)[i];
}

static void one_late(gibbs_dtype dtype, int64_t n, double *average, const void *w, double beta, int64_t step)
{
    ebm_average(dtype, n, average, w, beta, step ? step + 1 : 0);
}

Test(optim_average, is_the_definition)
{
    cr_expect(worst_of(ebm_average) <= 1e-14, "%g", worst_of(ebm_average)); /* roundings of 400 steps add up */
    cr_expect(worst_of(uncorrected) > 0.1 && worst_of(one_late) > 1e-3, "controls");
}

/* wₖ = k: t + 1/(1 − β) − (t+1)/(1 − βᵗ⁺¹) … in closed form Σβʲ(t−j)/Σβʲ. */
Test(optim_average, of_a_line)
{
    double average = 0, beta = 0.75;
    for (int t = 0; t < 60; t++) {
        double w = t, power = pow(beta, t + 1);
        ebm_average(GIBBS_FLOAT64, 1, &average, &w, beta, t);
        double lag = beta / (1 - beta) - (t + 1) * power / (1 - power);
        cr_expect_float_eq(average, t - lag, 1e-15 * (t + 4), "step %d: %g", t, average - (t - lag));
    }
}

/* What does not move is its own average, to the bit; the first call forgets what was there. */
Test(optim_average, of_a_constant)
{
    EACH(gibbs_dtype, dtype, dtypes) {
        double w[LARGEST] = {0}, average[LARGEST];
        uint64_t seed = 4;
        for (int i = 0; i < LARGEST; i++) put(*dtype, w, i, random_number(&seed)), average[i] = NAN;
        for (int t = 0; t < 100; t++) ebm_average(*dtype, LARGEST, average, w, 0.99, t);
        for (int i = 0; i < LARGEST; i++) cr_assert_eq(average[i], get(*dtype, w, i));
    }
}

/* In float an average of β = 0.99999999 would stand still at its start; this one goes half the way. */
Test(optim_average, float_parameters_are_averaged_in_double)
{
    float w = 1;
    double average;
    ebm_average(GIBBS_FLOAT32, 1, &average, &w, 0.99999999, 0);
    for (int t = 1; t < 1000; t++) {
        w = t < 500 ? 1 : 1.0000001f;
        ebm_average(GIBBS_FLOAT32, 1, &average, &w, 0.99999999, t);
    }
    cr_expect_float_eq((average - 1) / ((double)1.0000001f - 1), 0.5, 1e-4);
}

/* Every build, any number of elements: the definition, nothing written outside, and the same bits in any place. */
Test(optim_average, every_build)
{
    for (int isa = 0; isa <= gibbs_isa(); isa++)
        EACH(gibbs_dtype, dtype, dtypes) EACH(int, n, sizes) {
            double w[LARGEST] = {0}, average[LARGEST + 1], one[LARGEST], before[LARGEST];
            uint64_t seed = 5;
            size_t size = gibbs_dtype_size(*dtype);
            for (int i = 0; i < *n; i++) put(*dtype, w, i, random_number(&seed));
            for (int i = 0; i < *n; i++) average[i] = one[i] = before[i] = random_number(&seed);
            average[*n] = 77;
            kernels[isa](*dtype, *n, average, w, 0.3);
            for (int i = 0; i < *n; i++) {
                kernels[isa](*dtype, 1, &one[i], (char *)w + (size_t)i * size, 0.3);
                cr_expect_float_eq(average[i], 0.7 * before[i] + 0.3 * get(*dtype, w, i), 1e-15);
            }
            cr_expect(!memcmp(one, average, (size_t)*n * sizeof *one) && average[*n] == 77, "isa %d, n %d", isa, *n);
        }
}
