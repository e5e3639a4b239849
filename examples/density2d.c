/* density2d — one energy, four ways to fit it.
 *
 * The same network energy of points in the plane (or on the line, or in space) is fitted by maximum likelihood with
 * importance sampling, contrastive divergence, score matching and noise contrastive estimation; all four densities are
 * then normalised by quadrature and compared on rows that none of them saw. Reading order: main, run_method, train,
 * judge. The command line is in common/, and so are the pictures. */
#include "common/data_load.h"
#include "common/density_plot.h"
#include "common/density_settings.h"
#include "common/failure.h"
#include "common/files.h"
#include "common/progress.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIM = 3, NAME = 64 };

/* The data, standardised by the training rows, and what is made of them once for all methods. */
typedef struct problem {
    ebm_data train, held;
    double mean[MAX_DIM], sd[MAX_DIM];
    ebm_proposal *noise; /* the training rows' Gaussian, wider: the noise of ML-IS and NCE */
    double gaussian;     /* held-out mean log-likelihood of that Gaussian, not widened */
    ebm_box box;         /* of the quadrature */
} problem;

typedef struct result {
    gibbs_error error, unsaved; /* of the fit and its figures; of the files. Status OK when all went well. */
    ebm_fit_report fit;
    ebm_quadrature quadrature;
    double held_out, log_z_hat, health; /* at the parameters that were kept */
} result;

/* ---- A loss of our own: score matching at x + sd·ε, ε redrawn in every step --------------------------------- */

enum { NOISE_STREAM = 1000 };

static ad_var record_noisy(ebm_graph *g)
{
    const double *sd = g->context;
    ebm_graph noisy = *g;
    noisy.x = ad_add(g->x, ad_scale(ad_normal(g->data, ad_shape_of(g->x), NOISE_STREAM), *sd));
    return ebm_loss_score_matching.record(&noisy);
}

const ebm_loss noisy_score_matching = {
    .name = "score-matching",
    .title = "score matching of noisy data",
    .redraw = 1,
    .record = record_noisy,
    .validation = &ebm_loss_score_matching,
};

/* ---- Fitting one loss -------------------------------------------------------------------------------------- */

static ebm_loss_options loss_options(const settings *set, const problem *p, const method *m)
{
    ebm_loss_options o = ebm_loss_defaults();
    o.proposal = p->noise;
    o.noise_ratio = setting_or(set->noise_ratio, m->noise_ratio);
    o.redraw = 1; /* before every step: a network would learn the gaps between fixed points */
    o.sampler_steps = (int)set->cd_steps;
    o.sampler_step = set->cd_step;
    o.context = (void *)&set->data_noise;
    o.threads = (int)set->common.threads;
    return o;
}

static gibbs_status train(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    progress_line line = progress_start(m->name, set->common.quiet);
    ebm_fit_options o = ebm_fit_defaults();
    o.loss = m->loss;
    o.loss_options = loss_options(set, p, m);
    o.steps = (int64_t)setting_or(set->steps, m->steps);
    o.rate = setting_or(set->rate, m->rate);
    o.weight_decay = setting_or(set->weight_decay, m->weight_decay);
    o.batch = (int64_t)set->batch;
    o.schedule = EBM_SCHEDULE_COSINE;
    o.clip = 10;
    o.seed = (uint64_t)set->common.seed;
    o.validation_fraction = set->validation; /* of the training rows; the best parameters are kept */
    o.threads = (int)set->common.threads;
    o.progress = progress_of_fit;
    o.context = &line;
    gibbs_status status = ebm_fit(model, &p->train, &o, &r->fit, &r->error);
    progress_clear(&line);
    return status;
}

