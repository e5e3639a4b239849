#include "rbm_tell.h"
#include "failure.h"
#include "image_plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 64 }; /* images of a panel */

void rbm_tell_head(const settings *set, const problem *p)
{
    if (!set->common.quiet)
        printf("%s: %lld training images of %d × %d pixels, %lld held out\n\n"
               "loss              hidden  steps  seconds exact log Z      AIS forward      AIS reverse"
               " held-out log p\n%-17s %67s %14.3f\n", set->data, (long long)p->train.rows, p->side, p->side,
               (long long)p->held.rows, "independent pixels", "", p->independent);
}

gibbs_status rbm_draw(const settings *set, const problem *p, const method *m, ebm_model *model,
                      int64_t hidden, const double *x, const result *r, gibbs_error *error)
{
    char name[64], title[160];
    int64_t nv = p->train.cols, n = nv + hidden, rows = (int64_t)set->chains, shown = rows < SHOWN ? rows : SHOWN;
    double *theta = malloc(sizeof *theta * (size_t)(ebm_model_size(model) + (hidden + SHOWN) * nv));
    if (!theta) return fail(error, GIBBS_MEMORY, "out of memory");
    double *filter = theta + ebm_model_size(model), *sample = filter + hidden * nv;
    ebm_model_get(model, theta);
    for (int64_t i = 0; i < nv * hidden; i++) filter[i % hidden * nv + i / hidden] = theta[i];
    for (int64_t t = 0; t < shown; t++) memcpy(sample + t * nv, x + t * rows / shown * n, sizeof *x * (size_t)nv);
    const image_panel panels[] = {
        {"training images: pixel (0 or 1)", p->train.x, p->train.rows < SHOWN ? p->train.rows : SHOWN, 0},
        {"filters, columns of W: weight / largest |weight|", filter, hidden, 1},
        {r->exact ? "exact draws of the model: pixel (0 or 1)" : "samples, block Gibbs: pixel (0 or 1)", sample,
         shown, 0},
    };
    snprintf(name, sizeof name, "rbm_digits-%s-%lld", m->name, (long long)hidden);
    snprintf(title, sizeof title, "RBM, %lld hidden units, fitted by %s: held-out mean log-likelihood %.2f",
             (long long)hidden, m->loss->title, r->held_out);
    gibbs_status status = image_plot_write(set->common.out, name, title, panels, 3, p->side, error);
    free(theta);
    return status;
}

void rbm_tell(const settings *set, const method *m, int64_t hidden, const result *r, report *list)
{
    char exact[32] = "";
    if (r->exact) snprintf(exact, sizeof exact, "%.3f", r->log_z);
    if (!set->common.quiet)
        printf("%-17s %6lld %6lld %8.2f %11s %8.3f ± %.3f %8.3f ± %.3f %14.3f\n", m->name, (long long)hidden,
               (long long)r->fit.steps, r->fit.seconds, exact, r->forward.log_z, r->forward.standard_error,
               r->reverse.log_z, r->reverse.standard_error, r->held_out);
    report *row = report_object(list, NULL);
    report_text(row, "loss", m->name);
    report_whole(row, "hidden", hidden);
    report_whole(row, "steps", r->fit.steps);
    report_number(row, "seconds", r->fit.seconds);
    report_number(row, "log_z_exact", r->exact ? r->log_z : NAN);
    report_number(row, "log_z_forward", r->forward.log_z);
    report_number(row, "log_z_forward_standard_error", r->forward.standard_error);
    report_number(row, "log_z_reverse", r->reverse.log_z);
    report_number(row, "log_z_reverse_standard_error", r->reverse.standard_error);
    report_number(row, "held_out_mean_log_likelihood", r->held_out);
    report_numbers(row, "history_loss", r->fit.history_loss, r->fit.history_count);
}
