/* denoise_tell.h — what denoise finds, and how it is shown. */
#ifndef EXAMPLES_DENOISE_TELL_H
#define EXAMPLES_DENOISE_TELL_H

#include "options.h"
#include "report.h"

#include <gibbs/ebm.h>

enum { DIM = 2 };

typedef struct settings {
    const char *data;
    double rows, test_rows, prior_rows, sd[DIM], correlation, steps, rate, batch, hidden, base_sd;
    common_options common;
} settings;

/* The noise: Σ and its triangular root L, both row by row. */
typedef struct noise {
    double covariance[DIM * DIM], root[DIM * DIM];
} noise;

/* A denoiser and what it makes of the noisy test points. */
typedef struct denoiser {
    const char *name, *title;
    double *x;             /* rows × DIM */
    double mse, mse_error; /* mean |x̂ − x|² and its standard error */
    double expected;       /* what it should be for the noisy and the linear one; NaN */
    double excess;         /* mean |x̂ − E[x | x̃]|², which it has above the best; NaN where that is not known */
} denoiser;

enum { NOISY, LINEAR, TWEEDIE, BAYES, DENOISERS };

typedef struct problem {
    ebm_data train, test; /* clean, standardised by the training rows */
    double mean[DIM], sd[DIM];
    noise noise;
    denoiser denoiser[DENOISERS];
    int count; /* of the denoisers: without BAYES where the data come from a file */
    ebm_fit_report fit;
} problem;

/* Writes denoise.csv, denoise-errors.csv and denoise.png, prints the table, and adds the numbers to the report. */
gibbs_status denoise_tell(const settings *set, const problem *p, report *root, gibbs_error *error);

#endif
