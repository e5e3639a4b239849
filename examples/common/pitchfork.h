/* pitchfork.h — a conditional density of a real y that has one peak or two: E(x, y) = (y⁴/4 − xy²/2)/τ, where a
 * pitchfork bifurcation with noise rests. Z(x) moves with x, and only quadrature knows it. */
#ifndef EXAMPLES_PITCHFORK_H
#define EXAMPLES_PITCHFORK_H

#include "options.h"
#include "report.h"

/* Draws `rows` rows, and as many to test on; fits the energy's own two parameters, with standard errors, and a network
 * by several losses; tells how likely the test rows are, and draws p(y | x) of each over x. */
gibbs_status pitchfork(const common_options *common, double rows, double steps, report *root, gibbs_error *error);

#endif
