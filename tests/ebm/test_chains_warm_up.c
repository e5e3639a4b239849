/* Warm-up: it reaches the acceptance that was asked for, and nothing after it adapts. */
#include "sampling.h"

static const density unit = {"unit", 1, 0, 0, -8, 8}, wells = {"two wells", -2, 1, 0.3, -5, 5};

enum { ROWS = 2000 };

static ebm_chains *placed(ebm_model *model, const ebm_sampler *sampler, double step, int64_t rows)
{
    double x[ROWS];
    ebm_chains *chains;
    uint64_t seed = 5;
    for (int r = 0; r < rows; r++) x[r] = 4 * sampling_uniform(&seed) - 2;
    OK(ebm_chains_new(model, &(ebm_chain_options){.sampler = sampler, .step = step}, &chains, ERROR));
    OK(ebm_chains_start(chains, x, rows, ERROR));
    return chains;
}

Test(warm_up, reaches_its_target_from_steps_far_off)
{
    static const ebm_sampler *const samplers[] = {&ebm_random_walk, &ebm_mala, &ebm_hmc};
    static const double first[] = {1e-3, 30}, wanted[] = {0, 0.6}, own[] = {0.44, 0.574, 0.8};
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++)
        for (int k = 0; k < COUNT(samplers) * 4; k++) {
            if (!in_sweep(k + dtype, 5)) continue;
            ebm_model *model = density_model(&wells, dtype, NULL);
            ebm_chains *chains = placed(model, samplers[k / 4], first[k % 2], ROWS);
            OK(ebm_chains_warm_up(chains, 300, wanted[k / 2 % 2], 7, ERROR));
            cr_assert(isnan(ebm_chains_acceptance(chains)));
            OK(ebm_chains_run(chains, 20, 7, 0, ERROR));
            double target = k / 2 % 2 ? 0.6 : own[k / 4], rate = ebm_chains_acceptance(chains);
            cr_assert(fabs(rate - target) < 0.04, "%s from %g: %g, not %g", samplers[k / 4]->name, first[k % 2], rate,
                      target);
            ebm_chains_free(chains);
            ebm_model_free(model);
        }
}

/* One chain gives nothing but 0 or 1 a step: the average is near all the same. */
Test(warm_up, works_with_a_single_chain)
{
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = placed(model, &ebm_random_walk, 0.01, 1);
    OK(ebm_chains_warm_up(chains, 3000, 0.5, 2, ERROR));
    OK(ebm_chains_run(chains, 4000, 3, 0, ERROR));
    cr_assert_float_eq(ebm_chains_acceptance(chains), 0.5, 0.1);
    ebm_chains_free(chains);
    ebm_model_free(model);
}

/* The run after a warm-up is, bit for bit, the run of chains that were made with the frozen step and put there. */
Test(warm_up, the_run_that_is_reported_does_not_adapt)
{
    enum { FEW = 50, WARM = 100 };
    double x[FEW], a[FEW], b[FEW];
    ebm_model *model = density_model(&wells, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = placed(model, &ebm_mala, 0.01, FEW), *fresh;
    OK(ebm_chains_warm_up(chains, WARM, 0, 7, ERROR));
    double step = ebm_chains_step(chains);
    ebm_chains_get(chains, x);
    OK(ebm_chains_run(chains, 200, 8, 0, ERROR));
    cr_assert_eq(ebm_chains_step(chains), step);
    cr_assert(step > 0.02 && step < 10);
    OK(ebm_chains_new(model, &(ebm_chain_options){.sampler = &ebm_mala, .step = step}, &fresh, ERROR));
    OK(ebm_chains_start(fresh, x, FEW, ERROR));
    OK(ebm_chains_run(fresh, 200, 8, WARM, ERROR));
    ebm_chains_get(chains, a);
    ebm_chains_get(fresh, b);
    cr_assert_arr_eq(a, b, sizeof a);
    cr_assert_eq(ebm_chains_acceptance(chains), ebm_chains_acceptance(fresh));
    ebm_chains_free(chains);
    ebm_chains_free(fresh);
    ebm_model_free(model);
}

/* A well without a floor to the right of 1. */
static ad_var cliff_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    ad_var inside = ad_less(x, ad_constant(x.tape, 1));
    return ad_sum(ad_select(inside, ad_scale(ad_square(x), 0.5), ad_constant(x.tape, -INFINITY)));
}

Test(warm_up, refuses)
{
    static const ebm_sampler *const stepless[] = {&ebm_ula, &ebm_gibbs, &ebm_independence_mh};
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_chains *chains = placed(model, &ebm_mala, 0.5, 3), *idle;
    ebm_proposal *q;
    double x = 0.5;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){1}, NULL, &q, ERROR));
    FAILS(GIBBS_ARGUMENT, "0 steps", ebm_chains_warm_up(chains, 0, 0, 1, FAIL));
    FAILS(GIBBS_ARGUMENT, "no target", ebm_chains_warm_up(chains, 5, 1, 1, FAIL));
    FAILS(GIBBS_ARGUMENT, "no target", ebm_chains_warm_up(chains, 5, NAN, 1, FAIL));
    FAILS(GIBBS_ARGUMENT, "warm_up: a required pointer", ebm_chains_warm_up(NULL, 5, 0, 1, FAIL));
    cr_assert_eq(ebm_chains_step(chains), 0.5);
    ebm_chains_free(chains);
    for (int k = 0; k < COUNT(stepless); k++) {
        OK(ebm_chains_new(model, &(ebm_chain_options){.sampler = stepless[k], .step = 1, .proposal = q}, &idle, ERROR));
        FAILS(GIBBS_ARGUMENT, stepless[k]->name, ebm_chains_warm_up(idle, 5, 0, 1, FAIL));
        ebm_chains_free(idle);
    }
    OK(ebm_chains_new(model, &(ebm_chain_options){.step = 1}, &idle, ERROR));
    FAILS(GIBBS_ARGUMENT, "before a start", ebm_chains_warm_up(idle, 5, 0, 1, FAIL));
    ebm_chains_free(idle);
    ebm_model *cliff = energy_model(1, cliff_energy);
    OK(ebm_chains_new(cliff, &(ebm_chain_options){.sampler = &ebm_random_walk, .step = 3}, &idle, ERROR));
    OK(ebm_chains_start(idle, &x, 1, ERROR));
    FAILS(GIBBS_NUMERIC, "after the moves", ebm_chains_warm_up(idle, 500, 0, 1, FAIL));
    cr_assert_eq(ebm_chains_step(idle), 3);
    ebm_chains_free(idle);
    ebm_model_free(cliff);
    ebm_model_free(model);
    ebm_proposal_free(q);
}
