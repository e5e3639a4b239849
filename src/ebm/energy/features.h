/* features.h — recorded maps x → vector in the specs of several models. */
#ifndef GIBBS_FEATURES_H
#define GIBBS_FEATURES_H

#include "build.h"

/* Fills the size of the identity in (dim). ARGUMENT: a size below 1 or, for the identity, other than dim; parameters
 * without a list, or of the identity. */
gibbs_status ebm_features_check(const char *model, ebm_features *features, int64_t dim, gibbs_error *error);

/* Adds its parameters to a model's, as prefix + name. */
void ebm_features_build(ebm_build *build, const char *prefix, const ebm_features *features);

/* Records it: a vector of features->size, whatever its shape was. theta is its own first parameter. */
ad_var ebm_features_at(const ebm_features *features, ad_var x, const ad_var *theta);

#endif
