/* density_tell.h — what density2d finds, and how it is shown. */
#ifndef EXAMPLES_DENSITY_TELL_H
#define EXAMPLES_DENSITY_TELL_H

#include "density_settings.h"
#include "report.h"

#include <gibbs/ebm.h>

enum { MAX_DIM = 3 };

/* The data, standardised by the training rows, and what is made of them once for all methods. */
typedef struct problem {
    ebm_data train, held;
    double mean[MAX_DIM], sd[MAX_DIM];
    ebm_proposal *noise; /* the training rows' Gaussian, wider: the noise of ML-IS and NCE */
    double gaussian;     /* held-out mean log-likelihood of that Gaussian, not widened */
    ebm_box box;         /* of the quadrature */
} problem;

typedef struct result {
    gibbs_error error, unsaved; /* of the fit and its figures; of the files. Status OK when all went well. */
    ebm_fit_report fit;
    ebm_quadrature quadrature;
    double held_out, log_z_hat, health; /* at the parameters that were kept */
} result;

/* Parameters, history and, in the plane, the density and its picture; what is wrong with them is in r->unsaved. */
gibbs_status density_save(const settings *set, const problem *p, const method *m, ebm_model *model, result *r);

/* The table, a row for each loss that was chosen. */
void density_print(const settings *set, const problem *p, const result *r);

void density_report(const settings *set, const problem *p, const result *r, report *root);

#endif
