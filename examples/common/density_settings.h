/* density_settings.h — the command line of density2d. */
#ifndef EXAMPLES_DENSITY_SETTINGS_H
#define EXAMPLES_DENSITY_SETTINGS_H

#include "options.h"
#include "report.h"

#include <gibbs/ebm.h>

enum { MAX_LAYERS = 16, METHODS = 4 };

/* A loss and what suits it; --steps and the like override. */
typedef struct method {
    const char *name;
    const ebm_loss *loss;
    double steps, rate, noise_ratio, weight_decay;
} method;

extern const ebm_loss noisy_score_matching; /* density2d.c */
extern const method methods[METHODS];

typedef struct settings {
    const char *data;
    int chosen[METHODS], demo, double_precision;
    int64_t width[MAX_LAYERS];
    int layers;
    ebm_activation activation;
    double steps, rate, noise_ratio, weight_decay; /* NaN: the method's */
    double rows, batch, data_noise, cd_steps, cd_step, base_sd, held_out, validation, split_seed;
    common_options common;
} settings;

/* The defaults, and what the command line says over them. Does not return when it is wrong. */
settings settings_read(int argc, char **argv);

/* What was chosen, or else is the method's own. */
double setting_or(double chosen, double otherwise);

/* What the fits were made with, into a report: what all share, and what is one loss's. */
void settings_report(const settings *set, report *r);
void method_report(const settings *set, const method *m, report *r);

#endif
