/* Conditional energies of a real y: E(x, y) = ½λ(y − a − bx)² is the Gaussian linear regression, whose maximum
 * likelihood is least squares. By quadrature and by score matching the fit is that, number for number; by the other
 * losses its error against the truth falls like N^−½. The same energy taken for a density of whole rows is another
 * estimate, and is seen to be. */
#include "ebm/loss_helpers.h"

enum { SETS = 30, SIZES = 3, SIZE = 3 };
static const double truth[SIZE] = {0.5, -0.8, 1.6}; /* a, b, λ */

static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_reshape(ad_slice(row, 0, 0, 1), ad_scalar()), y = ad_reshape(ad_slice(row, 0, 1, 1), ad_scalar());
    ad_var residual = ad_sub(y, ad_add(theta[0], ad_mul(theta[1], x)));
    return ad_scale(ad_mul(theta[2], ad_square(residual)), 0.5);
}

/* −wxy + vy²: what a ratio p(y | x)/p(y) of joint Gaussians can be, up to a function of x. */
static ad_var ratio_energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_reshape(ad_slice(row, 0, 0, 1), ad_scalar()), y = ad_reshape(ad_slice(row, 0, 1, 1), ad_scalar());
    return ad_sub(ad_mul(theta[1], ad_square(y)), ad_mul(theta[0], ad_mul(x, y)));
}

static ebm_model *model_with(ebm_energy_fn f, int size, bool conditional)
{
    static const ebm_parameter p[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 0},
                                      {"b", {0, {0}}, EBM_INIT_CONSTANT, 0.1},
                                      {"lambda", {0, {0}}, EBM_INIT_CONSTANT, 1}};
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dim = 2, spec.parameters = p, spec.parameter_count = size, spec.energy = f;
    spec.given = conditional ? 1 : 0;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* x ~ N(0, 1), y | x ~ N(a + bx, 1/λ). */
static double *regression_rows(int64_t rows, const double *t, uint64_t seed)
{
    double *x = normals(2 * rows, 0, 1, seed);
    for (int64_t r = 0; r < rows; r++) x[2 * r + 1] = t[0] + t[1] * x[2 * r] + x[2 * r + 1] / sqrt(t[2]);
    return x;
}

/* The maximum likelihood estimate: least squares, and one over the mean square of what it leaves. */
static void least_squares(double *rows, int64_t n, double *t)
{
    ebm_data data = table(rows, n, 2), residuals;
    double squares = 0;
    OK(ebm_least_squares(&data, 1, t, &residuals, ERROR));
    for (int64_t r = 0; r < n; r++) squares += residuals.x[r] * residuals.x[r] / (double)n;
    t[2] = 1 / squares;
    ebm_data_free(&residuals);
}

typedef struct method {
    const char *name;
    const ebm_loss *loss;
    const ebm_sampler *sampler;
    double ratio, noise_sd;
    int copies;
    int64_t smallest, batch; /* rows; then 4 and 16 times as many */
    int64_t steps;           /* 0: L-BFGS */
    int marginal;            /* q(y) instead of q(y | x) */
    double rate;             /* 0: 0.5, whose noise moves the mean of λ where batches are small */
} method;

static void estimate(const method *m, int64_t rows, uint64_t set, bool lines, double *found, double *spread)
{
    static const double joint[] = {0, -0.8, 1.6};
    double *x = regression_rows(rows, lines ? truth : joint, 91 * set + (uint64_t)rows);
    double mean[] = {0.5}, sd[] = {1.6};
    ebm_data data = table(x, rows, 2);
    ebm_model *model = model_with(lines ? energy : ratio_energy, lines ? 3 : 2, true);
    ebm_fit_options o = {0};
    ebm_fit_report report;
    ebm_proposal *q = NULL;
    ebm_points points;
    if (m->marginal) OK(ebm_proposal_gaussian_diagonal(1, mean, sd, NULL, &q, ERROR));
    OK(ebm_points_box(1, &(ebm_box){.low = {-16}, .high = {16}, .points = 300}, NULL, &points, ERROR));
    o.loss = m->loss, o.loss_options.proposal = q, o.loss_options.points = &points;
    o.loss_options.noise_ratio = m->ratio, o.loss_options.copies = m->copies ? m->copies : 1;
    if (m->noise_sd) o.loss_options.noise_sd = m->noise_sd;
    o.loss_options.sampler = m->sampler, o.loss_options.sampler_step = 0.2, o.loss_options.threads = 1;
    o.optimizer = &ebm_sgd, o.rate = m->rate ? m->rate : 0.5;
    o.lbfgs = m->steps == 0, o.batch = m->batch;
    if (m->steps) o.steps = m->steps, o.average = 0.98;
    o.seed = set;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    cr_expect(m->steps || report.converged, "%s", m->name);
    if (spread) *spread = report.log_z_spread;
    ebm_model_get(model, found);
    ebm_fit_report_free(&report);
    ebm_proposal_free(q), ebm_points_free(&points), ebm_model_free(model), free(x);
}

