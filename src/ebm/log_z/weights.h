/* weights.h — what importance weights are worth: the tail of the largest ones, and what all of them estimate. */
#ifndef GIBBS_WEIGHTS_H
#define GIBBS_WEIGHTS_H

#include "ebm/model/program.h"

/* One of the weights, by its logarithm. */
typedef struct ebm_ranked {
    double log_weight;
    int64_t row;
} ebm_ranked;

/* pareto.c: k̂ of the `rows` weights, whose order is changed: −∞ where the largest are equal, NaN where too few differ.
 * `slack`: logarithms that differ by less are equal, and that of the largest is 0. With `smooth` the largest are moved
 * to the quantiles of the Pareto density that was fitted to them; `room` has rows/5 + 1 places. */
double ebm_pareto(ebm_ranked *weight, int64_t rows, double slack, bool smooth, double *room);

/* Fills *result, and weight[rows] with shares that sum to 1 unless it is NULL, from logarithms of the dtype. `who`
 * begins sentences. NUMERIC (NaN or +∞: the row is named; all are 0), MEMORY; nothing is written then. */
gibbs_status ebm_weigh(const char *who, gibbs_dtype dtype, const void *log_weight, int64_t rows, bool smooth,
                       const gibbs_allocator *allocator, double *weight, ebm_importance *result, gibbs_error *error);

/* exp(l − the largest l) of each; errors as above. */
gibbs_status ebm_relative_weights(const char *who, gibbs_dtype dtype, const void *log_weight, int64_t rows,
                                  double *weight, gibbs_error *error);

/* importance.c: a program whose outputs are draws of q and the logarithms of their weights at the model's parameters as
 * they are when it runs. The axis is a name for what the plan knows. */
enum { EBM_WEIGHED_POINT, EBM_WEIGHED_LOG_WEIGHT };
gibbs_status ebm_weighed_new(const ebm_model *model, const ebm_proposal *q, ad_axis *axis, ebm_program *program,
                             gibbs_error *error);

#endif
