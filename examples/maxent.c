/* maxent — maximum entropy from given statistics: S3, eq 10.7–10.13.
 *
 * Of all densities on a support whose statistics T have given expectations μ, the one with the largest entropy is
 * exp(η·T(x))/Z. Three uses of that:
 *   - the die of Jaynes: six faces, a mean of 4.5; η against the root of its one equation, by bisection;
 *   - textbook families, each from its statistics alone: η and entropy against their closed forms;
 *   - a column of real data, by more and more of its moments: the entropy falls, and is minus the mean log-likelihood.
 *
 * Reading order: main, run, die, families, moments, solve. */
#include "common/failure.h"
#include "common/files.h"
#include "common/options.h"
#include "common/picture.h"
#include "common/plot.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { FACES = 6, NODES = 4001, MOST = 8, CURVES = 4 };
static const double PI = 3.14159265358979323846;

typedef struct settings {
    double mean;
    const char *data;
    common_options common;
} settings;

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
    ebm_fit_options fit = ebm_fit_defaults();
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

/* The powers u, u², … uᵏ of x scaled from low … high to −1 … 1, which keeps the Hessian of high ones tame. */
typedef struct basis {
    double low, high;
    int k;
} basis;

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

static const char die_picture[] =
    "set xlabel 'face'; set ylabel 'probability'; set yrange [0:*]; set xrange [0.4:6.6]\n"
    "set offsets 0, 0, 0.02, 0; set xtics 1 scale 0; set key top left; set boxwidth 0.6\n"
    "set style fill solid 1 noborder; unset grid; set grid ytics\n"
    "plot NAME.'.csv' skip 1 using 1:2 with boxes lc rgb '#9db8dc' title 'largest entropy', \\\n"
    "  '' skip 1 using 1:2:(sprintf('%.3f', $2)) with labels offset 0,0.7 notitle, \\\n"
    "  '' skip 1 using 1:3 with points pt 6 ps 2 lw 2 lc rgb RED title 'exp(ηx)/Z, η by bisection', \\\n"
    "  1.0 / 6 with lines dt (8, 6) lw 2 lc rgb '#808080' title 'nothing known'\n";

