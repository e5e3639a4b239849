/* Row weights: a loss of weighted rows is the mean of what it is of each row, and counted rows are repeated ones, in
 * estimates and in their errors. */
#include "objective_helpers.h"

enum { ROWS = 4, MOST = 8 };
static const double counts[ROWS] = {3, 1, 0, 2};

/* ---- Losses ---- */

static ad_var weight_field(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return ad_neg(x);
}

typedef struct row_loss {
    const ebm_loss *loss;
    ebm_loss_options options;
} row_loss;

/* Those whose artificial points do not depend on how rows weigh. */
static const row_loss losses[] = {
    {&ebm_loss_score_matching, {0}},
    {&ebm_loss_weighted_score_matching, {0}},
    {&ebm_loss_denoising, {.copies = 3}},
    {&ebm_loss_sliced, {.copies = 2}},
    {&ebm_loss_conditional_nce, {.copies = 2}},
    {&ebm_loss_ml_is, {.noise_ratio = 5}},
    {&ebm_loss_nce, {.noise_ratio = 2}},
    {&ebm_loss_ranking_nce, {.copies = 3}},
    {&ebm_loss_cd, {.sampler_steps = 2}},
    {&ebm_loss_energy_penalty, {0}},
    {&ebm_loss_stein, {.field = weight_field}},
};

/* Value and gradient at the model's parameters, of rows that weigh so (mean 1). */
static double weighted_loss(ebm_objective *o, const double *x, const double *weight, double *gradient)
{
    double value, mean = 0, scaled[ROWS];
    for (int r = 0; r < ROWS; r++) mean += weight[r] / ROWS;
    for (int r = 0; r < ROWS; r++) scaled[r] = weight[r] / mean;
    OK(ebm_objective_bind(o, x, ROWS, ERROR));
    OK(ebm_objective_weigh(o, scaled, ERROR));
    OK(ebm_objective_refresh(o, 5, 2, ERROR));
    OK(ebm_objective_evaluate(o, &value, ERROR));
    memcpy(gradient, ebm_objective_gradient(o), (size_t)ebm_objective_size(o) * sizeof *gradient);
    return value;
}

static void check_loss(const row_loss *l)
{
    const plain_energy *e = &energies[QUARTIC];
    ebm_model *model = e->make();
    ebm_proposal *q = test_proposal(e);
    ebm_objective *o;
    ebm_loss_options options = l->options;
    double x[ROWS] = {0.3, -0.7, 1.1, 0.9}, whole[MOST], part[MOST], sum[MOST] = {0}, total = 0;
    options.proposal = q, options.weighted = 1, options.threads = 1;
    OK(ebm_objective_new(model, l->loss, &options, &o, ERROR));
    int size = (int)ebm_objective_size(o);
    double value = weighted_loss(o, x, counts, whole);
    for (int r = 0; r < ROWS; r++) {
        double one[ROWS] = {0};
        one[r] = 1;
        total += counts[r] / 6 * weighted_loss(o, x, one, part);
        for (int k = 0; k < size; k++) sum[k] += counts[r] / 6 * part[k];
    }
    expect_close(value, total, 1e-12, l->loss->name);
    for (int k = 0; k < size; k++) expect_close(whole[k], sum[k], 1e-11, l->loss->name);
    double other = weighted_loss(o, x, (double[]){1, 1, 1, 1}, part);
    cr_expect(fabs(other - value) > 1e-4, "%s: control", l->loss->name);
    x[2] = 1e6; /* counts for nothing */
    if (l->loss->noise != EBM_NOISE_CHAIN) { /* whose start it cannot be, either */
        expect_close(weighted_loss(o, x, counts, part), value, 1e-12, l->loss->name);
        for (int k = 0; k < size; k++) expect_close(part[k], whole[k], 1e-11, l->loss->name);
    }
    ebm_objective_free(o);
    ebm_proposal_free(q);
    ebm_model_free(model);
}

Test(weights, a_loss_is_the_mean_over_rows)
{
    for (int k = 0; k < COUNT(losses); k++) check_loss(&losses[k]);
}

/* ---- Counted rows are repeated rows ---- */

enum { N = 40, REPEATED = 79 };

/* N rows, of weights 0 … 4, and the same rows as often. */
static void tables(double *x, double *weight, double *repeated)
{
    double *normal = normals(N, 0.5, 0.8, 3);
    int count = 0;
    for (int r = 0; r < N; r++) {
        x[r] = normal[r], weight[r] = r % 5;
        for (int k = 0; k < r % 5 && count < REPEATED + 1; k++) repeated[count++] = x[r];
    }
    free(normal);
    cr_assert_eq(count, REPEATED + 1);
}

