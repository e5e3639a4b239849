/* score_field — the density and the score of one network energy in the plane, fitted by every loss that can (S4).
 *
 * The score −∇E(x) needs no normalising constant: it is what score matching matches, and where samplers go. One network
 * is fitted to one set of points by maximum likelihood in several forms, contrastive divergence, score matching in
 * several forms, noise contrastive estimation and Stein discrepancies. A panel each shows the density, by quadrature,
 * and arrows of the score. The default set is a mixture of eight Gaussians, so that the truth has a panel as well and
 * the losses can be judged by it. Reading order: main, run, fit_one, and the losses in common/score_settings.c. */
#include "common/data_load.h"
#include "common/failure.h"
#include "common/fitting.h"
#include "common/report.h"
#include "common/score_plot.h"
#include "common/score_settings.h"
#include "common/statistics.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 2, MODES = 8, QUADRATURE = 41 };

typedef struct problem {
    ebm_data train, test;
    ebm_points points;         /* of exact maximum likelihood */
    ebm_model *truth;          /* NULL where it is not known */
    ebm_proposal *mode[MODES], *mixture;
    double *true_slope;        /* its ∇E at the test rows */
    score_plot plot;
} problem;

typedef struct result {
    gibbs_error error;
    ebm_fit_report fit;
    ebm_quadrature quadrature;
    double held_out, fisher; /* mean log p, and mean ½|∇E − ∇E*|², of the test rows; NaN where not known */
} result;

/* ---- The network: E = v·φ(W₂ᵀφ(W₁ᵀx + b₁) + b₂) + |x|²/(2 base²); and a critic of that form ---- */

enum { W1, B1, W2, B2, V, NETWORK };

static ad_var hidden(ad_var x, const ad_var *theta)
{
    ad_var h = ad_silu(ad_add(ad_matmul(x, theta[W1]), theta[B1]));
    return ad_silu(ad_add(ad_matmul(h, theta[W2]), theta[B2]));
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const settings *set = context;
    ad_var base = ad_scale(ad_sum(ad_square(x)), 0.5 / (set->base_sd * set->base_sd));
    return ad_add(ad_matmul(hidden(x, theta), theta[V]), base);
}

static ad_var critic(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_matmul(hidden(x, theta + NETWORK), theta[NETWORK + V]);
}

static gibbs_status make_network(const settings *set, const method *m, ebm_model **model, gibbs_error *error)
{
    int64_t h = (int64_t)set->hidden;
    const ebm_parameter parameters[2 * NETWORK] = {
        {"W1", ad_mat(DIM, h), EBM_INIT_NORMAL, 1.5}, {"b1", ad_vec(h), EBM_INIT_NORMAL, 1.5},
        {"W2", ad_mat(h, h), EBM_INIT_GLOROT, 1}, {"b2", ad_vec(h), EBM_INIT_CONSTANT, 0},
        {"v", ad_vec(h), EBM_INIT_NORMAL, 1 / sqrt(set->hidden)},
        {"critic.W1", ad_mat(DIM, h), EBM_INIT_NORMAL, 1.5}, {"critic.b1", ad_vec(h), EBM_INIT_NORMAL, 1.5},
        {"critic.W2", ad_mat(h, h), EBM_INIT_GLOROT, 1}, {"critic.b2", ad_vec(h), EBM_INIT_CONSTANT, 0},
        {"critic.V", ad_mat(h, DIM), EBM_INIT_GLOROT, 1},
    };
    ebm_model_spec spec = {0};
    spec.dtype = GIBBS_FLOAT32;
    spec.dim = DIM;
    spec.parameters = parameters;
    spec.parameter_count = m->loss == &ebm_loss_stein ? 2 * NETWORK : NETWORK;
    spec.energy = energy;
    spec.context = (void *)set;
    spec.seed = (uint64_t)set->common.seed;
    return ebm_model_new(&spec, model, error);
}

/* ---- The truth, where it is known: eight Gaussians as ebm_data_generate draws them ------------------------------- */

static ad_var true_energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_proposal *q = context;
    (void)theta;
    return ad_neg(q->log_density(q, x, NULL));
}

static gibbs_status make_truth(problem *p, gibbs_error *error)
{
    const double radius = 4 / 1.414, sd[DIM] = {0.5 / 1.414, 0.5 / 1.414}, turn = 2 * 3.14159265358979323846 / MODES;
    gibbs_status status = GIBBS_OK;
    for (int k = 0; !status && k < MODES; k++) {
        const double mean[DIM] = {radius * cos(k * turn), radius * sin(k * turn)};
        status = ebm_proposal_gaussian_diagonal(DIM, mean, sd, NULL, &p->mode[k], error);
    }
    if (!status)
        status = ebm_proposal_mixture(MODES, NULL, (const ebm_proposal *const *)p->mode, NULL, &p->mixture, error);
    ebm_model_spec spec = {0};
    spec.dim = DIM;
    spec.energy = true_energy;
    spec.context = p->mixture;
    return status ? status : ebm_model_new(&spec, &p->truth, error);
}

