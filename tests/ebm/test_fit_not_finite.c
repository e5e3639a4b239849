/* A loss that stops being finite is an error that says where: the step, the op and the row of the caller's table. The
 * parameters are those of the last finite step. */
#include "objective_helpers.h"

#include <stdio.h>

static ebm_fit_options sgd(const ebm_loss *loss, double rate, int64_t steps)
{
    ebm_fit_options o = {0};
    o.loss = loss;
    o.optimizer = &ebm_sgd;
    o.rate = rate;
    o.steps = steps;
    return o;
}

/* ---- A parameter that leaves the energy's domain ---- */

static ad_var log_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_log(theta[0]), ad_sum(ad_square(x)));
}

static const ebm_parameter log_parameter = {"theta", {0, {0}}, EBM_INIT_CONSTANT, 1.7};

/* Score matching of log θ·x² is 2(log θ)²m₂ − 2 log θ; the rate is too large for it, and θ swings until it is negative
 * at the evaluation of some step. `last` is the θ before. */
static int64_t step_of_nan(double m2, double rate, double *last)
{
    double theta = 1.7;
    int64_t step = 0;
    for (*last = theta; theta > 0 && step < 100; step++) {
        *last = theta;
        theta -= rate * (4 * log(theta) * m2 - 2) / theta;
    }
    return step;
}

static void check_log(gibbs_dtype dtype, double tolerance)
{
    enum { ROWS = 30 };
    const double rate = 3.7;
    double *x = normals(ROWS, 0, 1, 1), m2 = 0, last, theta;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    int64_t step = step_of_nan(m2, rate, &last);
    char sentence[40];
    cr_assert(step >= 3 && step < 100, "%d: a test of a later step needs a later step", (int)step);
    snprintf(sentence, sizeof sentence, "step %d: log (", (int)step);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = model_of(1, &log_parameter, 1, log_energy, dtype);
    ebm_fit_options o = sgd(&ebm_loss_score_matching, rate, 200);
    ebm_fit_report report;
    FAILS(GIBBS_NUMERIC, sentence, ebm_fit(model, &data, &o, &report, FAIL));
    ebm_model_get(model, &theta);
    expect_close(theta, last, tolerance, "the last finite parameters");
    cr_expect(report.steps == step && report.history_count == step && isfinite(report.loss));
    for (int64_t k = 0; k < step; k++) cr_expect(isfinite(report.history_loss[k]) && isfinite(report.history_norm[k]));
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

Test(not_finite, a_parameter_that_turns_negative)
{
    check_log(GIBBS_FLOAT64, 1e-10);
    check_log(GIBBS_FLOAT32, 1e-3);
}

/* A start that is not finite leaves the parameters as they were, for both kinds of optimiser. */
Test(not_finite, the_start)
{
    double x[] = {1, 2, 3}, start = -2;
    ebm_data data = table(x, 3, 1);
    ebm_model *model = model_of(1, &log_parameter, 1, log_energy, GIBBS_FLOAT64);
    for (int lbfgs = 0; lbfgs < 2; lbfgs++) {
        ebm_fit_options o = sgd(&ebm_loss_score_matching, 0.1, 10);
        ebm_fit_report report;
        o.lbfgs = lbfgs;
        ebm_model_set(model, &start);
        FAILS(GIBBS_NUMERIC, "step 0: log (", ebm_fit(model, &data, &o, &report, FAIL));
        cr_expect(parameter_of(model, "theta") == start && !report.steps);
        ebm_fit_report_free(&report);
    }
    ebm_model_free(model);
}

/* L-BFGS backs off from where the energy is not defined. */
Test(not_finite, lbfgs_finds_its_way_back)
{
    enum { ROWS = 30 };
    double *x = normals(ROWS, 0, 3, 1), m2 = 0, start = 4;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = model_of(1, &log_parameter, 1, log_energy, GIBBS_FLOAT64);
    ebm_fit_options o = sgd(&ebm_loss_score_matching, 0.1, 100);
    o.lbfgs = 1;
    ebm_model_set(model, &start);
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    expect_close(parameter_of(model, "theta"), exp(1 / (2 * m2)), 1e-5, "the minimum");
    ebm_model_free(model);
    free(x);
}

/* ---- A row that overflows ---- */

enum { TABLE = 23, BATCH = 5 };

/* exp(θx²) + x²: at θ = 1 a row of 40 overflows in either type, and no other does. */
static ad_var exp_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var square = ad_sum(ad_square(x));
    return ad_add(ad_exp(ad_mul(theta[0], square)), square);
}

static const ebm_parameter exp_parameter = {"theta", {0, {0}}, EBM_INIT_CONSTANT, 1};

/* N(0, 0.8²), from which no point that overflows is drawn; the proposal that is fitted by default would follow the
 * bad row. */
static ad_var narrow_draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)q, (void)theta;
    return ad_scale(normal, 0.8);
}

static ad_var narrow_log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q, (void)theta;
    return ad_shift(ad_scale(ad_sum(ad_square(y)), -0.5 / (0.8 * 0.8)), -log(0.8 * sqrt(2 * acos(-1))));
}

