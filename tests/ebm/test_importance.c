/* What weights are worth: k̂ against the exact index of the tail, weights that have none, few of them, constants in E,
 * the effective number, smoothing, and where such figures are reported. */
#include "sampling.h"

/* E = x²/2θ² + c; q = N(2, 2²): weights with the index 1 − 4/θ². */
static double shift;
static ad_var geyer(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_shift(ad_scale(ad_sum(ad_square(ad_div(x, theta[0]))), 0.5), shift);
}

static ebm_model *geyer_model(double theta, gibbs_dtype dtype)
{
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, theta};
    ebm_model_spec spec = {.dtype = dtype, .dim = 1, .parameters = &p, .parameter_count = 1, .energy = geyer};
    ebm_model *model;
    shift = 0;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static ebm_proposal *normal(double mean, double sd)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &q, ERROR));
    return q;
}

static ebm_importance of(const double *log_w, int64_t rows)
{
    ebm_importance r;
    OK(ebm_importance_of(log_w, rows, 0, NULL, NULL, &r, ERROR));
    return r;
}

Test(importance, k_tends_to_the_index_of_the_tail)
{
    const double theta[] = {2, 3, 6}, low[] = {-1, 0.5, 0.7}, high[] = {0.35, 0.75, 1.1};
    for (int k = 0; k < 3; k++)
        for (int dtype = 0; dtype < 2; dtype++) {
            ebm_model *model = geyer_model(theta[k], dtype ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
            ebm_proposal *q = normal(2, 2);
            ebm_importance r;
            OK(ebm_importance_sample(model, q, 100000, 1, NULL, NULL, &r, ERROR));
            cr_expect(r.k > low[k] && r.k < high[k], "θ = %g: %g", theta[k], r.k);
            cr_expect(isinf(r.standard_error) == (k > 0));
            ebm_model_free(model);
            ebm_proposal_free(q);
        }
}

/* w = U^−k has that index exactly; exponential tails have 0, uniform ones −1. The error of k̂ is (1 + k)/√t. */
Test(importance, k_of_exact_pareto_weights)
{
    enum { ROWS = 40000 };
    const double index[] = {-1, -0.5, 0, 0.3, 0.7, 1.5};
    double *log_w = sampling_room(ROWS, sizeof *log_w);
    for (int k = 0; k < COUNT(index); k++) {
        uint64_t state = 5 + (uint64_t)k;
        for (int r = 0; r < ROWS; r++) {
            double u = sampling_uniform(&state), a = index[k];
            log_w[r] = a > 0 ? -a * log(u) : a < 0 ? log(3 - pow(u, -a)) : log(3 - log(u));
        }
        cr_expect_float_eq(of(log_w, ROWS).k, index[k], 4 * (1 + fabs(index[k])) / sqrt(600), "%g: %g", index[k],
                           of(log_w, ROWS).k);
    }
    free(log_w);
}

Test(importance, weights_without_a_tail)
{
    double log_w[1000], weight[1000];
    ebm_importance r;
    for (int k = 0; k < 1000; k++) log_w[k] = 3;
    r = of(log_w, 1000);
    cr_expect(r.k == -INFINITY && r.ess == 1000 && r.standard_error == 0 && r.log_z == 3);
    for (int k = 0; k < 1000; k++) log_w[k] = k % 7 ? -INFINITY : 3; /* of 143 that are not 0, all are equal */
    r = of(log_w, 1000);
    cr_expect(r.k == -INFINITY);
    cr_expect_float_eq(r.ess, 143, 1e-9);
    cr_expect_float_eq(r.log_z, 3 + log(0.143), 1e-12);
    cr_expect_float_eq(r.standard_error, sqrt(0.143 * 0.857 / 999) / 0.143, 1e-9);
    for (int k = 0; k < 1000; k++) log_w[k] = k % 10 ? 0 : 1; /* two values */
    cr_expect_eq(of(log_w, 1000).k, -INFINITY);
    for (int k = 0; k < 1000; k++) log_w[k] = k ? -2000. * k : 0; /* one has all */
    r = of(log_w, 1000);
    cr_expect(r.k == INFINITY && r.ess == 1 && r.largest == 1 && r.standard_error == INFINITY);
    r = of(log_w, 1);
    cr_expect(isnan(r.k) && r.ess == 1 && r.log_z == 0 && isnan(r.standard_error));
    const double few[] = {0, -1, -3};
    OK(ebm_importance_of(few, 3, 1, NULL, weight, &r, ERROR));
    double sum = 1 + exp(-1) + exp(-3), squares = 1 + exp(-2) + exp(-6);
    cr_expect(isnan(r.k));
    cr_expect_float_eq(r.ess, sum * sum / squares, 1e-12);
    cr_expect_float_eq(r.log_z, log(sum / 3), 1e-12);
    cr_expect_float_eq(r.standard_error, sqrt((squares / 3 - sum * sum / 9) * 3 / 2 / 3) / (sum / 3), 1e-12);
    cr_expect_float_eq(weight[1], exp(-1) / sum, 1e-12);
    cr_expect_float_eq(r.largest, 1 / sum, 1e-12);
}

/* Not beyond rounding: weights of float32 energies that are 10⁴ are known to 10⁻³. */
Test(importance, constants_change_nothing)
{
    const double shifts[] = {1, -1000, 1e6};
    for (int dtype = 0; dtype < 2; dtype++) {
        ebm_model *model = geyer_model(2.2, dtype ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        ebm_proposal *q = normal(2, 2);
        ebm_importance plain, r;
        OK(ebm_importance_sample(model, q, 800, 3, NULL, NULL, &plain, ERROR));
        for (int k = 0; k < COUNT(shifts) - 2 * dtype; k++) {
            double slack = (dtype ? 1e-5 : 1e-13) * fmax(1, fabs(shifts[k]));
            ebm_model *again = geyer_model(2.2, dtype ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
            shift = shifts[k];
            OK(ebm_importance_sample(again, q, 800, 3, NULL, NULL, &r, ERROR));
            cr_expect_float_eq(r.log_z + shift, plain.log_z, slack);
            cr_expect_float_eq(r.k, plain.k, 100 * slack);
            cr_expect_float_eq(r.ess, plain.ess, 1000 * slack);
            cr_expect_float_eq(r.standard_error, plain.standard_error, slack);
            ebm_model_free(again);
        }
        ebm_model_free(model);
        ebm_proposal_free(q);
    }
}

/* q = p, and energies of which no digit is left: never more than M, nor a share above 1. */
Test(importance, the_effective_number_is_at_most_m)
{
    const double shifts[] = {0, 1e3, -1e3, 1e5, 1e8, 1e15};
    for (int k = 0; k < 2 * COUNT(shifts); k++)
        for (int rows = 1; rows < 1000; rows = 3 * rows + 1) {
            ebm_model *model = geyer_model(2, k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
            ebm_proposal *q = normal(0, 2);
            ebm_importance r;
            shift = shifts[k / 2];
            OK(ebm_importance_sample(model, q, rows, 3, NULL, NULL, &r, ERROR));
            cr_expect(r.ess <= rows && r.ess >= 1 - 1e-12 && r.largest <= 1 && !(r.k > 0.7), "%g of %d, k %g", r.ess,
                      rows, r.k);
            ebm_model_free(model);
            ebm_proposal_free(q);
        }
}

/* At θ = 3 the plain weights have no variance (index .56), smoothed ones are of use: over seeds the smoothed log Ẑ errs
 * by what it says, and by less than the plain one. */
Test(importance, smoothed_weights_err_by_what_they_say)
{
    enum { SEEDS = 200, ROWS = 2000 };
    double log_z = 0.5 * log(2 * M_PI * 9), errors[2] = {0}, said = 0;
    int told = 0;
    ebm_model *model = geyer_model(3, GIBBS_FLOAT64);
    ebm_proposal *q = normal(2, 2);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ebm_importance r[2];
        OK(ebm_importance_sample(model, q, ROWS, seed, NULL, NULL, &r[0], ERROR));
        OK(ebm_importance_smoothed(model, q, ROWS, seed, NULL, NULL, &r[1], ERROR));
        cr_assert(r[0].k == r[1].k && isinf(r[0].standard_error) == (r[0].k > 0.5));
        for (int k = 0; k < 2; k++) errors[k] += (r[k].log_z - log_z) * (r[k].log_z - log_z) / SEEDS;
        if (isfinite(r[1].standard_error)) said += r[1].standard_error, told++;
    }
    cr_expect_gt(told, SEEDS / 2);
    cr_expect_lt(errors[1], errors[0]);
    double ratio = said / told / sqrt(errors[1]);
    cr_expect(ratio > 0.6 && ratio < 1.3, "said %g, errs %g, plain %g", said / told, sqrt(errors[1]), sqrt(errors[0]));
    ebm_model_free(model);
    ebm_proposal_free(q);
}

/* Where the tail is light, log Ẑ errs by its standard error: χ² over seeds. */
Test(importance, the_standard_error_is_the_error)
{
    enum { SEEDS = 1000, ROWS = 1000 };
    double log_z = 0.5 * log(2 * M_PI * 2.25), squares = 0;
    ebm_model *model = geyer_model(1.5, GIBBS_FLOAT64);
    ebm_proposal *q = normal(0, 2);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ebm_importance r;
        OK(ebm_importance_sample(model, q, ROWS, seed, NULL, NULL, &r, ERROR));
        double z = (r.log_z - log_z) / r.standard_error;
        squares += z * z / SEEDS;
    }
    cr_expect(fabs(squares - 1) < 4 * sqrt(2. / SEEDS), "%g", squares);
    ebm_model_free(model);
    ebm_proposal_free(q);
}

/* A fit says it of its own points: those of its seed, at its parameters. */
Test(importance, a_fit_reports_its_weights)
{
    enum { ROWS = 1000 };
    double x[ROWS];
    uint64_t state = 3;
    for (int r = 0; r < ROWS; r++)
        x[r] = 3 * sqrt(-2 * log(sampling_uniform(&state))) * cos(2 * M_PI * sampling_uniform(&state));
    const ebm_data data = {.rows = ROWS, .cols = 1, .x = x};
    const ebm_loss *losses[] = {&ebm_loss_ml_is, &ebm_loss_nce, &ebm_loss_score_matching};
    for (int k = 0; k < 3; k++) {
        ebm_model *model = geyer_model(3, GIBBS_FLOAT64);
        ebm_proposal *q = normal(2, 2);
        ebm_fit_options o = {.loss = losses[k], .lbfgs = 1, .seed = 7};
        ebm_fit_report report;
        ebm_importance own;
        o.loss_options.proposal = q, o.loss_options.noise_ratio = 10;
        if (k == 1) o.loss_options.redraw = EBM_REDRAW_NEVER;
        OK(ebm_fit(model, &data, &o, &report, ERROR));
        OK(ebm_importance_sample(model, q, 10 * ROWS, 7, NULL, NULL, &own, ERROR));
        if (k == 2) cr_expect(isnan(report.weights.k) && isnan(report.weights.ess));
        else cr_expect(report.weights.k == own.k && report.weights.k > 0.45 && report.weights.ess == own.ess);
        if (k == 0) cr_expect_float_eq(report.weights.ess, report.health, 1e-9 * own.ess);
        if (k == 0) cr_expect_float_eq(report.weights.log_z, report.log_z, 1e-12);
        ebm_fit_report_free(&report);
        ebm_model_free(model);
        ebm_proposal_free(q);
    }
}

Test(importance, refuses)
{
    const double bad[] = {0, NAN, INFINITY, -INFINITY};
    ebm_importance r = {.ess = -1};
    FAILS(GIBBS_ARGUMENT, "a required pointer is NULL", ebm_importance_of(NULL, 1, 0, NULL, NULL, &r, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 rows", ebm_importance_of(bad, 0, 0, NULL, NULL, &r, FAIL));
    FAILS(GIBBS_NUMERIC, "row 2", ebm_importance_of(bad, 2, 0, NULL, NULL, &r, FAIL));
    FAILS(GIBBS_NUMERIC, "row 1", ebm_importance_of(bad + 2, 1, 0, NULL, NULL, &r, FAIL));
    FAILS(GIBBS_NUMERIC, "all 1 weights are 0", ebm_importance_of(bad + 3, 1, 0, NULL, NULL, &r, FAIL));
    FAILS(GIBBS_ARGUMENT, "a required pointer is NULL",
          ebm_importance_smoothed(NULL, NULL, 1, 0, NULL, NULL, &r, FAIL));
    cr_assert_eq(r.ess, -1);
}
