/* derivative.h — the checker: a recorded function's value and derivatives of three orders, compared with differences of
 * the interpreter, and with each other. All numbers are relative errors. */
#ifndef TESTS_DERIVATIVE_H
#define TESTS_DERIVATIVE_H

#include "problem.h"

typedef struct derivative_errors {
    double value;     /* the plan's y against the interpreter's */
    double first;     /* vjp, along a random direction of each leaf alone and of all together */
    double second;    /* grad of ⟨u, vjp⟩ along v */
    double third;     /* grad of ⟨v, that⟩ along w */
    double forward;   /* jvp of the vjp along v, against the same second difference */
    double transpose; /* ⟨ȳ, jvp v⟩ against ⟨vjp ȳ, v⟩ */
    double symmetry;  /* ⟨u, Hv⟩ against ⟨v, Hu⟩ */
} derivative_errors;

/* Derivatives of Σ ȳ·y by the leaves whose bits are set in `active`. False, with p->message, when something could not
 * be recorded or run. */
bool derivative_check(problem *p, ad_var y, unsigned active, derivative_errors *errors);

/* The value alone; any dtype. */
bool derivative_value(problem *p, ad_var y, double *error);

/* |a − b| over the scale of the numbers that made them. */
double derivative_error(double a, quad b, double scale);

/* The p-th mixed central difference of Σ weight·y (weight NULL: ones) along the directions, p = `order` of them. */
bool derivative_difference(problem *p, ad_var y, const double *weight, const double *const *const *direction, int order,
                           quad *result);

#endif
