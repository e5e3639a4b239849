/* maxent_tell.h — what maxent finds, and how it is shown. */
#ifndef EXAMPLES_MAXENT_TELL_H
#define EXAMPLES_MAXENT_TELL_H

#include "options.h"
#include "report.h"

#include <gibbs/data.h>

enum { FACES = 6, NODES = 4001, MOST = 8, CURVES = 4 };

typedef struct settings {
    double mean;
    const char *data;
    common_options common;
} settings;

/* The powers u, u², … uᵏ of x scaled from low … high to −1 … 1, which keeps the Hessian of high ones tame. */
typedef struct basis {
    double low, high;
    int k;
} basis;

/* What came of the first k moments. */
typedef struct moment_fit {
    int k;
    double eta[MOST], error[MOST], entropy, log_likelihood;
} moment_fit;

/* p, and what it should be: by η from bisection, `truth`. */
gibbs_status maxent_tell_die(const settings *set, double eta, double truth, const double *p, const double *exact,
                             report *root, gibbs_error *error);

void maxent_tell_moments(const settings *set, const basis *b, const moment_fit *fit, report *list);

/* row: NODES rows of x and CURVES densities; data: one column, called `name`. */
gibbs_status maxent_draw_moments(const settings *set, const ebm_data *data, const char *name, const basis *b,
                                 const double *row, gibbs_error *error);

#endif
