/* geyer_gaussian — how well importance sampling estimates a likelihood: figures 1 and 2 of S0, section 7.
 *
 * The energy is E(x) = x²/(2θ²), whose Z is known. One data set is drawn at θ* = 2. For each of many draws of
 * artificial points y from a proposal q, the estimate J_BL(θ) = N (mean E(xₙ) + log Ẑ(θ)) of the negative
 * log-likelihood J(θ) is evaluated on a grid of θ and minimised. q₁ = N(2, 2²) is too narrow for θ > 2;
 * q₂ = N(2, (2 + θ)²), which moves with θ, is wide enough everywhere. Its points move with θ by common random numbers;
 * figure 2 of S0 draws new ones for each θ, and its curves are rough. What weights and intervals are worth over θ, by
 * these and by q₁ made to follow θ, is a table.
 *
 * Reading order: main, run_panel, trace_curve, minimise. */
#include "common/failure.h"
#include "common/geyer_tell.h"
#include "common/geyer_worth.h"
#include "common/progress.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846, TRUE_THETA = 2;

/* ---- The energy and the two proposals ------------------------------------------------------------------------- */

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_sum(ad_square(ad_div(x, theta[0]))), 0.5);
}

/* q₂: a proposal of our own that depends on θ. The normals stay the same while θ moves (common random numbers), and the
 * derivative of the loss flows through y and q. */
static ad_var draw_wide(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)q;
    return ad_shift(ad_mul(ad_shift(theta[0], 2), normal), 2);
}

static ad_var log_density_wide(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q;
    ad_var sd = ad_shift(theta[0], 2), z = ad_div(ad_shift(y, -2), sd);
    return ad_shift(ad_sub(ad_scale(ad_sum(ad_square(z)), -0.5), ad_log(sd)), -0.5 * log(2 * PI));
}

static const ebm_proposal wide = {.name = "q2", .dim = 1, .depends_on_theta = 1, .draw = draw_wide,
                                  .log_density = log_density_wide};

