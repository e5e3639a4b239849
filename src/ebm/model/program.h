/* program.h — a plan with the workspace that runs it, and how its numbers are read. */
#ifndef GIBBS_PROGRAM_H
#define GIBBS_PROGRAM_H

#include "model.h"

typedef struct ebm_program {
    ad_plan *plan;
    ad_workspace *workspace;
} ebm_program;

/* Compiles the outputs and makes a workspace. The tape's own error, if it has one, is reported. After an error
 * *program is empty. */
gibbs_status ebm_program_build(const ad_tape *tape, const ad_var *outputs, int count, const ad_plan_options *options,
                               ebm_program *program, gibbs_error *error);
void ebm_program_free(ebm_program *program);

/* Number i of an array of that dtype. */
static inline double ebm_number(gibbs_dtype dtype, const void *numbers, int64_t i)
{
    return dtype == GIBBS_FLOAT64 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}

/* The first of n numbers that is NaN or infinite; n when there is none. */
int64_t ebm_first_not_finite(gibbs_dtype dtype, const void *numbers, int64_t n);

#endif
