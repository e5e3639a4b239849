/* large.h — a minimum of a loss of many parameters, or whose Hessian cannot be had; private to src/ebm/fit. */
#ifndef GIBBS_LARGE_H
#define GIBBS_LARGE_H

#include "conjugate.h"

/* The fit in double, and how its loss and gradient are evaluated at the model's parameters, with weight decay. */
typedef struct ebm_large {
    ebm_model *model;
    ebm_objective *objective;
    ebm_weighed_rows rows;
    uint64_t seed;
    double decay;
    int (*taken)(void *context, double value, double gradient_norm); /* after each step; non-zero ends it: STOPPED */
    void *context;
} ebm_large;

gibbs_status ebm_large_evaluate(const ebm_large *l, double *value, double *gradient, gibbs_error *error);

/* Steps of Newton's method by conjugate gradients from the model's parameters, at most `steps`, until √(gᵀH⁻¹g/tr H⁻¹S)
 * is within `tolerance`. *distance is that, or NaN where it is not known. S is seen in one vector: half the
 * difference of the gradients of every other row has the covariance S, and its square in H⁻¹ the mean tr H⁻¹S. */
gibbs_status ebm_large_newton(const ebm_large *l, const ebm_loss_options *options, double tolerance, int64_t steps,
                              double *distance, gibbs_error *error);

#endif
