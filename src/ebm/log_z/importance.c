/* importance.c — importance sampling: points of a proposal, and what they weigh. */
#include "ebm/model/conditioned.h"
#include "ebm/model/program.h"
#include "ebm/proposal/record_proposal.h"
#include "weights.h"

static gibbs_status build(const ebm_recording *r, const ebm_proposal *q, ad_axis *axis, ebm_program *program,
                          gibbs_error *error)
{
    *axis = ad_axis_new(r->tape, "noise");
    ad_var none = {r->tape, -1}, y = ebm_proposal_draw_at(q, *axis, none, EBM_STREAM_PROPOSAL, r->theta);
    ad_var log_q = ebm_proposal_log_density_at(q, *axis, none, y, r->theta),
           E = ebm_model_energy_at(r->model, y, r->theta);
    ad_var output[] = {y, ad_neg(ad_add(E, log_q))};
    gibbs_status status = ebm_program_build(r->tape, output, GIBBS_COUNT(output), NULL, program, error);
    if (!status) status = ebm_model_bind(r->model, program->workspace, r->theta, error);
    if (status) ebm_program_free(program);
    return status;
}

gibbs_status ebm_weighed_new(const ebm_model *model, const ebm_proposal *q, ad_axis *axis, ebm_program *program,
                             gibbs_error *error)
{
    ebm_recording r;
    gibbs_status status = ebm_recording_start("importance", model, &r, error);
    if (!status) status = build(&r, q, axis, program, error);
    ebm_recording_end(&r);
    return status;
}

static gibbs_status sample(ebm_model *model, const ebm_proposal *q, int64_t rows, uint64_t seed, bool smooth, double *y,
                           double *weight, ebm_importance *result, gibbs_error *error)
{
    ebm_program program;
    ad_axis axis;
    gibbs_status status =
        ebm_refuse_conditional("importance", model, "ebm_loss_ml_is weighs points of y for each x", error);
    if (!status) status = ebm_proposal_check("importance", q, model->dim, true, error);
    if (!status && rows < 1)
        status = gibbs_fail(error, GIBBS_ARGUMENT, "importance: %lld rows; at least 1 is needed", (long long)rows);
    if (!status) status = ebm_weighed_new(model, q, &axis, &program, error);
    if (status) return status;
    status = ad_set_rows(program.workspace, axis, rows, error);
    if (!status) status = ad_run(program.workspace, &(ad_run_options){.seed = seed}, error);
    if (!status)
        status = ebm_weigh("importance", model->dtype, ad_result(program.workspace, EBM_WEIGHED_LOG_WEIGHT), rows,
                           smooth, &model->alloc, weight, result, error);
    if (!status && y)
        ebm_from_dtype(model->dtype, rows * model->dim, y, ad_result(program.workspace, EBM_WEIGHED_POINT));
    ebm_program_free(&program);
    return status;
}

gibbs_status ebm_importance_sample(ebm_model *model, const ebm_proposal *q, int64_t rows, uint64_t seed, double *y,
                                   double *weight, ebm_importance *result, gibbs_error *error)
{
    GIBBS_REQUIRE("importance_sample", model && q, error);
    return sample(model, q, rows, seed, false, y, weight, result, error);
}

gibbs_status ebm_importance_smoothed(ebm_model *model, const ebm_proposal *q, int64_t rows, uint64_t seed, double *y,
                                     double *weight, ebm_importance *result, gibbs_error *error)
{
    GIBBS_REQUIRE("importance_smoothed", model && q, error);
    return sample(model, q, rows, seed, true, y, weight, result, error);
}
