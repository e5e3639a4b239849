/* test_objective_noise.c — a proposal that depends on θ: ML-IS differentiates through it (S0 §3.2), NCE holds it
 * constant, since noise that may move runs away to where it is told apart with ease. And: an energy is a function of
 * one x. */
#include <criterion/criterion.h>
#include <gibbs/ebm.h>

#include <math.h>
#include <string.h>

enum { ROWS = 40, PRECISION = 0, LOG_WIDTH = 1 };

static ad_var energy(ad_var x, const ad_var *theta, void *context) /* ½ k x²; the proposal's width is no part of it */
{
    (void)context;
    return ad_sum(ad_scale(ad_mul(theta[PRECISION], ad_square(x)), 0.5));
}

static ad_var draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)q;
    return ad_mul(ad_exp(theta[LOG_WIDTH]), normal);
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q;
    ad_var z = ad_div(y, ad_exp(theta[LOG_WIDTH]));
    return ad_shift(ad_sub(ad_scale(ad_sum(ad_square(z)), -0.5), theta[LOG_WIDTH]), -0.5 * log(2 * acos(-1)));
}

static const ebm_proposal moving = {
    .name = "moving", .dim = 1, .depends_on_theta = 1, .draw = draw, .log_density = log_density,
};

static gibbs_status make(ebm_energy_fn fn, ebm_model **model, gibbs_error *error)
{
    ebm_parameter parameters[] = {{"k", {0}, EBM_INIT_CONSTANT, 0.8}, {"log_width", {0}, EBM_INIT_CONSTANT, 0.3}};
    ebm_model_spec spec = {0};
    spec.dim = 1, spec.parameters = parameters, spec.parameter_count = 2, spec.energy = fn;
    return ebm_model_new(&spec, model, error);
}

static double slope_by_width(const ebm_loss *loss)
{
    double x[ROWS];
    for (int i = 0; i < ROWS; i++) x[i] = sin(1 + 1.7 * i);
    gibbs_error error;
    ebm_model *model;
    ebm_objective *o;
    ebm_loss_options options = {0};
    options.proposal = &moving;
    cr_assert_eq(make(energy, &model, &error), GIBBS_OK);
    cr_assert_eq(ebm_objective_new(model, loss, &options, &o, &error), GIBBS_OK, "%s", error.message);
    cr_assert_eq(ebm_objective_bind(o, x, ROWS, &error), GIBBS_OK);
    cr_assert_eq(ebm_objective_refresh(o, 7, 0, &error), GIBBS_OK);
    cr_assert_eq(ebm_objective_evaluate(o, NULL, &error), GIBBS_OK);
    double slope = ((const double *)ebm_objective_gradient(o))[LOG_WIDTH];
    ebm_objective_free(o);
    ebm_model_free(model);
    return slope;
}

Test(noise, nce_holds_it_constant_and_ml_is_does_not)
{
    cr_expect_eq(slope_by_width(&ebm_loss_nce), 0);
    cr_expect(fabs(slope_by_width(&ebm_loss_ml_is)) > 1e-4);
}

static ad_var mixing_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_sum(ad_sub(x, ad_batch_mean(ad_axis_of(x), x))));
}

static ad_var random_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_dot(x, ad_normal(ad_axis_of(x), ad_vec(1), 5)));
}

Test(noise, an_energy_is_a_function_of_one_x)
{
    gibbs_error error;
    ebm_model *model;
    cr_expect_eq(make(mixing_energy, &model, &error), GIBBS_ARGUMENT);
    cr_expect(strstr(error.message, "batch_"), "%s", error.message);
    cr_expect_eq(make(random_energy, &model, &error), GIBBS_ARGUMENT);
    cr_expect(strstr(error.message, "normal"), "%s", error.message);
    cr_expect_null(model);
}

/* expm1′ is exp: as eˣ − 1 + 1 it would have no digits left far below 0. */
Test(noise, derivative_of_expm1_far_below_zero)
{
    gibbs_error error;
    double at = -30;
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var x = ad_parameter(tape, "x", ad_scalar()), dx;
    ad_plan *plan;
    ad_workspace *w;
    cr_assert_eq(ad_grad(ad_expm1(x), &x, 1, &dx), GIBBS_OK);
    cr_assert_eq(ad_compile(&dx, 1, NULL, &plan, &error), GIBBS_OK);
    cr_assert_eq(ad_workspace_new(plan, &w, &error), GIBBS_OK);
    cr_assert_eq(ad_bind_f64(w, x, &at, &error), GIBBS_OK);
    cr_assert_eq(ad_run(w, NULL, &error), GIBBS_OK);
    cr_expect_lt(fabs(ad_result_scalar(w, 0) / exp(at) - 1), 1e-14);
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(tape);
}
