/* Samplers leave their density as it is, and find it from far away: MALA and independence MH on Gaussians of several
 * precisions and on a density with two wells, ULA on its own biased Gaussian. Wrong samplers, which these checks must
 * notice: test_samplers_controls.c. */
#include "chain_check.h"

enum { CHAINS = 40000 };
static const double EXACT = NAN; /* where chains start */

#define GAUSSIAN(precision, reach) {"gaussian of precision " #precision, precision, 0, 0, -(reach), reach}
static const density broad = GAUSSIAN(0.5, 11), unit = GAUSSIAN(1, 8), narrow = GAUSSIAN(30, 1.5);
static const density wells = {"two wells", -2, 1, 0.3, -5, 5};
/* ULA with step 0.1 on precision 4 and 0.5 on precision 1: precision λ(1 − hλ/2) */
static const density four = GAUSSIAN(4, 4), ula_four = GAUSSIAN(3.2, 5), ula_unit = GAUSSIAN(0.75, 9.5);

static const chain_setting settings[] = {
    {&broad, &ebm_mala, 1.5, 10, EXACT, &broad},
    {&unit, &ebm_mala, 0.05, 10, EXACT, &unit},
    {&unit, &ebm_mala, 1.2, 10, EXACT, &unit},
    {&narrow, &ebm_mala, 0.03, 10, EXACT, &narrow},
    {&wells, &ebm_mala, 0.3, 10, EXACT, &wells},
    {&wells, &ebm_mala, 0.02, 30, EXACT, &wells},
    {&broad, &ebm_independence_mh, 1, 10, EXACT, &broad},
    {&unit, &ebm_independence_mh, 1, 10, EXACT, &unit},
    {&narrow, &ebm_independence_mh, 1, 10, EXACT, &narrow},
    {&wells, &ebm_independence_mh, 1, 10, EXACT, &wells},
    {&four, &ebm_ula, 0.1, 10, EXACT, &ula_four},
    {&unit, &ebm_ula, 0.5, 10, EXACT, &ula_unit},
    /* from far away */
    {&unit, &ebm_mala, 0.8, 60, 5, &unit},
    {&narrow, &ebm_mala, 0.03, 60, -1, &narrow},
    {&wells, &ebm_mala, 0.3, 400, 2.5, &wells},
    {&unit, &ebm_independence_mh, 1, 100, 4, &unit},
    {&wells, &ebm_independence_mh, 1, 200, 2.5, &wells},
    {&four, &ebm_ula, 0.1, 60, 3, &ula_four},
};

static void check(gibbs_dtype dtype)
{
    for (int k = 0; k < COUNT(settings); k++) {
        const chain_setting *s = &settings[k];
        chain_verdict v = chain_judge(s, dtype, CHAINS);
        cr_assert(chain_verdict_worst(v) < 4 && v.ks < 2.1, "%d, %s on the %s: %.2f, %.2f, K-S %.2f", k,
                  s->sampler->name, s->target->name, v.mean, v.square, v.ks);
        if (s->sampler == &ebm_ula) cr_assert_eq(v.acceptance, 1);
        else cr_assert(v.acceptance > 0.05 && v.acceptance < 1, "%g", v.acceptance);
    }
}

Test(samplers, keep_and_find_their_density) { check(GIBBS_FLOAT64); }
Test(samplers, keep_and_find_their_density_in_float32) { check(GIBBS_FLOAT32); }

/* x_k of ULA from 0 has variance (1 − (1 − hλ)²ᵏ)/(λ(1 − hλ/2)): at every k, not only in the limit. */
Test(samplers, ula_has_its_variance_at_every_step)
{
    const double h = 0.1, precision = 4;
    for (int64_t steps = 1; steps <= 5; steps++) {
        double variance = (1 - pow(1 - h * precision, 2. * (double)steps)) / (precision * (1 - h * precision / 2));
        density truth = {"after k steps", 1 / variance, 0, 0, -9 * sqrt(variance), 9 * sqrt(variance)};
        chain_verdict v = chain_judge(&(chain_setting){&four, &ebm_ula, h, steps, 0, &truth}, GIBBS_FLOAT64, CHAINS);
        cr_assert(chain_verdict_worst(v) < 4 && v.ks < 2.1, "%ld steps: %.2f, %.2f", (long)steps, v.mean, v.square);
    }
}

/* In several dimensions, with correlations: whitened ends are N(0, I). Energies by matrix products. */
Test(samplers, mala_on_a_correlated_gaussian)
{
    enum { D = 3 };
    const double precision[] = {2, -0.8, 0.3, -0.8, 1, 0.1, 0.3, 0.1, 0.5}, mean[] = {1, 0, -1};
    double *x = sampling_room(D * CHAINS, sizeof *x), theta[D + D * D], first[D] = {0}, second[D][D] = {{0}};
    ebm_model *model;
    ebm_chains *chains;
    OK(ebm_model_gaussian(D, GIBBS_FLOAT64, NULL, &model, ERROR));
    memcpy(theta, mean, sizeof mean);
    memcpy(theta + D, precision, sizeof precision);
    ebm_model_set(model, theta);
    OK(ebm_chains_new(model, &(ebm_chain_options){.sampler = &ebm_mala, .step = 0.3}, &chains, ERROR));
    OK(ebm_chains_start(chains, x, CHAINS, ERROR));
    OK(ebm_chains_run(chains, 150, 6, 0, ERROR));
    ebm_chains_get(chains, x);
    for (int r = 0; r < CHAINS; r++) /* E (x − μ)(P(x − μ))ᵀ = I */
        for (int i = 0; i < D; i++) {
            double score = 0;
            for (int j = 0; j < D; j++) score += precision[D * i + j] * (x[D * r + j] - mean[j]);
            first[i] += score / sqrt(precision[D * i + i]);
            for (int j = 0; j < D; j++) second[i][j] += score * (x[D * r + j] - mean[j]) - (i == j);
        }
    /* var((Pz)ᵢ zⱼ) = Pᵢᵢ Cⱼⱼ + δᵢⱼ, with C = P⁻¹; Cⱼⱼ below 5 here, by the smallest eigenvalue */
    for (int i = 0; i < D; i++) {
        cr_assert_lt(fabs(first[i]) / sqrt(CHAINS), 4);
        for (int j = 0; j < D; j++)
            cr_assert_lt(fabs(second[i][j]) / sqrt((precision[D * i + i] * 5 + (i == j)) * CHAINS), 4, "%d, %d", i, j);
    }
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
}
