/* conditional.h — models of y given x, for the energies that ship as such. */
#ifndef GIBBS_CONDITIONAL_H
#define GIBBS_CONDITIONAL_H

#include "build.h"

/* As ebm_model_conditional, with the parameters of `build`, which it ends; the model owns spec.context, as in
 * ebm_build_owner. */
gibbs_status ebm_conditional_build(ebm_build *build, ebm_model_spec spec, const ebm_conditional *conditional,
                                   ebm_model **model, gibbs_error *error);

/* What a conditional model is: the caller's numbers, with the model's own copy of the labels; NULL: not conditional. */
const ebm_conditional *ebm_conditional_of(const ebm_model *model);

/* The columns of a row that are given, and those that are modelled. */
ad_var ebm_given(ad_var row, int64_t given);
ad_var ebm_modelled(ad_var row, int64_t given);

#endif
