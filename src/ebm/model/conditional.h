/* conditional.h — models of y given x: what they know of y, recorded. */
#ifndef GIBBS_CONDITIONAL_H
#define GIBBS_CONDITIONAL_H

#include "model.h"

/* What ebm_model_new says of given columns and labels. */
gibbs_status ebm_conditional_check(const ebm_model_spec *spec, gibbs_error *error);

/* Records log Z(x) and the formulas of y once, as a model's energy is: what is wrong with them shows on the tape. */
void ebm_conditional_try(const ebm_model *model, ad_axis axis, const ad_var *theta);

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
