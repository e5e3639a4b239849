/* A prior energy of the parameters: the fit is the mode of the posterior, by every way of fitting, and the standard
 * errors have its curvature. Of N(μ, 1) with μ ~ N(m, s²) both are in closed form. */
#include "ebm/loss_helpers.h"

enum { N = 50 };
static const double at = 3, sd = 0.2;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_scale(ad_square(ad_sub(ad_sum(x), theta[0])), 0.5);
}
static ad_var prior(const ad_var *theta, void *context)
{
    const double *s = context;
    return ad_scale(ad_square(ad_shift(theta[0], -at)), 0.5 / (*s * *s));
}

static ebm_model *made(gibbs_dtype dtype)
{
    static const ebm_parameter p[] = {{"mu", {0, {0}}, EBM_INIT_CONSTANT, 0}};
    return model_of(1, p, 1, energy, dtype);
}

static double mu_of(ebm_model *model)
{
    double mu;
    ebm_model_get(model, &mu);
    return mu;
}

Test(prior, the_mode_of_the_posterior_and_its_errors)
{
    double *x = normals(N, 1, 1, 2), mean = 0, variance = 0, share = 1 / (N * sd * sd);
    for (int i = 0; i < N; i++) mean += x[i] / N;
    for (int i = 0; i < N; i++) variance += (x[i] - mean) * (x[i] - mean) / N;
    ebm_data data = table(x, N, 1);
    for (int way = 0; way < 4; way++) { /* L-BFGS in both types, whole batches, minibatches */
        ebm_model *model = made(way == 1 ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        ebm_fit_options o = {0};
        ebm_uncertainty u;
        OK(ebm_model_prior(model, prior, (void *)&sd, ERROR));
        o.loss = &ebm_loss_score_matching; /* its minimum is the likelihood's: the mean */
        o.lbfgs = way < 2, o.optimizer = &ebm_sgd, o.rate = way == 3 ? 0.005 : 0.3;
        o.steps = way == 3 ? 6000 : 200, o.batch = way == 3 ? 10 : 0, o.average = way == 3 ? 0.999 : 0;
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
        expect_close(mu_of(model), (mean + share * at) / (1 + share), way == 1 ? 1e-4 : way == 3 ? 5e-3 : 1e-6, "mode");
        if (way == 0) {
            OK(ebm_standard_errors(model, &data, &o, &u, ERROR));
            expect_close(u.standard_error[0], sqrt(variance / N) / (1 + share), 1e-9, "standard error");
            cr_expect(u.newton < 1e-4);
            ebm_uncertainty_free(&u);
        }
        OK(ebm_model_prior(model, NULL, NULL, ERROR)); /* and without it the mean */
        if (way == 0) {
            OK(ebm_fit(model, &data, &o, NULL, ERROR));
            expect_close(mu_of(model), mean, 1e-6, "without a prior");
        }
        ebm_model_free(model);
    }
    free(x);
}

/* Held-out rows are judged without it: the same value with and without. */
Test(prior, held_out_rows_are_judged_without_it)
{
    double *x = normals(N, 1, 1, 2), best[2];
    ebm_data data = table(x, N, 1);
    for (int with = 0; with < 2; with++) {
        ebm_model *model = made(GIBBS_FLOAT64);
        ebm_fit_options o = {0};
        ebm_fit_report report;
        if (with) OK(ebm_model_prior(model, prior, (void *)&sd, ERROR));
        o.loss = &ebm_loss_score_matching, o.steps = 1, o.rate = 1e-12, o.validation_fraction = 0.4;
        OK(ebm_fit(model, &data, &o, &report, ERROR));
        best[with] = report.best_validation;
        ebm_fit_report_free(&report);
        ebm_model_free(model);
    }
    expect_close(best[0], best[1], 1e-9, "validation");
    free(x);
}

/* Leaves that nobody binds: random numbers of an axis, summed; a parameter of its own. */
static ad_var drawn(const ad_var *theta, void *context)
{
    ad_axis z = ad_axis_new(theta[0].tape, "z");
    return (void)context, ad_mul(theta[0], ad_batch_mean(z, ad_normal(z, ad_scalar(), 7)));
}
static ad_var own_leaf(const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[0], ad_parameter(theta[0].tape, "mine", ad_scalar()));
}
static ad_var per_sample(const ad_var *theta, void *context)
{
    return (void)context, ad_lift(ad_axis_new(theta[0].tape, "rows"), theta[0]);
}
static ad_var vector(const ad_var *theta, void *context)
{
    return (void)context, ad_expand(theta[0], ad_vec(2));
}
static ad_var nothing(const ad_var *theta, void *context) { return (void)context, (ad_var){theta[0].tape, -1}; }

static ad_var square(ad_var x, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_sum(ad_square(x));
}

Test(prior, what_is_refused)
{
    ebm_model *model = made(GIBBS_FLOAT64), *bare = model_of(1, NULL, 0, square, GIBBS_FLOAT64);
    FAILS(GIBBS_AXIS, "per-sample", ebm_model_prior(model, per_sample, NULL, FAIL));
    FAILS(GIBBS_SHAPE, "prior: it has shape [2]; it must be one scalar", ebm_model_prior(model, vector, NULL, FAIL));
    FAILS(GIBBS_TAPE, "null var", ebm_model_prior(model, nothing, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "prior: it uses", ebm_model_prior(model, drawn, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "function of the model's parameters", ebm_model_prior(model, own_leaf, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "no parameters", ebm_model_prior(bare, prior, NULL, FAIL));
    ebm_model_free(model), ebm_model_free(bare);
}
