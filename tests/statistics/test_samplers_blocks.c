/* Block Gibbs on restricted Boltzmann machines that are small enough to list: visible states of the free energy,
 * pairs (v, h) of the joint form, at other temperatures as well; and Gaussian visibles by their moments. */
#include "ebm/discrete_space.h"

enum { NV = 3, NH = 3, ROWS = 20000 };
static const double W[NV * NH] = {1.2, -0.7, 0.4, -1.1, 0.9, 0.8, 0.5, 1.3, -0.6}, A[NV] = {-0.3, 0.4, -0.8},
                    B[NH] = {0.2, -0.5, 0.3}, SD = 0.6;

static ad_var weights(ad_tape *t) { return ad_constant_array(t, ad_mat(NV, NH), W); }
static ad_var bias(ad_tape *t, const double *b) { return ad_constant_array(t, ad_vec(3), b); }

/* ---- Binary units ---- */

static ad_var free_energy(ad_var v, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_rbm_free_energy(v, weights(v.tape), bias(v.tape, A), bias(v.tape, B));
}

static ad_var joint_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    ad_var v = ad_slice(x, 0, 0, NV), h = ad_slice(x, 0, NV, NH);
    ad_var fields = ad_add(ad_dot(v, bias(x.tape, A)), ad_dot(h, bias(x.tape, B)));
    return ad_neg(ad_add(fields, ad_dot(ad_matmul(v, weights(x.tape)), h)));
}

static void hidden_given(ad_var v, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    const double *factor = context; /* of the weights: not 1 is a mistake */
    parameter[0] = ad_add(bias(v.tape, B), ad_scale(ad_matmul(v, weights(v.tape)), *factor));
}

static void visible_given(ad_var h, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    (void)context;
    parameter[0] = ad_add(bias(h.tape, A), ad_matmul(weights(h.tape), h));
}

static const double RIGHT = 1, WRONG = 1.8;

static ebm_blocks blocks_of(int joint, const double *factor)
{
    return (ebm_blocks){.visible = {EBM_UNIT_BINARY, NV, visible_given}, .hidden = {EBM_UNIT_BINARY, NH, hidden_given},
                        .joint = joint, .context = (void *)factor};
}

static double judge(int joint, const double *factor, const double *beta, gibbs_dtype dtype)
{
    int64_t dim = joint ? NV + NH : NV;
    double *x = sampling_room(ROWS * dim, sizeof *x);
    ebm_blocks blocks = blocks_of(joint, factor);
    ebm_chain_options options = {.sampler = &ebm_block_gibbs, .step = 1, .blocks = &blocks,
                                 .inverse_temperatures = beta, .temperatures = beta ? 1 : 0};
    ebm_model_spec spec = {.dtype = dtype, .dim = dim, .energy = joint ? joint_energy : free_energy};
    ebm_model *model;
    ebm_chains *chains;
    OK(ebm_model_new(&spec, &model, ERROR));
    space s = space_list(model, &(ebm_space){0});
    double total = 0;
    for (int k = 0; beta && k < s.states; k++) total += s.p[k] = pow(s.p[k], *beta);
    for (int k = 0; beta && k < s.states; k++) s.p[k] /= total;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, 40, 4, 0, ERROR));
    ebm_chains_get(chains, x);
    cr_assert_eq(ebm_chains_acceptance(chains), 1);
    double z = space_chi_square(&s, x, ROWS);
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
    return z;
}

Test(samplers_blocks, binary_machines)
{
    const double warm = 0.4;
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        cr_assert_lt(judge(0, &RIGHT, NULL, dtype), 4.3);
        cr_assert_lt(judge(1, &RIGHT, NULL, dtype), 4.3);
        cr_assert_lt(judge(1, &RIGHT, &warm, dtype), 4.3);
    }
}

Test(samplers_blocks, control_a_wrong_conditional_is_noticed)
{
    for (int joint = 0; joint < 2; joint++) {
        double z = judge(joint, &WRONG, NULL, GIBBS_FLOAT64);
        cr_assert_gt(z, 8, "%d: %.2f", joint, z);
    }
}

