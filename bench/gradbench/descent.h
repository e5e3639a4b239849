/* descent.h — the suite's search for a minimum: gradient descent whose step is doubled after ten successes and halved
 * where the value does not fall. Ends where gradient or step is at most 1e-5. */
#ifndef GRADBENCH_DESCENT_H
#define GRADBENCH_DESCENT_H

/* value_of and slope_of are asked of one place at a time, the slope of the last accepted one. */
double gb_descend(double x, double (*value_of)(void *context, double x, double *slope), void *context);

#endif