/* ---- Fitting and judging --------------------------------------------------------------------------------------- */

static ebm_fit_options fit_options(const settings *set, const problem *p, const method *m)
{
    ebm_fit_options o = {0};
    o.loss = m->loss;
    o.loss_options.noise_ratio = m->noise_ratio;
    o.loss_options.redraw = EBM_REDRAW_EACH_STEP;
    o.loss_options.points = &p->points;
    o.loss_options.field = m->loss == &ebm_loss_stein ? critic : NULL; /* denoising would take it for the score */
    if (m->noise_sd > 0) o.loss_options.noise_sd = m->noise_sd;
    if (m->coefficient != 0) o.loss_options.coefficient = m->coefficient;
    if (m->copies > 0) o.loss_options.copies = m->copies;
    if (m->sampler_steps > 0) o.loss_options.sampler_steps = m->sampler_steps;
    o.loss_options.restart = m->restart;
    if (m->sampler_step > 0) o.loss_options.sampler_step = m->sampler_step;
    o.loss_options.threads = o.threads = (int)set->common.threads;
    o.steps = (int64_t)(isnan(set->steps) ? m->steps : set->steps);
    o.batch = (int64_t)set->batch;
    o.rate = isnan(set->rate) ? m->rate : set->rate;
    o.weight_decay = isnan(set->weight_decay) ? m->weight_decay : set->weight_decay;
    o.schedule = EBM_SCHEDULE_COSINE;
    o.clip = 10;
    o.seed = (uint64_t)set->common.seed;
    return o;
}

/* mean ½|∇E − ∇E*|² over the test rows: the Fisher divergence from the truth. */
static gibbs_status fisher(const problem *p, ebm_model *model, double *divergence, gibbs_error *error)
{
    int64_t rows = p->test.rows;
    double *E = malloc(sizeof *E * (size_t)(rows * (1 + DIM))), *slope = E + rows;
    if (!E) return fail(error, GIBBS_MEMORY, "out of memory");
    gibbs_status status = ebm_model_energy(model, p->test.x, rows, E, slope, error);
    *divergence = 0;
    for (int64_t i = 0; i < rows * DIM; i++) *divergence += 0.5 * pow(slope[i] - p->true_slope[i], 2) / (double)rows;
    free(E);
    return status;
}

static gibbs_status judge(const settings *set, const problem *p, ebm_model *model, result *r)
{
    ebm_box box = ebm_box_around(&p->train, 0.5);
    for (int k = 0; k < DIM; k++) { /* holds the base measure */
        box.low[k] = fmin(box.low[k], -4 * set->base_sd);
        box.high[k] = fmax(box.high[k], 4 * set->base_sd);
    }
    gibbs_status status = ebm_integrate(model, &box, &r->quadrature, &r->error);
    if (!status)
        status = ebm_mean_log_likelihood(model, &p->test, r->quadrature.log_z_doubled, &r->held_out, &r->error);
    if (!status && p->truth) status = fisher(p, model, &r->fisher, &r->error);
    return status;
}

/* ---- Telling --------------------------------------------------------------------------------------------------- */

static void print_row(const method *m, const result *r)
{
    if (r->error.status) {
        printf("%-16s failed: %s\n", m->name, r->error.message);
        return;
    }
    printf("%-16s %6lld %9.2f %16.4f ", m->name, (long long)r->fit.steps, r->fit.seconds, r->held_out);
    if (!isnan(r->fisher)) printf("%18.4f", r->fisher);
    int held = r->quadrature.verdict == EBM_NORMALISABLE;
    printf("%s%s\n", held ? "" : "  ", held ? "" : ebm_verdict_text(r->quadrature.verdict));
}

static void report_row(report *list, const method *m, const result *r)
{
    report *row = report_object(list, NULL);
    report_text(row, "loss", m->name);
    report_text(row, "error", r->error.message);
    report_whole(row, "steps", r->fit.steps);
    report_number(row, "seconds", r->fit.seconds);
    report_number(row, "held_out_mean_log_likelihood", r->held_out);
    report_number(row, "fisher_divergence", r->fisher);
    report_number(row, "log_z", r->quadrature.log_z_doubled);
    report_flag(row, "normalisable", r->quadrature.verdict == EBM_NORMALISABLE);
    report_numbers(row, "history_loss", r->fit.history_loss, r->fit.history_count);
}

/* ---- Running --------------------------------------------------------------------------------------------------- */

