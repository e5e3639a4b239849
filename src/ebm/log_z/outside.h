/* outside.h — what lies outside the box of a quadrature. */
#ifndef GIBBS_OUTSIDE_H
#define GIBBS_OUTSIDE_H

#include "ebm/model/model.h"
#include "ebm/space/space.h"

/* Fills in verdict and widen of a result that has the integrals of the box and of the doubled one, neither of them NaN.
 * On error *result is as it was. */
gibbs_status ebm_look_outside(ebm_model *model, const ebm_grid *box, ebm_quadrature *result, gibbs_error *error);

/* exp(−E) at the edge of a box of points, as a share of its highest there: above EBM_EDGE the box cuts the density off.
 * NaN of other points, of a conditional model, which has as many as rows, and where energies cannot be had. */
double ebm_edge(ebm_model *model, const ebm_points *points);

#endif
