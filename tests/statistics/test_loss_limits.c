/* Where losses tend: conditional NCE to score matching as its noise shrinks, denoising score matching to the density
 * with the noise on. Averages over many draws, with standard errors. */
#include "ebm/loss_helpers.h"

enum { ROWS = 400, SEED = 7 };

typedef struct average {
    double mean[MOST_PARAMETERS], error[MOST_PARAMETERS];
} average;

/* Of the gradient times `factor` over `draws` draws of the noise. */
static average gradient_of(const plain_energy *e, const ebm_loss *loss, const ebm_loss_options *options,
                           const double *x, double factor, int draws)
{
    average a;
    spread s[MOST_PARAMETERS] = {{0}};
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, loss, options, e->theta, x, ROWS, SEED, 0);
    for (uint64_t draw = 0; draw < (uint64_t)draws; draw++) {
        OK(ebm_objective_refresh(o, SEED, draw, ERROR));
        value_of(o);
        for (int k = 0; k < e->size; k++) spread_add(&s[k], factor * ((const double *)ebm_objective_gradient(o))[k]);
    }
    for (int k = 0; k < e->size; k++) a.mean[k] = spread_mean(&s[k]), a.error[k] = spread_error(&s[k]);
    ebm_objective_free(o);
    ebm_model_free(model);
    return a;
}

static average conditional(const plain_energy *e, const double *x, double sd)
{
    ebm_loss_options options = {0};
    options.noise_sd = sd;
    options.copies = 40;
    return gradient_of(e, &ebm_loss_conditional_nce, &options, x, 2 / (sd * sd), 150);
}

/* 4/3 of the average at σ/2 minus 1/3 of that at σ has no term in σ². With the sign flipped it is far away. */
static void check_conditional(const plain_energy *e, double sd)
{
    double *x = test_points(e, ROWS, 1);
    for (int i = 0; i < ROWS * e->dim && e->make == quartic_make; i++) x[i] *= 0.5; /* no σE′ far above 1 */
    total score = evaluate_loss(e->make, &ebm_loss_score_matching, NULL, e->theta, x, ROWS, 0, 0);
    average coarse = conditional(e, x, sd), fine = conditional(e, x, sd / 2);
    int told = 0, biased = 0;
    for (int k = 0; k < e->size; k++) {
        double limit = (4 * fine.mean[k] - coarse.mean[k]) / 3, error = (4 * fine.error[k] + coarse.error[k]) / 3;
        cr_expect(fabs(limit - score.gradient[k]) < 4.5 * error, "%s %d: %g ± %g, score matching %g", e->name, k, limit,
                  error, score.gradient[k]);
        told += fabs(limit + score.gradient[k]) > 10 * error;
        biased += fabs(coarse.mean[k] - score.gradient[k]) > 5 * coarse.error[k];
    }
    cr_expect(told > 0 && biased > 0, "%s: the sign and the bias of the larger σ must show", e->name);
    free(x);
}

Test(loss_limits, conditional_nce_precision)
{
    plain_energy steep = energies[PRECISION];
    steep.theta[0] = 1.5; /* where the gradient is not near 0 */
    check_conditional(&steep, 0.3);
}
Test(loss_limits, conditional_nce_quartic) { check_conditional(&energies[QUARTIC], 0.3); }
Test(loss_limits, conditional_nce_gaussian2) { check_conditional(&energies[GAUSSIAN2], 0.25); }

/* ½(ε/σ − λ(x + σε))²: the expected gradient is λ(m₂ + σ²) − 1, which is 0 at 1/(m₂ + σ²) (and never at the inverted
 * energy); as σ → 0 it is score matching's. */
Test(loss_limits, denoising_sees_the_noisy_density)
{
    static const double sds[] = {1, 0.5, 0.2};
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1), m2 = 0, last = INFINITY;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    for (int k = 0; k < COUNT(sds); k++) {
        ebm_loss_options options = {0};
        options.noise_sd = sds[k];
        options.copies = 20;
        average a = gradient_of(e, &ebm_loss_denoising, &options, x, 1, 200);
        double bias = e->theta[0] * sds[k] * sds[k], expected = e->theta[0] * m2 - 1 + bias;
        cr_expect(fabs(a.mean[0] - expected) < 4.5 * a.error[0], "σ = %g: %g ± %g, expected %g", sds[k], a.mean[0],
                  a.error[0], expected);
        cr_expect(bias < last && (k || bias > 8 * a.error[0]), "the bias of a large σ must show");
        last = bias;
    }
    free(x);
}

/* In two dimensions the expected minimum is the inverse of the covariance plus σ²: there the mean gradient is 0. */
Test(loss_limits, denoising_in_two_dimensions)
{
    const double sd = 0.8;
    plain_energy e = energies[GAUSSIAN2];
    double *x = test_points(&e, ROWS, 1), mean[2] = {0}, c[4] = {sd * sd, 0, 0, sd * sd};
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < 2; i++) mean[i] += x[2 * r + i] / ROWS;
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < 4; i++) c[i] += (x[2 * r + i / 2] - mean[i / 2]) * (x[2 * r + i % 2] - mean[i % 2]) / ROWS;
    double det = c[0] * c[3] - c[1] * c[2],
           best[] = {mean[0], mean[1], c[3] / det, -c[1] / det, -c[2] / det, c[0] / det};
    memcpy(e.theta, best, sizeof best);
    ebm_loss_options options = {0};
    options.noise_sd = sd;
    options.copies = 20;
    average a = gradient_of(&e, &ebm_loss_denoising, &options, x, 1, 200);
    for (int k = 0; k < 6; k++) cr_expect(fabs(a.mean[k]) < 4.5 * a.error[k], "%d: %g ± %g", k, a.mean[k], a.error[k]);
    total score = evaluate_loss(e.make, &ebm_loss_score_matching, NULL, best, x, ROWS, 0, 0);
    cr_expect(fabs(score.gradient[2]) > 20 * a.error[2], "score matching's minimum is elsewhere: %g",
              score.gradient[2]);
    free(x);
}
