/* objective.h — a loss compiled with or without its gradient; private to the energy layer. */
#ifndef GIBBS_OBJECTIVE_H
#define GIBBS_OBJECTIVE_H

#include "ebm/model.h"
#include "ebm/proposal/draw.h"
#include "ebm/sampler/chains.h"

struct ebm_objective {
    gibbs_allocator alloc;
    ebm_model *model;
    const ebm_loss *loss;
    ebm_loss_options options; /* with the loss's defaults filled in */
    ad_tape *tape;
    ad_var *theta; /* leaves; the last one is log Z where the loss learns it */
    ebm_graph graph;
    ad_plan *plan;
    ad_workspace *workspace;
    ebm_draw *draw;     /* of a proposal that does not depend on θ */
    ebm_chains *chains;
    const void *x;
    int64_t rows, noise_rows;
    int64_t drawn; /* artificial points of the last refresh: to be as many as noise_rows before an evaluation */
    uint64_t seed, step; /* of the last refresh */
    uint64_t graph_step; /* of random leaves in the graph: `step`, unless a source needs another */
    void *buffer, *moved; /* source.c: kept chains and those on the move; points and log q; numbers of pairs */
    int64_t buffered, buffer_next;
    bool with_gradient;
    int health_output, log_z_output, gradient_output; /* −1: none */
    void *gradient;
    int64_t size;
};

gibbs_status ebm_objective_make(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                                bool with_gradient, ebm_objective **objective, gibbs_error *error);

/* ARGUMENT when there is no loss, or it has no name or an unknown `noise`. To be called before any other use of it. */
gibbs_status ebm_objective_check_loss(const ebm_loss *loss, gibbs_error *error);

/* The same, and ARGUMENT when one of the two is conditional and the other is not. A conditional energy is no density of
 * the columns that are given: fitted as one, it would be another model. */
gibbs_status ebm_objective_check_model(const ebm_loss *loss, const ebm_model *model, gibbs_error *error);

/* The rows that a batch must have: what the loss says, 2 where its artificial points are made of pairs of rows. */
int64_t ebm_objective_least_rows(const ebm_loss *loss);

/* DATA or another `status` when `what` («a batch») has not the rows that the loss compares. */
gibbs_status ebm_objective_check_rows(const ebm_loss *loss, const char *what, int64_t rows, gibbs_status status,
                                      gibbs_error *error);

/* What the loss asks of every row of a table that batches are made of: DATA, with the row's number in the table. */
gibbs_status ebm_objective_check_table(const ebm_objective *objective, const ebm_data *data, gibbs_error *error);

/* The proposal that a fit takes where the loss needs one and the options have none: a full Gaussian fitted to `data`
 * and widened 1.5 times. It is then options->proposal and *owned, which is to be freed. */
gibbs_status ebm_objective_default_proposal(const ebm_loss *loss, const ebm_data *data, const gibbs_allocator *a,
                                            ebm_loss_options *options, ebm_proposal **owned, gibbs_error *error);

/* Runs the same evaluation again, looking for the first value that is not finite: NUMERIC with its sentence, or OK. */
gibbs_status ebm_objective_diagnose(ebm_objective *objective, gibbs_error *error);

#endif
