#include "denoise_tell.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "denoise"

/* One panel a set of points, and one with the errors. */
static const char script[] =
    "set terminal pngcairo size 1350,960 font 'sans,14' enhanced background 'white'\n"
    "set output NAME.'.png'\n"
    "array WHAT[5] = ['noisy, x̃', 'best linear guess', 'network: x̃ - Σ∇E(x̃)', \\\n"
    "  'the best: E[x | x̃] by Bayes', 'true, x']\n"
    "array COLOUR[5] = ['#707070', OCHRE, BLUE, GREEN, RED]; array PLACE[5] = [3, 5, 7, 9, 1]\n"
    "F = NAME.'.csv'; stats F skip 1 using 3 nooutput name 'X'; stats F skip 1 using 4 nooutput name 'Y'\n"
    "set multiplot layout 2,3 title TITLE.\"\\n\" font 'sans,16'\n"
    "set lmargin 9; set rmargin 1; set bmargin 3.6; set key off\n"
    "set xlabel 'first column, standardised'; set ylabel 'second column, standardised' offset 1\n"
    "do for [k = 1:5] {\n"
    "  if (k == 4 && !KNOWN) { continue }\n"
    "  set xrange [X_min:X_max]; set yrange [Y_min:Y_max]; set title WHAT[k] noenhanced\n"
    "  plot F skip 1 using (column(PLACE[k])):(column(PLACE[k] + 1)) with points pt 7 ps 0.35 lc rgb COLOUR[k]\n"
    "}\n"
    "set title 'mean squared error ± s.e.'; set xlabel ' '; set ylabel 'mean |guess - x|²'; set yrange [0:*]\n"
    "set xrange [0.4:3.6 + KNOWN]; set boxwidth 0.6; set style fill solid 0.75; set grid noxtics\n"
    "set xtics ('noisy' 1, 'linear' 2, 'network' 3); if (KNOWN) { set xtics add ('best' 4) }\n"
    "plot NAME.'-errors.csv' skip 1 using 1:2:(0.6) with boxes lc rgb '#82b4d8', \\\n"
    "  NAME.'-errors.csv' skip 1 using 1:2:3 with yerrorbars pt 7 ps 0.5 lw 1.5 lc rgb '#303030'\n"
    "unset multiplot\n";

static gibbs_status draw(const settings *set, const problem *p, gibbs_error *error)
{
    picture_script out;
    char title[256];
    snprintf(title, sizeof title, "%.100s: noise of sd %g and %g, correlation %g, taken away by a fitted energy",
             set->data, set->sd[0], set->sd[1], set->correlation);
    gibbs_status status = picture_start(&out, set->common.out, PROGRAM, title, error);
    if (status) return status;
    fprintf(out.file, "KNOWN = %d\n%s", p->count > BAYES, script);
    return picture_finish(&out, error);
}

/* denoise.csv: a row a test point: true, noisy, linear, network and (where it is known) best. */
static gibbs_status save(const settings *set, const problem *p, gibbs_error *error)
{
    enum { COLUMNS = DIM * (1 + DENOISERS) };
    double *row = malloc(sizeof *row * COLUMNS * (size_t)p->test.rows), errors[3 * DENOISERS];
    if (!row) return fail(error, GIBBS_MEMORY, "out of memory");
    for (int64_t i = 0; i < p->test.rows; i++)
        for (int k = 0; k < COLUMNS; k++) {
            const double *x = k < DIM ? p->test.x : p->denoiser[k / DIM - 1].x;
            row[COLUMNS * i + k] = x ? x[DIM * i + k % DIM] : NAN;
        }
    for (int k = 0; k < p->count; k++)
        memcpy(errors + 3 * k, (double[]){k + 1, p->denoiser[k].mse, p->denoiser[k].mse_error}, 3 * sizeof *errors);
    gibbs_status status = table_write(set->common.out, PROGRAM ".csv", "x,y,noisy_x,noisy_y,linear_x,linear_y,"
                                      "network_x,network_y,best_x,best_y", p->test.rows, COLUMNS, row, error);
    free(row);
    if (!status)
        status = table_write(set->common.out, PROGRAM "-errors.csv", "which,mse,standard_error", p->count, 3, errors,
                             error);
    return status ? status : draw(set, p, error);
}

static void print_table(const settings *set, const problem *p)
{
    printf("%s: %lld training rows, standardised; %lld test rows with noise of sd\n"
           "%g and %g, correlation %g. The energy was fitted in %lld steps, %.1f s, by denoising score\n"
           "matching with that noise.\n\n"
           "%-34s %10s %9s %10s %15s\n", set->data, (long long)p->train.rows, (long long)p->test.rows, set->sd[0],
           set->sd[1], set->correlation, (long long)p->fit.steps, p->fit.seconds, "guess of x", "mean |.|²", "s.e.",
           "expected", "above the best");
    for (int k = 0; k < p->count; k++) {
        const denoiser *d = &p->denoiser[k];
        printf("%-34s %10.5f %9.5f ", d->title, d->mse, d->mse_error);
        if (isnan(d->expected)) printf("%10s ", "");
        else printf("%10.5f ", d->expected);
        if (isnan(d->excess)) printf("\n");
        else printf("%15.5f\n", d->excess);
    }
    printf("\nmean |.|²: mean squared distance from x with its standard error, and what theory expects of it; above\n"
           "the best: mean squared distance from E[x | x̃]. Units are those of the standardised columns.\n"
           "Figure and data: %s/" PROGRAM "*\n", set->common.out);
}

static void report_all(report *root, const settings *set, const problem *p)
{
    report_text(root, "data", set->data);
    report_whole(root, "training_rows", p->train.rows);
    report_whole(root, "test_rows", p->test.rows);
    report_numbers(root, "noise_covariance", p->noise.covariance, DIM * DIM);
    report_numbers(root, "history_loss", p->fit.history_loss, p->fit.history_count);
    report *list = report_list(root, "guesses");
    for (int k = 0; k < p->count; k++) {
        const denoiser *d = &p->denoiser[k];
        report *r = report_object(list, NULL);
        report_text(r, "guess", d->name);
        report_number(r, "mean_squared_error", d->mse);
        report_number(r, "standard_error", d->mse_error);
        report_number(r, "expected", d->expected);
        report_number(r, "above_the_best", d->excess);
    }
}

gibbs_status denoise_tell(const settings *set, const problem *p, report *root, gibbs_error *error)
{
    report_all(root, set, p);
    if (!set->common.quiet) print_table(set, p);
    return save(set, p, error);
}
