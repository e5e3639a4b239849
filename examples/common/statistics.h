/* statistics.h — what the examples say of repeated measurements. */
#ifndef EXAMPLES_STATISTICS_H
#define EXAMPLES_STATISTICS_H

#include <stdint.h>

double dot_product(const double *a, const double *b, int64_t n);

/* Returns the mean; its standard error is sd/√n (divisor n − 1), NaN for one number, and not wanted when NULL. */
double mean_of(const double *x, int64_t n, double *standard_error);

typedef struct line_fit {
    double slope, slope_error, constant; /* y = constant + slope·x */
} line_fit;

/* Least squares of y over x with weights w; slope_error is the slope's standard error where w is 1/variance of y.
 * Points of weight 0 do not count; with less than two different x all are NaN. */
line_fit fit_line(const double *x, const double *y, const double *w, int64_t n);

#endif