/* What goes wrong with one loss is said in its row, and the others go on; only files that cannot be written end it. */
static gibbs_status fit_one(const settings *set, problem *p, const method *m, report *list, int *failures,
                            gibbs_error *error)
{
    result r = {.held_out = NAN, .fisher = NAN, .quadrature = {NAN, NAN, 0}};
    ebm_model *model = NULL;
    ebm_fit_options options = fit_options(set, p, m);
    gibbs_status status = make_network(set, m, &model, &r.error);
    if (!status) status = fit_model(&set->common, m->name, model, &p->train, &options, &r.fit, &r.error);
    if (!status) status = judge(set, p, model, &r);
    *failures += status != GIBBS_OK;
    if (status && set->common.quiet) complain(&r.error);
    if (!set->common.quiet) print_row(m, &r);
    report_row(list, m, &r);
    if (!status) status = score_plot_add(&p->plot, model, m->name, r.quadrature.log_z_doubled, r.held_out, error);
    else status = GIBBS_OK;
    ebm_fit_report_free(&r.fit);
    ebm_model_free(model);
    return status;
}

/* The truth's own figures, and its panel. */
static gibbs_status show_truth(const settings *set, problem *p, report *root, gibbs_error *error)
{
    int64_t rows = p->test.rows;
    double *E = malloc(sizeof *E * (size_t)rows), log_p, standard_error;
    p->true_slope = malloc(sizeof *p->true_slope * (size_t)(rows * DIM));
    gibbs_status status = E && p->true_slope ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = make_truth(p, error);
    if (!status) status = ebm_model_energy(p->truth, p->test.x, rows, E, p->true_slope, error);
    if (!status) {
        log_p = -mean_of(E, rows, &standard_error);
        report_number(root, "true_mean_log_likelihood", log_p);
        report_number(root, "standard_error", standard_error);
        if (!set->common.quiet) printf("%-16s %6s %9s %16.4f %18.4f\n", "the truth", "", "", log_p, 0.0);
        status = score_plot_add(&p->plot, p->truth, "truth", 0, log_p, error);
    }
    free(E);
    return status;
}

static gibbs_status load(const settings *set, problem *p, gibbs_error *error)
{
    double mean[DIM], sd[DIM];
    int drawn = data_is_drawn(set->data);
    gibbs_status status =
        data_load_split(set->data, set->rows, set->test_rows, set->common.seed, &p->train, &p->test, error);
    if (!status && !drawn) status = ebm_data_standardise(&p->train, mean, sd, error);
    if (!status && !drawn) status = ebm_data_apply_scale(&p->test, mean, sd, error);
    if (!status) status = report_prepare(&set->common, error);
    if (!status) status = score_plot_start(&p->plot, set->common.out, set->data, &p->train, error);
    if (status) return status;
    ebm_box box = ebm_box_around(&p->train, 0.25);
    box.points = QUADRATURE;
    return ebm_points_box(DIM, &box, NULL, &p->points, error);
}

static void problem_free(problem *p)
{
    ebm_model_free(p->truth);
    ebm_proposal_free(p->mixture);
    for (int k = 0; k < MODES; k++) ebm_proposal_free(p->mode[k]);
    ebm_points_free(&p->points);
    free(p->true_slope);
    ebm_data_free(&p->train);
    ebm_data_free(&p->test);
}

static gibbs_status run(const settings *set, report *root, int *failures, gibbs_error *error)
{
    problem p = {.true_slope = NULL};
    gibbs_status status = load(set, &p, error);
    if (!status && !set->common.quiet)
        printf("%s: %lld rows, %lld more to judge by\n\n%-16s %6s %9s %16s %18s\n", set->data, (long long)p.train.rows,
               (long long)p.test.rows, "loss", "steps", "seconds", "held-out log p", "Fisher divergence");
    if (!status && !strcmp(set->data, "8gaussians")) status = show_truth(set, &p, root, error);
    report *list = report_list(root, "losses");
    for (int i = 0; !status && i < SCORE_METHODS; i++)
        if (set->chosen[i]) status = fit_one(set, &p, &score_methods[i], list, failures, error);
    if (!status && p.plot.panels) status = score_plot_draw(&p.plot, error);
    if (!status && !set->common.quiet)
        printf("\nheld-out log p: mean log-likelihood, each density normalised by quadrature. Fisher divergence:\n"
               "mean ½|∇E − ∇E*|² from the truth's score (where it is known), at the same rows. denoising fits\n"
               "the density of the data with noise of sd %g. Figure and data: %s/score_field*\n",
               DENOISING_SD, set->common.out);
    problem_free(&p);
    return status;
}

int main(int argc, char **argv)
{
    settings set = score_settings_read(argc, argv);
    gibbs_error error = {0};
    int failures = 0;
    report *root = report_new();
    gibbs_status status = run(&set, root, &failures, &error);
    return report_end(root, status, set.common.json, &error) || failures;
}
