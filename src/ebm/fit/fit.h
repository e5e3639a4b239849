/* fit.h — the state of a training; private to src/ebm/fit. */
#ifndef GIBBS_FIT_H
#define GIBBS_FIT_H

#include "base/options.h"
#include "ebm/objective/objective.h"

/* Rows in the model's number type, and minibatches of them. */
typedef struct ebm_batches {
    gibbs_allocator alloc;
    int64_t rows, cols, size; /* size: rows of a batch; all of them when it equals rows */
    int64_t least;            /* rows that a batch must have */
    size_t number;            /* bytes */
    char *all, *batch;
    double seen;              /* rows that counted rows stand for; 0 where rows do not count so */
    char *weight, *weight_now; /* of the rows, with mean 1, and of the present batch; NULL: all count alike */
    int64_t *order;           /* the shuffled rows of this epoch; NULL for full batches */
    int64_t next;
    uint64_t seed;
    int64_t epoch;            /* how many have begun */
    int64_t count;            /* rows of the present batch */
    const int64_t *rows_now;  /* their numbers, or NULL for 0 … rows−1 */
} ebm_batches;

/* batch 0, or at least rows: full batches. `least` is at most the rows and the batch. */
gibbs_status ebm_batches_new(ebm_batches *b, const ebm_data *data, gibbs_dtype dtype, int64_t batch, int64_t least,
                             uint64_t seed, const gibbs_allocator *a, gibbs_error *error);
void ebm_batches_free(ebm_batches *b);

/* Binds the next batch, with its weights; every row once an epoch, the last batch of an epoch possibly smaller, and
 * left out where it has fewer than `least` rows. */
gibbs_status ebm_batches_bind(ebm_batches *b, ebm_objective *objective, gibbs_error *error);

/* Where the rows stood when `epoch` epochs had begun and `next` rows of the last one had been handed out. */
void ebm_batches_go_to(ebm_batches *b, int64_t epoch, int64_t next);

enum { EBM_KEPT_NAME = 60 }; /* bytes of a name, at most */

/* Memory of a user's own that is saved with the rest. */
typedef struct ebm_kept {
    char *name; /* as in files */
    void *memory;
    size_t bytes;
} ebm_kept;

struct ebm_trainer {
    ebm_model *model;
    ebm_fit_options options; /* filled in, but loss_options */
    ebm_loss_options loss_options;
    ebm_fit_report report;
    gibbs_error *error;             /* of the call at work */
    int64_t rows;                   /* of the caller's table, */
    uint64_t hash;                  /* and what its numbers come to */
    ebm_data train_part, held_part; /* zero without a validation split */
    ebm_proposal *fitted;           /* the default proposal, owned */
    ebm_batches train, held;
    ebm_objective *objective, *judge; /* judge: the validation loss, or NULL */
    int64_t *row_number;            /* of the caller's table: the training part's, then the others; NULL: as they are */
    char *good, *best, *state;      /* parameters of the last finite step; of the best validation; the optimiser's */
    char *raw;                      /* the parameters in training, while others are in the model */
    int64_t size, slots; /* slots: of the optimiser, `size` numbers each */
    size_t bytes;    /* of all parameters */
    double *average; /* of the parameters; NULL when none is kept */
    int64_t best_at, since_best; /* steps before the best validation; validations since */
    bool bound;    /* this process has bound rows and artificial points: not at the start, nor after loading */
    int over;      /* L-BFGS has ended before its last step */
    bool finished; /* no steps are left, and the parameters that are kept are the model's */
    ebm_kept *kept;
    int kept_count;
    int64_t kept_room;
};

/* Checks the options, and fills in what is 0. */
gibbs_status ebm_fit_check(const ebm_model *model, const ebm_data *data, ebm_fit_options *options, gibbs_error *error);
/* Makes all that a trainer holds; what it had made is released after an error as well. */
gibbs_status ebm_fit_prepare(ebm_trainer *f, const ebm_data *data);
void ebm_fit_release(ebm_trainer *f);

/* At most `steps` more of them, and not beyond the last one. */
gibbs_status ebm_fit_first_order(ebm_trainer *f, int64_t steps);
gibbs_status ebm_fit_lbfgs(ebm_trainer *f, int64_t steps);

/* Whether no step is left; what is then to be done once: the parameters that are kept become the model's, and are
 * examined. */
bool ebm_fit_done(const ebm_trainer *f);
gibbs_status ebm_fit_finish(ebm_trainer *f);
void ebm_fit_take_kept(ebm_trainer *f);
void ebm_fit_take_back(ebm_trainer *f); /* the parameters in training are the model's again */
void ebm_fit_take_average(ebm_trainer *f); /* when one is kept */

/* The options' numbers. */
extern const gibbs_option_table ebm_fit_numbers;
/* Whether L-BFGS is what to take where no method is named. */
bool ebm_fit_suits_lbfgs(const ebm_model *model, int64_t rows, const ebm_fit_options *options);

/* report.newton where no L-BFGS was: at the last parameters, with the artificial points of step 0. */
gibbs_status ebm_fit_distance(ebm_trainer *f);

/* report.note: looks for everything in the table of notes.c that applies. What cannot be looked for is left out, but
 * for want of memory. */
gibbs_status ebm_fit_look(ebm_trainer *f);

/* `found` as the fit's error: the step before the sentence and, when it is about a row of the present batch (or about
 * the chain that started there), the row of the caller's table behind it and in error->row. */
gibbs_status ebm_fit_fail(ebm_trainer *f, int64_t step, const gibbs_error *found);

/* NUMERIC with «step …: op … at row …», after the parameters were put back to the last finite ones. */
gibbs_status ebm_fit_not_finite(ebm_trainer *f, int64_t step);

#endif
