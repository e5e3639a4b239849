/* An energy that takes derivatives by its own x works wherever an energy does: in every loss, with noise on x, in every
 * sampler, tempered too, and of conditional models. It is the energy, number for number, that has its gradient written
 * out:
 *
 *     E₀(x) = Σ ½b x² + c log cosh x,   E = E₀ + ½a |∇E₀|²,   ∇E₀ = b x + c tanh x */
#include "loss_helpers.h"

enum { ROWS = 12, DIM = 4, GIVEN = 2 };

static ad_var base_of(ad_var x, const ad_var *theta)
{
    return ad_add(ad_scale(ad_mul(theta[1], ad_sum(ad_square(x))), 0.5), ad_mul(theta[2], ad_sum(ad_logcosh(x))));
}

static ad_var with(ad_var E, ad_var slope, const ad_var *theta)
{
    return ad_add(E, ad_scale(ad_mul(theta[0], ad_sum(ad_square(slope))), 0.5));
}

static ad_var derives(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var E = base_of(x, theta), slope;
    return ad_grad(E, &x, 1, &slope) ? slope : with(E, slope, theta);
}

static ad_var written(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return with(base_of(x, theta), ad_add(ad_mul(theta[1], x), ad_mul(theta[2], ad_tanh(x))), theta);
}

/* E₀ ignores x where b and c do: its slope is then zero, and not an error. */
static ad_var ignores(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var slope;
    ad_grad(ad_mul(theta[1], theta[2]), &x, 1, &slope);
    return ad_add(base_of(x, theta), ad_sum(slope));
}

static const ebm_parameter parameters[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 0.3},
                                           {"b", {0, {0}}, EBM_INIT_CONSTANT, 0.8},
                                           {"c", {0, {0}}, EBM_INIT_CONSTANT, 0.5}};
static const double labels[] = {0, 1, 1, 0};

static ebm_model *make(ebm_energy_fn energy, bool conditional)
{
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dim = DIM, spec.energy = energy, spec.parameters = parameters, spec.parameter_count = COUNT(parameters);
    if (conditional) spec.given = GIVEN, spec.labels = labels, spec.label_count = 2;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

typedef struct setting {
    bool conditional;
    double *x, *bits;
    ebm_proposal *q;
    ebm_points points;
} setting;

static setting setting_of(bool conditional)
{
    setting s = {conditional, normals(ROWS * DIM, 0, 1, 3), malloc(ROWS * DIM * sizeof(double)), NULL, {0}};
    int dim = conditional ? DIM - GIVEN : DIM;
    const double mean[DIM] = {0};
    double covariance[DIM * DIM] = {0};
    for (int i = 0; i < dim; i++) covariance[i * dim + i] = 2;
    for (int i = 0; i < ROWS * DIM; i++) s.bits[i] = (i / DIM + i) % 2;
    ebm_data data = table(s.x, ROWS, DIM);
    if (conditional) OK(ebm_proposal_regression_fit(&data, GIVEN, INFINITY, 1.5, NULL, &s.q, ERROR));
    else OK(ebm_proposal_gaussian_full(DIM, mean, covariance, NULL, &s.q, ERROR));
    OK(ebm_points_space(&(ebm_space){.variables = dim}, NULL, &s.points, ERROR));
    return s;
}

static void setting_free(setting *s)
{
    free(s->x), free(s->bits);
    ebm_proposal_free(s->q);
    ebm_points_free(&s->points);
}

/* ---- Losses ---- */

static total total_of(const setting *s, ebm_energy_fn energy, const ebm_loss *loss, const ebm_sampler *sampler)
{
    ebm_model *model = make(energy, s->conditional);
    ebm_loss_options o = {0};
    ebm_objective *objective;
    bool discrete = loss->check_row || loss == &ebm_loss_exact_ml || loss == &ebm_loss_conditional_ml ||
                    (sampler && sampler->discrete);
    o.proposal = loss == &ebm_loss_pcd ? NULL : s->q;
    o.points = &s->points, o.copies = 2, o.noise_ratio = 2, o.sampler = sampler, o.sampler_steps = 2;
    o.sampler_step = 0.1, o.noise_sd = 1;
    OK(ebm_objective_new(model, loss, &o, &objective, ERROR));
    OK(ebm_objective_bind(objective, discrete ? s->bits : s->x, ROWS, ERROR));
    OK(ebm_objective_refresh(objective, 3, 1, ERROR));
    total t = {.value = value_of(objective)};
    memcpy(t.gradient, ebm_objective_gradient(objective), (size_t)ebm_objective_size(objective) * sizeof(double));
    ebm_objective_free(objective);
    ebm_model_free(model);
    return t;
}

static void expect_same(const setting *s, const ebm_loss *loss, const ebm_sampler *sampler)
{
    total got = total_of(s, derives, loss, sampler), want = total_of(s, written, loss, sampler);
    expect_close(got.value, want.value, 1e-10, loss->name);
    for (int k = 0; k < COUNT(parameters); k++) expect_close(got.gradient[k], want.gradient[k], 1e-10, loss->name);
    cr_expect(fabs(want.value) > 1e-6, "%s: nothing to see", loss->name);
}

Test(model_derives, every_loss)
{
    static const ebm_loss *const losses[] = {
        &ebm_loss_ml_is, &ebm_loss_exact_ml, &ebm_loss_cd, &ebm_loss_pcd, &ebm_loss_improved_cd,
        &ebm_loss_score_matching, &ebm_loss_weighted_score_matching, &ebm_loss_denoising,
        &ebm_loss_denoising_autoencoder, &ebm_loss_sliced, &ebm_loss_sliced_reduced, &ebm_loss_nce,
        &ebm_loss_conditional_nce, &ebm_loss_ranking_nce, &ebm_loss_pseudo_likelihood, &ebm_loss_ratio_matching,
        &ebm_loss_ksd_rbf, &ebm_loss_ksd_imq, &ebm_loss_energy_penalty, &ebm_loss_conditional_ml,
        &ebm_loss_batch_ranking_nce,
    };
    for (int conditional = 0; conditional < 2; conditional++) {
        setting s = setting_of(conditional);
        for (int k = 0; k < COUNT(losses); k++)
            if (losses[k]->models != (conditional ? EBM_MODELS_WHOLE : EBM_MODELS_CONDITIONAL))
                expect_same(&s, losses[k], NULL);
        setting_free(&s);
    }
}

static ad_var critic(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[0], ad_sin(x));
}