/* Health and log Z-hat at the parameters that were kept: the report's are those of the last step. */
static gibbs_status examine(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    ebm_loss_options o = loss_options(set, p, m);
    ebm_objective *objective;
    size_t count = (size_t)(p->train.rows * p->train.cols);
    float *single = malloc(count * sizeof *single);
    if (!single) return fail(&r->error, GIBBS_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) single[i] = (float)p->train.x[i];
    const void *x = ebm_model_dtype(model) == GIBBS_FLOAT32 ? (const void *)single : p->train.x;
    gibbs_status status = ebm_objective_new(model, m->loss, &o, &objective, &r->error);
    if (!status) status = ebm_objective_bind(objective, x, p->train.rows, &r->error);
    if (!status) status = ebm_objective_refresh(objective, (uint64_t)set->common.seed, UINT32_MAX, &r->error);
    if (!status) status = ebm_objective_evaluate(objective, NULL, &r->error);
    if (!status) r->health = ebm_objective_health(objective);
    if (!status) r->log_z_hat = ebm_objective_log_z(objective);
    ebm_objective_free(objective);
    free(single);
    return status;
}

static gibbs_status judge(const problem *p, ebm_model *model, result *r)
{
    gibbs_status status = ebm_integrate(model, &p->box, &r->quadrature, &r->error);
    if (status) return status;
    return ebm_mean_log_likelihood(model, &p->held, r->quadrature.log_z_doubled, &r->held_out, &r->error);
}

/* ---- Files ------------------------------------------------------------------------------------------------- */

static gibbs_status save_history(const settings *set, const char *name, const ebm_fit_report *fit, gibbs_error *error)
{
    double *row = malloc(sizeof *row * 4 * (size_t)(fit->history_count + 1));
    if (!row) return fail(error, GIBBS_MEMORY, "out of memory");
    for (int64_t i = 0; i < fit->history_count; i++) {
        const double values[4] = {(double)i + 1, fit->history_loss[i], fit->history_norm[i],
                                  fit->history_validation[i]};
        memcpy(row + 4 * i, values, sizeof values);
    }
    gibbs_status status = table_write(set->common.out, name, "step,loss,gradient_norm,validation",
                                      fit->history_count, 4, row, error);
    free(row);
    return status;
}

/* Parameters, history and, in the plane, the density and its picture. */
static gibbs_status save(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    char path[PATH_SIZE], name[NAME], history[2 * NAME], title[2 * NAME];
    snprintf(name, sizeof name, "density2d-%s", m->name);
    snprintf(history, sizeof history, "%s-history.csv", name);
    snprintf(title, sizeof title, "%s: held-out mean log-likelihood %.3f (standardised)", m->loss->title, r->held_out);
    gibbs_status status = file_path(path, &r->unsaved, set->common.out, "%s.safetensors", name);
    if (!status) status = ebm_model_save(model, path, &r->unsaved);
    if (!status) status = save_history(set, history, &r->fit, &r->unsaved);
    if (status || p->train.cols != 2) return status;
    density_plot plot = {set->common.out, name, "density2d-data.csv", title, p->train.names, p->mean, p->sd,
                         ebm_box_around(&p->train, 0.2), r->quadrature.log_z_doubled};
    return density_plot_write(&plot, model, &r->unsaved);
}

/* ---- From a file or a name to a problem ------------------------------------------------------------------------ */

static gibbs_status split_and_scale(const settings *set, const ebm_data *all, problem *p, gibbs_error *error)
{
    if (all->cols > MAX_DIM)
        return fail(error, GIBBS_ARGUMENT, "%.200s has %lld columns; quadrature works with at most %d", set->data,
                    (long long)all->cols, MAX_DIM);
    gibbs_status status = ebm_data_split(all, set->held_out, (uint64_t)set->split_seed, &p->train, &p->held, error);
    if (!status) status = ebm_data_standardise(&p->train, p->mean, p->sd, error);
    return status ? status : ebm_data_apply_scale(&p->held, p->mean, p->sd, error);
}

/* The box of the quadrature holds the base measure out to four standard deviations, and the data. */
static void choose_box(const settings *set, problem *p)
{
    p->box = ebm_box_around(&p->train, 1);
    for (int k = 0; k < p->train.cols; k++) {
        p->box.low[k] = fmin(p->box.low[k], -4 * set->base_sd);
        p->box.high[k] = fmax(p->box.high[k], 4 * set->base_sd);
    }
}

