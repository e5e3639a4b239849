/* rbm_tell.h — what rbm_digits finds, and how it is shown. */
#ifndef EXAMPLES_RBM_TELL_H
#define EXAMPLES_RBM_TELL_H

#include "rbm_settings.h"
#include "report.h"

#include <gibbs/ebm.h>

enum { EXACT = 20 }; /* hidden units up to which log Z is a sum */

typedef struct problem {
    ebm_data train, held;   /* pixels 0 and 1 */
    int side;
    double *on;             /* how often each pixel is 1 in the training rows */
    double independent;     /* held-out mean log-likelihood when pixels are */
} problem;

typedef struct result {
    ebm_fit_report fit;
    ebm_ais forward, reverse;
    int exact; /* log Z is known, and the reverse run starts from exact draws */
    double log_z, held_out; /* log_z: exact, else the larger estimate: the lower likelihood */
} result;

/* The lines above the rows of the fits, unless quiet. */
void rbm_tell_head(const settings *set, const problem *p);

/* Prints the fit's row, unless quiet, and adds it to the list. */
void rbm_tell(const settings *set, const method *m, int64_t hidden, const result *r, report *list);

/* Training images, filters, and samples of the model: x has --chains rows (v, h) of them. */
gibbs_status rbm_draw(const settings *set, const problem *p, const method *m, ebm_model *model, int64_t hidden,
                      const double *x, const result *r, gibbs_error *error);

#endif
