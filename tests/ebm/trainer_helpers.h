/* trainer_helpers.h — trainings of a small network, run in pieces through files. */
#ifndef TEST_TRAINER_HELPERS_H
#define TEST_TRAINER_HELPERS_H

#include "ebm/model/model.h"
#include "ebm/data/data_private.h"
#include "ebm/sampling.h"

#include <gibbs/ebm.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 100, ROWS = 150, SIZE = 2 * 6 + 6 + 6 + 1 + 1 };

typedef struct training {
    const char *name;
    ebm_fit_options options;
} training;

/* Of float32 parameters as well; with log Z behind them. */
typedef struct outcome {
    double theta[SIZE];
    ebm_fit_report report;
} outcome;

static char trainer_folder[32];
static ebm_data trainer_data;

static inline void trainer_enter(void)
{
    gibbs_error error;
    strcpy(trainer_folder, "/tmp/gibbs-train-XXXXXX");
    cr_assert(mkdtemp(trainer_folder) && chdir(trainer_folder) == 0);
    cr_assert(!ebm_data_generate("moons", ROWS, 3, NULL, &trainer_data, &error), "%s", error.message);
}

static inline void trainer_leave(void)
{
    ebm_data_free(&trainer_data);
    unlink("ck");
    cr_assert(chdir("/") == 0);
    cr_expect(rmdir(trainer_folder) == 0, "something was left in %s", trainer_folder);
}

static inline ebm_model *trainer_model(int single)
{
    gibbs_error error;
    ebm_model *model;
    int64_t width = 6;
    ebm_mlp_spec spec = {.dim = 2, .widths = &width, .layers = 1, .base_sd = 2, .seed = 1,
                         .dtype = single ? GIBBS_FLOAT32 : GIBBS_FLOAT64};
    cr_assert(!ebm_model_mlp(&spec, &model, &error), "%s", error.message);
    cr_assert_leq(ebm_model_size(model) + 1, SIZE);
    return model;
}

static inline ebm_fit_options trainer_options(const training *t)
{
    ebm_fit_options o = t->options;
    if (!o.steps) o.steps = STEPS;
    if (o.rate == 0) o.rate = 0.01;
    o.seed = 7;
    o.threads = 1;
    return o;
}

static inline void trainer_theta(ebm_model *model, double *theta)
{
    int64_t size = ebm_model_size(model);
    ebm_from_dtype(ebm_model_dtype(model), size + 1, theta, ebm_model_theta(model));
}

/* A copy of the report, whose histories are the trainer's. */
static inline void trainer_outcome(ebm_trainer *t, ebm_model *model, outcome *out)
{
    out->report = *ebm_trainer_report(t);
    trainer_theta(model, out->theta);
}

/* The file without what is called so: 0 in its place. */
static inline void spoil(const char *what)
{
    gibbs_error error;
    ebm_tensors file;
    cr_assert(!ebm_tensors_read("ck", NULL, &file, &error), "%s", error.message);
    const ebm_tensor *t = ebm_tensors_find(&file, what);
    cr_assert(t, "%s", what);
    memset(t->data, 0, (size_t)ad_shape_count(&t->shape) * (t->dtype == GIBBS_FLOAT64 ? 8 : 4));
    cr_assert(!ebm_tensors_write_with("ck", file.tensor, file.count, file.metadata, file.metadata_count, &error));
    ebm_tensors_free(&file);
}

/* Trains in pieces that end at `stop`, each by a model and a trainer of its own; 0: to the end. */
static inline outcome train(const training *how, int single, int pieces, const int64_t *stop, const char *spoilt)
{
    gibbs_error error;
    outcome out = {0};
    ebm_fit_options o = trainer_options(how);
    for (int k = 0; k <= pieces; k++) {
        ebm_trainer *t;
        ebm_model *model = trainer_model(single);
        cr_assert(!ebm_trainer_new(model, &trainer_data, &o, &t, &error), "%s: %s", how->name, error.message);
        if (k) cr_assert(!ebm_trainer_load(t, "ck", &error), "%s: %s", how->name, error.message);
        int64_t rest = k < pieces && stop[k] ? stop[k] - ebm_trainer_report(t)->steps : 0;
        cr_assert(!ebm_trainer_run(t, rest, &error), "%s: %s", how->name, error.message);
        cr_assert(!ebm_trainer_save(t, "ck", &error), "%s: %s", how->name, error.message);
        if (spoilt && k < pieces) spoil(spoilt);
        if (k == pieces) {
            trainer_outcome(t, model, &out);
            double **history[] = {&out.report.history_loss, &out.report.history_norm, &out.report.history_validation};
            size_t bytes = (size_t)out.report.history_count * sizeof(double);
            char *copy = malloc(3 * bytes + 1);
            for (int h = 0; h < 3; h++) {
                memcpy(copy + (size_t)h * bytes, *history[h], bytes);
                *history[h] = (double *)(copy + (size_t)h * bytes);
            }
            out.report.allocator = gibbs_allocator_or_default(NULL);
        }
        ebm_trainer_free(t);
        ebm_model_free(model);
    }
    return out;
}

#endif
