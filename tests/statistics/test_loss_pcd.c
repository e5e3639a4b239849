/* Persistent contrastive divergence is maximum likelihood: on a Gaussian, with an exact sampler, it comes to the data's
 * precision; with ULA to a known other one. */
#include "ebm/loss_helpers.h"

enum { ROWS = 400 };

static double fit(const double *x, const ebm_loss *loss, const ebm_sampler *sampler, double h, int64_t buffer)
{
    ebm_data data = table((double *)x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options options = {0};
    ebm_fit_report report;
    double sum = 0;
    options.loss = loss;
    options.loss_options.sampler = sampler;
    options.loss_options.sampler_step = h;
    options.loss_options.sampler_steps = 4;
    options.loss_options.buffer = buffer;
    options.loss_options.threads = 1;
    options.optimizer = &ebm_sgd;
    options.rate = 0.2;
    options.steps = 300;
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    options.rate = 0.02; /* then slowly, averaging where it is (Polyak) over ten legs */
    for (int leg = 0; leg < 10; leg++) {
        options.seed = 1 + (uint64_t)leg;
        OK(ebm_fit(model, &data, &options, &report, ERROR));
        sum += parameter_of(model, "precision") / 10;
        ebm_fit_report_free(&report);
    }
    ebm_model_free(model);
    return sum;
}

/* Chains of every leg start at the data, so that the first steps are CD: with 300 steps of 4 they have forgotten it. */
Test(loss_pcd, precision_of_a_gaussian)
{
    double *x = normals(ROWS, 0, 0.8, 5), m2 = 0;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    double exact = fit(x, &ebm_loss_pcd, &ebm_mala, 0.4, 0), ring = fit(x, &ebm_loss_pcd, &ebm_mala, 0.4, 3 * ROWS);
    cr_expect(fabs(exact * m2 - 1) < 0.04, "%g of the data's precision", exact * m2);
    cr_expect(fabs(ring * m2 - 1) < 0.04, "with a ring: %g", ring * m2);
    /* ULA's chains have variance 1/(λ(1 − hλ/2)): λ(1 − hλ/2) = 1/m₂ */
    const double h = 0.2;
    double ula = fit(x, &ebm_loss_pcd, &ebm_ula, h, 0), biased = (1 - sqrt(1 - 2 * h / m2)) / h;
    cr_expect(fabs(ula / biased - 1) < 0.04, "ULA: %g, its own limit is %g", ula, biased);
    cr_expect(fabs(ula * m2 - 1) > 0.1, "the bias must show: %g", ula * m2);
    free(x);
}
