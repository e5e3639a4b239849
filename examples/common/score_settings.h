/* score_settings.h — the losses of score_field with what suits them, and its command line. */
#ifndef EXAMPLES_SCORE_SETTINGS_H
#define EXAMPLES_SCORE_SETTINGS_H

#include "options.h"

#include <gibbs/ebm.h>

enum { SCORE_METHODS = 15 };
#define DENOISING_SD 0.15

/* A loss and what suits it. Zeros are the library's defaults. */
typedef struct method {
    const char *name;
    const ebm_loss *loss;
    double steps, rate, weight_decay, noise_ratio, noise_sd, coefficient;
    int copies, sampler_steps;
    double sampler_step, restart;
} method;

extern const method score_methods[SCORE_METHODS];

typedef struct settings {
    const char *data;
    double rows, test_rows, steps, rate, weight_decay, batch, hidden, base_sd;
    int chosen[SCORE_METHODS];
    common_options common;
} settings;

/* The defaults, and what the command line says over them. Does not return when it is wrong. */
settings score_settings_read(int argc, char **argv);

#endif
