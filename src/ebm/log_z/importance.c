/* importance.c — importance sampling: weights, log Ẑ, effective sample size. */
#include "ebm/model/conditioned.h"
#include "ebm/model/program.h"
#include "ebm/proposal/record_proposal.h"

#include <math.h>

enum { POINT, LOG_WEIGHT };

/* The axis is a name for what the plan knows after the tape is gone. */
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

static gibbs_status program_new(const ebm_model *model, const ebm_proposal *q, ad_axis *axis, ebm_program *program,
                                gibbs_error *error)
{
    ebm_recording r;
    gibbs_status status = ebm_recording_start("importance", model, &r, error);
    if (!status) status = build(&r, q, axis, program, error);
    ebm_recording_end(&r);
    return status;
}

/* Sums of the weights relative to the largest one: 1 ≤ sum ≤ rows. A weight of 0 is welcome, one that is infinite
 * or NaN is not. */
typedef struct sums {
    double largest, sum, squares;
} sums;

static gibbs_status add_up(gibbs_dtype dtype, const void *log_w, int64_t rows, sums *s, gibbs_error *error)
{
    *s = (sums){.largest = -INFINITY};
    for (int64_t r = 0; r < rows; r++) {
        double l = ebm_number(dtype, log_w, r);
        if (isnan(l) || l == INFINITY)
            return gibbs_fail_row(error, GIBBS_NUMERIC, r, "importance: log weight %g at row %lld", l,
                                  (long long)r + 1);
        if (l > s->largest) s->largest = l;
    }
    if (s->largest == -INFINITY)
        return gibbs_fail(error, GIBBS_NUMERIC, "importance: all %lld weights are 0: E is infinite at every draw",
                          (long long)rows);
    for (int64_t r = 0; r < rows; r++) {
        double w = exp(ebm_number(dtype, log_w, r) - s->largest);
        s->sum += w;
        s->squares += w * w;
    }
    return GIBBS_OK;
}

static gibbs_status sample(const ebm_model *model, ad_workspace *workspace, int64_t rows, double *y, double *weight,
                           ebm_importance *result, gibbs_error *error)
{
    sums s;
    const void *log_w = ad_result(workspace, LOG_WEIGHT);
    gibbs_status status = add_up(model->dtype, log_w, rows, &s, error);
    if (status) return status;
    if (y) ebm_from_dtype(model->dtype, rows * model->dim, y, ad_result(workspace, POINT));
    for (int64_t r = 0; weight && r < rows; r++)
        weight[r] = exp(ebm_number(model->dtype, log_w, r) - s.largest) / s.sum;
    if (result) *result = (ebm_importance){s.largest + log(s.sum) - log((double)rows), s.sum * s.sum / s.squares};
    return GIBBS_OK;
}

gibbs_status ebm_importance_sample(ebm_model *model, const ebm_proposal *q, int64_t rows, uint64_t seed, double *y,
                                   double *weight, ebm_importance *result, gibbs_error *error)
{
    GIBBS_REQUIRE("importance_sample", model && q, error);
    ebm_program program;
    ad_axis axis;
    gibbs_status status =
        ebm_refuse_conditional("importance", model, "ebm_loss_ml_is weighs points of y for each x", error);
    if (!status) status = ebm_proposal_check("importance", q, model->dim, true, error);
    if (!status && rows < 1)
        status = gibbs_fail(error, GIBBS_ARGUMENT, "importance: %lld rows; at least 1 is needed", (long long)rows);
    if (!status) status = program_new(model, q, &axis, &program, error);
    if (status) return status;
    status = ad_set_rows(program.workspace, axis, rows, error);
    if (!status) status = ad_run(program.workspace, &(ad_run_options){.seed = seed}, error);
    if (!status) status = sample(model, program.workspace, rows, y, weight, result, error);
    ebm_program_free(&program);
    return status;
}