/* As in test_loss_consistency.c, of all parameters together. */
static void check_method(const method *m, bool lines, const double *limit)
{
    double rms[SIZES], found[SIZE];
    int size = lines ? 3 : 2;
    for (int k = 0; k < SIZES; k++) {
        int64_t rows = m->smallest << 2 * k;
        spread each[SIZE] = {{0}};
        rms[k] = 0;
        for (uint64_t set = 1; set <= SETS; set++) {
            estimate(m, rows, set, lines, found, NULL);
            for (int i = 0; i < size; i++) spread_add(&each[i], found[i] - limit[i]);
        }
        for (int i = 0; i < size; i++) {
            double off = fabs(spread_mean(&each[i])), room = 20 / (double)rows; /* a bias of order 1/N */
            cr_expect(off < 4 * spread_error(&each[i]) + room, "%s, N = %d, parameter %d: off by %g ± %g", m->name,
                      (int)rows, i, spread_mean(&each[i]), spread_error(&each[i]));
            rms[k] += each[i].squares / SETS;
        }
        rms[k] = sqrt(rms[k]);
    }
    double whole = rms[0] / rms[2];
    cr_expect(whole > 2.4 && whole < 7.5, "%s: the error falls by %g (%g %g %g)", m->name, whole, rms[0], rms[1],
              rms[2]);
}