static gibbs_status make_model(ebm_model **model, gibbs_error *error)
{
    static const ebm_parameter theta = {"theta", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_model_spec spec = {0};
    spec.dim = 1;
    spec.parameters = &theta;
    spec.parameter_count = 1;
    spec.energy = energy;
    return ebm_model_new(&spec, model, error);
}

/* ---- The panels of the figures ----------------------------------------------------------------------------------- */

static const panel panels[] = {
    {"geyer-1a", "q = N(2, 2²), N = 100, M = 100: three draws", 0, 100, 100, 1, 0},
    {"geyer-1b", "q = N(2, 2²), N = 100, M = 100", 0, 100, 100, 0, 0},
    {"geyer-1c", "q = N(2, 2²), N = 100, M = 5000", 0, 100, 5000, 0, 0},
    {"geyer-2a", "q = N(2, (2 + θ)²), N = M = 100", 1, 100, 100, 0, 0},
    {"geyer-2a-fresh", "q = N(2, (2 + θ)²), N = M = 100, new y for each θ", 1, 100, 100, 0, 1},
    {"geyer-2b", "q = N(2, (2 + θ)²), N = 100, M = 5000", 1, 100, 5000, 0, 0},
    {"geyer-2b-n5000", "q = N(2, (2 + θ)²), N = M = 5000", 1, 5000, 5000, 0, 0},
};
enum { PANELS = sizeof panels / sizeof *panels, MOST_ROWS = 5000 };

static gibbs_status study_new(const settings *set, const panel *p, study *s, gibbs_error *error)
{
    int64_t n = (int64_t)set->grid, draws = p->single ? SINGLE : (int64_t)set->draws;
    double *memory = calloc((size_t)((7 + SINGLE) * n + draws), sizeof *memory);
    *s = (study){.grid = n, .draws = draws, .rows = p->rows, .theta = memory, .fresh = p->fresh};
    if (!memory) return fail(error, GIBBS_MEMORY, "%s: out of memory", p->name);
    double **const part[] = {&s->truth, &s->mean, &s->error, &s->least, &s->most, &s->curve, &s->single};
    for (int k = 0; k < 7; k++) *part[k] = memory + (k + 1) * n;
    s->estimate = s->single + SINGLE * n;
    for (int64_t i = 0; i < n; i++) {
        s->theta[i] = set->low + (set->high - set->low) * (double)i / (double)(n - 1);
        s->least[i] = INFINITY;
        s->most[i] = -INFINITY;
    }
    return GIBBS_OK;
}

static void study_free(study *s)
{
    ebm_objective_free(s->objective);
    ebm_model_free(s->model);
    free(s->theta);
}

/* ---- One draw of y --------------------------------------------------------------------------------------------- */

/* J_BL: N times the loss, at θ, for the artificial points that are bound now. */
static gibbs_status evaluate(study *s, double theta, double *value, gibbs_error *error)
{
    ebm_model_set(s->model, &theta);
    gibbs_status status = ebm_objective_evaluate(s->objective, value, error);
    *value *= s->rows;
    return status;
}

/* The minimum between low and high by golden section, to 1e-4. */
static gibbs_status minimise(study *s, double low, double high, double *best, gibbs_error *error)
{
    const double ratio = (sqrt(5) - 1) / 2;
    double left = high - ratio * (high - low), right = low + ratio * (high - low), at_left, at_right;
    gibbs_status status = evaluate(s, left, &at_left, error);
    if (!status) status = evaluate(s, right, &at_right, error);
    while (!status && high - low > 1e-4) {
        if (at_left < at_right) {
            high = right, right = left, at_right = at_left;
            left = high - ratio * (high - low);
            status = evaluate(s, left, &at_left, error);
        } else {
            low = left, left = right, at_left = at_right;
            right = low + ratio * (high - low);
            status = evaluate(s, right, &at_right, error);
        }
    }
    *best = 0.5 * (low + high);
    return status;
}

/* The curve of one draw on the grid, added to mean and band; and θ̂ between the neighbours of its lowest point. */
static gibbs_status trace_curve(const settings *set, study *s, int64_t draw, gibbs_error *error)
{
    int64_t low = 0, last = s->grid - 1;
    gibbs_status status = ebm_objective_refresh(s->objective, (uint64_t)set->common.seed, (uint64_t)draw, error);
    for (int64_t i = 0; !status && i < s->grid; i++) {
        uint64_t step = (uint64_t)(s->draws + draw * s->grid + i);
        if (s->fresh) status = ebm_objective_refresh(s->objective, (uint64_t)set->common.seed, step, error);
        if (!status) status = evaluate(s, s->theta[i], &s->curve[i], error);
        double above = s->curve[i] - s->mean[i];
        s->mean[i] += above / (double)(draw + 1);
        s->error[i] += above * (s->curve[i] - s->mean[i]); /* a sum of squares until summarise (Welford) */
        s->least[i] = fmin(s->least[i], s->curve[i]);
        s->most[i] = fmax(s->most[i], s->curve[i]);
        if (draw < SINGLE) s->single[draw * s->grid + i] = s->curve[i];
        if (s->curve[i] < s->curve[low]) low = i;
    }
    s->at_edge += low == 0 || low == last;
    if (status) return status;
    return minimise(s, s->theta[low ? low - 1 : 0], s->theta[low < last ? low + 1 : last], &s->estimate[draw], error);
}

/* ---- One panel --------------------------------------------------------------------------------------------------- */

/* J(θ) = Σ xₙ²/(2θ²) + N log √(2πθ²), and what the draws' curves and estimates are against it and its minimum. */
static void summarise(study *s, double mean_square)
{
    double sum = 0, squares = 0, errors = 0;
    s->mle = sqrt(mean_square);
    for (int64_t i = 0; i < s->grid; i++) {
        double theta = s->theta[i];
        s->truth[i] = s->rows * (0.5 * mean_square / (theta * theta) + log(theta) + 0.5 * log(2 * PI));
        s->error[i] = sqrt(s->error[i] / (double)(s->draws * (s->draws - 1)));
        if (fabs(s->mean[i] - s->truth[i]) > fabs(s->mean[s->worst] - s->truth[s->worst])) s->worst = i;
    }
    for (int64_t k = 0; k < s->draws; k++) sum += s->estimate[k];
    s->theta_mean = sum / (double)s->draws;
    for (int64_t k = 0; k < s->draws; k++) {
        squares += (s->estimate[k] - s->theta_mean) * (s->estimate[k] - s->theta_mean);
        errors += (s->estimate[k] - s->mle) * (s->estimate[k] - s->mle);
    }
    s->theta_sd = sqrt(squares / (double)(s->draws - 1)); /* NaN for a single draw, as are the standard errors */
    s->rmse = sqrt(errors / (double)s->draws);
}

/* What the first draw alone says of the error of its θ̂; NaN where its curve has no minimum there. */
static void say_error(const settings *set, const double *x, const ebm_loss_options *options, study *s)
{
    const ebm_data data = {.rows = (int64_t)s->rows, .cols = 1, .x = (double *)x};
    ebm_fit_options fit = {0};
    ebm_uncertainty u;
    fit.loss = &ebm_loss_ml_is;
    fit.loss_options = *options;
    fit.seed = (uint64_t)set->common.seed;
    s->said = s->noise_said = NAN;
    ebm_model_set(s->model, s->estimate);
    if (ebm_standard_errors(s->model, &data, &fit, &u, NULL)) return;
    s->said = u.standard_error[0];
    s->noise_said = u.noise_error[0];
    ebm_uncertainty_free(&u);
}

static gibbs_status all_draws(const settings *set, const panel *p, const double *x, study *s, gibbs_error *error)
{
    const double mean = 2, sd = 2;
    ebm_proposal *narrow = NULL;
    ebm_loss_options options = {0};
    gibbs_status status = make_model(&s->model, error);
    if (!status) status = ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &narrow, error);
    options.proposal = p->moving ? &wide : narrow;
    options.noise_ratio = (double)p->points / p->rows;
    options.threads = (int)set->common.threads;
    if (!status) status = ebm_objective_new(s->model, &ebm_loss_ml_is, &options, &s->objective, error);
    if (!status) status = ebm_objective_bind(s->objective, x, p->rows, error);
    progress_line line = progress_start(p->name, set->common.quiet);
    for (int64_t k = 0; !status && k < s->draws; k++) {
        status = trace_curve(set, s, k, error);
        progress_show(&line, k + 1, s->draws, "");
    }
    progress_clear(&line);
    if (!status) say_error(set, x, &options, s);
    ebm_proposal_free(narrow);
    return status;
}

