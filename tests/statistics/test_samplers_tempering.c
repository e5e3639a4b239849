/* Parallel tempering: every rung of the ladder keeps and finds its own density, and the cold one crosses a barrier that
 * chains alone do not. Also random walks and Hamiltonian Monte Carlo, by their moments and their whole distribution. */
#include "chain_check.h"

enum { CHAINS = 8000, LADDERS = 2500, RUNGS = 3 };
static const double BETA[RUNGS] = {1, 0.4, 0.1};
static const density deep = {"deep wells", -18, 9, 1, -3, 3};

/* exp(−βE) */
static density tempered(const density *p, double beta)
{
    double reach = 2.5 / sqrt(beta);
    return (density){p->name, beta * p->a, beta * p->b, beta * p->c, -fmin(reach, 8), fmin(reach, 8)};
}

/* All start in one well; the largest K-S distance and swap rate. */
static double worst_rung(const ebm_chain_options *options, const double *believed, int64_t steps, double *swapped)
{
    double *x = sampling_room(LADDERS * RUNGS, sizeof *x), *f = sampling_room(LADDERS, sizeof *f), worst = 0;
    ebm_model *model = density_model(&deep, GIBBS_FLOAT64, NULL);
    ebm_chains *chains;
    for (int r = 0; r < LADDERS * RUNGS; r++) x[r] = 1.4;
    OK(ebm_chains_new(model, options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, LADDERS * RUNGS, ERROR));
    OK(ebm_chains_run(chains, steps, 5, 0, ERROR));
    ebm_chains_get(chains, x);
    *swapped = ebm_chains_swapped(chains);
    for (int i = 0; i < RUNGS; i++) {
        density d = tempered(&deep, believed[i]);
        grid *g = grid_new(&d);
        for (int r = 0; r < LADDERS; r++) f[r] = grid_cdf(g, x[r * RUNGS + i]);
        worst = fmax(worst, sampling_ks(f, LADDERS));
        free(g);
    }
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
    free(f);
    return worst;
}

Test(samplers_tempering, every_rung_finds_its_density)
{
    static const ebm_sampler *const samplers[] = {&ebm_random_walk, &ebm_mala, &ebm_hmc};
    static const double steps[] = {0.4, 0.03, 0.12};
    for (int k = 0; k < COUNT(samplers); k++) {
        ebm_chain_options options = {.sampler = samplers[k], .step = steps[k], .inverse_temperatures = BETA,
                                     .temperatures = RUNGS, .swap_every = 3, .leapfrog_steps = 3};
        double swapped, ks = worst_rung(&options, BETA, 900, &swapped);
        cr_assert_lt(ks, 2.3, "%s: %.2f", samplers[k]->name, ks);
        cr_assert(swapped > 0.1 && swapped < 0.9, "%g", swapped);
    }
}

/* Without swaps the cold chains stay in the well where they began, and a ladder that is believed to be another one is
 * noticed. */
Test(samplers_tempering, control_no_swaps_and_other_temperatures_are_noticed)
{
    const double other[RUNGS] = {1, 0.4, 0.3};
    ebm_chain_options options = {.sampler = &ebm_random_walk, .step = 0.4, .inverse_temperatures = BETA,
                                 .temperatures = RUNGS, .swap_every = 3};
    double swapped;
    cr_assert_gt(worst_rung(&options, other, 600, &swapped), 3);
    options.swap_every = 1000000;
    cr_assert_gt(worst_rung(&options, BETA, 600, &swapped), 10);
    cr_assert(isnan(swapped));
}

/* ---- Random walk and HMC without temperatures ---- */

static const density unit = {"unit", 1, 0, 0, -8, 8}, narrow = {"narrow", 30, 0, 0, -1.5, 1.5};
static const density wells = {"two wells", -2, 1, 0.3, -5, 5};

Test(samplers_tempering, random_walks_and_hmc_keep_and_find_their_density)
{
    static const chain_setting settings[] = {
        {&unit, &ebm_random_walk, 2, 10, NAN, &unit},      {&narrow, &ebm_random_walk, 0.4, 10, NAN, &narrow},
        {&wells, &ebm_random_walk, 1, 10, NAN, &wells},    {&unit, &ebm_hmc, 0.15, 5, NAN, &unit},
        {&narrow, &ebm_hmc, 0.03, 5, NAN, &narrow},        {&wells, &ebm_hmc, 0.2, 5, NAN, &wells},
        {&unit, &ebm_random_walk, 2, 100, 5, &unit},       {&wells, &ebm_random_walk, 1.5, 200, 2.5, &wells},
        {&unit, &ebm_hmc, 0.13, 30, 5, &unit},             {&wells, &ebm_hmc, 0.2, 60, 2.5, &wells},
    };
    for (int k = 0; k < 2 * COUNT(settings); k++) {
        const chain_setting *s = &settings[k / 2];
        chain_verdict v = chain_judge(s, k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64, CHAINS);
        cr_assert(chain_verdict_worst(v) < 4.3 && v.ks < 2.3, "%d, %s on the %s: %.2f, %.2f, K-S %.2f", k,
                  s->sampler->name, s->target->name, v.mean, v.square, v.ks);
        cr_assert(v.acceptance > 0.05 && v.acceptance < 1, "%g", v.acceptance);
    }
}

/* A diagonal mass that is the precision makes a stretched Gaussian a round one: the same steps, each coordinate
 * scaled. */
Test(samplers_tempering, a_mass_is_a_scale)
{
    enum { ROWS = 50 };
    const double precision[] = {25, 0, 0, 0.04}, round[] = {1, 0, 0, 1}, mean[] = {0, 0}, mass[] = {25, 0.04};
    static const ebm_sampler *const samplers[] = {&ebm_hmc, &ebm_random_walk};
    double y[2 * ROWS] = {0};
    for (int k = 0; k < 4; k++) {
        double x[2 * ROWS], theta[6];
        ebm_model *model;
        ebm_chains *chains;
        OK(ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &model, ERROR));
        memcpy(theta, mean, sizeof mean);
        memcpy(theta + 2, k % 2 ? precision : round, sizeof precision);
        ebm_model_set(model, theta);
        ebm_chain_options options = {.sampler = samplers[k / 2], .step = 0.5, .mass = k % 2 ? mass : NULL};
        for (int i = 0; i < 2 * ROWS; i++) x[i] = sin(i) / (k % 2 ? sqrt(mass[i % 2]) : 1);
        OK(ebm_chains_new(model, &options, &chains, ERROR));
        OK(ebm_chains_start(chains, x, ROWS, ERROR));
        OK(ebm_chains_run(chains, 20, 8, 0, ERROR));
        ebm_chains_get(chains, x);
        for (int i = 0; k % 2 && i < 2 * ROWS; i++) cr_assert_float_eq(x[i] * sqrt(mass[i % 2]), y[i], 1e-9);
        memcpy(y, x, sizeof y);
        ebm_chains_free(chains);
        ebm_model_free(model);
    }
}
