/* source.h — where a loss's artificial points come from: one entry for each ebm_noise. */
#ifndef GIBBS_SOURCE_H
#define GIBBS_SOURCE_H

#include "objective.h"

typedef struct ebm_source {
    gibbs_status (*check)(const ebm_loss *loss, const ebm_loss_options *options, gibbs_error *error);
    void (*record)(ebm_objective *o);                               /* the graph's y, log q … on its noise axis */
    gibbs_status (*make)(ebm_objective *o, gibbs_error *error);     /* before recording */
    double (*rows)(const ebm_objective *o, int64_t rows);           /* artificial points for so many data rows */
    /* Before the objective notes x and the counts: after an error nothing that an evaluation reads has changed. */
    gibbs_status (*bind)(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error);
    gibbs_status (*refresh)(ebm_objective *o, gibbs_error *error);
    void (*weigh)(ebm_objective *o); /* the graph's noise_weight, where points belong to rows of a batch */
    int64_t least; /* data rows that it takes */
    bool by_row;   /* of a conditional model each data row has artificial points of its own: `rows` for one row */
    bool whole;    /* not for conditional models: its points are made of whole rows */
} ebm_source;

/* Any function may be NULL: nothing to do; rows: as many as the data's. */
extern const ebm_source ebm_source_proposal, ebm_source_chain, ebm_source_last, ebm_source_persistent,
    ebm_source_points, ebm_source_pairs, ebm_source_others, ebm_source_resampled, ebm_source_independence;

/* NULL for a number that is no ebm_noise. */
const ebm_source *ebm_source_of(ebm_noise noise);

/* The options of a loss's chains: options.chain, or the default, with what the loss options say themselves. */
ebm_chain_options ebm_loss_chain(const ebm_loss_options *options);

/* Numbers of a y; and y and log q as inputs of the noise axis. */
static inline int64_t ebm_source_dim(const ebm_objective *o) { return o->model->dim - ebm_model_given(o->model); }

static inline void ebm_source_input_y(ebm_objective *o)
{
    o->graph.y = o->y_leaf = ad_input(o->graph.noise, "y", ad_vec(ebm_source_dim(o)));
}

static inline void ebm_source_input_log_q(ebm_objective *o)
{
    o->graph.log_q = o->log_q_leaf = ad_input(o->graph.noise, "log_q", ad_scalar());
}

/* Room for `rows` rows of so many numbers in both buffers. Where they grow, the first `kept` rows of the first one
 * stay, and what was drawn into them is to be drawn anew. */
gibbs_status ebm_source_room(ebm_objective *o, int64_t rows, size_t buffer, size_t moved, int64_t kept,
                             gibbs_error *error);

/* Of a batch of `rows` rows that have weights, `count` rows so that row n is there wₙ/Σw · count times, rounded up or down
 * (systematic resampling, by the seed and the step of the last refresh); without weights, or where all are 0, one row
 * after another, again and again. Row i of these is number ebm_source_row(o, &rows, i), asked for in order. */
typedef struct ebm_source_rows {
    double total, below; /* Σ w; of the rows before `row` */
    double offset;
    int64_t rows, row, last, count; /* last: that weighs anything */
} ebm_source_rows;
ebm_source_rows ebm_source_rows_start(const ebm_objective *o, int64_t rows, int64_t count);
int64_t ebm_source_row(const ebm_objective *o, ebm_source_rows *rows, int64_t i);

void ebm_source_free(ebm_objective *o);

#endif