static gibbs_status run_panel(const settings *set, const panel *p, const double *x, report *list, gibbs_error *error)
{
    study s;
    double mean_square = 0;
    for (int i = 0; i < p->rows; i++) mean_square += x[i] * x[i] / p->rows;
    gibbs_status status = study_new(set, p, &s, error);
    if (!status) status = all_draws(set, p, x, &s, error);
    if (!status) summarise(&s, mean_square);
    if (!status) status = geyer_tell(set, p, &s, list, error);
    study_free(&s);
    return status;
}

/* The data set: p(x|θ*) is N(0, 2²). Its first 100 rows are the small one. The draws of y count steps from 0. */
static gibbs_status draw_data(const settings *set, double *x, int64_t rows, gibbs_error *error)
{
    const double mean = 0;
    ebm_proposal *truth;
    gibbs_status status = ebm_proposal_gaussian_diagonal(1, &mean, &TRUE_THETA, NULL, &truth, error);
    if (status) return status;
    status = ebm_proposal_sample(truth, rows, (uint64_t)set->common.seed, UINT64_MAX, NULL, x, NULL, error);
    ebm_proposal_free(truth);
    return status;
}

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    static double x[MOST_ROWS];
    gibbs_status status = report_prepare(&set->common, error);
    if (!status) status = draw_data(set, x, MOST_ROWS, error);
    if (!status) geyer_head(set);
    report *list = report_list(root, "panels");
    for (int i = 0; !status && i < PANELS; i++) status = run_panel(set, &panels[i], x, list, error);
    ebm_model *model = NULL;
    if (!status) status = make_model(&model, error);
    int fits = set->draws < 1000 ? (int)(set->draws + 4) / 5 : 200;
    if (!status) status = geyer_worth(set, model, &wide, fits, report_list(root, "worth"), error);
    ebm_model_free(model);
    if (status || set->common.quiet) return status;
    printf("\nθ̂ minimises J_BL of one draw of y; rmse is against the exact MLE √(mean x²), sd over the draws;\n"
           "said is what the first draw alone says of that sd, and se of the whole error of its θ̂, the data's\n"
           "part too; edge counts the draws whose lowest grid point is the first or the last. mean J_BL − J: with its\n"
           "standard error, at the θ where it is farthest from 0; by Jensen it is negative in expectation.\n"
           "Figures and data: %s/geyer-*\n",
           set->common.out);
    return GIBBS_OK;
}

int main(int argc, char **argv)
{
    settings set = {1000, 61, 0.5, 5, {.seed = 1, .threads = 1, .out = "out"}};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"draws", "N", "Draws of the artificial points", &set.draws, &option_count, NULL},
        {"grid", "N", "Points of the grid of theta", &set.grid, &option_several, NULL},
        {"low", "THETA", "Where the grid begins", &set.low, &option_positive, NULL},
        {"high", "THETA", "Where it ends", &set.high, &option_positive, NULL},
    };
    options_read(argc, argv, "How well importance sampling estimates a likelihood: figures 1 and 2 of Martino et al., "
                 "section 7.", table, sizeof table / sizeof *table, &set.common);
    if (set.low >= set.high) {
        fprintf(stderr, "geyer_gaussian: --low: %g is not below --high, %g\n", set.low, set.high);
        return EXIT_USAGE;
    }
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
