/* What ebm_fit refuses before its first step: options out of range, data that do not fit, methods that do not go
 * together. The report is empty then, and can be freed. */
#include "objective_helpers.h"

#include <stdio.h>

enum { ROWS = 20 };

typedef void (*set_option)(ebm_fit_options *o, double value);

#define SETTER(name, field, type) \
    static void name(ebm_fit_options *o, double value) { o->field = (type)value; }
SETTER(steps, steps, int64_t)
SETTER(batch, batch, int64_t)
SETTER(rate, rate, double)
SETTER(momentum, momentum, double)
SETTER(beta1, beta1, double)
SETTER(beta2, beta2, double)
SETTER(epsilon, epsilon, double)
SETTER(weight_decay, weight_decay, double)
SETTER(clip, clip, double)
SETTER(average, average, double)
SETTER(warmup, warmup, int64_t)
SETTER(fraction, validation_fraction, double)
SETTER(every, validation_every, int64_t)
SETTER(patience, patience, int64_t)
SETTER(threads, threads, int)
SETTER(schedule, schedule, ebm_schedule)
SETTER(noise_ratio, loss_options.noise_ratio, double)

typedef struct range {
    set_option set;
    double bad[4];
    int count;
    const char *part;
    double good;
} range;

static const range ranges[] = {
    {steps, {-100, -1}, 2, "steps is -1", 2},
    {batch, {-1, -100}, 2, "batch is -1", 7},
    {rate, {-1, INFINITY, NAN}, 3, "it must lie in (0, inf); 0 means 0.001", 1e-6},
    {momentum, {-0.1, 1, NAN}, 3, "it must lie in [0, 1)", 0},
    {beta1, {-0.1, 1, NAN}, 3, "it must lie in [0, 1); 0 means 0.9, EBM_ZERO 0", EBM_ZERO},
    {beta2, {-0.1, 1, INFINITY}, 3, "beta2", 0.5},
    {epsilon, {-1e-9, INFINITY, NAN}, 3, "epsilon is", EBM_ZERO},
    {weight_decay, {-1, INFINITY, NAN}, 3, "weight_decay is", 0.1},
    {clip, {-1, INFINITY, NAN}, 3, "clip is", 0.1},
    {average, {-0.1, 1, NAN}, 3, "average is", 0.9},
    {warmup, {-1, 2, 100}, 3, "warmup is", 1},
    {fraction, {-0.1, 1, NAN}, 3, "validation_fraction is", 0.5},
    {fraction, {0.001, 0.999}, 2, "without a row", 0.05},
    {every, {-1, -5}, 2, "validation_every", 1},
    {patience, {-1, -5}, 2, "patience", 2},
    {threads, {-1, -5}, 2, "threads", 1},
    {schedule, {-1, 4}, 2, "schedule", EBM_SCHEDULE_COSINE},
    {noise_ratio, {-1, INFINITY, NAN, 0.01}, 4, "ratio", 2},
};

static ebm_fit_options basic(void)
{
    ebm_fit_options o = {0};
    o.loss = &ebm_loss_nce;
    o.steps = 2;
    return o;
}

static void expect_refused(ebm_model *model, const ebm_data *data, const ebm_fit_options *o, gibbs_status status,
                           const char *part)
{
    double before[MOST_PARAMETERS], after[MOST_PARAMETERS];
    ebm_fit_report report;
    ebm_model_get(model, before);
    FAILS(status, part, ebm_fit(model, data, o, &report, FAIL));
    cr_expect(!report.steps && !report.history_count && isnan(report.loss) && isnan(report.best_validation));
    ebm_fit_report_free(&report);
    cr_expect(ebm_fit(model, data, o, NULL, NULL) == status);
    ebm_model_get(model, after);
    cr_expect(!memcmp(before, after, (size_t)ebm_model_size(model) * sizeof *before), "the parameters stay");
}

Test(fit_errors, ranges)
{
    double *x = normals(ROWS, 0, 1, 1);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    for (int k = 0; k < COUNT(ranges); k++) {
        ebm_fit_options o = basic();
        for (int i = 0; i < ranges[k].count; i++) {
            ranges[k].set(&o, ranges[k].bad[i]);
            expect_refused(model, &data, &o, GIBBS_ARGUMENT, ranges[k].part);
        }
        ranges[k].set(&o, ranges[k].good);
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
    }
    ebm_model_free(model);
    free(x);
}

/* ---- Data ---- */

Test(fit_errors, data_that_do_not_fit)
{
    static char a[] = "width", b[] = "height", *names[] = {a, b};
    double x[] = {1, 2, 3, 4, 5, NAN, 7, 8};
    const ebm_fit_options o = basic();
    ebm_model *model = energies[GAUSSIAN2].make();
    ebm_data data = table(x, 4, 2);
    expect_refused(model, &data, &o, GIBBS_DATA, "row 3, column 2 is NaN");
    data.names = names;
    expect_refused(model, &data, &o, GIBBS_DATA, "row 3, column 2 (height) is NaN");
    x[5] = 6, x[6] = -INFINITY;
    expect_refused(model, &data, &o, GIBBS_DATA, "row 4, column 1 (width) is infinite");
    x[6] = 7;
    data = table(x, 8, 1);
    expect_refused(model, &data, &o, GIBBS_SHAPE, "have 1 column, the model has dim 2");
    data = table(x, 0, 2);
    expect_refused(model, &data, &o, GIBBS_DATA, "empty");
    ebm_model_free(model);
}

