/* ebm_standard_errors of losses that are means over the data, against sandwiches written out by hand, entry by entry;
 * parameters that a loss does not see; number types and options. */
#include "ebm/sandwich_helpers.h"

/* ---- Means over the data alone ---- */

/* ½λ²x² − λ: u = (λx² − 1)/N, H = mean x². Away from the minimum too. */
Test(standard_errors, score_matching_of_a_precision)
{
    const double lambdas[] = {0, 0.4, 2.5}; /* 0: the minimum */
    double *x = normals(ROWS, 0.3, 1.2, 4), m2 = 0;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    for (int k = 0; k < COUNT(lambdas); k++) {
        by_hand b = {.size = 1, .h = {m2}};
        double lambda = k ? lambdas[k] : 1 / m2, u[ROWS];
        for (int r = 0; r < ROWS; r++) u[r] = (lambda * x[r] * x[r] - 1) / ROWS;
        add_squares(&b, 0, u, ROWS);
        ebm_model *model = precision_make();
        ebm_model_set(model, &lambda);
        ebm_fit_options o = fit_of(&ebm_loss_score_matching, NULL);
        ebm_uncertainty got = of(model, x, ROWS, &o);
        expect_sandwich(&b, &got, 1e-13, "score matching");
        expect_close(got.newton, fabs(lambda - 1 / m2) / got.standard_error[0], 1e-9, "Newton step");
        ebm_uncertainty_free(&got);
        ebm_model_free(model);
    }
    free(x);
}

/* Weight decay is part of what was minimised. */
Test(standard_errors, weight_decay)
{
    double *x = normals(ROWS, 0.3, 1.2, 4), m2 = 0, u[ROWS], lambda = 0.6;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS, u[r] = (lambda * x[r] * x[r] - 1) / ROWS;
    by_hand b = {.size = 1, .h = {m2 + 0.7}};
    add_squares(&b, 0, u, ROWS);
    ebm_model *model = precision_make();
    ebm_model_set(model, &lambda);
    ebm_fit_options o = fit_of(&ebm_loss_score_matching, NULL);
    o.weight_decay = 0.7;
    ebm_uncertainty got = of(model, x, ROWS, &o);
    expect_sandwich(&b, &got, 1e-13, "weight decay");
    expect_close(got.newton, fabs(m2 * lambda - 1 + 0.7 * lambda) / (m2 + 0.7) / got.standard_error[0], 1e-12, "step");
    ebm_uncertainty_free(&got);
    ebm_model_free(model);
    free(x);
}

/* The score matching Gaussian is a function of the data's moments: cov μ̂ = Σ̂/N, and with w = P(x − μ) the variance of
 * P̂ᵢⱼ is (mean wᵢ²wⱼ² − Pᵢⱼ²)/N. The loss sees only the symmetric part of P: five of six directions. */
Test(standard_errors, score_matching_of_a_gaussian_with_a_redundant_parameter)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 3), theta[6], m4[4] = {0};
    ebm_data data = table(x, ROWS, 2);
    ebm_model *model = e->make();
    ebm_fit_options o = fit_of(&ebm_loss_score_matching, NULL);
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    double mean[2] = {0}, c[4] = {0};
    for (int r = 0; r < 2 * ROWS; r++) mean[r % 2] += x[r] / ROWS;
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < 4; i++) c[i] += (x[2 * r + i / 2] - mean[i / 2]) * (x[2 * r + i % 2] - mean[i % 2]) / ROWS;
    double det = c[0] * c[3] - c[1] * c[2];
    const double exact[] = {mean[0], mean[1], c[3] / det, -c[1] / det, -c[2] / det, c[0] / det};
    memcpy(theta, exact, sizeof theta);
    ebm_model_set(model, theta); /* the minimum itself, not where L-BFGS stopped */
    for (int r = 0; r < ROWS; r++) {
        double z[] = {x[2 * r] - theta[0], x[2 * r + 1] - theta[1]};
        double w[] = {theta[2] * z[0] + theta[3] * z[1], theta[4] * z[0] + theta[5] * z[1]};
        for (int i = 0; i < 4; i++) m4[i] += w[i / 2] * w[i / 2] * w[i % 2] * w[i % 2] / ROWS;
    }
    ebm_uncertainty u = of(model, x, ROWS, &o);
    cr_expect(u.size == 6 && u.identified == 5);
    for (int i = 0; i < 4; i++) {
        expect_close(u.covariance[i / 2 * 6 + i % 2], c[i] / ROWS, 1e-11, "mean");
        expect_close(u.standard_error[2 + i], sqrt((m4[i] - theta[2 + i] * theta[2 + i]) / ROWS), 1e-11, "precision");
    }
    cr_expect(u.newton < 1e-10 && u.noise_error[0] == 0);
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
    free(x);
}

/* A parameter that the energy ignores has no standard error; the others keep theirs. */
static ad_var ignoring_graph(ad_var x, const ad_var *theta, void *context)
{
    return precision_graph(x, theta, context);
}
Test(standard_errors, parameters_that_the_loss_does_not_see)
{
    const ebm_parameter p[] = {{"precision", {0, {0}}, EBM_INIT_CONSTANT, 1}, {"idle", {0, {0}}, EBM_INIT_CONSTANT, 1}};
    double *x = normals(ROWS, 0, 1, 4);
    ebm_model *model = model_of(1, p, 2, ignoring_graph, GIBBS_FLOAT64), *plain = precision_make();
    ebm_fit_options o = fit_of(&ebm_loss_score_matching, NULL);
    ebm_uncertainty u = of(model, x, ROWS, &o), v = of(plain, x, ROWS, &o);
    cr_expect(u.size == 2 && u.identified == 1 && isnan(u.standard_error[1]));
    expect_close(u.standard_error[0], v.standard_error[0], 1e-14, "the other");
    ebm_uncertainty_free(&u);
    ebm_uncertainty_free(&v);
    ebm_model_free(model);
    ebm_model_free(plain);
    free(x);
}

