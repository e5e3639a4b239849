/* Importance sampling with many draws against the exact likelihood. */
#include "ebm/objective_helpers.h"

enum { ROWS = 500, RATIO = 400, SEEDS = 12 };

/* log Z of the energies of one dimension, from a fine sum; of the Gaussian in two, from its determinant. */
static double log_z_of(const plain_energy *e, const double *theta)
{
    double sum = 0, h = 1e-3;
    if (e->dim == 2) {
        double off = 0.5 * (theta[3] + theta[4]);
        return log(2 * acos(-1)) - 0.5 * log(theta[2] * theta[5] - off * off);
    }
    for (double x = -40; x < 40; x += h) sum += exp(-e->E(&x, theta));
    return log(sum * h);
}

/* The error of log Ẑ is about √((M/ESS − 1)/M), to first order normal: each of the seeds within 4.5, all together
 * within what their number allows, and the spread neither missing nor much larger. */
static void check_energy(const plain_energy *e)
{
    double *x = test_points(e, ROWS, 1), gradient[MOST_PARAMETERS], M = (double)ROWS * RATIO, sum = 0, squares = 0;
    double log_z = log_z_of(e, e->theta), exact = mean_energy(e, e->theta, x, ROWS, gradient) + log_z;
    ebm_model *model = e->make();
    ebm_loss_options options = {0};
    options.proposal = test_proposal(e);
    options.noise_ratio = RATIO;
    ebm_objective *o = objective_at(model, &ebm_loss_ml_is, &options, e->theta, x, ROWS, 0, 0);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        OK(ebm_objective_refresh(o, seed, 0, ERROR));
        double value = value_of(o), error = sqrt((M / ebm_objective_health(o) - 1) / M), z = (value - exact) / error;
        cr_expect(fabs(z) < 4.5, "%s: %.6f ± %.6f, exactly %.6f", e->name, value, error, exact);
        expect_close(ebm_objective_log_z(o) - log_z, value - exact, 1e-6, "log Z is all that is estimated");
        sum += z, squares += z * z;
    }
    cr_expect(fabs(sum) < 4 * sqrt(SEEDS), "%s: the mean of the errors is %g standard errors", e->name,
              sum / sqrt(SEEDS));
    cr_expect(squares > 2.2 && squares < 37, "%s: χ² of %d is %g", e->name, SEEDS, squares);
    ebm_objective_free(o);
    ebm_proposal_free((ebm_proposal *)options.proposal);
    ebm_model_free(model);
    free(x);
}

Test(loss_ml_is, many_draws_give_the_exact_likelihood)
{
    for (int k = 0; k < ENERGIES; k++) check_energy(&energies[k]);
}

/* With few draws the mean of J_BL lies below J (Jensen): log Ẑ is low by about (M/ESS − 1)/2M. */
Test(loss_ml_is, few_draws_lie_below_on_average)
{
    enum { DRAWS = 4000, FEW = 10 };
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, FEW, 1), sum = 0, squares = 0;
    ebm_model *model = e->make();
    ebm_loss_options options = {0};
    options.proposal = test_proposal(e);
    options.noise_ratio = 1;
    ebm_objective *o = objective_at(model, &ebm_loss_ml_is, &options, e->theta, x, FEW, 0, 0);
    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        OK(ebm_objective_refresh(o, seed, 0, ERROR));
        value_of(o);
        double z = ebm_objective_log_z(o) - 0.5 * log(2 * acos(-1) / e->theta[0]);
        sum += z / DRAWS, squares += z * z / DRAWS;
    }
    double error = sqrt((squares - sum * sum) / DRAWS);
    cr_expect(sum < -3 * error && sum > -0.2, "%g ± %g", sum, error);
    ebm_objective_free(o);
    ebm_proposal_free((ebm_proposal *)options.proposal);
    ebm_model_free(model);
    free(x);
}