Test(model_derives, a_learned_stein_discrepancy)
{
    double *x = normals(ROWS * DIM, 0, 1, 3), value[2];
    for (int k = 0; k < 2; k++) {
        ebm_model *model = make(k ? derives : written, false);
        ebm_objective *o;
        ebm_loss_options options = {0};
        options.field = critic;
        OK(ebm_objective_new(model, &ebm_loss_stein, &options, &o, ERROR));
        OK(ebm_objective_bind(o, x, ROWS, ERROR));
        value[k] = value_of(o);
        ebm_objective_free(o);
        ebm_model_free(model);
    }
    expect_close(value[1], value[0], 1e-12, "stein");
    free(x);
}

/* ---- Samplers ---- */

static void run_chains(const setting *s, ebm_energy_fn energy, const ebm_sampler *sampler, bool tempered, double *x)
{
    static const double ladder[] = {1, 0.5};
    ebm_model *model = make(energy, s->conditional);
    ebm_chains *chains;
    ebm_chain_options o = {.sampler = sampler, .step = 0.2, .leapfrog_steps = 3};
    if (tempered) o.inverse_temperatures = ladder, o.temperatures = 2;
    if (sampler->needs_proposal) o.proposal = s->q;
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    OK(ebm_chains_start(chains, sampler->discrete ? s->bits : s->x, ROWS, ERROR));
    OK(ebm_chains_run(chains, 5, 11, 0, ERROR));
    ebm_chains_get(chains, x);
    ebm_chains_free(chains);
    ebm_model_free(model);
}

Test(model_derives, every_sampler)
{
    static const ebm_sampler *const samplers[] = {&ebm_ula,  &ebm_mala, &ebm_hmc, &ebm_random_walk,
                                                  &ebm_gibbs, &ebm_gibbs_with_gradients, &ebm_independence_mh};
    for (int conditional = 0; conditional < 2; conditional++) {
        setting s = setting_of(conditional);
        for (int i = 0; i < ROWS; i += 2) { /* neighbours on a ladder have one x */
            memcpy(s.x + (i + 1) * DIM, s.x + i * DIM, GIVEN * sizeof(double));
            memcpy(s.bits + (i + 1) * DIM, s.bits + i * DIM, GIVEN * sizeof(double));
        }
        for (int k = 0; k < COUNT(samplers); k++)
            for (int tempered = 0; tempered < 2; tempered++) {
                double got[ROWS * DIM], want[ROWS * DIM];
                run_chains(&s, derives, samplers[k], tempered, got);
                run_chains(&s, written, samplers[k], tempered, want);
                for (int i = 0; i < ROWS * DIM; i++) expect_close(got[i], want[i], 1e-9, samplers[k]->name);
                cr_expect(memcmp(want, samplers[k]->discrete ? s.bits : s.x, sizeof want), "nothing moved");
            }
        for (int k = 0; k < 2; k++) /* CD through a sampler with gradients of its own */
            expect_same(&s, &ebm_loss_cd, k ? &ebm_hmc : &ebm_gibbs_with_gradients);
        setting_free(&s);
    }
}

/* ---- The rest ---- */

Test(model_derives, evaluations_and_what_ignores_x)
{
    double *x = normals(ROWS * DIM, 0, 1, 3), E[2][ROWS], g[2][ROWS * DIM];
    for (int k = 0; k < 2; k++) {
        ebm_model *model = make(k ? derives : written, false), *plain = make(ignores, false);
        double moved[ROWS * DIM];
        setting s = setting_of(false);
        OK(ebm_model_energy(model, x, ROWS, E[k], g[k], ERROR));
        run_chains(&s, ignores, &ebm_hmc, false, moved);
        setting_free(&s);
        ebm_model_free(model), ebm_model_free(plain);
    }
    for (int i = 0; i < ROWS; i++) expect_close(E[1][i], E[0][i], 1e-13, "E");
    for (int i = 0; i < ROWS * DIM; i++) expect_close(g[1][i], g[0][i], 1e-13, "slope");
    free(x);
}

/* ---- Derivatives by what is no variable ---- */

static ad_var of_a_slice(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var first = ad_slice(x, 0, 0, 2), slope;
    return ad_grad(base_of(first, theta), &first, 1, &slope) ? slope : with(base_of(x, theta), slope, theta);
}

Test(model_derives, an_expression_is_refused_with_the_remedy)
{
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dim = DIM, spec.energy = of_a_slice, spec.parameters = parameters, spec.parameter_count = COUNT(parameters);
    FAILS(GIBBS_ARGUMENT, "an expression (slice, node", ebm_model_new(&spec, &model, FAIL));
    FAILS(GIBBS_ARGUMENT, "make it a variable, v = ad_variable(v)", ebm_model_new(&spec, &model, FAIL));
}
