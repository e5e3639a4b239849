/* NCE over many data sets: the learnt c is log Z for any ν, and large ν comes to maximum likelihood. */
#include "ebm/objective_helpers.h"

enum { ROWS = 1000, SETS = 40 };
static const double truth = 1.5; /* precision */

typedef struct estimate {
    double precision, log_z, likeliest; /* likeliest: of the same data, by maximum likelihood */
} estimate;

static estimate fit_set(double nu, const ebm_proposal *q, uint64_t set)
{
    double *x = normals(ROWS, 0, 1 / sqrt(truth), set), m2 = 0;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = {0};
    ebm_fit_report report;
    o.loss = &ebm_loss_nce;
    o.loss_options.proposal = q;
    o.loss_options.noise_ratio = nu;
    o.loss_options.threads = 1;
    o.lbfgs = 1;
    o.seed = 1000 + set;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    estimate e = {parameter_of(model, "precision"), report.log_z, 1 / m2};
    cr_expect(report.converged);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
    return e;
}

/* How far something is from its expectation, over the sets. */
typedef struct spread {
    double sum, squares;
} spread;

static void add(spread *s, double v) { s->sum += v, s->squares += v * v; }

static void expect_centred(spread s, double nu, const char *what)
{
    double mean = s.sum / SETS, error = sqrt((s.squares / SETS - mean * mean) / (SETS - 1));
    cr_expect(fabs(mean) < 4 * error + 2.0 / ROWS, "ν = %g: %s is off by %g ± %g", nu, what, mean, error);
    cr_expect(error > 1e-5 && error < 0.05, "ν = %g: %s spreads by %g", nu, what, error);
}

/* The root mean square distance to maximum likelihood. 2/ROWS above is room for the bias of order 1/N. */
static double study(double nu, const ebm_proposal *q)
{
    spread precision = {0}, log_z = {0}, of_its_own = {0}, away = {0};
    for (uint64_t set = 1; set <= SETS; set++) {
        estimate e = fit_set(nu, q, set);
        add(&precision, e.precision - truth);
        add(&log_z, e.log_z - 0.5 * log(2 * acos(-1) / truth));
        add(&of_its_own, e.log_z - 0.5 * log(2 * acos(-1) / e.precision));
        add(&away, e.precision - e.likeliest);
    }
    expect_centred(precision, nu, "the precision");
    expect_centred(log_z, nu, "c from the true log Z");
    expect_centred(of_its_own, nu, "c from log Z of the fitted precision");
    return sqrt(away.squares / SETS);
}

/* What sampling adds to the variance of maximum likelihood falls like 1/ν: the distance by √50 from 1 to 50. */
Test(loss_nce, c_is_log_z_and_large_ratios_are_maximum_likelihood)
{
    static const double ratios[] = {0.5, 1, 5, 50};
    double away[COUNT(ratios)];
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0.2}, (double[]){1.3}, NULL, &q, ERROR));
    for (int k = 0; k < COUNT(ratios); k++) away[k] = study(ratios[k], q);
    for (int k = 1; k < COUNT(ratios); k++) cr_expect(away[k] < away[k - 1], "%g at ν = %g", away[k], ratios[k]);
    cr_expect(away[1] / away[3] > 4 && away[1] / away[3] < 12, "%g at 1, %g at 50", away[1], away[3]);
    ebm_proposal_free(q);
}