static double mean_of(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static gibbs_status measure_gaussian(problem *p, gibbs_error *error)
{
    ebm_proposal *q = NULL;
    double *log_density = malloc(sizeof *log_density * (size_t)p->held.rows);
    gibbs_status status = log_density ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_proposal_gaussian_fit(&p->train, 1, 1, NULL, &q, error);
    if (!status) status = ebm_proposal_log_density(q, p->held.x, p->held.rows, NULL, log_density, error);
    if (!status) p->gaussian = mean_of(log_density, p->held.rows);
    ebm_proposal_free(q);
    free(log_density);
    return status;
}

static gibbs_status load(const settings *set, problem *p, gibbs_error *error)
{
    ebm_data all;
    char path[PATH_SIZE];
    gibbs_status status = data_read_or_draw(set->data, set->rows, set->split_seed, &all, error);
    if (status) return status;
    status = split_and_scale(set, &all, p, error);
    ebm_data_free(&all);
    if (!status) status = ebm_proposal_gaussian_fit(&p->train, 1, 1.5, NULL, &p->noise, error);
    if (!status) status = measure_gaussian(p, error);
    if (!status) status = folder_make(set->common.out, error);
    if (!status) status = report_check(set->common.json, error);
    if (!status) status = file_path(path, error, set->common.out, "density2d-data.csv");
    if (!status) status = ebm_data_write_csv(path, &p->train, error);
    choose_box(set, p);
    return status;
}

/* ---- Running and telling --------------------------------------------------------------------------------------- */

static void run_method(const settings *set, const problem *p, const method *m, result *r)
{
    ebm_model *model = NULL;
    ebm_mlp_spec spec = {.dim = p->train.cols, .widths = set->width, .layers = set->layers,
                         .activation = set->activation, .base_sd = set->base_sd,
                         .dtype = set->double_precision ? GIBBS_FLOAT64 : GIBBS_FLOAT32,
                         .seed = (uint64_t)set->common.seed};
    r->held_out = r->log_z_hat = r->health = r->quadrature.log_z = r->quadrature.log_z_doubled = NAN;
    gibbs_status status = ebm_model_mlp(&spec, &model, &r->error);
    if (!status) status = train(set, p, m, model, r);
    if (!status) status = examine(set, p, m, model, r);
    if (!status) status = judge(p, model, r);
    if (!status && save(set, p, m, model, r)) complain(&r->unsaved);
    if (status && set->common.quiet) complain(&r->error); /* else the table says it */
    ebm_model_free(model);
}

static void print_row(const settings *set, const problem *p, const method *m, const result *r)
{
    char steps[NAME], estimate[NAME] = "", health[NAME] = "";
    if (r->error.status) {
        printf("%-15s failed: %s\n", m->name, r->error.message);
        return;
    }
    snprintf(steps, sizeof steps, "%lld (%lld)", (long long)r->fit.steps, (long long)r->fit.best_step);
    if (!isnan(r->log_z_hat)) snprintf(estimate, sizeof estimate, "%.3f", r->log_z_hat);
    if (m->loss == &ebm_loss_ml_is)
        snprintf(health, sizeof health, "ESS %.0f of %.0f", r->health,
                 round(loss_options(set, p, m).noise_ratio * (double)p->train.rows));
    else if (m->loss->health)
        snprintf(health, sizeof health, "%s %.3f", m->loss->health, r->health);
    printf("%-15s %12s %9.2f", m->name, steps, r->fit.seconds);
    if (r->quadrature.normalisable)
        printf(" %15.4f %11s %10.3f   %s\n", r->held_out, estimate, r->quadrature.log_z_doubled, health);
    else
        printf("  not normalisable: log Z is %.3f in the box, %.3f in its double\n", r->quadrature.log_z,
               r->quadrature.log_z_doubled);
}

static void report_row(report *list, const settings *set, const method *m, const result *r)
{
    report *row = report_object(list, NULL);
    report_text(row, "loss", m->name);
    method_report(set, m, report_object(row, "settings"));
    report_text(row, "error", r->error.status ? r->error.message : r->unsaved.message);
    report_whole(row, "steps", r->fit.steps);
    report_whole(row, "best_step", r->fit.best_step);
    report_number(row, "seconds", r->fit.seconds);
    report_number(row, "held_out_mean_log_likelihood", r->held_out);
    report_number(row, "log_z_estimate", r->log_z_hat);
    report_number(row, "log_z", r->quadrature.log_z);
    report_number(row, "log_z_doubled", r->quadrature.log_z_doubled);
    report_flag(row, "normalisable", r->quadrature.normalisable);
    if (m->loss->health) report_text(row, "health", m->loss->health);
    report_number(row, "health_value", r->health);
    report_number(row, "best_validation", r->fit.best_validation);
    report_numbers(row, "history_loss", r->fit.history_loss, r->fit.history_count);
    report_numbers(row, "history_validation", r->fit.history_validation, r->fit.history_count);
}

static void print_table(const settings *set, const problem *p, const result *r)
{
    printf("%s: %lld training rows, of which %.0f %% are for validation; %lld held out\n\n", set->data,
           (long long)p->train.rows, 100 * set->validation, (long long)p->held.rows);
    printf("%-15s %12s %9s %15s %11s %10s   health\n", "loss", "steps (kept)", "seconds", "held-out log p", "log Z-hat",
           "log Z");
    printf("%-15s %12s %9s %15.4f\n", "one Gaussian", "", "", p->gaussian);
    for (int i = 0; i < METHODS; i++)
        if (set->chosen[i]) print_row(set, p, &methods[i], &r[i]);
    printf("\nheld-out log p: mean log-likelihood of the held-out rows, standardised by the training rows' mean\n"
           "and sd; each density normalised by quadrature (log Z). log Z-hat: the method's own estimate, at\n"
           "the parameters kept. score-matching sees the data with noise of sd %g, redrawn in every step.\n"
           "Files, and pictures where the data are in the plane: %s/density2d-*\n",
           set->data_noise, set->common.out);
}

static gibbs_status write_report(const settings *set, const problem *p, const result *r, gibbs_error *error)
{
    report *root = report_new();
    report_text(root, "data", set->data);
    report_whole(root, "training_rows", p->train.rows);
    report_whole(root, "held_out_rows", p->held.rows);
    report_numbers(root, "mean", p->mean, p->train.cols);
    report_numbers(root, "sd", p->sd, p->train.cols);
    settings_report(set, report_object(root, "settings"));
    report_number(root, "gaussian_held_out_mean_log_likelihood", p->gaussian);
    report *list = report_list(root, "losses");
    for (int i = 0; i < METHODS; i++)
        if (set->chosen[i]) report_row(list, set, &methods[i], &r[i]);
    gibbs_status status = report_write(root, set->common.json, error);
    report_free(root);
    return status;
}

int main(int argc, char **argv)
{
    settings set = settings_read(argc, argv);
    problem p = {0};
    result results[METHODS] = {0};
    gibbs_error error = {0};
    int failed = load(&set, &p, &error) != GIBBS_OK;
    for (int i = 0; i < METHODS && !error.status; i++) {
        if (set.chosen[i]) run_method(&set, &p, &methods[i], &results[i]);
        failed |= results[i].error.status || results[i].unsaved.status;
    }
    if (!error.status && !set.common.quiet) print_table(&set, &p, results);
    if (!error.status && set.common.json) failed |= write_report(&set, &p, results, &error) != GIBBS_OK;
    if (error.status) complain(&error);
    for (int i = 0; i < METHODS; i++) ebm_fit_report_free(&results[i].fit);
    ebm_proposal_free(p.noise);
    ebm_data_free(&p.train);
    ebm_data_free(&p.held);
    return failed;
}
