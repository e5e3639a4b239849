/* outside.h — what lies outside the box of a quadrature. */
#ifndef GIBBS_OUTSIDE_H
#define GIBBS_OUTSIDE_H

#include "ebm/model/model.h"
#include "ebm/space/space.h"

/* Fills in verdict and widen of a result that has the integrals of the box and of the doubled one, neither of them NaN.
 * On error *result is as it was. */
gibbs_status ebm_look_outside(ebm_model *model, const ebm_grid *box, ebm_quadrature *result, gibbs_error *error);

#endif
