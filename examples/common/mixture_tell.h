/* mixture_tell.h — what mixture finds, and how it is shown. */
#ifndef EXAMPLES_MIXTURE_TELL_H
#define EXAMPLES_MIXTURE_TELL_H

#include "options.h"
#include "report.h"

#include <gibbs/ebm.h>

enum { PARTS = 2 };
/* Where the fitted parameters are: log ξ_2/ξ_1, those of the two components, and log Z. */
enum { LOG_XI, MEAN_1, PRECISION = 3, LOCATION = 7, LOG_SCALE = 9, LOG_Z = 11, P };

typedef struct settings {
    double rows, sizes, weight, noise_ratio;
    common_options common;
} settings;

/* What came of N rows. */
typedef struct outcome {
    int64_t rows;
    double pi[PARTS], log_z[PARTS], closed[PARTS]; /* Ẑ_g by π_g/ξ_g, and Z_g */
    double theta[P], error[P], noise[P]; /* with their standard errors, and the part that the noise has in them */
    double mixture_log_z;                /* log Σ ξ_g Z_g where ξ_1 = 1, which theta[LOG_Z] estimates */
    double divergence, seconds;          /* KL(p ‖ p̂): the mean of log p − log p̂ at fresh rows */
} outcome;

/* The line above the rows of the sizes, unless quiet. */
void mixture_tell_head(const settings *set);

/* Prints the row of one size, unless quiet, and adds it to the list. */
void mixture_tell(const settings *set, const outcome *o, report *list);

/* Prints the parameters of the last fit with their standard errors. */
void mixture_tell_errors(const settings *set, const outcome *o, const double *truth);

/* The fitted density, and the first rows of the data. */
gibbs_status mixture_draw(const settings *set, const ebm_data *data, ebm_model *mixture, const outcome *o,
                          gibbs_error *error);

#endif