/* Exact maximum likelihood of a coin: the points are the whole space, no sample: var θ̂ = 1/(N p(1 − p)). */
static ad_var coin_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_mul(theta[0], ad_sum(x)));
}
Test(standard_errors, exact_maximum_likelihood)
{
    double x[ROWS] = {0}, heads = 11.0 / ROWS, theta = log(heads / (1 - heads)), values[] = {0, 1};
    for (int r = 0; r < 11; r++) x[3 * r] = 1;
    const ebm_parameter p = {"theta", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_points points;
    OK(ebm_points_space(&(ebm_space){.variables = 1, .values = values}, NULL, &points, ERROR));
    ebm_model *model = model_of(1, &p, 1, coin_graph, GIBBS_FLOAT64);
    ebm_model_set(model, &theta);
    ebm_fit_options o = fit_of(&ebm_loss_exact_ml, NULL);
    o.loss_options.points = &points;
    ebm_uncertainty u = of(model, x, ROWS, &o);
    expect_close(u.covariance[0], 1 / (ROWS * heads * (1 - heads)), 1e-13, "coin");
    cr_expect(u.noise_error[0] == 0 && u.newton < 1e-12);
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
    ebm_points_free(&points);
}

/* ---- Number types, options ---- */

Test(standard_errors, float32_models_are_done_in_double)
{
    const ebm_parameter p = {"precision", {0, {0}}, EBM_INIT_CONSTANT, 0.75};
    double *x = normals(ROWS, 0.3, 1.2, 4);
    noise_sample n = draw_noise(1);
    for (int k = 0; k < 2; k++) {
        const ebm_loss *loss = k ? &ebm_loss_nce : &ebm_loss_score_matching;
        ebm_model *wide = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT64);
        ebm_model *narrow = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT32);
        ((double *)ebm_model_theta(wide))[1] = ((float *)ebm_model_theta(narrow))[1] = 0.5f;
        ebm_fit_options o = fit_of(loss, n.q);
        ebm_uncertainty a = of(wide, x, ROWS, &o), b = of(narrow, x, ROWS, &o);
        for (int i = 0; i < a.size * a.size; i++) cr_expect_eq(a.covariance[i], b.covariance[i], "%s", loss->name);
        ebm_uncertainty_free(&a);
        ebm_uncertainty_free(&b);
        ebm_model_free(wide);
        ebm_model_free(narrow);
    }
    free_noise(&n);
    free(x);
}

/* The rows that a fit with a validation split was trained on; the default proposal is fitted to them. */
Test(standard_errors, training_rows_and_the_default_proposal)
{
    double *x = normals(ROWS, 0.3, 1.2, 4);
    ebm_data data = table(x, ROWS, 1), train, held;
    ebm_model *model = precision_make();
    ebm_proposal *q;
    OK(ebm_data_split(&data, 0.25, 9, &train, &held, NULL, ERROR));
    OK(ebm_proposal_gaussian_fit(&train, 1, 1.5, NULL, &q, ERROR));
    ebm_fit_options o = fit_of(&ebm_loss_ml_is, NULL), direct = fit_of(&ebm_loss_ml_is, q);
    o.validation_fraction = 0.25;
    ebm_uncertainty a = of(model, x, ROWS, &o), b = of(model, train.x, train.rows, &direct);
    cr_expect_eq(a.covariance[0], b.covariance[0]);
    cr_expect_eq(a.noise_error[0], b.noise_error[0]);
    ebm_uncertainty_free(&a);
    ebm_uncertainty_free(&b);
    ebm_proposal_free(q);
    ebm_data_free(&train);
    ebm_data_free(&held);
    ebm_model_free(model);
    free(x);
}

/* Everything about a model, from a network with several parameters, is the same for any number of threads. */
Test(standard_errors, threads_give_the_same_bits)
{
    const int64_t widths[] = {4};
    const ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 1, .base_sd = 2, .dtype = GIBBS_FLOAT64,
                               .seed = 1};
    double *x = normals(2 * 900, 0, 0.6, 4);
    ebm_model *model;
    for (int r = 0; r < 900; r++) x[2 * r] += r % 3 ? 1.5 : -1.5; /* two bumps */
    OK(ebm_model_mlp(&spec, &model, ERROR));
    ebm_fit_options o = fit_of(&ebm_loss_ml_is, NULL);
    o.weight_decay = 0.01; /* a network alone has directions in which its loss curves down */
    ebm_data data = table(x, 900, 2);
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_uncertainty u[2];
    for (int k = 0; k < 2; k++) {
        o.loss_options.threads = 1 + k;
        u[k] = of(model, x, 900, &o);
    }
    for (int64_t i = 0; i < u[0].size * u[0].size; i++) cr_expect_eq(u[0].covariance[i], u[1].covariance[i]);
    cr_expect(u[0].size == 16 && u[0].newton < 0.1, "%g", u[0].newton);
    for (int k = 0; k < 2; k++) ebm_uncertainty_free(&u[k]);
    ebm_model_free(model);
    free(x);
}
