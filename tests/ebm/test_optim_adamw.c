/* AdamW by sequences worked out elsewhere, in closed form, and where it is Adam or must not be. */
#include "optim_helpers.h"

#include <criterion/criterion.h>
#include <gibbs/optim.h>
#include <math.h>
#include <string.h>

/* w after each step from w = 1, with these gradients: worked out with 40 digits. PyTorch's AdamW in float64 agrees to
 * 2e-16. */
enum { GIVEN = 4 };
static const double given[GIVEN] = {1, -2, 0.5, 4};
static const struct {
    ebm_optim_step args;
    double w[GIVEN];
} worked_out[] = {
    {{.rate = 0.125, .beta1 = 0.75, .beta2 = 0.875, .epsilon = 0.015625, .weight_decay = 0.5},
     {0.814423076923076923, 0.818362860787689726, 0.785085913755648651, 0.668074210365393719}},
    {{.rate = 0.1, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01},
     {0.899000000999999984, 0.934711353471075083, 0.947445708319350646, 0.901620054312365697}},
};

/* The largest distance from the sequences, of an optimiser that may be another. */
static double distance(const ebm_optimizer *optimizer)
{
    double worst = 0;
    for (size_t k = 0; k < sizeof worked_out / sizeof *worked_out; k++) {
        double w = 1, state[2] = {0};
        ebm_optim_step args = worked_out[k].args;
        for (args.step = 0; args.step < GIVEN; args.step++) {
            optimizer->update(GIBBS_FLOAT64, 1, &w, &given[args.step], state, &args);
            worst = fmax(worst, fabs(w - worked_out[k].w[args.step]));
        }
    }
    return worst;
}

Test(optim_adamw, sequences)
{
    cr_expect(distance(&ebm_adamw) <= 1e-15, "%g", distance(&ebm_adamw));
    cr_expect(distance(&ebm_adam) > 1e-3, "control: an L2 penalty is another method");
}

/* Without a gradient Adam stands still, and what is left is the product of (1 − rateₜ λ). */
Test(optim_adamw, decay_follows_the_schedule)
{
    enum { STEPS = 50 };
    ebm_optim_step args = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.3};
    EACH(gibbs_dtype, dtype, dtypes) {
        double w[3] = {0}, g[3] = {0}, state[6] = {0}, left = 1, eps = *dtype == GIBBS_FLOAT32 ? 1e-5 : 1e-14;
        for (int i = 0; i < 3; i++) put(*dtype, w, i, i - 1.5);
        for (args.step = 0; args.step < STEPS; args.step++) {
            args.rate = ebm_schedule_rate(EBM_SCHEDULE_COSINE, 0.2, args.step, STEPS);
            left *= 1 - args.rate * args.weight_decay;
            ebm_adamw.update(*dtype, 3, w, g, state, &args);
        }
        for (int i = 0; i < 3; i++) cr_expect_float_eq(get(*dtype, w, i), (i - 1.5) * left, eps);
    }
}

Test(optim_adamw, is_adam_without_decay)
{
    EACH(gibbs_dtype, dtype, dtypes) EACH(int, n, sizes) {
        double w[2][LARGEST] = {{0}}, g[LARGEST] = {0}, state[2][2 * LARGEST] = {{0}};
        uint64_t seed = 21;
        ebm_optim_step args = {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
        for (int i = 0; i < *n; i++) put(*dtype, w[0], i, random_number(&seed));
        memcpy(w[1], w[0], sizeof w[0]);
        for (args.step = 0; args.step < 20; args.step++) {
            for (int i = 0; i < *n; i++) put(*dtype, g, i, random_number(&seed));
            ebm_adam.update(*dtype, *n, w[0], g, state[0], &args);
            ebm_adamw.update(*dtype, *n, w[1], g, state[1], &args);
        }
        cr_expect(!memcmp(w[0], w[1], sizeof w[0]) && !memcmp(state[0], state[1], sizeof state[0]), "n %d", *n);
    }
}

/* Gradients a thousand times as large leave AdamW's path where it is (ε = 0); an L2 penalty loses its weight. */
Test(optim_adamw, decay_does_not_see_the_gradients_scale)
{
    static const ebm_optimizer *const both[] = {&ebm_adamw, &ebm_adam};
    for (int o = 0; o < 2; o++) {
        double end[2];
        for (int run = 0; run < 2; run++) {
            double w = 2, state[2] = {0}, g;
            ebm_optim_step args = {.rate = 0.05, .beta1 = 0.9, .beta2 = 0.99, .weight_decay = 0.4};
            for (args.step = 0; args.step < 30; args.step++) {
                g = (run ? 1024 : 1) * cos((double)args.step);
                both[o]->update(GIBBS_FLOAT64, 1, &w, &g, state, &args);
            }
            end[run] = w;
        }
        double gap = fabs(end[0] - end[1]);
        cr_expect(o == 0 ? gap <= 1e-15 : gap > 0.1, "%s: %g", both[o]->name, gap);
    }
}