typedef struct estimate {
    double theta[MOST];
    ebm_uncertainty error;
} estimate;

static estimate fit(const ebm_loss *loss, ebm_data *data, const ebm_loss_options *options, int single)
{
    estimate e = {.theta = {0}};
    ebm_model *model;
    OK(ebm_model_gaussian(1, single ? GIBBS_FLOAT32 : GIBBS_FLOAT64, NULL, &model, ERROR));
    ebm_fit_options o = {.loss = loss, .loss_options = *options, .lbfgs = 1, .threads = 1, .seed = 3};
    OK(ebm_fit(model, data, &o, NULL, ERROR));
    ebm_model_get(model, e.theta);
    OK(ebm_standard_errors(model, data, &o, &e.error, ERROR));
    ebm_model_free(model);
    return e;
}

Test(weights, counted_rows_are_repeated_rows)
{
    double x[N], weight[N], repeated[REPEATED + 1];
    tables(x, weight, repeated);
    ebm_data counted = table(x, N, 1), whole = table(repeated, REPEATED + 1, 1);
    counted.weight = weight;
    ebm_box box = {.low = {-8}, .high = {8}, .points = 400};
    ebm_points points;
    OK(ebm_points_box(1, &box, NULL, &points, ERROR));
    static const ebm_loss *const each[] = {&ebm_loss_score_matching, &ebm_loss_exact_ml, &ebm_loss_ml_is};
    for (int k = 0; k < 2 * COUNT(each); k++) {
        const ebm_loss *loss = each[k / 2];
        double close = k % 2 ? 2e-3 : 1e-5;
        ebm_loss_options options = {.points = &points}, same = options;
        options.noise_ratio = 40 * 10.0 / N, same.noise_ratio = 40 * 10.0 / (REPEATED + 1); /* as many points */
        estimate a = fit(loss, &counted, &options, k % 2), b = fit(loss, &whole, &same, k % 2);
        for (int64_t i = 0; i < a.error.size; i++) {
            expect_close(a.theta[i], b.theta[i], close, loss->name);
            expect_close(a.error.standard_error[i], b.error.standard_error[i], close, loss->name);
        }
        ebm_uncertainty_free(&a.error);
        ebm_uncertainty_free(&b.error);
    }
    ebm_points_free(&points);
}

/* The mean of rows that were drawn wₙ times too seldom has the variance Σ w²(x − m)²/(Σ w)². */
Test(weights, sampling_weights)
{
    double x[N], weight[N], repeated[REPEATED + 1], sum = 0, mean = 0, variance = 0;
    tables(x, weight, repeated);
    ebm_data data = table(x, N, 1);
    data.weight = weight, data.weight_kind = EBM_WEIGHT_SAMPLING;
    for (int r = 0; r < N; r++) sum += weight[r], mean += weight[r] * x[r];
    mean /= sum;
    for (int r = 0; r < N; r++) variance += pow(weight[r] / sum * (x[r] - mean), 2);
    estimate e = fit(&ebm_loss_score_matching, &data, &(ebm_loss_options){0}, 0);
    double location = NAN;
    for (int64_t i = 0; i < e.error.size; i++)
        if (fabs(e.theta[i] - mean) < 1e-5) location = e.error.standard_error[i];
    expect_close(location, sqrt(variance), 1e-5, "the mean's standard error");
    for (int r = 0; r < N; r++) weight[r] *= 1000; /* their unit is of no account */
    estimate f = fit(&ebm_loss_score_matching, &data, &(ebm_loss_options){0}, 0);
    for (int64_t i = 0; i < e.error.size; i++)
        expect_close(f.error.standard_error[i], e.error.standard_error[i], 1e-9, "another unit");
    ebm_uncertainty_free(&e.error);
    ebm_uncertainty_free(&f.error);
}

/* ---- Batches, splits, chains ---- */

static int never_moves(void *context, const ebm_progress *p)
{
    *(double *)context += p->loss / 4;
    return 0;
}

/* The batches of an epoch make up the whole. */
Test(weights, batches_are_unbiased)
{
    double x[N], weight[N], repeated[REPEATED + 1], batches = 0;
    tables(x, weight, repeated);
    ebm_data data = table(x, N, 1);
    data.weight = weight;
    ebm_fit_options o = {.loss = &ebm_loss_score_matching, .optimizer = &ebm_sgd, .rate = 1e-300, .steps = 1};
    ebm_fit_report report;
    ebm_model *model = energies[QUARTIC].make();
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    o.steps = 4, o.batch = N / 4, o.progress = never_moves, o.context = &batches;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    expect_close(batches, report.loss, 1e-12, "an epoch");
    o.validation_fraction = 0.3, o.progress = NULL;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_fit_report_free(&report);
    ebm_model_free(model);
}

