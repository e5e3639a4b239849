/* maxent — maximum entropy from given statistics: S3, eq 10.7–10.13.
 *
 * Of all densities on a support whose statistics T have given expectations μ, the one with the largest entropy is
 * exp(η·T(x))/Z. Three uses of that:
 *   - the die of Jaynes: six faces, a mean of 4.5; η against the root of its one equation, by bisection;
 *   - textbook families, each from its statistics alone: η and entropy against their closed forms;
 *   - a column of real data, by more and more of its moments: the entropy falls, and is minus the mean log-likelihood.
 *
 * Reading order: main, run, die, families, moments, solve. */
#include "common/data_load.h"
#include "common/failure.h"
#include "common/maxent_tell.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;

/* A density on a support of rows points with weights, from its k statistics. */
typedef struct problem {
    ad_var (*T)(ad_var x, const ad_var *theta, void *context);
    int k;
    const double *mu, *x, *weight;
    int64_t rows;
    void *context;
    const ebm_data *data; /* whose means μ is, or NULL */
} problem;

/* Standard errors of η̂ where μ is the data's: it is then the maximum likelihood estimate, and the support the space of
 * an exact likelihood. */
static gibbs_status find_errors(const problem *p, ebm_model *model, double *standard_error, gibbs_error *error)
{
    ebm_points support = {.rows = p->rows, .dim = 1, .x = (double *)p->x};
    ebm_fit_options fit = {0};
    ebm_uncertainty u = {0};
    support.log_weight = malloc((size_t)p->rows * sizeof *support.log_weight);
    if (!support.log_weight) return fail(error, GIBBS_MEMORY, "the support: out of memory");
    for (int64_t i = 0; i < p->rows; i++) support.log_weight[i] = p->weight ? log(p->weight[i]) : 0;
    fit.loss = &ebm_loss_exact_ml, fit.loss_options.points = &support;
    gibbs_status status = ebm_standard_errors(model, p->data, &fit, &u, error);
    for (int j = 0; !status && j < p->k; j++) standard_error[j] = u.standard_error[j];
    ebm_uncertainty_free(&u);
    free(support.log_weight);
    return status;
}

/* Finds η and log Z; log_p (may be NULL) is the log density at every point of the support, and `standard_error` (read
 * where there are data) that of η. */
static gibbs_status solve(const problem *p, double *eta, double *log_z, double *log_p, double *standard_error,
                          gibbs_error *error)
{
    ebm_exponential_spec spec = {.dim = 1, .statistics = {.record = p->T, .size = p->k, .context = p->context},
                                 .dtype = GIBBS_FLOAT64};
    ebm_model *model;
    gibbs_status status = ebm_model_exponential(&spec, &model, error);
    if (status) return status;
    status = ebm_maxent(model, p->mu, p->x, p->weight, p->rows, log_z, error);
    ebm_model_get(model, eta);
    if (!status && log_p) status = ebm_model_energy(model, p->x, p->rows, log_p, NULL, error);
    for (int64_t i = 0; !status && log_p && i < p->rows; i++) log_p[i] = -log_p[i] - *log_z;
    if (!status && p->data) status = find_errors(p, model, standard_error, error);
    ebm_model_free(model);
    return status;
}

/* H = −E log p = log Z − η·μ. */
static double entropy(const problem *p, const double *eta, double log_z)
{
    for (int j = 0; j < p->k; j++) log_z -= eta[j] * p->mu[j];
    return log_z;
}

/* The nodes of the trapezoidal rule on low … high. */
static void place(double low, double high, double *x, double *weight)
{
    double step = (high - low) / (NODES - 1);
    for (int i = 0; i < NODES; i++) {
        x[i] = low + step * i;
        weight[i] = i % (NODES - 1) ? step : 0.5 * step;
    }
}

/* ---- Statistics ------------------------------------------------------------------------------------------------- */

static ad_var join(ad_var a, ad_var b) { return ad_concat(a, b, 0); }
static ad_var first(ad_var x, const ad_var *t, void *c) { return (void)t, (void)c, x; }
static ad_var first_two(ad_var x, const ad_var *t, void *c) { return (void)t, (void)c, join(x, ad_square(x)); }
static ad_var absolute(ad_var x, const ad_var *t, void *c) { return (void)t, (void)c, ad_abs(x); }
static ad_var and_log(ad_var x, const ad_var *t, void *c) { return (void)t, (void)c, join(x, ad_log(x)); }
static ad_var two_logs(ad_var x, const ad_var *t, void *c)
{
    return (void)t, (void)c, join(ad_log(x), ad_log1p(ad_neg(x)));
}

static double scaled(const basis *b, double x) { return (2 * x - b->low - b->high) / (b->high - b->low); }

