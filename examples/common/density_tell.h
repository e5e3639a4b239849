/* density_tell.h — what density2d finds, and how it is shown. */
#ifndef EXAMPLES_DENSITY_TELL_H
#define EXAMPLES_DENSITY_TELL_H

#include "density_plot.h"
#include "density_settings.h"
#include "report.h"

#include <gibbs/ebm.h>

/* Quadrature works up to three dimensions. Beyond, log Z is estimated by DRAWS points of the proposal, and believed
 * from an effective sample size of ENOUGH on. Densities of up to DRAWN columns have pictures. */
enum { QUADRATURE = 3, DRAWN = 2, DRAWS = 200000, ENOUGH = 100, NAME = 64 };

/* The data, standardised by the training rows, and what is made of them once for all methods. */
typedef struct problem {
    ebm_data train, held;
    double *mean, *sd;   /* a number a column */
    double log_jacobian; /* −Σ log sd: log p in the data's units less log p of what is standardised */
    ebm_proposal *noise; /* the training rows' Gaussian, wider: the noise of ML-IS and NCE */
    double gaussian;     /* held-out mean log-likelihood of that Gaussian, not widened */
    ebm_box box;         /* of the quadrature */
} problem;

typedef struct result {
    gibbs_error error, unsaved; /* of the fit and its figures; of the files. Status OK when all went well. */
    ebm_fit_report fit;
    ebm_quadrature quadrature;          /* up to three dimensions */
    ebm_importance importance;          /* beyond */
    double log_z;                       /* by one of them; NaN: not known */
    double held_out;                    /* mean log-likelihood of the held-out rows, by log_z */
    double matching;                    /* the held-out rows' score matching loss */
    double log_z_hat, health;           /* the loss's own, at what was kept */
    density_plot plot;
    char name[NAME], subtitle[2 * NAME];
} result;

/* ---- Files and pictures: density_files.c ---- */

/* Parameters, history and, of one or two columns, the density; what is wrong with them is in r->unsaved. */
gibbs_status density_save(const settings *set, const problem *p, const method *m, ebm_model *model, result *r);

/* The pictures, when all losses have been fitted: those of the densities have one scale of colours. */
gibbs_status density_draw(const settings *set, const problem *p, result *r, gibbs_error *error);

/* ---- The table, unless quiet: its head, a row when a loss has been fitted, and its explanation ---- */

void density_head(const settings *set, const problem *p);
void density_row(const settings *set, const problem *p, const method *m, const result *r);
void density_foot(const settings *set, const problem *p);

void density_report(const settings *set, const problem *p, const result *r, report *root);

#endif
