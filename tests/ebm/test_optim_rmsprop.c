/* RMSprop by sequences worked out elsewhere, and in closed form. */
#include "optim_helpers.h"

#include <criterion/criterion.h>
#include <gibbs/optim.h>
#include <math.h>

/* w after each step from w = 1, with these gradients: worked out with 40 digits. PyTorch's RMSprop in float64 agrees to
 * 2e-16. */
enum { GIVEN = 4 };
static const double given[GIVEN] = {1, -2, 0.5, 4};
static const struct {
    ebm_optim_step args;
    double w[GIVEN];
} worked_out[] = {
    {{.rate = 0.125, .beta2 = 0.75, .epsilon = 0.015625},
     {0.757575757575757576, 0.983748517095891738, 0.920738527439470282, 0.692114224808519343}},
    {{.rate = 0.125, .beta2 = 0.75, .epsilon = 0.015625, .momentum = 0.5},
     {0.757575757575757576, 0.862536395883770526, 0.852006725381355545, 0.618117587499197115}},
    {{.rate = 0.01, .beta2 = 0.99, .epsilon = 1e-8, .momentum = 0.9},
     {0.900000009999999042, 0.899532311199151332, 0.877164030614285074, 0.770031228249014959}},
};

typedef void change(ebm_optim_step *args);
static void nothing(ebm_optim_step *args) { (void)args; }
static void no_momentum(ebm_optim_step *args) { args->momentum = 0; }
static void epsilon_in_the_root(ebm_optim_step *args) { args->epsilon = sqrt(args->epsilon); }

static double distance(change *modify)
{
    double worst = 0;
    for (size_t k = 0; k < sizeof worked_out / sizeof *worked_out; k++) {
        double w = 1, state[2] = {0};
        ebm_optim_step args = worked_out[k].args;
        modify(&args);
        for (args.step = 0; args.step < GIVEN; args.step++) {
            ebm_rmsprop.update(GIBBS_FLOAT64, 1, &w, &given[args.step], state, &args);
            worst = fmax(worst, fabs(w - worked_out[k].w[args.step]));
        }
    }
    return worst;
}

Test(optim_rmsprop, sequences)
{
    cr_expect(distance(nothing) <= 1e-15, "%g", distance(nothing));
    cr_expect(distance(no_momentum) > 1e-3 && distance(epsilon_in_the_root) > 1e-3, "controls");
}

/* For a constant gradient v after t steps is g²(1 − αᵗ): steps of rate/√(1 − αᵗ), whatever the size of g. */
Test(optim_rmsprop, constant_gradients)
{
    enum { STEPS = 40 };
    static const double gradients[] = {1e-3, -1, 1e3};
    for (int k = 0; k < 3; k++) {
        double w = 0, state[2] = {0}, expected = 0;
        ebm_optim_step args = {.rate = 0.01, .beta2 = 0.96875};
        for (args.step = 0; args.step < STEPS; args.step++) {
            ebm_rmsprop.update(GIBBS_FLOAT64, 1, &w, &gradients[k], state, &args);
            expected -= copysign(args.rate, gradients[k]) / sqrt(1 - pow(args.beta2, (double)(args.step + 1)));
            cr_expect_float_eq(w, expected, 1e-15 * (double)(args.step + 1), "step %d", (int)args.step);
        }
    }
}

/* Momentum's velocities add up: with a gradient that stops, uₜ = μᵗ u₀, and the way on is rate·u₀ μ(1 − μᵗ)/(1 − μ). */
Test(optim_rmsprop, momentum_goes_on)
{
    double w = 0, state[2] = {0}, g = 3;
    ebm_optim_step args = {.rate = 0.5, .momentum = 0.75, .beta2 = 0.75};
    ebm_rmsprop.update(GIBBS_FLOAT64, 1, &w, &g, state, &args);
    cr_expect_float_eq(w, -1, 1e-15); /* u₀ = 3/√(¼·9) = 2 */
    for (g = 0, args.step = 1; args.step < 9; args.step++)
        ebm_rmsprop.update(GIBBS_FLOAT64, 1, &w, &g, state, &args);
    cr_expect_float_eq(w, -1 - 3 * (1 - pow(0.75, 8)), 1e-15 * 8);
}
