/* compose_tell.h — what compose finds, and how it is shown. */
#ifndef EXAMPLES_COMPOSE_TELL_H
#define EXAMPLES_COMPOSE_TELL_H

#include "options.h"
#include "report.h"

#include <gibbs/data.h>

enum { PARTS = 2, GRID = 151, NODES = GRID * GRID, MOMENTS = 5, LADDER = 4 };

typedef struct settings {
    const char *set[PARTS];
    double rows, steps, chains, moves;
    common_options common;
} settings;

/* What is told of the product: moments by quadrature, and how its chains went. */
typedef struct outcome {
    double moment[MOMENTS], acceptance, swapped;
} outcome;

/* What the moments are means of, at the point x. */
void compose_moments(const double *x, double *m);

/* The chains' moments (x: --chains points) with their standard errors, beside the quadrature's. */
void compose_tell(const settings *set, const double *x, const outcome *o, report *root);

/* table: NODES rows of x, y and PARTS + 1 densities; and the points, of which the picture shows some. */
gibbs_status compose_save(const settings *set, const ebm_data *data, const double *table, const double *x,
                          gibbs_error *error);

#endif
