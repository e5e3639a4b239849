/* geyer_tell.h — what geyer_gaussian finds, and how it is shown. */
#ifndef EXAMPLES_GEYER_TELL_H
#define EXAMPLES_GEYER_TELL_H

#include "options.h"
#include "report.h"

#include <gibbs/ebm.h>

enum { SINGLE = 3 }; /* curves that are kept */

typedef struct settings {
    double draws, grid, low, high;
    common_options common;
} settings;

/* A panel of the figures. */
typedef struct panel {
    const char *name, *title;
    int moving; /* q₂ */
    int rows, points, single; /* N, M; single: three curves, not a band */
    int fresh; /* new y for each θ, not the same random numbers */
} panel;

/* The curves of one panel over the grid, and its estimates of θ. */
typedef struct study {
    ebm_model *model;
    ebm_objective *objective;
    int64_t grid, draws;
    double rows; /* N */
    double *theta, *truth, *mean, *error, *least, *most; /* error: the mean's standard error */
    double *curve, *estimate; /* of the draw at hand; θ̂ of each draw */
    double *single; /* the first curves */
    double mle, theta_mean, theta_sd, rmse;
    double said, noise_said; /* θ̂'s standard error, and the draw's part of it, from one draw: to be theta_sd */
    int64_t worst; /* the grid point where the mean of the curves is farthest from the truth */
    int fresh;
    int64_t at_edge; /* draws whose lowest grid point is the first or the last: no minimum inside */
} study;

/* The line above the panels' rows; nothing when quiet, as all that is printed. */
void geyer_head(const settings *set);

/* Writes NAME.csv, draws NAME.png, prints the panel's row and adds the panel to the list. */
gibbs_status geyer_tell(const settings *set, const panel *p, const study *s, report *list, gibbs_error *error);

#endif
