/* rbm_settings.h — the command line of rbm_digits. */
#ifndef EXAMPLES_RBM_SETTINGS_H
#define EXAMPLES_RBM_SETTINGS_H

#include "options.h"

#include <gibbs/ebm.h>

enum { MOST_SIZES = 4, METHODS = 3 };

/* A loss and what suits it; --steps overrides. */
typedef struct method {
    const char *name;
    const ebm_loss *loss;
    double steps;
} method;

extern const method rbm_methods[METHODS];

typedef struct settings {
    const char *data;
    int chosen[METHODS], sizes;
    int64_t hidden[MOST_SIZES];
    double rows, held_out, steps, rate, cd_steps, batch, weight_decay, chains, bridges, burn_in;
    common_options common;
} settings;

/* The defaults, and what the command line says over them. Does not return when it is wrong. */
settings rbm_settings_read(int argc, char **argv);

#endif
