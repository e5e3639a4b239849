/* The learned Stein discrepancy: value and both sides of its gradient in closed form, the best critic, and a fit. */
#include "loss_helpers.h"

enum { ROWS = 200, SEED = 3, STEP = 1 };
static const double lambda = 0.7;

/* E = ½ax², critic f = wx: parameters a, w. */
static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_mul(theta[0], ad_sum(ad_square(x))), 0.5);
}
static ad_var critic(ad_var x, const ad_var *theta, void *context) { return (void)context, ad_mul(theta[1], x); }

static ebm_model *line_make(void)
{
    const ebm_parameter p[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 1}, {"w", {0, {0}}, EBM_INIT_CONSTANT, 0}};
    return model_of(1, p, 2, energy, GIBBS_FLOAT64);
}

static ebm_loss_options with(ad_var (*field)(ad_var, const ad_var *, void *))
{
    ebm_loss_options options = {0};
    options.field = field;
    options.coefficient = lambda;
    return options;
}

static double second_moment(const double *x)
{
    double m2 = 0;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    return m2;
}

/* D = −aw m₂ + w − λw²m₂. The energy descends: ∂D/∂a; the critic climbs: −∂D/∂w. On the line v = ±1 gives the trace. */
Test(stein, value_and_both_sides_of_the_gradient)
{
    const ebm_loss *const losses[] = {&ebm_loss_stein, &ebm_loss_stein_hutchinson};
    double *x = normals(ROWS, 0.3, 1.2, 1), m2 = second_moment(x), theta[] = {0.6, -0.4}, a = theta[0], w = theta[1];
    ebm_loss_options options = with(critic);
    for (int k = 0; k < 2; k++) {
        total t = evaluate_loss(line_make, losses[k], &options, theta, x, ROWS, SEED, STEP);
        expect_close(t.value, -a * w * m2 + w - lambda * w * w * m2, 1e-13, "value");
        expect_close(t.gradient[0], -w * m2, 1e-13, "the energy's side");
        expect_close(t.gradient[1], a * m2 - 1 + 2 * lambda * w * m2, 1e-13, "the critic's side");
    }
    free(x);
}

/* The best linear critic has w = (1 − am₂)/(2λm₂), which is (−∇E − ∇log p)/2λ for a Gaussian of variance m₂; there its
 * own gradient is 0, and D is the Fisher divergence ½m₂(a − 1/m₂)² over 2λ. */
Test(stein, best_critic_gives_the_fisher_divergence)
{
    double *x = normals(ROWS, 0, 1.2, 2), m2 = second_moment(x);
    static const double as[] = {0.3, 0.6, 1.5};
    ebm_loss_options options = with(critic);
    for (int k = 0; k < COUNT(as); k++) {
        double a = as[k], theta[] = {a, (1 - a * m2) / (2 * lambda * m2)}, fisher = 0.5 * m2 * pow(a - 1 / m2, 2);
        total t = evaluate_loss(line_make, &ebm_loss_stein, &options, theta, x, ROWS, SEED, STEP);
        expect_close(t.value, fisher / (2 * lambda), 1e-13, "D");
        expect_close(t.gradient[1], 0, 1e-13, "no better critic");
        cr_expect((t.gradient[0] > 0) == (a > 1 / m2), "a = %g is pulled by %g towards %g", a, t.gradient[0], 1 / m2);
        for (int side = -1; side <= 1; side += 2) {
            double moved[] = {a, theta[1] + 0.1 * side};
            total other = evaluate_loss(line_make, &ebm_loss_stein, &options, moved, x, ROWS, SEED, STEP);
            cr_expect(other.value < t.value && (other.gradient[1] > 0) == (side > 0), "the critic climbs");
        }
    }
    free(x);
}

/* ---- Critics that are no linear maps: the trace against differences ---- */

enum { DIM = 3 };

/* f = tanh(Wx) ∘ x + Wᵀ sin x: no symmetry, a full Jacobian. */
static ad_var curved(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_add(ad_mul(ad_tanh(ad_matmul(theta[1], x)), x), ad_matmul(ad_sin(x), theta[1]));
}

static void plain_curved(const double *x, const double *W, double *f)
{
    for (int i = 0; i < DIM; i++) {
        double a = 0, b = 0;
        for (int j = 0; j < DIM; j++) a += W[DIM * i + j] * x[j], b += sin(x[j]) * W[DIM * j + i];
        f[i] = tanh(a) * x[i] + b;
    }
}

static ebm_model *curved_make(void)
{
    const ebm_parameter p[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 1}, {"W", {2, {DIM, DIM}}, EBM_INIT_NORMAL, 1}};
    return model_of(DIM, p, 2, energy, GIBBS_FLOAT64);
}

