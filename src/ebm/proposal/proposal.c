/* proposal.c — what all proposals share: sampling and evaluating without a model. */
#include "draw.h"
#include "ebm/model/program.h"
#include "record_proposal.h"

#include <string.h>

void ebm_proposal_free(ebm_proposal *q)
{
    if (q && q->release) q->release(q);
}

gibbs_status ebm_proposal_sample(const ebm_proposal *q, int64_t rows, uint64_t seed, uint64_t step,
                                 const gibbs_allocator *allocator, double *y, double *log_q, gibbs_error *error)
{
    ebm_draw *draw;
    gibbs_status status = ebm_draw_new(q, GIBBS_FLOAT64, allocator, &draw, error);
    if (status) return status;
    status = ebm_draw_run(draw, rows, seed, step, error);
    if (!status && y) memcpy(y, ebm_draw_y(draw), (size_t)(rows * q->dim) * sizeof *y);
    if (!status && log_q) memcpy(log_q, ebm_draw_log_q(draw), (size_t)rows * sizeof *log_q);
    ebm_draw_free(draw);
    return status;
}

static gibbs_status evaluate(const ebm_proposal *q, ad_tape *tape, const double *x, int64_t rows, double *log_q,
                             gibbs_error *error)
{
    ebm_program program;
    ad_axis axis = ad_axis_new(tape, "points");
    ad_var input = ad_input(axis, "x", ad_vec(q->dim)), none = {tape, -1};
    ad_var output = ebm_proposal_log_density_at(q, axis, none, input, NULL);
    gibbs_status status = ebm_program_build(tape, &output, 1, NULL, &program, error);
    if (!status) status = ad_bind(program.workspace, input, x, error);
    if (!status) status = ad_set_rows(program.workspace, axis, rows, error);
    if (!status) status = ad_run(program.workspace, NULL, error);
    if (!status) memcpy(log_q, ad_result(program.workspace, 0), (size_t)rows * sizeof *log_q);
    ebm_program_free(&program);
    return status;
}

gibbs_status ebm_proposal_log_density(const ebm_proposal *q, const double *x, int64_t rows,
                                      const gibbs_allocator *allocator, double *log_q, gibbs_error *error)
{
    gibbs_status status = ebm_proposal_check("log density", q, 0, false, error);
    if (status) return status;
    if (rows < 1) return gibbs_fail(error, GIBBS_DATA, "log density: no rows");
    if (!x || !log_q) return gibbs_fail(error, GIBBS_ARGUMENT, "log density: no %s", x ? "place for log q" : "points");
    status = ebm_check_points("log density: x", x, rows, q->dim, error);
    if (status) return status;
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, allocator);
    status = tape ? evaluate(q, tape, x, rows, log_q, error) : ebm_tape_error(tape, error);
    ad_tape_free(tape);
    return status;
}
