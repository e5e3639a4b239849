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
    int64_t least; /* data rows that it takes */
} ebm_source;

/* NULL for a number that is no ebm_noise. Any function may be NULL: nothing to do; rows: as many as the data's. */
const ebm_source *ebm_source_of(ebm_noise noise);

/* The options of a loss's chains: options.chain, or the default, with what the loss options say themselves. */
ebm_chain_options ebm_loss_chain(const ebm_loss_options *options);

void ebm_source_free(ebm_objective *o);

#endif