static const ebm_proposal narrow = {.name = "narrow", .dim = 1, .draw = narrow_draw, .log_density = narrow_log_density};

typedef struct overflow {
    const ebm_loss *loss;
    const char *op;
    gibbs_dtype dtype;
    int64_t batch;
    double fraction;
} overflow;

static ebm_fit_options overflow_options(const overflow *f, int64_t steps)
{
    ebm_fit_options o = sgd(f->loss, 1e-3, steps);
    o.loss_options.proposal = f->loss->noise == EBM_NOISE_PROPOSAL ? &narrow : NULL;
    o.batch = f->batch;
    o.validation_fraction = f->fraction;
    o.validation_every = 1;
    o.clip = 1;
    o.seed = 6;
    return o;
}

static bool is_held(const ebm_data *data, const ebm_fit_options *o, int64_t row)
{
    ebm_data train, held;
    bool found = false;
    if (o->validation_fraction == 0) return false;
    OK(ebm_data_split(data, o->validation_fraction, o->seed, &train, &held, NULL, ERROR));
    for (int64_t r = 0; r < held.rows; r++) found |= held.x[r] == data->x[row];
    ebm_data_free(&train);
    ebm_data_free(&held);
    return found;
}

/* θ after `steps` steps of a fit that is stopped then, before the next batch is looked at. */
static int stop_at(void *context, const ebm_progress *p) { return p->step == *(int64_t *)context; }

static double theta_after(const overflow *f, const ebm_data *data, int64_t steps)
{
    ebm_model *model = model_of(1, &exp_parameter, 1, exp_energy, f->dtype);
    ebm_fit_options o = overflow_options(f, 100);
    o.progress = stop_at;
    o.context = &steps;
    if (steps > 0) cr_assert(ebm_fit(model, data, &o, NULL, NULL) == GIBBS_STOPPED);
    double theta = parameter_of(model, "theta");
    ebm_model_free(model);
    return theta;
}

static void expect_row(const overflow *f, const ebm_data *data, int64_t row, const gibbs_error *error,
                       const ebm_fit_report *report, double theta)
{
    char place[48], step[24];
    snprintf(place, sizeof place, "(row %d of the table)", (int)row + 1);
    snprintf(step, sizeof step, "step %d: ", (int)report->steps);
    cr_expect(error->status == GIBBS_NUMERIC && error->row == row, "%s: row %d, not %d: %s", f->loss->name,
              (int)error->row, (int)row, error->message);
    cr_expect(strstr(error->message, place) && strstr(error->message, f->op), "%s", error->message);
    cr_expect(!strncmp(error->message, step, strlen(step)), "«%s» does not begin with «%s»", error->message, step);
    /* the last step whose loss was finite is the one before, and its parameters those before its update */
    double expected = theta_after(f, data, report->steps ? report->steps - 1 : 0);
    cr_expect(theta == expected && isfinite(theta), "%s: θ = %.17g, not %.17g", f->loss->name, theta, expected);
}

/* One bad row after the other: named when it is trained on; when it is held out no validation is finite, and the last
 * parameters are kept. Returns how many rows were first met after step 0. */
static int check_rows(const overflow *f)
{
    int later = 0;
    for (int64_t row = 0; row < TABLE; row++) {
        double *x = normals(TABLE, 0, 0.8, 1);
        ebm_data data = table(x, TABLE, 1);
        ebm_model *model = model_of(1, &exp_parameter, 1, exp_energy, f->dtype);
        ebm_fit_options o = overflow_options(f, 12);
        ebm_fit_report report;
        gibbs_error error = {.row = -1};
        x[row] = row % 2 ? 40 : -40;
        gibbs_status status = ebm_fit(model, &data, &o, &report, &error);
        if (is_held(&data, &o, row))
            cr_expect(!status && report.steps == 12 && isnan(report.best_validation), "%s", error.message);
        else expect_row(f, &data, row, &error, &report, parameter_of(model, "theta"));
        later += status && report.steps > 0;
        ebm_fit_report_free(&report);
        ebm_model_free(model);
        free(x);
    }
    return later;
}

static void check_loss(const ebm_loss *loss, const char *op)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++)
        for (int k = 0; k < 4; k++) {
            const overflow f = {loss, op, dtype, k & 1 ? BATCH : 0, k & 2 ? 0.3 : 0};
            int later = check_rows(&f);
            cr_expect((later > 0) == (f.batch > 0), "%s: %d rows after step 0", loss->name, later);
        }
}

Test(not_finite, a_row_of_the_table_score_matching) { check_loss(&ebm_loss_score_matching, "exp ("); }
Test(not_finite, a_row_of_the_table_cd) { check_loss(&ebm_loss_cd, "energy"); }

Test(not_finite, a_row_of_the_table_ml_is) { check_loss(&ebm_loss_ml_is, "exp ("); }
Test(not_finite, a_row_of_the_table_nce) { check_loss(&ebm_loss_nce, "exp ("); }
