#include "geyer_tell.h"
#include "band_plot.h"
#include "failure.h"
#include "files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PREFIX = sizeof "geyer-" - 1 };

/* NAME.csv and NAME.png, which shows J from 0.4 a row below its minimum to 0.8 a row above: the same for all panels. */
static gibbs_status save(const settings *set, const panel *p, const study *s, gibbs_error *error)
{
    int cols = p->single ? 2 + SINGLE : 5;
    char name[64];
    double *row = malloc(sizeof *row * (size_t)(cols * s->grid)), least = INFINITY;
    if (!row) return fail(error, GIBBS_MEMORY, "%s: out of memory", p->name);
    for (int64_t i = 0; i < s->grid; i++) {
        const double *const column[] = {s->theta, s->truth, p->single ? s->single : s->mean,
                                        p->single ? s->single + s->grid : s->least,
                                        p->single ? s->single + 2 * s->grid : s->most};
        for (int k = 0; k < cols; k++) row[i * cols + k] = column[k][i];
        least = fmin(least, s->truth[i]);
    }
    snprintf(name, sizeof name, "%s.csv", p->name);
    const char *header = p->single ? "theta,truth,draw_1,draw_2,draw_3" : "theta,truth,mean,min,max";
    gibbs_status status = table_write(set->common.out, name, header, s->grid, cols, row, error);
    free(row);
    if (status) return status;
    return band_plot_draw(set->common.out, p->name, p->title, p->single ? SINGLE : 0, least - 0.55 * s->rows,
                          least + 0.8 * s->rows, error);
}

void geyer_head(const settings *set)
{
    if (!set->common.quiet)
        printf("figure     q     N     M     MLE  mean θ̂    rmse      sd    said      se  edge"
               "     mean J_BL − J, at θ\n");
}

static void print_row(const panel *p, const study *s)
{
    printf("%-8s  %2s  %4d  %4d  %.4f  %7.4f %7.4f %7.4f %7.4f %7.4f %5lld %8.2f ± %5.2f at %.2f\n", p->name + PREFIX,
           p->moving ? "q2" : "q1", p->rows, p->points, s->mle, s->theta_mean, s->rmse, s->theta_sd, s->noise_said,
           s->said, (long long)s->at_edge, s->mean[s->worst] - s->truth[s->worst], s->error[s->worst],
           s->theta[s->worst]);
}

static void report_panel(report *list, const panel *p, const study *s)
{
    report *r = report_object(list, NULL);
    report_text(r, "figure", p->name);
    report_text(r, "proposal", p->moving ? "q2" : "q1");
    report_whole(r, "rows", p->rows);
    report_whole(r, "points", p->points);
    report_whole(r, "draws", s->draws);
    report_number(r, "mle", s->mle);
    report_number(r, "theta_mean", s->theta_mean);
    report_number(r, "theta_sd", s->theta_sd);
    report_number(r, "theta_root_mean_square_error", s->rmse);
    report_number(r, "theta_standard_error", s->said);
    report_number(r, "theta_noise_error", s->noise_said);
    report_whole(r, "minima_at_the_edge", s->at_edge);
    report_number(r, "largest_gap_of_the_mean", s->mean[s->worst] - s->truth[s->worst]);
    report_number(r, "largest_gap_at", s->theta[s->worst]);
    report_numbers(r, "theta", s->theta, s->grid);
    report_numbers(r, "truth", s->truth, s->grid);
    report_numbers(r, "mean", s->mean, s->grid);
    report_numbers(r, "mean_standard_error", s->error, s->grid);
    report_numbers(r, "min", s->least, s->grid);
    report_numbers(r, "max", s->most, s->grid);
    report_numbers(r, "estimates", s->estimate, s->draws);
}

gibbs_status geyer_tell(const settings *set, const panel *p, const study *s, report *list, gibbs_error *error)
{
    if (!p->single && !set->common.quiet) print_row(p, s);
    report_panel(list, p, s);
    return save(set, p, s, error);
}