static ad_var powers(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    const basis *b = context;
    ad_var u = ad_scale(ad_shift(x, -0.5 * (b->low + b->high)), 2 / (b->high - b->low)), now = u, all = u;
    for (int j = 1; j < b->k; j++) all = join(all, now = ad_mul(now, u));
    return all;
}

/* ---- The die ---------------------------------------------------------------------------------------------------- */

/* The mean of the faces when p ∝ exp(ηx). */
static double mean_at(double eta)
{
    double mass = 0, sum = 0;
    for (int i = 1; i <= FACES; i++) mass += exp(eta * (i - FACES)), sum += i * exp(eta * (i - FACES));
    return sum / mass;
}

static double bisect(double mean)
{
    double low = -50, high = 50; /* the mean rises with η */
    for (int i = 0; i < 200; i++) *(mean_at(0.5 * (low + high)) < mean ? &low : &high) = 0.5 * (low + high);
    return 0.5 * (low + high);
}

static gibbs_status die(const settings *set, report *root, gibbs_error *error)
{
    double x[FACES], p[FACES], exact[FACES], eta, log_z, truth = bisect(set->mean), mass = 0;
    for (int i = 0; i < FACES; i++) x[i] = i + 1, mass += exp(truth * (i + 1));
    problem q = {.T = first, .k = 1, .mu = &set->mean, .x = x, .rows = FACES};
    gibbs_status status = solve(&q, &eta, &log_z, p, NULL, error);
    if (status) return status;
    for (int i = 0; i < FACES; i++) p[i] = exp(p[i]), exact[i] = exp(truth * x[i]) / mass;
    return maxent_tell_die(set, eta, truth, p, exact, root, error);
}

/* ---- Textbook families ------------------------------------------------------------------------------------------ */

typedef struct family {
    const char *name, *known;
    ad_var (*T)(ad_var x, const ad_var *theta, void *context);
    int k;
    double low, high, mu[2], eta[2], entropy; /* the last two by their closed forms */
} family;

static gibbs_status families(const settings *set, report *root, gibbs_error *error)
{
    const double gamma = 0.57721566490153286; /* Euler's: ψ(2) = 1 − γ, ψ(5) = 25/12 − γ */
    const family list[] = {
        {"uniform", "x in 0 … 2, E x = 1", first, 1, 0, 2, {1}, {0}, log(2)},
        {"exponential", "x > 0, E x = 2", first, 1, 0, 80, {2}, {-0.5}, 1 + log(2)},
        {"normal", "E x = 1, E x² = 5", first_two, 2, -24, 26, {1, 5}, {0.25, -0.125}, 0.5 * log(2 * PI * 4) + 0.5},
        {"Laplace", "E |x| = 1", absolute, 1, -40, 40, {1}, {-1}, 1 + log(2)},
        {"gamma(5)", "x > 0, E x = 5, E ln x = ψ(5)", and_log, 2, 1e-9, 60, {5, 25. / 12 - gamma}, {-1, 4},
         5 + log(24) - 4 * (25. / 12 - gamma)},
        {"beta(2, 2)", "E ln x = E ln(1 − x) = ψ(2) − ψ(4)", two_logs, 2, 1e-9, 1 - 1e-9, {-5. / 6, -5. / 6},
         {1, 1}, -log(6) + 5. / 3},
    };
    static double x[NODES], weight[NODES];
    report *all = report_list(root, "families");
    gibbs_status status = GIBBS_OK;
    if (!set->common.quiet) printf("\nfamily        entropy    truth   η (truth), of what is known\n");
    for (size_t i = 0; !status && i < sizeof list / sizeof *list; i++) {
        const family *f = &list[i];
        double eta[2] = {0}, log_z;
        place(f->low, f->high, x, weight);
        problem p = {.T = f->T, .k = f->k, .mu = f->mu, .x = x, .weight = weight, .rows = NODES};
        if ((status = solve(&p, eta, &log_z, NULL, NULL, error))) break;
        report *r = report_object(all, NULL);
        report_text(r, "family", f->name);
        report_numbers(r, "eta", eta, f->k);
        report_numbers(r, "eta_truth", f->eta, f->k);
        report_number(r, "entropy", entropy(&p, eta, log_z));
        report_number(r, "entropy_truth", f->entropy);
        if (set->common.quiet) continue;
        printf("%-12s %8.4f %8.4f  ", f->name, entropy(&p, eta, log_z), f->entropy);
        for (int j = 0; j < f->k; j++) printf("%8.4f (%g)", eta[j], f->eta[j]);
        printf(", of %s\n", f->known);
    }
    return status;
}

/* ---- A column of data, by its moments --------------------------------------------------------------------------- */