static const double blurred[] = {0.5, -0.8, 1 / (1 / 1.6 + 0.25)};
#define CONDITIONAL(test, limit, ...) \
    Test(loss_consistency_conditional, test) { check_method(&(method){#test, __VA_ARGS__}, true, limit); }

CONDITIONAL(denoising, blurred, &ebm_loss_denoising, .noise_sd = 0.5, .copies = 4, .smallest = 100)
CONDITIONAL(sliced, truth, &ebm_loss_sliced, .copies = 2, .smallest = 100)
CONDITIONAL(conditional_nce, truth, &ebm_loss_conditional_nce, .noise_sd = 0.7, .copies = 4, .smallest = 100)
CONDITIONAL(nce, truth, &ebm_loss_nce, .ratio = 3, .smallest = 100)
CONDITIONAL(nce_with_the_marginal, truth, &ebm_loss_nce, .ratio = 5, .marginal = 1, .smallest = 100)
CONDITIONAL(ranking_nce, truth, &ebm_loss_ranking_nce, .copies = 5, .smallest = 100)
CONDITIONAL(ranking_nce_with_the_marginal, truth, &ebm_loss_ranking_nce, .copies = 8, .marginal = 1, .smallest = 100)
CONDITIONAL(importance_sampling, truth, &ebm_loss_ml_is, .ratio = 100, .smallest = 50)
CONDITIONAL(cd, truth, &ebm_loss_cd, .sampler = &ebm_mala, .smallest = 50, .steps = 300)
CONDITIONAL(pcd, truth, &ebm_loss_pcd, .sampler = &ebm_mala, .smallest = 50, .steps = 400)
CONDITIONAL(pcd_in_batches, truth, &ebm_loss_pcd, .sampler = &ebm_mala, .smallest = 50, .steps = 1200, .batch = 40,
            .rate = 0.1)

/* A short step down the gradient, from λ and b on either side of the truth, leads nearer to it, and a step up away. */
static void check_direction(const ebm_loss *loss, const ebm_sampler *sampler)
{
    enum { N = 4000 };
    double *x = regression_rows(N, truth, 5);
    ebm_data data = table(x, N, 2);
    ebm_proposal *q;
    ebm_points points;
    OK(ebm_proposal_regression_fit(&data, 1, INFINITY, 1.5, NULL, &q, ERROR));
    OK(ebm_points_box(1, &(ebm_box){.low = {-16}, .high = {16}, .points = 200}, NULL, &points, ERROR));
    for (int side = 0; side < 4; side++) {
        const double from[] = {truth[0], truth[1] + (side & 1 ? 0.4 : -0.4), truth[2] * (side & 2 ? 1.7 : 0.6)};
        ebm_model *model = model_with(energy, 3, true);
        ebm_loss_options o = {0};
        o.proposal = loss->noise == EBM_NOISE_PERSISTENT ? NULL : q, o.points = &points, o.copies = 5,
        o.noise_ratio = 20;
        o.noise_sd = 0.1, o.sampler = sampler, o.sampler_step = 0.3, o.sampler_steps = 5;
        ebm_objective *objective = objective_at(model, loss, &o, from, x, N, 3, 0);
        value_of(objective);
        const double *g = ebm_objective_gradient(objective);
        for (int i = 1; i < 3; i++)
            cr_expect(g[i] * (from[i] - truth[i]) > 1e-4, "%s, side %d, parameter %d: slope %g", loss->name, side, i,
                      g[i]);
        ebm_objective_free(objective), ebm_model_free(model);
    }
    ebm_proposal_free(q), ebm_points_free(&points), free(x);
}

Test(loss_consistency_conditional, directions)
{
    static const ebm_loss *const losses[] = {
        &ebm_loss_score_matching, &ebm_loss_denoising, &ebm_loss_sliced, &ebm_loss_sliced_reduced,
        &ebm_loss_conditional_nce, &ebm_loss_nce, &ebm_loss_ranking_nce, &ebm_loss_ml_is, &ebm_loss_exact_ml};
    for (int k = 0; k < COUNT(losses); k++) check_direction(losses[k], NULL);
    check_direction(&ebm_loss_cd, &ebm_mala);
    check_direction(&ebm_loss_pcd, &ebm_hmc);
}

/* w = λb and v = ½(λ − 1/Var y). */
Test(loss_consistency_conditional, among_the_rows_of_a_batch)
{
    const method m = {"batch ranking NCE", &ebm_loss_batch_ranking_nce, .copies = 20, .smallest = 100};
    check_method(&m, false, (double[]){-1.28, 0.5 * (1.6 - 1 / (0.64 + 1 / 1.6))});
}

Test(loss_consistency_conditional, least_squares_itself)
{
    static const method exact[] = {{"exact ML", &ebm_loss_exact_ml, .smallest = 60},
                                   {"score matching", &ebm_loss_score_matching, .smallest = 60}};
    for (int k = 0; k < COUNT(exact); k++)
        for (uint64_t set = 1; set <= 5; set++) {
            double found[SIZE], least[SIZE], *x = regression_rows(60, truth, 91 * set + 60);
            estimate(&exact[k], 60, set, true, found, NULL);
            least_squares(x, 60, least);
            for (int i = 0; i < SIZE; i++) expect_close(found[i], least[i], 2e-5, exact[k].name);
            free(x);
        }
}

/* Of a density of whole rows, score matching is least where (1 + b²)/(mean square) is largest: the line of total least
 * squares, here of slope −1.15 instead of −0.8. */
Test(loss_consistency_conditional, control_whole_rows_give_another_line)
{
    double *x = regression_rows(20000, truth, 3), least[SIZE];
    ebm_data data = table(x, 20000, 2);
    ebm_model *model = model_with(energy, 3, false);
    ebm_fit_options o = {0};
    o.loss = &ebm_loss_score_matching, o.lbfgs = 1;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    double b = ((double *)ebm_model_theta(model))[1];
    double sxx = 1, sxy = -0.8, syy = 0.64 + 1 / 1.6, gap = syy - sxx;
    least_squares(x, 20000, least);
    expect_close(b, (gap + sqrt(gap * gap + 4 * sxy * sxy)) / (2 * sxy), 0.05, "total least squares");
    cr_expect(fabs(least[1] - truth[1]) < 0.03 && fabs(b - truth[1]) > 0.3, "%g and %g", least[1], b);
    ebm_model_free(model), free(x);
}

/* ½λ(y − bx)² + bx·y is normalised by another number for each x: NCE's single c does not do, and the report says so;
 * of the regression, for which it does, it says that too. */
static ad_var moving_z(ad_var row, const ad_var *theta, void *context)
{
    ad_var x = ad_reshape(ad_slice(row, 0, 0, 1), ad_scalar()), y = ad_reshape(ad_slice(row, 0, 1, 1), ad_scalar());
    return ad_sub(energy(row, theta, context), ad_mul(x, y));
}

Test(loss_consistency_conditional, one_log_z_for_all_x)
{
    double *x = regression_rows(4000, truth, 3);
    ebm_data data = table(x, 4000, 2);
    ebm_energy_fn energies_of[] = {energy, moving_z};
    for (int k = 0; k < 2; k++) {
        ebm_model *other = model_with(energies_of[k], 3, true);
        ebm_fit_options o = {0};
        ebm_fit_report report;
        o.loss = &ebm_loss_nce, o.lbfgs = 1, o.loss_options.noise_ratio = 5;
        OK(ebm_fit(other, &data, &o, &report, ERROR));
        cr_expect(k ? report.log_z_spread > 0.2 : report.log_z_spread < 0.02, "%g", report.log_z_spread);
        double slope = ((double *)ebm_model_theta(other))[1], lambda = ((double *)ebm_model_theta(other))[2];
        if (!k) expect_close(slope, truth[1], 0.06, "NCE, one Z");
        else cr_expect(fabs(slope + 1 / lambda - truth[1]) > 0.05, "NCE is right after all: %g", slope + 1 / lambda);
        ebm_fit_report_free(&report);
        o.loss = &ebm_loss_ranking_nce, o.loss_options.copies = 5; /* does not mind */
        OK(ebm_fit(other, &data, &o, NULL, ERROR));
        slope = ((double *)ebm_model_theta(other))[1], lambda = ((double *)ebm_model_theta(other))[2];
        expect_close(slope + (k ? 1 / lambda : 0), truth[1], 0.06, "ranking NCE");
        ebm_model_free(other);
    }
    free(x);
}
