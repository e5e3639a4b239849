/* Implicit score matching against its closed form: for a Gaussian, mean ½|P(x − μ)|² − tr P. */
#include "objective_helpers.h"

enum { ROWS = 301 };

typedef struct moments {
    double mean[2], covariance[4]; /* divisor rows */
} moments;

static moments moments_of(const double *x, int64_t rows)
{
    moments m = {{0}, {0}};
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0; i < 2; i++) m.mean[i] += x[2 * r + i] / (double)rows;
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0; i < 4; i++)
            m.covariance[i] += (x[2 * r + i / 2] - m.mean[i / 2]) * (x[2 * r + i % 2] - m.mean[i % 2]) / (double)rows;
    return m;
}

/* Value and gradient by μ and P in plain C; S = (P + Pᵀ)/2, s = S(x − μ): ∂/∂S = mean s(x − μ)ᵀ − I, and half of it
 * each for P and Pᵀ; ∂/∂μ = −S mean s. */
static double gaussian_loss(const double *x, int64_t rows, const double *theta, double *gradient)
{
    double value = -theta[2] - theta[5], G[4] = {-1, 0, 0, -1}, mean[2] = {0}, s[2], off = 0.5 * (theta[3] + theta[4]);
    for (int64_t r = 0; r < rows; r++) {
        gaussian2_dx(x + 2 * r, theta, s);
        value += 0.5 * (s[0] * s[0] + s[1] * s[1]) / (double)rows;
        for (int i = 0; i < 2; i++) mean[i] += s[i] / (double)rows;
        for (int i = 0; i < 4; i++) G[i] += s[i / 2] * (x[2 * r + i % 2] - theta[i % 2]) / (double)rows;
    }
    gradient[0] = -theta[2] * mean[0] - off * mean[1];
    gradient[1] = -off * mean[0] - theta[5] * mean[1];
    gradient[2] = G[0];
    gradient[3] = gradient[4] = 0.5 * (G[1] + G[2]);
    gradient[5] = G[3];
    return value;
}

static void expect_gradient(const ebm_objective *objective, const double *expected, double tolerance)
{
    const double *g = ebm_objective_gradient(objective);
    for (int i = 0; i < ebm_objective_size(objective); i++) expect_close(g[i], expected[i], tolerance, "gradient");
}

Test(score_matching, gaussian_in_two_dimensions)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 1), gradient[6];
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, &ebm_loss_score_matching, NULL, e->theta, x, ROWS, 0, 0);
    expect_close(value_of(o), gaussian_loss(x, ROWS, e->theta, gradient), 1e-12, "value");
    expect_gradient(o, gradient, 1e-12);
    cr_expect(ebm_objective_size(o) == 6 && isnan(ebm_objective_health(o)) && isnan(ebm_objective_log_z(o)));
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}

/* With m₂, m₄, m₆ the data's moments. Scale: m₂/2θ⁴ − 1/θ². Precision: ½λ²m₂ − λ. Quartic, E′ = 4ax³ + 2bx:
 * 8a²m₆ + 8ab m₄ + 2b²m₂ − 12a m₂ − 2b. */
static double line_loss(int which, const double *t, const double *m, double *g)
{
    if (which == SCALE) {
        g[0] = -2 * m[2] / pow(t[0], 5) + 2 / pow(t[0], 3);
        return m[2] / (2 * pow(t[0], 4)) - 1 / (t[0] * t[0]);
    }
    if (which == PRECISION) {
        g[0] = t[0] * m[2] - 1;
        return 0.5 * t[0] * t[0] * m[2] - t[0];
    }
    g[0] = 16 * t[0] * m[6] + 8 * t[1] * m[4] - 12 * m[2];
    g[1] = 8 * t[0] * m[4] + 4 * t[1] * m[2] - 2;
    return 8 * t[0] * t[0] * m[6] + 8 * t[0] * t[1] * m[4] + 2 * t[1] * t[1] * m[2] - 12 * t[0] * m[2] - 2 * t[1];
}

Test(score_matching, energies_on_the_line)
{
    for (int which = SCALE; which <= QUARTIC; which++) {
        const plain_energy *e = &energies[which];
        double *x = test_points(e, ROWS, 2), m[7] = {0}, gradient[2];
        for (int64_t r = 0; r < ROWS; r++)
            for (int k = 0; k <= 6; k++) m[k] += pow(x[r], k) / ROWS;
        ebm_model *model = e->make();
        ebm_objective *o = objective_at(model, &ebm_loss_score_matching, NULL, e->theta, x, ROWS, 0, 0);
        expect_close(value_of(o), line_loss(which, e->theta, m, gradient), 1e-12, e->name);
        expect_gradient(o, gradient, 1e-12);
        expect_consistent(o, 1e-8, e->name);
        ebm_objective_free(o);
        ebm_model_free(model);
        free(x);
    }
}

/* S4: the estimate is the maximum-likelihood one, the inverse of the data's covariance, and their mean. */
Test(score_matching, minimiser_is_the_maximum_likelihood_gaussian)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 3), theta[6];
    ebm_data data = table(x, ROWS, 2);
    ebm_model *model = e->make();
    ebm_fit_options options = {0};
    ebm_fit_report report;
    options.loss = &ebm_loss_score_matching;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    ebm_model_get(model, theta);
    moments m = moments_of(x, ROWS);
    double *c = m.covariance, det = c[0] * c[3] - c[1] * c[2];
    const double expected[] = {m.mean[0], m.mean[1], c[3] / det, -c[1] / det, -c[2] / det, c[0] / det};
    for (int i = 0; i < 6; i++) expect_close(theta[i], expected[i], 1e-6, "maximum likelihood");
    cr_expect(report.converged && report.steps > 3 && report.best_step == report.steps);
    /* at the minimum the squares are half the trace */
    expect_close(report.loss, -0.5 * (expected[2] + expected[5]), 1e-9, "loss at the minimum");
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

/* A float32 model does the same to its precision. */
Test(score_matching, float32)
{
    double *x = normals(ROWS, 0.3, 1.2, 4), m2 = 0, value;
    float narrow[ROWS];
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS, narrow[r] = (float)x[r];
    const ebm_parameter p = {"precision", {0, {0}}, EBM_INIT_CONSTANT, 0.75};
    ebm_model *model = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT32);
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_score_matching, NULL, &o, ERROR));
    OK(ebm_objective_bind(o, narrow, ROWS, ERROR));
    OK(ebm_objective_evaluate(o, &value, ERROR));
    expect_close(value, 0.5 * 0.75 * 0.75 * m2 - 0.75, 1e-6, "value");
    expect_close(*(const float *)ebm_objective_gradient(o), 0.75 * m2 - 1, 1e-6, "gradient");
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}
