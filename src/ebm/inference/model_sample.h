/* model_sample.h — the model itself as a table of rows: all of its states, weighted draws of a proposal, or chains. */
#ifndef GIBBS_MODEL_SAMPLE_H
#define GIBBS_MODEL_SAMPLE_H

#include "ebm/objective/objective.h"

typedef struct ebm_model_sample {
    gibbs_allocator alloc;
    ebm_weighed_rows rows; /* weights that stand for counts, or none */
    double worth;          /* how many independent draws they are worth; ∞: all states */
    double *x, *weight;    /* what `rows` points to */
} ebm_model_sample;

/* Of the float64 `twin` as it stands. What the loss and its options say of points, space, proposal and sampler is used
 * where `options` says nothing. Chains start at rows of `start`. Errors: those of ebm_model_draw and of weights;
 * ARGUMENT (a conditional model), SIZE, MEMORY. After an error there is nothing to free. */
gibbs_status ebm_model_sample_new(ebm_model *twin, const ebm_data *start, const ebm_loss *loss,
                                  const ebm_loss_options *loss_options, const ebm_errors_options *options,
                                  ebm_model_sample *sample, gibbs_error *error);
void ebm_model_sample_free(ebm_model_sample *sample);

#endif
