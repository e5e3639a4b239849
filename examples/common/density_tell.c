#include "density_tell.h"
#include "density_plot.h"
#include "failure.h"
#include "files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 64 };

/* ---- Files ---- */

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

gibbs_status density_save(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    char path[PATH_SIZE], name[NAME], history[2 * NAME], title[2 * NAME];
    snprintf(name, sizeof name, "density2d-%s", m->name);
    snprintf(history, sizeof history, "%s-history.csv", name);
    snprintf(title, sizeof title, "%s: held-out mean log-likelihood %.3f (standardised)", m->loss->title, r->held_out);
    gibbs_status status = file_path(path, &r->unsaved, set->common.out, "%s.safetensors", name);
    if (!status) status = ebm_model_save(model, path, &r->unsaved);
    if (!status) status = save_history(set, history, &r->fit, &r->unsaved);
    if (status || p->train.cols != 2) return status;
    density_plot plot = {.folder = set->common.out, .name = name, .data = "density2d-data.csv", .title = title,
                         .labels = p->train.names, .mean = p->mean, .sd = p->sd,
                         .box = ebm_box_around(&p->train, 0.2), .log_z = r->quadrature.log_z_doubled};
    return density_plot_write(&plot, model, &r->unsaved);
}

/* ---- The table ---- */

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
                 round(setting_or(set->noise_ratio, m->noise_ratio) * (double)p->train.rows));
    else if (m->loss->health)
        snprintf(health, sizeof health, "%s %.3f", m->loss->health, r->health);
    printf("%-15s %12s %9.2f", m->name, steps, r->fit.seconds);
    if (r->quadrature.verdict == EBM_NORMALISABLE)
        printf(" %15.4f %11s %10.3f   %s\n", r->held_out, estimate, r->quadrature.log_z_doubled, health);
    else
        printf("  %s: log Z is %.3f in the box, %.3f in its double\n", ebm_verdict_text(r->quadrature.verdict),
               r->quadrature.log_z, r->quadrature.log_z_doubled);
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
    report_flag(row, "normalisable", r->quadrature.verdict == EBM_NORMALISABLE);
    if (m->loss->health) report_text(row, "health", m->loss->health);
    report_number(row, "health_value", r->health);
    report_number(row, "best_validation", r->fit.best_validation);
    report_numbers(row, "history_loss", r->fit.history_loss, r->fit.history_count);
    report_numbers(row, "history_validation", r->fit.history_validation, r->fit.history_count);
}

void density_print(const settings *set, const problem *p, const result *r)
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

void density_report(const settings *set, const problem *p, const result *r, report *root)
{
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
}
