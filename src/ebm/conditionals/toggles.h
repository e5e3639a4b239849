/* toggles.h — sweeps by change statistics: what an energy hands over (ebm_changes) in place of couplings. */
#ifndef GIBBS_TOGGLES_H
#define GIBBS_TOGGLES_H

#include "ebm/model/model.h"
#include "kernel.h"

typedef struct ebm_toggles {
    ebm_changes changes;
    void *context;
    int64_t parameters;
    double *theta; /* of the model, in double */
} ebm_toggles;

/* Numbers of room that one needs beside a block. */
static inline int64_t ebm_toggles_room(const ebm_toggles *t, int64_t labels) { return t->parameters + labels; }

/* Labels and states of the block's chains, which lie `bytes` apart, from x, and their energies. */
void ebm_toggles_start(const ebm_toggles *t, const ebm_sweep *block, char *state, size_t bytes, double *room,
                       double *energy);

/* Redraws the block's variables in turn; block->draw are uniforms, or log odds of two-valued columns. */
void ebm_toggles_redraw(const ebm_toggles *t, const ebm_sweep *block, char *state, size_t bytes, double *room);

/* ARGUMENT where the energy that is recorded changes otherwise, from the block's first chain on. */
gibbs_status ebm_toggles_check(const ebm_toggles *t, ebm_model *model, const ebm_sweep *block, const void *state,
                               double *room, gibbs_error *error);

/* The gains of all changes of one x, told as labels: rows of parameters, one for a two-valued variable, for others one a
 * label, 0 where it is x's own. `state` has room for one. */
void ebm_toggles_gains(const ebm_toggles *t, const int32_t *label, int64_t variables, int64_t labels, void *state,
                       double *gains);

#endif
