/* hessian.h — Hessian diagonals and implicit score matching against differences of the energy alone, in quadruple
 * precision: the reference never looks at anything that the engine derived. */
#ifndef TESTS_HESSIAN_H
#define TESTS_HESSIAN_H

#include "problem.h"

typedef struct hessian_errors {
    double diagonal;  /* hess_diag against second differences of E */
    double products;  /* hess_diag against d Hessian-vector products, entry by entry */
    double laplacian; /* against the sum of the diagonal */
    double curvature; /* directional_curvature against the second difference along its direction */
} hessian_errors;

/* E is a scalar, x a leaf of the problem. False, with p->message, when something could not be recorded or run. */
bool hessian_check(problem *p, ad_var E, ad_var x, hessian_errors *errors);

/* ½|∇E|² − tr ∇²E, averaged over the samples of x, recorded; by hess_diag, or by d Hessian-vector products. */
ad_var hessian_score_loss(ad_var E, ad_var x);
ad_var hessian_score_loss_by_products(ad_var E, ad_var x);

/* The recorded loss' gradient by each of p's other leaves, along a random direction, against differences of the loss
 * as computed from E alone. `worst` gets the largest relative error. */
bool hessian_score_check(problem *p, ad_var E, ad_var x, double *value, double *worst);

#endif
