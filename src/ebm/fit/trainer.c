/* trainer.c — a training as an object: made, run for some steps, asked how it stands; and a fit, which is all of its
 * steps. What one step is: steps.c, lbfgs_fit.c. What it remembers: state.c. */
#include "state.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define KEEP "keep." /* in files, before a user's names */

static ebm_fit_report no_report(void)
{
    return (ebm_fit_report){.loss = NAN, .best_validation = NAN, .health = NAN, .log_z = NAN, .log_z_spread = NAN,
                            .edge = NAN, .newton = NAN, .runaway = -1, .weights = {NAN, NAN, NAN, NAN, NAN}};
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

gibbs_status ebm_trainer_new(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                             ebm_trainer **trainer, gibbs_error *error)
{
    if (trainer) *trainer = NULL;
    if (!model || !data || !options || !options->loss || !trainer)
        return gibbs_fail(error, GIBBS_ARGUMENT, "fit: no %s",
                          !model ? "model" : !data ? "data" : !trainer ? "place for the trainer" : "loss");
    ebm_fit_options filled = *options;
    double start = now();
    gibbs_status status = ebm_fit_check(model, data, &filled, error);
    if (status) return status;
    ebm_trainer *t = gibbs_alloc_zero(&model->alloc, 1, sizeof *t);
    if (!t) return gibbs_fail(error, GIBBS_MEMORY, "fit: out of memory");
    *t = (ebm_trainer){.model = model, .options = filled, .report = no_report(), .error = error, .rows = data->rows};
    t->report.allocator = model->alloc;
    t->hash = ebm_hash(0, data->x, (size_t)(data->rows * data->cols) * sizeof *data->x);
    if (data->weight) t->hash = ebm_hash(t->hash, data->weight, (size_t)data->rows * sizeof *data->weight);
    status = ebm_fit_prepare(t, data);
    t->report.seconds = now() - start;
    if (status) ebm_trainer_free(t);
    else *trainer = t;
    return status;
}

void ebm_trainer_free(ebm_trainer *t)
{
    if (!t) return;
    gibbs_allocator a = t->model->alloc;
    ebm_fit_release(t);
    ebm_fit_report_free(&t->report);
    for (int k = 0; k < t->kept_count; k++) gibbs_release(&a, t->kept[k].name);
    gibbs_release(&a, t->kept);
    gibbs_release(&a, t);
}

gibbs_status ebm_trainer_run(ebm_trainer *t, int64_t steps, gibbs_error *error)
{
    GIBBS_REQUIRE("train", t, error);
    if (steps < 0) return gibbs_fail(error, GIBBS_ARGUMENT, "train: %lld steps", (long long)steps);
    int64_t left = t->options.steps - t->report.steps;
    if (steps == 0 || steps > left) steps = left;
    if (ebm_fit_done(t)) { /* the callback had stopped it there */
        if (!t->finished) ebm_fit_take_kept(t);
        return GIBBS_OK;
    }
    double start = now();
    t->error = error;
    gibbs_status status = t->options.lbfgs ? ebm_fit_lbfgs(t, steps) : ebm_fit_first_order(t, steps);
    t->report.seconds += now() - start;
    return status;
}

int ebm_trainer_done(const ebm_trainer *t) { return t && ebm_fit_done(t); }
const ebm_fit_report *ebm_trainer_report(const ebm_trainer *t) { return t ? &t->report : NULL; }

gibbs_status ebm_trainer_keep(ebm_trainer *t, const char *name, void *memory, size_t bytes, gibbs_error *error)
{
    GIBBS_REQUIRE("keep", t && name && (memory || !bytes), error);
    const gibbs_allocator *a = &t->model->alloc;
    if (!*name || strlen(name) > EBM_KEPT_NAME)
        return gibbs_fail(error, GIBBS_ARGUMENT, "keep: «%.60s» must be a name of 1 to %d bytes", name, EBM_KEPT_NAME);
    for (int k = 0; k < t->kept_count; k++)
        if (!strcmp(t->kept[k].name + strlen(KEEP), name))
            return gibbs_fail(error, GIBBS_ARGUMENT, "keep: «%.60s» is kept already", name);
    char *copy = gibbs_alloc(a, strlen(KEEP) + strlen(name) + 1, 1);
    if (copy) strcat(strcpy(copy, KEEP), name);
    if (!copy || !gibbs_grow(a, &t->kept, &t->kept_room, t->kept_count, t->kept_count + 1, sizeof *t->kept)) {
        gibbs_release(a, copy);
        return gibbs_fail(error, GIBBS_MEMORY, "keep: out of memory");
    }
    t->kept[t->kept_count++] = (ebm_kept){copy, memory, bytes};
    return GIBBS_OK;
}

/* ---- A fit ---- */

ebm_fit_report ebm_trainer_end(ebm_trainer *t)
{
    ebm_fit_report report = t->report;
    t->report = no_report();
    ebm_trainer_free(t);
    return report;
}

gibbs_status ebm_fit(ebm_model *model, const ebm_data *data, const ebm_fit_options *options, ebm_fit_report *report,
                     gibbs_error *error)
{
    ebm_trainer *t;
    if (report) *report = no_report();
    gibbs_status status = ebm_trainer_new(model, data, options, &t, error);
    if (status) return status;
    status = ebm_trainer_run(t, 0, error);
    ebm_fit_report all = ebm_trainer_end(t);
    if (report) *report = all;
    else ebm_fit_report_free(&all);
    return status;
}

void ebm_fit_report_free(ebm_fit_report *report)
{
    if (!report || !report->history_loss) return;
    gibbs_release(&report->allocator, report->history_loss);
    report->history_loss = report->history_norm = report->history_validation = NULL;
    report->history_count = 0;
}