/* Kept chains start at rows in proportion to the weights, other rows of a batch are drawn so: never one that weighs 0,
 * whose numbers here would be seen. */
Test(weights, chains_start_at_rows_by_weight)
{
    double x[ROWS] = {0.3, -0.7, 1e150, 0.9}, weight[ROWS] = {2, 2.0 / 3, 0, 4.0 / 3}, value;
    ebm_model *model = energies[QUARTIC].make();
    ebm_objective *o;
    ebm_loss_options options = {.weighted = 1, .buffer = 12, .sampler_step = 1e-14, .threads = 1};
    OK(ebm_objective_new(model, &ebm_loss_pcd, &options, &o, ERROR));
    OK(ebm_objective_bind(o, x, ROWS, ERROR));
    OK(ebm_objective_weigh(o, weight, ERROR));
    double gaps = 0;
    for (int k = 0; k < 3; k++) { /* all 12 chains move once */
        OK(ebm_objective_refresh(o, 5, (uint64_t)k, ERROR));
        OK(ebm_objective_evaluate(o, &value, ERROR));
        gaps += value / 3;
    }
    expect_close(gaps, 0, 1e-5, "the gap");
    ebm_objective_free(o);
    ebm_model_free(model);
}

/* ---- What has no weights ---- */

static ad_var deaf(ebm_graph *g) { return ad_batch_mean(g->data, ebm_graph_energy(g, g->x)); }

Test(weights, what_does_not_read_them_is_refused)
{
    static const ebm_loss own = {.name = "own", .record = deaf, .deterministic = 1};
    double x[ROWS] = {0.3, -0.7, 1.1, 0.9}, weight[ROWS] = {1, 2, 3, 4};
    ebm_data data = table(x, ROWS, 1);
    data.weight = weight;
    ebm_model *model = energies[QUARTIC].make();
    ebm_proposal *q;
    ebm_ksd ksd;
    FAILS(GIBBS_ARGUMENT, "must take its means by ebm_graph_mean",
          ebm_fit(model, &data, &(ebm_fit_options){.loss = &own}, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "ksd: it cannot count rows by weights", ebm_ksd_test(model, &data, NULL, &ksd, FAIL));
    FAILS(GIBBS_ARGUMENT, "kernel_density: it cannot count", ebm_proposal_kernel_density(&data, NULL, NULL, &q, FAIL));
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_score_matching, NULL, &o, ERROR));
    FAILS(GIBBS_ARGUMENT, "options.weighted", ebm_objective_weigh(o, weight, FAIL));
    ebm_objective_free(o);
    OK(ebm_objective_new(model, &ebm_loss_score_matching, &(ebm_loss_options){.weighted = 1}, &o, ERROR));
    FAILS(GIBBS_UNBOUND, "no data", ebm_objective_weigh(o, weight, FAIL));
    OK(ebm_objective_bind(o, x, ROWS, ERROR));
    FAILS(GIBBS_UNBOUND, "no weights", ebm_objective_evaluate(o, NULL, FAIL));
    ebm_objective_free(o);
    ebm_model_free(model);
}

/* Proposals and log likelihoods of counted rows are those of repeated ones. */
Test(weights, proposals_and_likelihoods)
{
    double x[N], weight[N], repeated[REPEATED + 1], a, b;
    tables(x, weight, repeated);
    ebm_data counted = table(x, N, 1), whole = table(repeated, REPEATED + 1, 1);
    counted.weight = weight;
    ebm_model *model = energies[QUARTIC].make();
    OK(ebm_mean_log_likelihood(model, &counted, 1, &a, ERROR));
    OK(ebm_mean_log_likelihood(model, &whole, 1, &b, ERROR));
    expect_close(a, b, 1e-13, "log likelihood");
    ebm_proposal *q[2];
    ebm_importance by[2];
    OK(ebm_proposal_gaussian_fit(&counted, 1, 1.5, NULL, &q[0], ERROR));
    OK(ebm_proposal_gaussian_fit(&whole, 1, 1.5, NULL, &q[1], ERROR));
    for (int k = 0; k < 2; k++) OK(ebm_importance_sample(model, q[k], 50, 1, NULL, NULL, &by[k], ERROR));
    expect_close(by[0].log_z, by[1].log_z, 1e-12, "log Z");
    ebm_proposal_free(q[0]), ebm_proposal_free(q[1]);
    ebm_model_free(model);
}
