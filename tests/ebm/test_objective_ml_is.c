/* Maximum likelihood by importance sampling: value, gradient, ESS and log Ẑ against plain C from the same draws, and
 * a proposal that depends on θ. */
#include "objective_helpers.h"

enum { ROWS = 120, SEED = 5, STEP = 3 };

/* ---- A fixed proposal ---- */

typedef struct weights {
    double log_z, ess, *w; /* w sums to 1 */
} weights;

static weights weigh(const double *log_w, int64_t m)
{
    weights s = {.w = malloc((size_t)m * sizeof(double))};
    double largest = -INFINITY, sum = 0, squares = 0;
    for (int64_t r = 0; r < m; r++) largest = fmax(largest, log_w[r]);
    for (int64_t r = 0; r < m; r++) sum += s.w[r] = exp(log_w[r] - largest);
    for (int64_t r = 0; r < m; r++) s.w[r] /= sum, squares += s.w[r] * s.w[r];
    s.log_z = largest + log(sum) - log((double)m);
    s.ess = 1 / squares;
    return s;
}

/* mean E(x) + log Ẑ and mean ∇E(x) − Σ w̄ ∇E(y) */
static void check_energy(const plain_energy *e, double ratio)
{
    int64_t m = (int64_t)round(ratio * ROWS);
    double *x = test_points(e, ROWS, 1), *y = malloc((size_t)(m * e->dim) * sizeof *y),
           *log_w = malloc((size_t)m * sizeof *y);
    double gradient[MOST_PARAMETERS], g[MOST_PARAMETERS];
    ebm_model *model = e->make();
    ebm_proposal *q = test_proposal(e);
    ebm_loss_options options = {0};
    options.proposal = q;
    options.noise_ratio = ratio;
    ebm_objective *o = objective_at(model, &ebm_loss_ml_is, &options, e->theta, x, ROWS, SEED, STEP);
    OK(ebm_proposal_sample(q, m, SEED, STEP, NULL, y, log_w, ERROR));
    for (int64_t r = 0; r < m; r++) log_w[r] = -e->E(y + r * e->dim, e->theta) - log_w[r];
    weights s = weigh(log_w, m);
    double expected = mean_energy(e, e->theta, x, ROWS, gradient) + s.log_z;
    for (int64_t r = 0; r < m; r++) {
        e->dtheta(y + r * e->dim, e->theta, g);
        for (int k = 0; k < e->size; k++) gradient[k] -= s.w[r] * g[k];
    }
    expect_close(value_of(o), expected, 1e-12, e->name);
    for (int k = 0; k < e->size; k++)
        expect_close(((const double *)ebm_objective_gradient(o))[k], gradient[k], 1e-12, e->name);
    expect_close(ebm_objective_health(o), s.ess, 1e-10, "ESS");
    expect_close(ebm_objective_log_z(o), s.log_z, 1e-12, "log Z");
    cr_expect(ebm_objective_size(o) == e->size && s.ess > 1 && s.ess < (double)m);
    expect_consistent(o, 1e-8, e->name);
    ebm_objective_free(o);
    ebm_proposal_free(q);
    ebm_model_free(model);
    free(x), free(y), free(log_w), free(s.w);
}

Test(ml_is, agrees_with_plain_c)
{
    static const double ratios[] = {0.5, 1, 12.5};
    for (int k = 0; k < ENERGIES; k++)
        for (int r = 0; r < COUNT(ratios); r++) check_energy(&energies[k], ratios[r]);
}

/* The default ratio is 10, and draws are a function of seed and step. */
Test(ml_is, draws_depend_on_seed_and_step)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1), first, value[4];
    ebm_model *model = e->make();
    ebm_loss_options options = {0};
    options.proposal = test_proposal(e);
    ebm_objective *o = objective_at(model, &ebm_loss_ml_is, &options, e->theta, x, ROWS, SEED, STEP);
    first = value_of(o);
    cr_expect(value_of(o) == first, "evaluating again changes nothing");
    cr_expect(ebm_objective_health(o) > ROWS, "ten times as many draws as rows");
    static const uint64_t seed[] = {SEED, SEED + 1, SEED, SEED}, step[] = {STEP, STEP, STEP + 1, STEP};
    for (int k = 0; k < 4; k++) {
        OK(ebm_objective_refresh(o, seed[k], step[k], ERROR));
        value[k] = value_of(o);
    }
    cr_expect(value[0] == first && value[1] != first && value[2] != first && value[1] != value[2] && value[3] == first);
    ebm_objective_free(o);
    ebm_proposal_free((ebm_proposal *)options.proposal);
    ebm_model_free(model);
    free(x);
}

/* ---- q(y|θ) = N(2, (2 + θ)²): S0 §7 ---- */

static ad_var moving_draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)q;
    return ad_shift(ad_mul(ad_shift(theta[0], 2), normal), 2);
}

