/* fit.h — the state of one fit; private to src/ebm/fit. */
#ifndef GIBBS_FIT_H
#define GIBBS_FIT_H

#include "ebm/objective/objective.h"

/* Rows in the model's number type, and minibatches of them. */
typedef struct ebm_batches {
    gibbs_allocator alloc;
    int64_t rows, cols, size; /* size: rows of a batch; all of them when it equals rows */
    int64_t least;            /* rows that a batch must have */
    size_t number;            /* bytes */
    char *all, *batch;
    int64_t *order;           /* the shuffled rows of this epoch; NULL for full batches */
    int64_t next;
    uint64_t seed, epoch;
    int64_t count;            /* rows of the present batch */
    const int64_t *rows_now;  /* their numbers, or NULL for 0 … rows−1 */
} ebm_batches;

/* batch 0, or at least rows: full batches. `least` is at most the rows and the batch. */
gibbs_status ebm_batches_new(ebm_batches *b, const ebm_data *data, gibbs_dtype dtype, int64_t batch, int64_t least,
                             uint64_t seed, const gibbs_allocator *a, gibbs_error *error);
void ebm_batches_free(ebm_batches *b);

/* The next batch; every row once an epoch, the last batch of an epoch possibly smaller, and left out where it has fewer
 * than `least` rows. */
const void *ebm_batches_next(ebm_batches *b);

typedef struct ebm_fit_state {
    ebm_model *model;
    const ebm_fit_options *options; /* filled in, but loss_options */
    ebm_fit_report *report;
    gibbs_error *error;
    ebm_loss_options loss_options;
    ebm_data train_part, held_part; /* zero without a validation split */
    ebm_proposal *fitted;           /* the default proposal, owned */
    ebm_batches train, held;
    ebm_objective *objective, *judge; /* judge: the validation loss, or NULL */
    int64_t *row_number;            /* of the caller's table: the training part's, then the others; NULL: as they are */
    char *good, *best, *state;      /* parameters of the last finite step; of the best validation; the optimiser's */
    int64_t size;
    size_t bytes;                   /* of all parameters */
    double *average; /* of the parameters; NULL when none is kept, and then so is raw: their place meanwhile */
    char *raw;
    int64_t since_best;
} ebm_fit_state;

/* The two ways to go on from a prepared state. */
gibbs_status ebm_fit_first_order(ebm_fit_state *f);
gibbs_status ebm_fit_lbfgs(ebm_fit_state *f);

/* Whether L-BFGS is what to take where no method is named. */
bool ebm_fit_suits_lbfgs(const ebm_model *model, int64_t rows, const ebm_fit_options *options);

/* report->log_z_spread at the parameters that were kept, where log Z is learnt of a conditional model; else NaN. */
void ebm_fit_log_z_spread(ebm_fit_state *f);
/* report->edge likewise, where the loss integrates over a box. */
void ebm_fit_edge(ebm_fit_state *f);

/* `found` as the fit's error: the step before the sentence and, when it is about a row of the present batch (or about
 * the chain that started there), the row of the caller's table behind it and in error->row. */
gibbs_status ebm_fit_fail(ebm_fit_state *f, int64_t step, const gibbs_error *found);

/* NUMERIC with «step …: op … at row …», after the parameters were put back to the last finite ones. */
gibbs_status ebm_fit_not_finite(ebm_fit_state *f, int64_t step);

#endif
