/* The fixed points of CD with the term that it drops, for a Gaussian precision λ in four dimensions and data of
 * variance s. One Langevin step gives y the variance v = (1 − hλ)²s + 2h in each dimension, so the expected gradient is
 *
 *     d [½(s − v) + c ½(λ − 1/v) v′],   v′ = −2h(1 − hλ)s
 *
 * since KL(q‖p) = ½d(λv − log v) + …, of which c times the derivative through v is added: c = 1 is Du et al.'s code,
 * c = −1 the gradient of KL(data‖p) − KL(q‖p) (S1 eq 5), c = 0 CD, whose fixed point has λ(1 − hλ/2) = 1/s. The
 * nearest neighbours' entropy is exact here in its derivative: distances scale with √v. */
#include "ebm/loss_helpers.h"

enum { DIM = 4, ROWS = 300, DRAWS = 250 };
static const double h = 0.4, s = 1.2;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_mul(theta[0], ad_sum(ad_square(x))), 0.5);
}

static ebm_model *make(void)
{
    return model_of(DIM, &(ebm_parameter){"precision", {0, {0}}, EBM_INIT_CONSTANT, 1}, 1, energy, GIBBS_FLOAT64);
}

static double expected(double lambda, double c)
{
    double shrink = 1 - h * lambda, v = shrink * shrink * s + 2 * h, dv = -2 * h * shrink * s;
    return DIM * (0.5 * (s - v) + c * 0.5 * (lambda - 1 / v) * dv);
}

/* By bisection between precisions where the gradient has both signs. */
static double fixed_point(double c)
{
    double low = 0.3, high = 1.6;
    cr_assert(expected(low, c) < 0 && expected(high, c) > 0, "c = %g: %g, %g", c, expected(low, c), expected(high, c));
    for (int i = 0; i < 60; i++) *(expected((low + high) / 2, c) < 0 ? &low : &high) = (low + high) / 2;
    return low;
}

/* The mean gradient over data sets and noise. */
static spread gradient(double lambda, double c)
{
    spread g = {0};
    ebm_loss_options options = {0};
    options.sampler_step = h;
    options.coefficient = c == 0 ? EBM_ZERO : c;
    options.threads = 1;
    ebm_model *model = make();
    ebm_model_set(model, &lambda);
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_improved_cd, &options, &o, ERROR));
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        double *x = normals(ROWS * DIM, 0, sqrt(s), 100 + draw);
        OK(ebm_objective_bind(o, x, ROWS, ERROR));
        OK(ebm_objective_refresh(o, 9, draw, ERROR));
        value_of(o);
        spread_add(&g, *(const double *)ebm_objective_gradient(o));
        free(x);
    }
    ebm_objective_free(o);
    ebm_model_free(model);
    return g;
}

static const double coefficients[] = {-1, 0, 1};

Test(loss_improved_cd, expected_gradient)
{
    static const double lambdas[] = {0.5, 1.3};
    for (int k = 0; k < COUNT(coefficients); k++)
        for (int i = 0; i < COUNT(lambdas); i++) {
            spread g = gradient(lambdas[i], coefficients[k]);
            double right = expected(lambdas[i], coefficients[k]), other = expected(lambdas[i], -coefficients[k]);
            cr_expect(fabs(spread_mean(&g) - right) < 4.5 * spread_error(&g), "c = %g, λ = %g: %g ± %g, expected %g",
                      coefficients[k], lambdas[i], spread_mean(&g), spread_error(&g), right);
            cr_expect(coefficients[k] == 0 || fabs(spread_mean(&g) - other) > 8 * spread_error(&g),
                      "the other sign must be told from it: %g", other);
        }
}

Test(loss_improved_cd, fixed_points_of_either_sign)
{
    double at[3];
    for (int k = 0; k < 3; k++) at[k] = fixed_point(coefficients[k]);
    expect_close(at[1] * (1 - h * at[1] / 2), 1 / s, 1e-9, "CD's own");
    for (int k = 0; k < 3; k++) {
        spread g = gradient(at[k], coefficients[k]), cd = gradient(at[k], 0);
        cr_expect(fabs(spread_mean(&g)) < 4.5 * spread_error(&g), "c = %g, λ = %g: %g ± %g", coefficients[k], at[k],
                  spread_mean(&g), spread_error(&g));
        cr_expect(k == 1 || fabs(spread_mean(&cd)) > 8 * spread_error(&cd), "CD is elsewhere: %g ± %g",
                  spread_mean(&cd), spread_error(&cd));
    }
    cr_expect(at[0] != at[1] && (at[0] - at[1]) * (at[2] - at[1]) < 0, "on either side of CD: %g %g %g", at[0], at[1],
              at[2]);
}
