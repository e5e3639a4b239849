/* geyer_worth.h — what weights and intervals are worth over θ, for the proposals of geyer_gaussian. */
#ifndef EXAMPLES_GEYER_WORTH_H
#define EXAMPLES_GEYER_WORTH_H

#include "geyer_tell.h"

/* For each θ, rows x ~ N(0, θ²) and the proposals q₁, q₂ (which is `wide`) and q₁ made to follow θ: ESS/M, k̂, the
 * standard error of log Ẑ, and how many of `fits` 95 % intervals of ML-IS hold. Prints a table, unless quiet, and adds
 * its lines to the list. */
gibbs_status geyer_worth(const settings *set, ebm_model *model, const ebm_proposal *wide, int fits, report *list,
                         gibbs_error *error);

#endif
