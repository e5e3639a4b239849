#include "mixture_tell.h"
#include "density_plot.h"
#include "files.h"

#include <stdio.h>

enum { SHOWN = 1000 }; /* rows of the data in the picture */

void mixture_tell_head(const settings *set)
{
    if (!set->common.quiet)
        printf("   rows     π̂_1     π̂_2      log Ẑ_1  log Z_1     log Ẑ_2  log Z_2    KL(p‖p̂)"
               "  seconds\n");
}

void mixture_tell(const settings *set, const outcome *o, report *list)
{
    report *r = report_object(list, NULL);
    report_whole(r, "rows", o->rows);
    report_numbers(r, "pi", o->pi, PARTS);
    report_numbers(r, "log_z_estimates", o->log_z, PARTS);
    report_numbers(r, "log_z_closed", o->closed, PARTS);
    report_number(r, "nce_log_z", o->theta[LOG_Z]);
    report_number(r, "mixture_log_z", o->mixture_log_z);
    report_number(r, "kl_divergence", o->divergence);
    report_numbers(r, "mean", o->theta + MEAN_1, 2);
    report_numbers(r, "location", o->theta + LOCATION, 2);
    report_numbers(r, "theta", o->theta, P);
    report_numbers(r, "standard_errors", o->error, P);
    report_numbers(r, "noise_errors", o->noise, P);
    if (!set->common.quiet)
        printf("%7lld %8.4f %8.4f %11.4f %8.4f %11.4f %8.4f %11.5f %8.2f\n", (long long)o->rows, o->pi[0],
               o->pi[1], o->log_z[0], o->closed[0], o->log_z[1], o->closed[1], o->divergence, o->seconds);
}

void mixture_tell_errors(const settings *set, const outcome *o, const double *truth)
{
    static const char *const name[P] = {"log ξ_2/ξ_1 ", "mean        ", "", "precision   ", "", "", "", "location    ",
                                        "",             "log scale   ", "", "log Z_1/π_1 "};
    printf("  truth %8.4f %8.4f\n", set->weight, 1 - set->weight);
    printf("\n%lld rows         θ̂  standard error  of the noise    truth\n", (long long)o->rows);
    for (int i = 0; i < P; i++)
        printf("%-12s %9.4f %15.4f %13.4f %8.4f\n", name[i], o->theta[i], o->error[i], o->noise[i], truth[i]);
}

gibbs_status mixture_draw(const settings *set, const ebm_data *data, ebm_model *mixture, const outcome *o,
                          gibbs_error *error)
{
    static const double zero[2] = {0, 0}, one[2] = {1, 1};
    char title[160], points[64];
    int64_t shown = data->rows < SHOWN ? data->rows : SHOWN;
    snprintf(points, sizeof points, "%lld of the %lld rows", (long long)shown, (long long)data->rows);
    snprintf(title, sizeof title, "Gaussian (%.3f) and Student t (%.3f), weights and Z by NCE, %lld rows", o->pi[0],
             o->pi[1], (long long)o->rows);
    density_plot plot = {.folder = set->common.out, .name = "mixture", .title = title, .data = "mixture-data.csv",
                         .points = points, .labels = (char *[]){"x, first coordinate", "y, second coordinate"},
                         .mean = zero, .sd = one, .box = {.low = {-5, -4.5}, .high = {7, 5.5}},
                         .log_z = o->mixture_log_z};
    gibbs_status status = table_write(set->common.out, plot.data, "x,y", shown, 2, data->x, error);
    if (!status) status = density_plot_write(&plot, mixture, error);
    return status ? status : density_plot_draw(&plot, error);
}
