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

/* E[y | x] or the most probable y by the model's formula; the null var where it has none, or after an error. */
ad_var ebm_conditional_guess(const ebm_model *model, bool mean, ad_var x, const ad_var *theta);

/* −E of each of `count` values of y at x, [count] on x's axis: y is [count, dim − given], shared. */
ad_var ebm_conditional_scores(const ebm_model *model, ad_var x, ad_var y, const ad_var *theta);

/* 1 at the largest of the last dimension's elements, the first one of several, and 0 elsewhere. */
ad_var ebm_first_largest(ad_var v);

/* The columns of a row that are given, and those that are modelled. */
ad_var ebm_given(ad_var row, int64_t given);
ad_var ebm_modelled(ad_var row, int64_t given);

#endif
