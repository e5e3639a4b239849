/* linear_base.c — log q, recorded at x = 0. */
#include "linear_base.h"

#include "autodiff/tape/tape.h"
#include "ebm/model/program.h"

#include <string.h>

static gibbs_status evaluate(ad_var log_q, ad_var x, gibbs_dtype dtype, void *slope, double *constant,
                             gibbs_error *error)
{
    ebm_program program = {0};
    ad_var output[2] = {log_q, {x.tape, -1}};
    ad_shape shape = ad_shape_of(x);
    ad_grad(log_q, &x, 1, &output[1]);
    gibbs_status status = ebm_program_build(x.tape, output, 2, NULL, &program, error);
    if (!status) status = ad_run(program.workspace, NULL, error);
    if (!status) {
        *constant = ebm_number(dtype, ad_result(program.workspace, 0), 0);
        memcpy(slope, ad_result(program.workspace, 1), (size_t)shape.dim[0] * gibbs_dtype_size(dtype));
    }
    ebm_program_free(&program);
    return status;
}

gibbs_status ebm_linear_base(const ebm_proposal *q, const ebm_model *model, void *slope, double *constant, bool *linear,
                             gibbs_error *error)
{
    ad_tape *tape = ad_tape_new(model->dtype, &model->alloc);
    gibbs_status status = GIBBS_OK;
    *linear = false;
    if (!tape) return gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
    ad_var x = ad_variable(ad_fill(tape, -1, ad_vec(model->dim), 0)), log_q = q->log_density(q, x, NULL);
    int degree = ad_degree(log_q, x);
    if (ad_tape_status(tape) == GIBBS_MEMORY) status = ebm_tape_error(tape, error);
    else if (degree == 0 || degree == 1) {
        *linear = true;
        status = evaluate(log_q, x, model->dtype, slope, constant, error);
    }
    ad_tape_free(tape);
    return status;
}
