/* linear_base.h — a base density whose log is linear in x: a product over two-valued columns, as of annealed importance
 * sampling. */
#ifndef GIBBS_LINEAR_BASE_H
#define GIBBS_LINEAR_BASE_H

#include "ebm/model/model.h"

/* log q at x = 0 and its slope, dim numbers of the model's dtype, where ad_degree says that it is linear in x; *linear is
 * false where it is not. */
gibbs_status ebm_linear_base(const ebm_proposal *q, const ebm_model *model, void *slope, double *constant, bool *linear,
                             gibbs_error *error);

#endif
