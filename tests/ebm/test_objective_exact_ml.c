/* Exact maximum likelihood: log Z by enumeration of bits and by quadrature, against closed forms and plain sums. */
#include "loss_helpers.h"

enum { BITS = 3, ROWS = 60 };

/* −b·x − w₀x₀x₁ − w₁x₁x₂ of three bits: parameters b [3], w [2]. */
static ad_var chain_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var pairs = ad_mul(ad_slice(x, 0, 0, 2), ad_slice(x, 0, 1, 2));
    return ad_neg(ad_add(ad_dot(theta[0], x), ad_dot(theta[1], pairs)));
}

static ebm_model *chain_make(void)
{
    const ebm_parameter p[] = {{"b", {1, {BITS}}, EBM_INIT_CONSTANT, 0}, {"w", {1, {2}}, EBM_INIT_CONSTANT, 0}};
    return model_of(BITS, p, 2, chain_graph, GIBBS_FLOAT64);
}

/* The five statistics whose weighted sum is −E. */
static void statistics(const double *x, double *t)
{
    for (int i = 0; i < BITS; i++) t[i] = x[i];
    for (int i = 0; i < 2; i++) t[BITS + i] = x[i] * x[i + 1];
}

static double weighted(const double *theta, const double *x)
{
    double t[5], sum = 0;
    statistics(x, t);
    for (int k = 0; k < 5; k++) sum += theta[k] * t[k];
    return sum;
}

/* log Z and the expected statistics, state by state. */
static double enumerate(const double *theta, double low, double high, double *expected)
{
    double z = 0, t[5];
    memset(expected, 0, 5 * sizeof *expected);
    for (int s = 0; s < 1 << BITS; s++) {
        double x[BITS], p;
        for (int i = 0; i < BITS; i++) x[i] = s >> i & 1 ? high : low;
        z += p = exp(weighted(theta, x));
        statistics(x, t);
        for (int k = 0; k < 5; k++) expected[k] += p * t[k];
    }
    for (int k = 0; k < 5; k++) expected[k] /= z;
    return log(z);
}

static void check_bits(double low, double high)
{
    const double theta[] = {0.3, -0.7, 0.2, 0.9, -0.4}, values[] = {low, high};
    double x[ROWS * BITS], t[5], model_t[5];
    gibbs_words words = gibbs_words_start(1, 2, 3);
    for (int i = 0; i < ROWS * BITS; i++) x[i] = gibbs_words_next(&words) & 1 ? high : low;
    double log_z = enumerate(theta, low, high, model_t);
    total expected = {.value = log_z};
    for (int k = 0; k < 5; k++) expected.gradient[k] = model_t[k];
    for (int r = 0; r < ROWS; r++) {
        expected.value -= weighted(theta, x + r * BITS) / ROWS;
        statistics(x + r * BITS, t);
        for (int k = 0; k < 5; k++) expected.gradient[k] -= t[k] / ROWS;
    }
    ebm_points points;
    OK(ebm_points_space(&(ebm_space){.variables = BITS, .values = values}, NULL, &points, ERROR));
    ebm_loss_options options = {0};
    options.points = &points;
    ebm_model *model = chain_make();
    ebm_objective *o = objective_at(model, &ebm_loss_exact_ml, &options, theta, x, ROWS, 0, 0);
    expect_total(o, &expected, 1e-12, "bits");
    expect_close(ebm_objective_log_z(o), log_z, 1e-13, "log Z");
    ebm_objective_free(o);
    ebm_model_free(model);
    ebm_points_free(&points);
}

Test(exact_ml, bits_0_and_1) { check_bits(0, 1); }
Test(exact_ml, bits_of_either_sign) { check_bits(-1, 1); }

/* At the maximum the expected statistics are the data's. */
Test(exact_ml, fit_matches_moments)
{
    enum { MANY = 500 };
    static double x[MANY * BITS];
    gibbs_words words = gibbs_words_start(4, 5, 6);
    for (int r = 0; r < MANY; r++)
        for (int i = 0; i < BITS; i++)
            x[r * BITS + i] = gibbs_words_unit(&words) < (i && x[r * BITS + i - 1] > 0 ? 0.7 : 0.4);
    double of_data[5] = {0}, of_model[5], theta[5], t[5];
    for (int r = 0; r < MANY; r++) {
        statistics(x + r * BITS, t);
        for (int k = 0; k < 5; k++) of_data[k] += t[k] / MANY;
    }
    ebm_points points;
    OK(ebm_points_space(&(ebm_space){.variables = BITS}, NULL, &points, ERROR));
    ebm_data data = table(x, MANY, BITS);
    ebm_model *model = chain_make();
    ebm_fit_options options = {0};
    ebm_fit_report report;
    options.loss = &ebm_loss_exact_ml;
    options.loss_options.points = &points;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    ebm_model_get(model, theta);
    double log_z = enumerate(theta, 0, 1, of_model);
    for (int k = 0; k < 5; k++) expect_close(of_model[k], of_data[k], 1e-6, "moments");
    expect_close(report.log_z, log_z, 1e-12, "log Z");
    cr_expect(report.converged);
    ebm_fit_report_free(&report);
    ebm_points_free(&points);
    ebm_model_free(model);
}