/* The mean of log p over the data, of which log_p has the values at the nodes: a line between these. */
static double mean_log_p(const ebm_data *data, const basis *b, const double *log_p)
{
    double mean = 0;
    for (int64_t i = 0; i < data->rows; i++) {
        double at = (data->x[i] - b->low) / (b->high - b->low) * (NODES - 1);
        int node = at < NODES - 1 ? (int)at : NODES - 2;
        mean += (log_p[node] + (at - node) * (log_p[node + 1] - log_p[node])) / (double)data->rows;
    }
    return mean;
}

/* CURVES densities that know 2, 4, … moments of the data, on the nodes: a column each of `row`, after x. */
static gibbs_status fit_moments(const ebm_data *data, basis *b, const double *x, const double *weight, double *row,
                                moment_fit *fit, gibbs_error *error)
{
    static double log_p[NODES];
    gibbs_status status = GIBBS_OK;
    for (int c = 0; !status && c < CURVES; c++) {
        moment_fit *f = &fit[c];
        double mu[MOST] = {0}, log_z;
        f->k = b->k = 2 * (c + 1);
        for (int64_t i = 0; i < data->rows; i++)
            for (int j = 0; j < b->k; j++) mu[j] += pow(scaled(b, data->x[i]), j + 1) / (double)data->rows;
        problem p = {powers, b->k, mu, x, weight, NODES, b, data};
        if ((status = solve(&p, f->eta, &log_z, log_p, f->error, error))) break;
        for (int i = 0; i < NODES; i++) row[(CURVES + 1) * i + c + 1] = exp(log_p[i]);
        f->entropy = entropy(&p, f->eta, log_z);
        f->log_likelihood = mean_log_p(data, b, log_p);
    }
    return status;
}

/* The first column of the table, its name (`size` bytes) and its range. */
static gibbs_status load(const settings *set, ebm_data *column, char *name, size_t size, basis *range,
                         gibbs_error *error)
{
    ebm_data data;
    gibbs_status status = data_read(set->data, &data, error);
    if (status) return status;
    double *x = malloc((size_t)data.rows * sizeof *x), low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; x && i < data.rows; i++) {
        x[i] = data.x[i * data.cols];
        low = fmin(low, x[i]), high = fmax(high, x[i]);
    }
    *range = (basis){low, high, 0};
    snprintf(name, size, "%s", data.names ? data.names[0] : "first column");
    if (!x) status = fail(error, GIBBS_MEMORY, "the first column: out of memory");
    else if (low == high) status = fail(error, GIBBS_DATA, "%.200s: the first column is constant", set->data);
    else status = ebm_data_from(x, data.rows, 1, NULL, column, error);
    ebm_data_free(&data);
    free(x);
    return status;
}

static gibbs_status moments(const settings *set, const ebm_data *column, const char *name, const basis *range,
                            report *root, gibbs_error *error)
{
    static double x[NODES], weight[NODES], row[NODES * (CURVES + 1)];
    moment_fit fit[CURVES];
    double margin = 0.2 * (range->high - range->low);
    basis b = {range->low - margin, range->high + margin, 0};
    place(b.low, b.high, x, weight);
    for (int i = 0; i < NODES; i++) row[(CURVES + 1) * i] = x[i];
    gibbs_status status = fit_moments(column, &b, x, weight, row, fit, error);
    if (!status) maxent_tell_moments(set, &b, fit, report_list(root, "moments"));
    return status ? status : maxent_draw_moments(set, column, name, &b, row, error);
}

/* ---- Telling ---------------------------------------------------------------------------------------------------- */

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    ebm_data column = {0};
    basis range = {0};
    char name[128];
    gibbs_status status = load(set, &column, name, sizeof name, &range, error);
    if (!status) status = report_prepare(&set->common, error);
    if (!status) status = die(set, root, error);
    if (!status) status = families(set, root, error);
    if (!status) status = moments(set, &column, name, &range, root, error);
    if (!status && !set->common.quiet)
        printf("\nThe more is known the less the entropy; where the moments are those of the data it is minus their\n"
               "mean log-likelihood, as it must be. Pictures and data: %s/maxent-*\n", set->common.out);
    ebm_data_free(&column);
    return status;
}

int main(int argc, char **argv)
{
    settings set = {4.5, "examples/data/faithful.csv", {.seed = 1, .threads = 1, .out = "out"}};
    static const option_domain face = {"a number between 1 and 6", 1.001, 5.999, 0};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"mean", "MEAN", "Of the die's faces", &set.mean, &face, NULL},
        {"data", "FILE", "A table (CSV, npy, IDX), of which the first column counts", &set.data, NULL, NULL},
        DATA_OPTIONS,
    };
    options_read(argc, argv, "Maximum entropy from given statistics: a die, textbook families, moments of real data.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