static ad_var moving_log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q;
    ad_var sd = ad_shift(theta[0], 2), z = ad_div(ad_shift(y, -2), sd);
    return ad_shift(ad_sub(ad_scale(ad_sum(ad_square(z)), -0.5), ad_log(sd)), -0.5 * log(2 * acos(-1)));
}

static const ebm_proposal moving = {
    .name = "N(2, (2 + θ)²)", .dim = 1, .depends_on_theta = 1, .draw = moving_draw, .log_density = moving_log_density,
};

/* Of log w = −y²/2θ² + ½ε² + log(2 + θ) + ½ log 2π, y = 2 + (2 + θ)ε: the whole derivative by θ, and what is left of
 * it when y is held (−∂E/∂θ − ∂log q/∂θ) and when y and q are (−∂E/∂θ). */
typedef struct slope {
    double value, whole, y_held, both_held;
} slope;

static slope moving_slope(const double *x, const double *normal, int64_t m, double theta)
{
    double *log_w = malloc((size_t)m * sizeof *log_w), scale = 2 + theta, cube = theta * theta * theta;
    for (int64_t r = 0; r < m; r++) {
        double y = 2 + scale * normal[r];
        log_w[r] = -y * y / (2 * theta * theta) + 0.5 * normal[r] * normal[r] + log(scale) + 0.5 * log(2 * acos(-1));
    }
    weights w = weigh(log_w, m);
    slope s = {.value = w.log_z};
    for (int64_t r = 0; r < m; r++) {
        double y = 2 + scale * normal[r], energy = y * y / cube;
        s.both_held += w.w[r] * energy;
        s.whole += w.w[r] * (energy - y * normal[r] / (theta * theta) + 1 / scale);
        s.y_held += w.w[r] * (energy - (normal[r] * normal[r] - 1) / scale);
    }
    for (int64_t r = 0; r < ROWS; r++) {
        double dE = -x[r] * x[r] / cube / ROWS;
        s.value += x[r] * x[r] / (2 * theta * theta) / ROWS;
        s.whole += dE, s.y_held += dE, s.both_held += dE;
    }
    free(log_w), free(w.w);
    return s;
}

Test(ml_is, proposal_that_depends_on_theta)
{
    static const double thetas[] = {0.8, 2, 3.5};
    int64_t m = 10 * ROWS;
    double *x = normals(ROWS, 0, 2, 1), *normal = malloc((size_t)m * sizeof *normal);
    ebm_model *model = energies[SCALE].make();
    ebm_proposal *standard;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){1}, NULL, &standard, ERROR));
    OK(ebm_proposal_sample(standard, m, SEED, STEP, NULL, normal, NULL, ERROR));
    ebm_loss_options options = {0};
    options.proposal = &moving;
    ebm_objective *o = objective_at(model, &ebm_loss_ml_is, &options, NULL, x, ROWS, SEED, STEP);
    for (int k = 0; k < COUNT(thetas); k++) { /* common random numbers: no refresh in between */
        slope s = moving_slope(x, normal, m, thetas[k]);
        ebm_model_set(model, &thetas[k]);
        expect_close(value_of(o), s.value, 1e-12, "value");
        double gradient = *(const double *)ebm_objective_gradient(o);
        expect_close(gradient, s.whole, 1e-11, "gradient");
        expect_close(gradient, difference(o, 0), 1e-6, "differences");
        cr_expect(fabs(gradient - s.y_held) > 1e-3 && fabs(gradient - s.both_held) > 1e-3,
                  "the derivative must flow through y and q: %g, held %g and %g", gradient, s.y_held, s.both_held);
    }
    ebm_objective_free(o);
    ebm_proposal_free(standard);
    ebm_model_free(model);
    free(x), free(normal);
}

/* log Ẑ of the truth: log θ + ½ log 2π. A proposal that depends on θ can be fitted with, too. */
Test(ml_is, fits_with_a_proposal_that_depends_on_theta)
{
    enum { MANY = 2000 };
    double *x = normals(MANY, 0, 2, 1), m2 = 0;
    for (int r = 0; r < MANY; r++) m2 += x[r] * x[r] / MANY;
    ebm_data data = table(x, MANY, 1);
    ebm_model *model = energies[SCALE].make();
    ebm_fit_options options = {0};
    ebm_fit_report report;
    options.loss = &ebm_loss_ml_is;
    options.loss_options.proposal = &moving;
    options.lbfgs = 1;
    options.seed = SEED;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    double theta = parameter_of(model, "theta");
    cr_expect(report.converged);
    expect_close(theta, sqrt(m2), 0.05, "near the maximum-likelihood estimate");
    expect_close(report.log_z, log(theta) + 0.5 * log(2 * acos(-1)), 0.05, "log Z");
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}
