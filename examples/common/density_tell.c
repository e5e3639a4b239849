#include "density_tell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char columns[] = "%-15s %12s %8s %15s %12s %10s %9s   %s\n";

static void health_text(const settings *set, const problem *p, const method *m, const result *r, char *text,
                        size_t size)
{
    int used = 0;
    *text = 0;
    if (m->loss == &ebm_loss_ml_is)
        used = snprintf(text, size, "ESS %.0f of %.0f", r->health,
                        round(setting_or(set->noise_ratio, m->noise_ratio) * (double)p->train.rows));
    else if (m->loss->health)
        used = snprintf(text, size, "%s %.3f", m->loss->health, r->health);
    if (p->train.cols > QUADRATURE)
        snprintf(text + used, size - (size_t)used, "%slog Z: ESS %.0f%s", used ? "; " : "", r->importance.ess,
                 r->importance.ess < ENOUGH ? ", too small" : "");
    else if (r->quadrature.verdict != EBM_NORMALISABLE)
        snprintf(text + used, size - (size_t)used, "%s%s: log Z is %.3f in the box, %.3f in its double",
                 used ? "; " : "", ebm_verdict_text(r->quadrature.verdict), r->quadrature.log_z,
                 r->quadrature.log_z_doubled);
}

/* Nothing for what is not known. */
static const char *number(char text[NAME], const char *format, double value)
{
    *text = 0;
    if (!isnan(value)) snprintf(text, NAME, format, value);
    return text;
}

void density_head(const settings *set, const problem *p)
{
    char gaussian[NAME];
    int beyond = p->train.cols > QUADRATURE;
    if (set->common.quiet) return;
    printf("%s: %lld column%s, %lld training rows, of which %.0f %% are for validation; %lld held out\n", set->data,
           (long long)p->train.cols, p->train.cols > 1 ? "s" : "", (long long)p->train.rows,
           100 * set->validation, (long long)p->held.rows);
    if (beyond)
        printf("More than %d columns: no quadrature, so that log Z is estimated by importance sampling (%d points of\n"
               "a Gaussian; from an effective sample size, ESS, of %d on), and no picture of the density.\n", QUADRATURE,
               DRAWS, ENOUGH);
    else if (p->train.cols > DRAWN)
        printf("More than %d columns: no picture of the density, but of the losses over the steps.\n", DRAWN);
    printf("\n");
    printf(columns, "loss", "steps (kept)", "seconds", "held-out log p", "held-out SM", "log Z-hat", "log Z", "health");
    printf(columns, "one Gaussian", "", "", number(gaussian, "%.4f", p->gaussian), "", "", "", "");
    fflush(stdout);
}

void density_row(const settings *set, const problem *p, const method *m, const result *r)
{
    char steps[NAME], seconds[NAME], held[NAME], matching[NAME], estimate[NAME], log_z[NAME], health[3 * NAME];
    if (set->common.quiet) return;
    snprintf(steps, sizeof steps, "%lld (%lld)", (long long)r->fit.steps, (long long)r->fit.best_step);
    health_text(set, p, m, r, health, sizeof health);
    if (r->error.status)
        printf("%-15s failed: %s\n", m->name, r->error.message);
    else
        printf(columns, m->name, steps, number(seconds, "%.2f", r->fit.seconds), number(held, "%.4f", r->held_out),
               number(matching, "%.4f", r->matching), number(estimate, "%.3f", r->log_z_hat),
               number(log_z, "%.3f", r->log_z), health);
    fflush(stdout);
}

void density_foot(const settings *set, const problem *p)
{
    if (set->common.quiet) return;
    printf("\nheld-out log p: mean log-likelihood of the held-out rows, standardised by the training rows' mean and\n"
           "sd, by log Z (%s); in the data's units add %.4f, which is -Σ log sd. held-out SM: the\n"
           "score matching loss of those rows, which needs no log Z: less is better. log Z-hat: the method's own\n"
           "estimate, at the parameters kept. score-matching sees the data with noise of sd %g, redrawn in each step.\n"
           "Files and pictures: %s/density2d-*\n",
           p->train.cols > QUADRATURE ? "importance sampling" : "quadrature", p->log_jacobian, set->data_noise,
           set->common.out);
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
    report_number(row, "held_out_score_matching", r->matching);
    report_number(row, "log_z_estimate", r->log_z_hat);
    report_number(row, "log_z_importance", r->importance.log_z);
    report_number(row, "log_z_importance_ess", r->importance.ess);
    report_number(row, "log_z", r->quadrature.log_z);
    report_number(row, "log_z_doubled", r->quadrature.log_z_doubled);
    /* null: no quadrature, no verdict */
    if (isnan(r->quadrature.log_z)) report_number(row, "normalisable", NAN);
    else report_flag(row, "normalisable", r->quadrature.verdict == EBM_NORMALISABLE);
    if (m->loss->health) report_text(row, "health", m->loss->health);
    report_number(row, "health_value", r->health);
    report_number(row, "best_validation", r->fit.best_validation);
    report_numbers(row, "history_loss", r->fit.history_loss, r->fit.history_count);
    report_numbers(row, "history_validation", r->fit.history_validation, r->fit.history_count);
}

void density_report(const settings *set, const problem *p, const result *r, report *root)
{
    report_text(root, "data", set->data);
    report_whole(root, "training_rows", p->train.rows);
    report_whole(root, "held_out_rows", p->held.rows);
    report_numbers(root, "mean", p->mean, p->train.cols);
    report_numbers(root, "sd", p->sd, p->train.cols);
    report_number(root, "log_jacobian", p->log_jacobian);
    settings_report(set, report_object(root, "settings"));
    report_number(root, "gaussian_held_out_mean_log_likelihood", p->gaussian);
    report *list = report_list(root, "losses");
    for (int i = 0; i < METHODS; i++)
        if (set->chosen[i]) report_row(list, set, &methods[i], &r[i]);
}
