/* program.c — a plan and its workspace, made and freed together. */
#include "program.h"

#include <math.h>

gibbs_status ebm_program_build(const ad_tape *tape, const ad_var *outputs, int count, const ad_plan_options *options,
                               ebm_program *program, gibbs_error *error)
{
    *program = (ebm_program){0};
    gibbs_status status = ebm_tape_error(tape, error);
    if (!status) status = ad_compile(outputs, count, options, &program->plan, error);
    if (!status) status = ad_workspace_new(program->plan, &program->workspace, error);
    if (status) ebm_program_free(program);
    return status;
}

void ebm_program_free(ebm_program *program)
{
    ad_workspace_free(program->workspace);
    ad_plan_free(program->plan);
    *program = (ebm_program){0};
}

int64_t ebm_first_not_finite(gibbs_dtype dtype, const void *numbers, int64_t n)
{
    int64_t i = 0;
    while (i < n && isfinite(ebm_number(dtype, numbers, i))) i++;
    return i;
}
