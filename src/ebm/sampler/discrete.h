/* discrete.h — what the samplers of a discrete x share: its variables, their other values, and draws by weight. A
 * variable is a column with two values, or a block of one-hot columns. */
#ifndef GIBBS_DISCRETE_H
#define GIBBS_DISCRETE_H

#include "transition.h"

/* How many variables x has. */
int64_t ebm_discrete_variables(const ebm_sampler_graph *graph);

/* 0, 1, … n − 1, each divided by `by` and rounded down. */
ad_var ebm_discrete_count(const ebm_sampler_graph *graph, int64_t n, int64_t by);

/* 1 where two whole numbers are equal. */
ad_var ebm_discrete_equal(ad_var a, ad_var b);

/* The value that each column of a binary x does not have. */
ad_var ebm_discrete_other(const ebm_sampler_graph *graph, ad_var x);

/* A whole number i in [0, n) with probability weight[i]/Σ weight: n weights >= 0, not all 0, on the chain's axis. */
ad_var ebm_discrete_pick(const ebm_sampler_graph *graph, ad_var weight);

#endif