/* ---- Gaussian visibles: p(v) is a mixture of Gaussians N(a + Wh, sd²) with weights Σ_v exp(−E(v, h)) ---- */

static ad_var gaussian_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    ad_var v = ad_slice(x, 0, 0, NV), h = ad_slice(x, 0, NV, NH);
    ad_var spread = ad_scale(ad_sum(ad_square(ad_sub(v, bias(x.tape, A)))), 0.5 / (SD * SD));
    ad_var match = ad_scale(ad_dot(ad_matmul(v, weights(x.tape)), h), 1 / (SD * SD));
    return ad_sub(spread, ad_add(match, ad_dot(h, bias(x.tape, B))));
}

static void gaussian_hidden(ad_var v, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    (void)context;
    parameter[0] = ad_add(bias(v.tape, B), ad_scale(ad_matmul(v, weights(v.tape)), 1 / (SD * SD)));
}

static void gaussian_visible(ad_var h, const ad_var *theta, void *context, ad_var *parameter)
{
    visible_given(h, theta, context, parameter);
    parameter[1] = ad_constant(h.tape, SD);
}

/* E v₀, E v₀² and their variances under exp(−βE). */
static void gaussian_truth(double beta, double truth[2], double variance[2])
{
    double weight[1 << NH], total = 0, m[5] = {0};
    for (int k = 0; k < 1 << NH; k++) { /* ∫ exp(−βE) dv ∝ exp(β(b·h + a·u/sd² + ½|u|²/sd²)), u = Wh */
        double log_w = 0;
        for (int i = 0; i < NV; i++) {
            double u = 0;
            for (int j = 0; j < NH; j++) u += W[i * NH + j] * (k >> j & 1);
            log_w += (A[i] * u + 0.5 * u * u) / (SD * SD);
        }
        for (int j = 0; j < NH; j++) log_w += B[j] * (k >> j & 1);
        total += weight[k] = exp(beta * log_w);
    }
    for (int k = 0; k < 1 << NH; k++) {
        double mu = A[0], s = SD * SD / beta;
        for (int j = 0; j < NH; j++) mu += W[j] * (k >> j & 1);
        const double moment[5] = {1, mu, mu * mu + s, mu * mu * mu + 3 * mu * s,
                                  mu * mu * mu * mu + 6 * mu * mu * s + 3 * s * s};
        for (int p = 0; p < 5; p++) m[p] += weight[k] / total * moment[p];
    }
    for (int p = 0; p < 2; p++) truth[p] = m[p + 1], variance[p] = m[2 * p + 2] - m[p + 1] * m[p + 1];
}

static double worst_gaussian(double beta, double believed)
{
    double *x = sampling_room(ROWS * (NV + NH), sizeof *x), truth[2], variance[2], sum[2] = {0};
    ebm_blocks blocks = {.visible = {EBM_UNIT_GAUSSIAN, NV, gaussian_visible},
                         .hidden = {EBM_UNIT_BINARY, NH, gaussian_hidden}, .joint = 1};
    ebm_chain_options options = {.sampler = &ebm_block_gibbs, .step = 1, .blocks = &blocks,
                                 .inverse_temperatures = &beta, .temperatures = 1};
    ebm_model *model = energy_model(NV + NH, gaussian_energy);
    ebm_chains *chains;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, 150, 4, 0, ERROR));
    ebm_chains_get(chains, x);
    for (int r = 0; r < ROWS; r++)
        for (int p = 0; p < 2; p++) sum[p] += pow(x[r * (NV + NH)], p + 1);
    gaussian_truth(believed, truth, variance);
    double worst = 0;
    for (int p = 0; p < 2; p++) worst = fmax(worst, fabs(sum[p] / ROWS - truth[p]) / sqrt(variance[p] / ROWS));
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
    return worst;
}

Test(samplers_blocks, gaussian_visibles)
{
    double z = worst_gaussian(0.3, 0.3);
    cr_assert_lt(z, 4.5, "%g", z);
    cr_assert_gt(worst_gaussian(0.3, 0.36), 6); /* the control: another temperature is noticed */
}