static gibbs_status die(const settings *set, report *root, gibbs_error *error)
{
    double x[FACES], p[FACES], row[3 * FACES], eta, log_z, truth = bisect(set->mean), mass = 0;
    char title[128];
    for (int i = 0; i < FACES; i++) x[i] = i + 1, mass += exp(truth * (i + 1));
    problem q = {.T = first, .k = 1, .mu = &set->mean, .x = x, .rows = FACES};
    gibbs_status status = solve(&q, &eta, &log_z, p, NULL, error);
    if (status) return status;
    for (int i = 0; i < FACES; i++) {
        p[i] = exp(p[i]);
        row[3 * i] = x[i], row[3 * i + 1] = p[i], row[3 * i + 2] = exp(truth * x[i]) / mass;
    }
    if (!set->common.quiet) {
        printf("A die with a mean of %g: η = %.10f (bisection: %.10f), p =", set->mean, eta, truth);
        for (int i = 0; i < FACES; i++) printf(" %.5f", p[i]);
        printf("\n");
    }
    report *r = report_object(root, "die");
    report_number(r, "mean", set->mean);
    report_number(r, "eta", eta);
    report_number(r, "truth", truth);
    report_numbers(r, "probability", p, FACES);
    snprintf(title, sizeof title, "A die of which only the mean is known: %g", set->mean);
    status = table_write(set->common.out, "maxent-die.csv", "face,probability,bisection", FACES, 3, row, error);
    return status ? status : picture_draw(set->common.out, "maxent-die", title, die_picture, error);
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

static const char moments_picture[] =
    "set xlabel COLUMN.', in units of the data' noenhanced; set ylabel 'density'\n"
    "set yrange [0:*]; set xrange [LOW:HIGH]; set key top center\n"
    "set style fill solid 1 noborder; width = (HIGH - LOW) / 40\n"
    "plot NAME.'-data.csv' skip 1 using (LOW + width * (floor(($1 - LOW) / width) + 0.5)):(1 / (ROWS * width)) \\\n"
    "    smooth frequency with boxes lc rgb '#d5dbe3' title sprintf('%d rows', ROWS), \\\n"
    "  for [j = 1:4] NAME.'.csv' skip 1 using 1:(column(1 + j)) with lines lw 2.5 \\\n"
    "    lc rgb word(OCHRE.' '.VIOLET.' '.GREEN.' '.BLUE, j) title sprintf('%d moments', 2 * j)\n";

/* What came of the first k moments. */
typedef struct moment_fit {
    int k;
    double eta[MOST], error[MOST], entropy, log_likelihood;
} moment_fit;

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

static void tell_moments(const settings *set, const basis *b, const moment_fit *fit, report *list)
{
    for (int c = 0; c < CURVES; c++) {
        report *r = report_object(list, NULL);
        report_whole(r, "moments", fit[c].k);
        report_number(r, "entropy", fit[c].entropy);
        report_number(r, "mean_log_likelihood", fit[c].log_likelihood);
        report_numbers(r, "eta", fit[c].eta, fit[c].k);
        report_numbers(r, "standard_errors", fit[c].error, fit[c].k);
    }
    if (set->common.quiet) return;
    printf("\n%.200s, column 1, on %.3g … %.3g:\nmoments     entropy  mean log p(data)\n", set->data, b->low, b->high);
    for (int c = 0; c < CURVES; c++) printf("%7d %11.6f %15.6f\n", fit[c].k, fit[c].entropy, fit[c].log_likelihood);
    printf("\nη (standard error), of the powers of u, which is the column scaled to −1 … 1 there:\n");
    for (int j = 0; j < MOST; j++) {
        printf("u^%d", j + 1);
        for (int c = 0; c < CURVES; c++)
            if (j < fit[c].k) printf("%10.3f (%7.3f)", fit[c].eta[j], fit[c].error[j]);
            else printf("%20s", "");
        printf("\n");
    }
}

static gibbs_status draw_moments(const settings *set, const ebm_data *data, const char *name, const basis *b,
                                 const double *row, gibbs_error *error)
{
    static char script[2048];
    char quoted[256];
    int64_t rows = data->rows < 1 << 16 ? data->rows : 1 << 16; /* enough for a histogram */
    const char *header = "x,moments_2,moments_4,moments_6,moments_8";
    gibbs_status status = table_write(set->common.out, "maxent-moments.csv", header, NODES, CURVES + 1, row, error);
    if (!status) status = table_write(set->common.out, "maxent-moments-data.csv", "x", rows, 1, data->x, error);
    snprintf(script, sizeof script, "LOW = %.17g; HIGH = %.17g; ROWS = %d; COLUMN = %s\n%s", b->low, b->high, (int)rows,
             plot_quote(name, quoted, sizeof quoted), moments_picture);
    return status ? status : picture_draw(set->common.out, "maxent-moments",
                                          "Largest entropy given the first moments of the data", script, error);
}

static gibbs_status first_column(const ebm_data *data, ebm_data *column, gibbs_error *error)
{
    double *x = malloc((size_t)data->rows * sizeof *x);
    if (!x) return fail(error, GIBBS_MEMORY, "the first column: out of memory");
    for (int64_t i = 0; i < data->rows; i++) x[i] = data->x[i * data->cols];
    gibbs_status status = ebm_data_from(x, data->rows, 1, NULL, column, error);
    free(x);
    return status;
}

static gibbs_status moments(const settings *set, report *root, gibbs_error *error)
{
    static double x[NODES], weight[NODES], row[NODES * (CURVES + 1)];
    moment_fit fit[CURVES];
    ebm_data data, column = {0};
    double low = INFINITY, high = -INFINITY;
    gibbs_status status = ebm_data_read(set->data, NULL, &data, error);
    if (status) return status;
    status = first_column(&data, &column, error);
    for (int64_t i = 0; i < column.rows; i++) low = fmin(low, column.x[i]), high = fmax(high, column.x[i]);
    if (!status && low == high) status = fail(error, GIBBS_DATA, "%.200s: the first column is constant", set->data);
    basis b = {low - 0.2 * (high - low), high + 0.2 * (high - low), 0};
    place(b.low, b.high, x, weight);
    for (int i = 0; i < NODES; i++) row[(CURVES + 1) * i] = x[i];
    if (!status) status = fit_moments(&column, &b, x, weight, row, fit, error);
    if (!status) tell_moments(set, &b, fit, report_list(root, "moments"));
    const char *name = data.names ? data.names[0] : "first column";
    if (!status) status = draw_moments(set, &column, name, &b, row, error);
    ebm_data_free(&column);
    ebm_data_free(&data);
    return status;
}

/* ---- Telling ---------------------------------------------------------------------------------------------------- */

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    gibbs_status status = folder_make(set->common.out, error);
    if (!status) status = report_check(set->common.json, error);
    if (!status) status = die(set, root, error);
    if (!status) status = families(set, root, error);
    if (!status) status = moments(set, root, error);
    if (!status && !set->common.quiet)
        printf("\nThe more is known the less the entropy; where the moments are those of the data it is minus their\n"
               "mean log-likelihood, as it must be. Pictures and data: %s/maxent-*\n", set->common.out);
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
    };
    options_read(argc, argv, "Maximum entropy from given statistics: a die, textbook families, moments of real data.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