static double plain_discrepancy(const double *x, int rows, double a, const double *W)
{
    double sum = 0, f[DIM], g[4][DIM];
    for (int r = 0; r < rows; r++) {
        plain_curved(x + r * DIM, W, f);
        for (int i = 0; i < DIM; i++) {
            for (int k = 0; k < 4; k++) {
                double at[DIM];
                memcpy(at, x + r * DIM, sizeof at);
                at[i] += (k % 2 ? -1 : 1) * (k / 2 + 1) * 1e-3;
                plain_curved(at, W, g[k]);
            }
            double slope = (4 * (g[0][i] - g[1][i]) / 2e-3 - (g[2][i] - g[3][i]) / 4e-3) / 3;
            sum += slope - a * x[r * DIM + i] * f[i] - lambda * f[i] * f[i];
        }
    }
    return sum / rows;
}

Test(stein, curved_critic)
{
    enum { FEW = 25, DRAWS = 1500 };
    double *x = normals(FEW * DIM, 0.1, 1, 4), *theta;
    ebm_loss_options options = with(curved);
    ebm_model *model = curved_make();
    ebm_objective *o = objective_at(model, &ebm_loss_stein, &options, NULL, x, FEW, SEED, STEP);
    theta = ebm_objective_theta(o);
    double value = value_of(o), gradient[1 + DIM * DIM];
    memcpy(gradient, ebm_objective_gradient(o), sizeof gradient);
    expect_close(value, plain_discrepancy(x, FEW, theta[0], theta + 1), 1e-9, "value");
    expect_close(gradient[0], difference(o, 0), 1e-9, "the energy descends");
    for (int i = 1; i <= DIM * DIM; i++) expect_close(gradient[i], -difference(o, i), 1e-8, "the critic climbs");
    ebm_objective_free(o);
    /* random traces are right on average, and several directions vary less */
    double error[3];
    for (int k = 0; k < 3; k++) {
        spread s = {0};
        options.copies = k ? 4 : 1;
        options.gaussian = k == 2;
        o = objective_at(model, &ebm_loss_stein_hutchinson, &options, NULL, x, FEW, SEED, 0);
        for (uint64_t draw = 0; draw < DRAWS; draw++) {
            OK(ebm_objective_refresh(o, SEED, draw, ERROR));
            spread_add(&s, value_of(o));
        }
        error[k] = spread_error(&s);
        cr_expect(fabs(spread_mean(&s) - value) < 4.5 * error[k], "%g ± %g, not %g", spread_mean(&s), error[k], value);
        ebm_objective_free(o);
    }
    cr_expect(error[1] > 0 && error[1] < error[0], "%g %g", error[0], error[1]);
    ebm_model_free(model);
    free(x);
}

/* Both sides together settle where the precision is the data's and the critic has nothing left to say. */
Test(stein, fit_finds_the_precision)
{
    double *x = normals(ROWS, 0, 0.8, 6), m2 = second_moment(x);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = line_make();
    ebm_fit_options options = {0};
    options.loss = &ebm_loss_stein;
    options.loss_options = with(critic);
    options.optimizer = &ebm_sgd;
    options.rate = 0.1;
    options.steps = 3000;
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    expect_close(parameter_of(model, "a"), 1 / m2, 1e-6, "precision");
    expect_close(parameter_of(model, "w"), 0, 1e-6, "critic");
    ebm_model_free(model);
    free(x);
}

/* ---- Errors ---- */

static ad_var scalar(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[1], ad_sum(x));
}
static ad_var jump(ad_var x, const ad_var *theta, void *context) { return (void)context, ad_mul(theta[1], ad_step(x)); }

Test(stein, refuses)
{
    ebm_model *model = line_make();
    ebm_objective *o;
    ebm_fit_options fit = {0};
    double x[] = {1, 2};
    ebm_data data = table(x, 2, 1);
    ebm_loss_options options = with(NULL);
    FAILS(GIBBS_ARGUMENT, "options.field", ebm_objective_new(model, &ebm_loss_stein, &options, &o, FAIL));
    options = with(scalar);
    FAILS(GIBBS_SHAPE, "field", ebm_objective_new(model, &ebm_loss_stein, &options, &o, FAIL));
    options = with(jump);
    FAILS(GIBBS_SMOOTH, "step", ebm_objective_new(model, &ebm_loss_stein, &options, &o, FAIL));
    FAILS(GIBBS_SMOOTH, "step", ebm_objective_new(model, &ebm_loss_stein_hutchinson, &options, &o, FAIL));
    options = with(critic);
    options.coefficient = EBM_ZERO;
    FAILS(GIBBS_ARGUMENT, "no bound", ebm_objective_new(model, &ebm_loss_stein, &options, &o, FAIL));
    options = with(critic);
    options.copies = 2000;
    FAILS(GIBBS_ARGUMENT, "directions", ebm_objective_new(model, &ebm_loss_stein_hutchinson, &options, &o, FAIL));
    fit.loss = &ebm_loss_stein;
    fit.loss_options = with(critic);
    fit.lbfgs = 1;
    FAILS(GIBBS_ARGUMENT, "no objective", ebm_fit(model, &data, &fit, NULL, FAIL));
    ebm_model_free(model);
}
