/* The exact rank test of block Gibbs on the visible units of restricted Boltzmann machines: a step v → h → v′ through
 * hidden units that are forgotten is reversible. Binary and Gaussian visibles; a wrong conditional is noticed. */
#include <gibbs/extend.h>

#include "rank_check.h"

enum { NV = 4, NH = 3, STATES = 1 << NH };

static ebm_model *machine(int gaussian)
{
    ebm_model *model;
    ebm_rbm_spec spec = {.visible = NV, .hidden = NH, .gaussian = gaussian, .sd = gaussian * 0.8,
                         .weight_sd = gaussian ? 0.4 : 1, .dtype = GIBBS_FLOAT64, .seed = 6};
    OK(ebm_model_rbm(&spec, &model, ERROR));
    double *theta = ebm_model_theta(model);
    for (int i = 0; i < NV + NH; i++) theta[NV * NH + i] = 0.7 * sin(3 * i);
    return model;
}

/* Σ_v exp(−E(v, h)) of each state of the hidden units, as a part of their sum; Wh is kept. */
static void hidden_weights(const double *theta, int gaussian, double weight[STATES], double field[STATES][NV])
{
    const double *a = theta + NV * NH, *b = a + NV, variance = 0.64;
    double sum = 0;
    for (int s = 0; s < STATES; s++) {
        double log_w = 0;
        for (int j = 0; j < NH; j++) log_w += (s >> j & 1) * b[j];
        for (int i = 0; i < NV; i++) {
            double u = 0;
            for (int j = 0; j < NH; j++) u += (s >> j & 1) * theta[i * NH + j];
            field[s][i] = a[i] + u;
            log_w += gaussian ? (a[i] * u + u * u / 2) / variance : log1p(exp(a[i] + u));
        }
        sum += weight[s] = exp(log_w);
    }
    for (int s = 0; s < STATES; s++) weight[s] /= sum;
}

static double *exact_draws(const double *theta, int gaussian)
{
    double weight[STATES], field[STATES][NV], *x = sampling_room(RANK_ROWS * NV, sizeof *x);
    uint64_t seed = 12;
    hidden_weights(theta, gaussian, weight, field);
    for (int64_t r = 0; r < RANK_ROWS; r++) {
        double u = sampling_uniform(&seed);
        int s = 0;
        while (s < STATES - 1 && (u -= weight[s]) > 0) s++;
        for (int i = 0; i < NV; i++) {
            double first = sampling_uniform(&seed), second = sampling_uniform(&seed);
            if (gaussian) x[r * NV + i] = field[s][i] + 0.8 * sqrt(-2 * log(first)) * cos(2 * M_PI * second);
            else x[r * NV + i] = first < 1 / (1 + exp(-field[s][i]));
        }
    }
    return x;
}

static double weighted(const double *x)
{
    double sum = 0;
    for (int i = 0; i < NV; i++) sum += x[i] * (1 + 1.7 * i * i);
    return sum;
}

/* The log odds of the hidden units, all too large by 2. */
static ebm_blocks right;
static void off(ad_var other, const ad_var *theta, void *context, ad_var *parameter)
{
    right.hidden.given(other, theta, context, parameter);
    parameter[0] = ad_shift(parameter[0], 2);
}

static double judge(int gaussian, bool wrong)
{
    ebm_model *model = machine(gaussian);
    OK(ebm_model_blocks(model, &right, ERROR));
    ebm_blocks blocks = right;
    if (wrong) blocks.hidden.given = off;
    double *x0 = exact_draws(ebm_model_theta(model), gaussian);
    double z = rank_z(model, &(ebm_chain_options){.sampler = &ebm_block_gibbs, .step = 1, .blocks = &blocks}, x0,
                      weighted);
    ebm_model_free(model);
    free(x0);
    return z;
}

Test(samplers_rank_blocks, block_gibbs_is_reversible)
{
    for (int gaussian = 0; gaussian < 2; gaussian++) {
        cr_assert_lt(judge(gaussian, false), 4.3, "Gaussian %d: %.2f", gaussian, judge(gaussian, false));
        cr_assert_gt(judge(gaussian, true), 6, "Gaussian %d, off: %.2f", gaussian, judge(gaussian, true));
    }
}
