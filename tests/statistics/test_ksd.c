/* The test by kernel Stein discrepancy: under the model its p-values are uniform, elsewhere they are small. */
#include "ebm/loss_helpers.h"

enum { SETS = 400, ROWS = 60 };

typedef struct outcome {
    double below[3]; /* shares of p-values at most 0.05, 0.2 and 0.5 */
    double mean;     /* of the statistic */
    double error;
} outcome;
static const double levels[] = {0.05, 0.2, 0.5};

/* Data of mean and standard deviation, cubed where `bent`, tested against N(0, 1). */
static outcome study(int rbf, double mean, double sd, int bent)
{
    outcome all = {.mean = 0};
    spread statistic = {0};
    ebm_model *model = energies[PRECISION].make();
    double one = 1;
    ebm_model_set(model, &one);
    for (uint64_t set = 0; set < SETS; set++) {
        double *x = normals(ROWS, mean, sd, 500 + set);
        for (int r = 0; r < ROWS && bent; r++) x[r] *= fabs(x[r]) / sqrt(3); /* variance 1, heavy tails, a cusp at 0 */
        ebm_data data = table(x, ROWS, 1);
        ebm_ksd_options options = {0};
        ebm_ksd result;
        options.rbf = rbf;
        options.length = 1;
        options.bootstrap = 199;
        options.seed = set;
        options.threads = 1;
        OK(ebm_ksd_test(model, &data, &options, &result, ERROR));
        for (int k = 0; k < 3; k++) all.below[k] += (result.p_value <= levels[k]) / (double)SETS;
        spread_add(&statistic, result.statistic);
        free(x);
    }
    all.mean = spread_mean(&statistic);
    all.error = spread_error(&statistic);
    ebm_model_free(model);
    return all;
}

/* Binomial errors, and room for the bootstrap's own at 60 rows. */
Test(ksd, size)
{
    for (int rbf = 0; rbf < 2; rbf++) {
        outcome o = study(rbf, 0, 1, 0);
        for (int k = 0; k < 3; k++) {
            double error = sqrt(levels[k] * (1 - levels[k]) / SETS);
            cr_expect(fabs(o.below[k] - levels[k]) < 4 * error + 0.02, "rbf %d: %g at most %g", rbf, o.below[k],
                      levels[k]);
        }
        cr_expect(fabs(o.mean) < 4.5 * o.error, "the statistic has mean %g ± %g", o.mean, o.error);
    }
}

Test(ksd, power)
{
    const double wrong[][3] = {{0.7, 1, 0}, {0, 1.6, 0}, {0, 0.5, 0}, {0, 1, 1}};
    for (int rbf = 0; rbf < 2; rbf++)
        for (int k = 0; k < COUNT(wrong); k++) {
            outcome o = study(rbf, wrong[k][0], wrong[k][1], wrong[k][2] > 0);
            cr_expect(o.below[0] > 0.6, "rbf %d, case %d: %g are found", rbf, k, o.below[0]);
            cr_expect(o.mean > 8 * o.error, "the statistic has mean %g ± %g", o.mean, o.error);
        }
}
