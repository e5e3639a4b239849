/* Noise contrastive estimation against plain C from the same draws, for ν on both sides of 1. */
#include "objective_helpers.h"

enum { ROWS = 160, SEED = 8, STEP = 2 };
static const double ratios[] = {0.5, 1, 5};
static const double c = 1.3; /* log Z as learnt so far */

static double softplus(double v) { return fmax(v, 0) + log1p(exp(-fabs(v))); }
static double sigmoid(double v) { return 1 / (1 + exp(-v)); }

typedef struct nce {
    double value, right, gradient[MOST_PARAMETERS + 1];
} nce;

/* Adds `weight` times the mean of softplus(sign·G), G = −E − c − log q − log ν, over the points; its derivative by
 * (θ, c) is −sign·σ(sign·G)·(∇E, 1). `right` counts the points on their side of G + log ν = 0. */
static void add_branch(nce *n, const plain_energy *e, const double *points, const double *log_q, int64_t rows,
                       double nu, double weight, double sign)
{
    double dE[MOST_PARAMETERS], each = weight / (double)rows;
    for (int64_t r = 0; r < rows; r++) {
        double G = -e->E(points + r * e->dim, e->theta) - c - log_q[r] - log(nu),
               pull = -each * sign * sigmoid(sign * G);
        n->value += each * softplus(sign * G);
        n->right += (sign * (G + log(nu)) < 0) / (2.0 * (double)rows);
        e->dtheta(points + r * e->dim, e->theta, dE);
        for (int k = 0; k < e->size; k++) n->gradient[k] += pull * dE[k];
        n->gradient[e->size] += pull;
    }
}

static nce plain_nce(const plain_energy *e, const ebm_proposal *q, const double *x, double nu)
{
    int64_t m = (int64_t)round(nu * ROWS);
    double *y = malloc((size_t)(m * e->dim) * sizeof *y), *log_q = malloc((size_t)(m + ROWS) * sizeof *y);
    nce n = {0};
    OK(ebm_proposal_log_density(q, x, ROWS, NULL, log_q, ERROR));
    OK(ebm_proposal_sample(q, m, SEED, STEP, NULL, y, log_q + ROWS, ERROR));
    add_branch(&n, e, x, log_q, ROWS, nu, 1, -1);
    add_branch(&n, e, y, log_q + ROWS, m, nu, nu, 1);
    free(y), free(log_q);
    return n;
}

static void check_energy(const plain_energy *e, double nu)
{
    double *x = test_points(e, ROWS, 1);
    ebm_model *model = e->make();
    ebm_proposal *q = test_proposal(e);
    ebm_loss_options options = {0};
    options.proposal = q;
    options.noise_ratio = nu;
    ebm_objective *o = objective_at(model, &ebm_loss_nce, &options, e->theta, x, ROWS, SEED, STEP);
    nce expected = plain_nce(e, q, x, nu);
    cr_assert(ebm_objective_size(o) == e->size + 1, "log Z is learnt beside θ");
    ((double *)ebm_objective_theta(o))[e->size] = c;
    expect_close(value_of(o), expected.value, 1e-12, e->name);
    for (int k = 0; k <= e->size; k++)
        expect_close(((const double *)ebm_objective_gradient(o))[k], expected.gradient[k], 1e-12, e->name);
    expect_close(ebm_objective_health(o), expected.right, 1e-12, "accuracy");
    cr_expect(ebm_objective_log_z(o) == c && expected.right > 0.25 && expected.right < 1);
    expect_consistent(o, 1e-8, e->name);
    ebm_objective_free(o);
    ebm_proposal_free(q);
    ebm_model_free(model);
    free(x);
}

Test(nce, agrees_with_plain_c)
{
    for (int k = 0; k < ENERGIES; k++)
        for (int r = 0; r < COUNT(ratios); r++) check_energy(&energies[k], ratios[r]);
}

/* When model and noise are one density, and c its log Z, then G = −log ν everywhere: the value is known, and both kinds
 * look alike (the accuracy is then a matter of rounding; just beside, one kind is right and the other wrong). */
Test(nce, data_that_are_noise)
{
    double *x = normals(ROWS, 0, 1, 2), log_z = 0.5 * log(2 * acos(-1));
    ebm_model *model = energies[PRECISION].make();
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){1}, NULL, &q, ERROR));
    for (int r = 0; r < COUNT(ratios); r++) {
        ebm_loss_options options = {0};
        options.proposal = q;
        options.noise_ratio = ratios[r];
        ebm_objective *o = objective_at(model, &ebm_loss_nce, &options, (double[]){1}, x, ROWS, SEED, STEP);
        ((double *)ebm_objective_theta(o))[1] = log_z;
        double nu = ratios[r], expected = softplus(log(nu)) + nu * softplus(-log(nu));
        expect_close(value_of(o), expected, 1e-12, "value");
        expect_close(((const double *)ebm_objective_gradient(o))[1], 0, 1e-12, "c is where it should be");
        ((double *)ebm_objective_theta(o))[1] = log_z + 2;
        value_of(o);
        cr_expect(((const double *)ebm_objective_gradient(o))[1] > 0.05, "c is too large, and is told to shrink");
        expect_close(ebm_objective_health(o), 0.5, 1e-15, "accuracy");
        ebm_objective_free(o);
    }
    ebm_proposal_free(q);
    ebm_model_free(model);
    free(x);
}

Test(nce, fits_and_learns_log_z)
{
    enum { MANY = 4000 };
    double *x = normals(MANY, 0, 0.8, 3), m2 = 0;
    for (int r = 0; r < MANY; r++) m2 += x[r] * x[r] / MANY;
    ebm_data data = table(x, MANY, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options options = {0};
    ebm_fit_report report;
    options.loss = &ebm_loss_nce;
    options.loss_options.noise_ratio = 5;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    double lambda = parameter_of(model, "precision");
    cr_expect(report.converged && report.health > 0.55 && report.health < 0.9);
    expect_close(lambda, 1 / m2, 0.05, "near the maximum-likelihood estimate");
    expect_close(report.log_z, 0.5 * log(2 * acos(-1) / lambda), 0.03, "log Z");
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}