/* ---- Quadrature ---- */

/* ½ log(2π/λ) is known; the trapezoidal rule is exact to rounding on a box that holds the density. */
Test(exact_ml, gaussian_on_a_grid)
{
    const plain_energy *e = &energies[PRECISION];
    const ebm_box box = {{-14}, {14}, 800, 0};
    double *x = test_points(e, ROWS, 1), m2 = 0, lambda = e->theta[0];
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_points points;
    OK(ebm_points_box(1, &box, NULL, &points, ERROR));
    ebm_loss_options options = {0};
    options.points = &points;
    total expected = {0.5 * lambda * m2 + 0.5 * log(2 * acos(-1) / lambda), {0.5 * m2 - 0.5 / lambda}};
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, &ebm_loss_exact_ml, &options, e->theta, x, ROWS, 0, 0);
    expect_total(o, &expected, 1e-11, "gaussian");
    ebm_objective_free(o);
    ebm_model_free(model);
    ebm_points_free(&points);
    free(x);
}

/* Two wells, in one dimension by a sum in plain C, and two of them as a product: log Z doubles. */
Test(exact_ml, quartic_on_a_grid)
{
    const plain_energy *e = &energies[QUARTIC];
    const ebm_box box = {{-5}, {5}, 600, 0};
    double *x = test_points(e, ROWS, 2), sum = 0, moment[2] = {0}, g[2], gradient[2];
    for (int i = 0; i < 4001; i++) {
        double at = -5 + 10.0 * i / 4000, w = 10.0 / 4000 * exp(-e->E(&at, e->theta)) * (i % 4000 ? 1 : 0.5);
        sum += w;
        e->dtheta(&at, e->theta, g);
        for (int k = 0; k < 2; k++) moment[k] += w * g[k];
    }
    total expected = {mean_energy(e, e->theta, x, ROWS, gradient) + log(sum), {0}};
    for (int k = 0; k < 2; k++) expected.gradient[k] = gradient[k] - moment[k] / sum;
    ebm_points points;
    OK(ebm_points_box(1, &box, NULL, &points, ERROR));
    ebm_loss_options options = {0};
    options.points = &points;
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, &ebm_loss_exact_ml, &options, e->theta, x, ROWS, 0, 0);
    expect_total(o, &expected, 1e-11, "quartic");
    expect_close(ebm_objective_log_z(o), log(sum), 1e-11, "log Z");
    ebm_objective_free(o);
    ebm_model_free(model);
    ebm_points_free(&points);
    free(x);
}

/* «Foolish» maximum likelihood on φ alone (S4 eq 6) runs away to a flat density; with log Z it does not. */
static ad_var record_foolish(ebm_graph *g) { return ad_batch_mean(g->data, ebm_graph_energy(g, g->x)); }
static const ebm_loss foolish = {.name = "foolish", .deterministic = 1, .record = record_foolish};

Test(exact_ml, without_log_z_the_width_runs_away)
{
    const ebm_box box = {{-14}, {14}, 400, 0};
    double *x = normals(ROWS, 0, 1, 3), m2 = 0, theta[2];
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_points points;
    OK(ebm_points_box(1, &box, NULL, &points, ERROR));
    ebm_data data = table(x, ROWS, 1);
    const ebm_loss *const loss[] = {&foolish, &ebm_loss_exact_ml};
    for (int k = 0; k < 2; k++) {
        ebm_model *model = energies[SCALE].make(); /* x²/2θ²: θ² is the variance */
        ebm_fit_options options = {0};
        options.loss = loss[k];
        options.loss_options.points = &points;
        options.steps = 2000;
        options.rate = 0.05;
        OK(ebm_fit(model, &data, &options, NULL, ERROR));
        theta[k] = parameter_of(model, "theta");
        ebm_model_free(model);
    }
    cr_expect(theta[0] > 8, "the foolish one stays at %g", theta[0]);
    expect_close(theta[1] * theta[1], m2, 1e-3, "variance by maximum likelihood");
    ebm_points_free(&points);
    free(x);
}

/* ---- Errors ---- */

Test(exact_ml, refuses)
{
    ebm_model *model = chain_make();
    ebm_objective *o;
    ebm_points points, hollow = {.rows = 0};
    ebm_loss_options options = {0};
    FAILS(GIBBS_ARGUMENT, "options.points", ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, FAIL));
    options.points = &hollow;
    FAILS(GIBBS_ARGUMENT, "options.points", ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, FAIL));
    OK(ebm_points_space(&(ebm_space){.variables = 2}, NULL, &points, ERROR));
    options.points = &points;
    FAILS(GIBBS_SHAPE, "2 dimensions", ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, FAIL));
    ebm_points_free(&points);
    ebm_model_free(model);
}
