/* ising_tell.h — what ising finds, and how it is shown. */
#ifndef EXAMPLES_ISING_TELL_H
#define EXAMPLES_ISING_TELL_H

#include "options.h"
#include "report.h"

#include <gibbs/ebm.h>

enum { SIDE = 3, SPINS = SIDE * SIDE, EDGES = 2 * SIDE * (SIDE - 1), THETA = EDGES + SPINS };
enum { SIZES = 5, METHODS = 4, BOUND = METHODS };

typedef struct settings {
    double rows, coupling, steps, repeats;
    common_options common;
} settings;

typedef struct method {
    const char *name;
    const ebm_loss *loss;
    int chains; /* fitted by stochastic steps: its points come from Gibbs chains */
} method;

extern const method ising_methods[METHODS]; /* ising.c */

/* What came of one size. */
typedef struct outcome {
    int64_t rows;
    double error[METHODS + 1];    /* of each method, and the bound */
    double theta[METHODS][THETA]; /* of the last data set */
} outcome;

/* The lines above the rows of the sizes, unless quiet. */
void ising_tell_head(const settings *set);

/* Prints the size's row, unless quiet, and adds it to the list. */
void ising_tell(const settings *set, const outcome *o, report *list);

/* Tables and pictures of the SIZES outcomes, and of the last one's couplings beside the true ones. */
gibbs_status ising_save(const settings *set, const double *truth, const outcome *o, gibbs_error *error);

#endif
