/* Checkpoints of a training: what a trainer loads, it saves as it was, and goes on; what it refuses leaves it as it was. */
#include "fuzz.h"

static double x[] = {0.5, -1, 2, 0.25};

static double loss_of(const ebm_trainer *trainer)
{
    return ebm_trainer_report(trainer)->loss;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const ebm_data data = {.rows = 4, .cols = 1, .x = x};
    const ebm_fit_options options = {.loss = &ebm_loss_score_matching, .steps = 4, .rate = 0.1};
    ebm_model *model;
    ebm_trainer *trainer;
    gibbs_error error;
    HOLDS(!ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, &error));
    HOLDS(!ebm_trainer_new(model, &data, &options, &trainer, &error) && !ebm_trainer_run(trainer, 1, &error));
    double before[2], after[2], loss = loss_of(trainer);
    ebm_model_get(model, before);
    gibbs_status status = ebm_trainer_load(trainer, fuzz_file(bytes, length), &error);
    ebm_model_get(model, after);
    if (status) {
        fuzz_failure(status, &error);
        HOLDS(!memcmp(before, after, sizeof before) && !memcmp(&loss, &(double){loss_of(trainer)}, sizeof loss));
    } else {
        HOLDS(!ebm_trainer_save(trainer, fuzz_path(1), &error) && !ebm_trainer_load(trainer, fuzz_path(1), &error));
    }
    status = ebm_trainer_run(trainer, 0, &error);
    if (status) fuzz_failure(status, &error);
    ebm_trainer_free(trainer);
    ebm_model_free(model);
    return 0;
}