Test(fit_errors, nothing_to_fit)
{
    double x[] = {1, 2, 3, 4};
    ebm_data data = table(x, 4, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = basic();
    FAILS(GIBBS_ARGUMENT, "no model", ebm_fit(NULL, &data, &o, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "no data", ebm_fit(model, NULL, &o, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "no loss", ebm_fit(model, &data, NULL, NULL, FAIL));
    o.loss = NULL;
    expect_refused(model, &data, &o, GIBBS_ARGUMENT, "no loss");
    o = basic();
    o.optimizer = &(ebm_optimizer){.name = "idle"};
    expect_refused(model, &data, &o, GIBBS_ARGUMENT, "the optimiser has no update");
    ebm_model_free(model);
}

/* A constant column leaves no Gaussian to fit as the default proposal. */
Test(fit_errors, the_default_proposal_needs_a_covariance)
{
    double x[] = {2, 2, 2, 2};
    ebm_data data = table(x, 4, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = basic();
    expect_refused(model, &data, &o, GIBBS_NUMERIC, "column 1 is always 2");
    o.loss = &ebm_loss_score_matching; /* needs none */
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_model_free(model);
}

/* ---- Methods that do not go together ---- */

Test(fit_errors, lbfgs_refuses)
{
    double *x = normals(ROWS, 0, 1, 1);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = basic();
    o.lbfgs = 1;
    o.loss = &ebm_loss_cd;
    expect_refused(model, &data, &o, GIBBS_ARGUMENT, "cd");
    o.loss = &ebm_loss_nce;
    o.validation_fraction = 0.25;
    expect_refused(model, &data, &o, GIBBS_ARGUMENT, "validation");
    o.validation_fraction = 0;
    o.batch = ROWS - 1;
    expect_refused(model, &data, &o, GIBBS_ARGUMENT, "full batches");
    o.batch = ROWS; /* all rows are a full batch, and L-BFGS needs no optimiser */
    o.optimizer = NULL;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_model_free(model);
    free(x);
}

static ebm_model *network(ebm_activation activation)
{
    ebm_model *model;
    const int64_t widths[] = {1};
    const ebm_mlp_spec spec = {.dim = 1, .widths = widths, .layers = 1, .activation = activation, .base_sd = 2,
                               .dtype = GIBBS_FLOAT64};
    OK(ebm_model_mlp(&spec, &model, ERROR));
    return model;
}

/* Score matching would be silently wrong: the error names the op. The losses that need no Hessian fit it. */
Test(fit_errors, score_matching_refuses_relu)
{
    static const ebm_loss *const others[] = {&ebm_loss_ml_is, &ebm_loss_nce, &ebm_loss_conditional_nce, &ebm_loss_cd};
    double *x = normals(ROWS, 0, 1, 1);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = network(ad_relu), *smooth = network(ad_softplus);
    ebm_fit_options o = basic();
    o.loss = &ebm_loss_score_matching;
    expect_refused(model, &data, &o, GIBBS_SMOOTH, "max or relu");
    expect_refused(model, &data, &o, GIBBS_SMOOTH,
                   "take softplus or silu for relu, logsumexp for max; or a loss without derivatives by x: nce, ml-is, "
                   "conditional-nce");
    OK(ebm_fit(smooth, &data, &o, NULL, ERROR));
    for (int k = 0; k < COUNT(others); k++) {
        o.loss = others[k];
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
    }
    o.loss = &ebm_loss_cd; /* but its held-out rows are judged by score matching */
    o.validation_fraction = 0.25;
    expect_refused(model, &data, &o, GIBBS_SMOOTH,
                   "cd has its validation rows judged by score-matching: laplacian: max or relu");
    expect_refused(model, &data, &o, GIBBS_SMOOTH, "logsumexp for max; or set validation_fraction to 0");
    ebm_model_free(model);
    ebm_model_free(smooth);
    free(x);
}

/* One number of one table, whichever batch or part the row is in; the remedy; and the row for the caller. */
Test(fit_errors, rows_that_a_loss_of_discrete_data_refuses)
{
    enum { BAD = 13 };
    double x[ROWS];
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = network(ad_softplus);
    for (int k = 0; k < 4; k++) {
        char place[64];
        gibbs_error error = {.status = GIBBS_OK};
        for (int r = 0; r < ROWS; r++) x[r] = r % 2;
        x[BAD] = -0.17;
        ebm_fit_options o = basic();
        o.loss = &ebm_loss_pseudo_likelihood;
        if (k & 1) o.batch = 5;
        if (k & 2) o.validation_fraction = 0.4;
        cr_expect_eq(ebm_fit(model, &data, &o, NULL, &error), GIBBS_DATA);
        snprintf(place, sizeof place, "(row %d of the table)", BAD + 1);
        const char *at = strstr(error.message, place);
        cr_expect(at && !at[strlen(place)] && strstr(error.message, "(row") == at, "%s", error.message);
        cr_expect(strstr(error.message, "pseudo-likelihood: column 1 is -0.17, neither 0 nor 1"));
        cr_expect(strstr(error.message, "for real values take score matching, nce or ml-is"), "%s", error.message);
        cr_expect_eq(error.row, BAD);
    }
    ebm_model_free(model);
}
