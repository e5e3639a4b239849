/* objective.h — a loss compiled with or without its gradient; private to the energy layer. */
#ifndef GIBBS_OBJECTIVE_H
#define GIBBS_OBJECTIVE_H

#include "base/options.h"
#include "ebm/model/conditioned.h"
#include "ebm/model/program.h"
#include "ebm/proposal/draw.h"
#include "ebm/sampler/chains.h"

struct ebm_objective {
    gibbs_allocator alloc;
    ebm_model *model;
    const ebm_loss *loss;
    ebm_loss_options options; /* with the loss's defaults filled in */
    ad_tape *tape;
    ad_var *theta; /* leaves; the last one is log Z where the loss learns it */
    ebm_conditioned of; /* whose of_y the graph's model is */
    ebm_graph graph;
    ad_var y_given; /* leaves: the given columns of chains; and what y and log q are made of, or they themselves */
    ad_var y_leaf, log_q_leaf;
    ad_var noise_weight; /* a leaf: of artificial points, which weigh as their rows do; or null */
    bool by_row;           /* a conditional model's artificial points: the noise axis is a child of the data axis */
    ebm_program program;
    ebm_draw *draw;     /* of a proposal that does not depend on θ */
    ebm_chains *chains;
    ebm_program weighed; /* source_weighted.c: draws of a proposal, and what they weigh */
    ad_axis weighed_axis;
    double source_health; /* of the last refresh; NaN */
    const void *x;      /* as it was bound */
    const void *weight; /* of the bound rows, or NULL */
    void *given, *modelled; /* a conditional model's: the rows of x taken apart, with room for `apart` rows */
    int64_t apart;
    int64_t rows, noise_rows;
    int64_t drawn; /* artificial points of the last refresh: to be as many as noise_rows before an evaluation */
    uint64_t seed, step; /* of the last refresh */
    uint64_t graph_step; /* of random leaves in the graph: `step`, unless a source needs another */
    void *buffer, *moved; /* source.c: kept chains and those on the move; points and log q; numbers of pairs */
    int64_t buffered, filled, buffer_next; /* room in them; chains that have started; the next one to move */
    ad_var prior, share;      /* U(θ)·share, null without a prior; and its leaf, 1/N: */
    double share_value;       /* of the model's dtype */
    int64_t whole_rows;       /* N; 0: the rows that are bound */
    void *gains, *gains_state; /* gains.c: of gains_rows rows, and what one row takes */
    int32_t *gains_label;
    double *gains_row;
    int64_t gains_rows;
    double *row;              /* check_rows.c: one of what is bound */
    double *hull;             /* lowest and highest numbers of the points of a whole space, or NULL */
    bool with_gradient;
    int health_output, log_z_output, gradient_output; /* −1: none */
    void *gradient;
    int64_t size;
};

gibbs_status ebm_objective_make(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                                bool with_gradient, ebm_objective **objective, gibbs_error *error);

/* The options' numbers. */
extern const gibbs_option_table ebm_loss_numbers;

/* Records the graph of the objective's loss, and the loss; and looks at it: the tape's error, which begins with the
 * loss's name where an op is not smooth enough; SHAPE or TAPE where the loss is no shared scalar. */
ad_var ebm_objective_record(ebm_objective *objective);
gibbs_status ebm_objective_check_recording(const ebm_objective *objective, ad_var loss, gibbs_error *error);

/* gains.c: records the leaf, and has room for the bound data's numbers where the loss reads them, which are those of the
 * caller's rows as they are when they are filled in. */
void ebm_objective_record_gains(ebm_objective *objective);
gibbs_status ebm_objective_room_for_gains(ebm_objective *objective, int64_t rows, gibbs_error *error);
void ebm_objective_fill_gains(const ebm_objective *objective);
void ebm_objective_free_gains(ebm_objective *objective);

/* Binds the leaves of the parameters, and of a learnt log Z, to the model's memory. */
gibbs_status ebm_objective_bind_theta(ebm_objective *objective, gibbs_error *error);

/* ARGUMENT when there is no loss, or it has no name or an unknown `noise`. To be called before any other use of it. */
gibbs_status ebm_objective_check_loss(const ebm_loss *loss, gibbs_error *error);

/* The same, and ARGUMENT when the loss is not for the model: one is conditional, the other for those that are not, or
 * the other way round. */
gibbs_status ebm_objective_check_model(const ebm_loss *loss, const ebm_model *model, gibbs_error *error);

/* The rows that a batch must have: what the loss says, 2 where its artificial points are made of pairs of rows. */
int64_t ebm_objective_least_rows(const ebm_loss *loss);

/* DATA or another `status` when `what` («a batch») has not the rows that the loss compares. */
gibbs_status ebm_objective_check_rows(const ebm_loss *loss, const char *what, int64_t rows, gibbs_status status,
                                      gibbs_error *error);

/* check_rows.c: DATA when a row can be none of the model's, by the loss, the model's labels or the loss's points; with
 * the row's number in a table that batches are made of, and in what is bound, of the model's number type. */
gibbs_status ebm_objective_check_values(const ebm_objective *objective, const void *x, int64_t rows,
                                        gibbs_error *error);
gibbs_status ebm_objective_check_table(const ebm_objective *objective, const ebm_data *data, gibbs_error *error);

/* The proposal that a fit takes where the loss needs one and the options have none: a full Gaussian fitted to `data`,
 * or where `given` columns are given to what a linear regression on them leaves, widened 1.5 times. It is then
 * options->proposal and *owned, which is to be freed. */
gibbs_status ebm_objective_default_proposal(const ebm_loss *loss, const ebm_data *data, int64_t given,
                                            const gibbs_allocator *a, ebm_loss_options *options, ebm_proposal **owned,
                                            gibbs_error *error);

/* Rows of a float64 model's numbers, and how they weigh. */
typedef struct ebm_weighed_rows {
    const double *x;
    int64_t count;
    const double *weight; /* of mean 1, or NULL */
    double seen;          /* rows that they stand for, Σ w where weights are counts; else 0 */
} ebm_weighed_rows;

/* Binds them, with their weights, and draws the artificial points of step 0. */
gibbs_status ebm_objective_bind_rows(ebm_objective *objective, const ebm_weighed_rows *rows, uint64_t seed,
                                     gibbs_error *error);

/* Whether an evaluation needs a refresh after each binding: the artificial points are not recorded in the graph. */
bool ebm_objective_draws(const ebm_objective *objective);

/* Runs the same evaluation again, looking for the first value that is not finite: NUMERIC with its sentence, or OK. */
gibbs_status ebm_objective_diagnose(ebm_objective *objective, gibbs_error *error);

#endif
