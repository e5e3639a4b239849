/* jacobian.h — Jacobians against differences of the interpreter, element by element of one leaf. */
#ifndef TESTS_JACOBIAN_H
#define TESTS_JACOBIAN_H

#include "problem.h"

/* The largest relative error of J as ∂y/∂x, x a leaf of the problem. Row r of a per-sample J belongs to row r of y and
 * of x; what one sample of x does to another sample's y is looked at too: `across` gets the largest such number.
 * False, with p->message, when something could not be run. */
bool jacobian_check(problem *p, ad_var y, ad_var x, ad_var J, double *error, double *across);

#endif
