/* state.h — a training in a file. */
#ifndef GIBBS_FIT_STATE_H
#define GIBBS_FIT_STATE_H

#include "ebm/checkpoint/describe.h"
#include "ebm/objective/source.h"
#include "fit.h"

/* The key that only the file of a training has. */
#define EBM_TRAINING "training"

/* A number for the bytes, and for what came before them (0: nothing). */
uint64_t ebm_hash(uint64_t before, const void *bytes, size_t size);

/* What the training is of, as texts; to be released, but after an error. FORMAT where a file's texts are others, with
 * the first that differs. `file` begins the sentence. */
gibbs_status ebm_training_describe(const ebm_trainer *t, ebm_description *description, gibbs_error *error);
gibbs_status ebm_training_compare(const ebm_trainer *t, const char *file, const ebm_metadata *theirs, int count,
                                  gibbs_error *error);

/* A report's notes as more texts, which are not compared; and back. */
gibbs_status ebm_training_add_notes(const ebm_trainer *t, ebm_description *description, gibbs_error *error);
void ebm_training_take_notes(ebm_trainer *t, const ebm_metadata *theirs, int count);

#endif
