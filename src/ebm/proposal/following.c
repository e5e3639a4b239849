/* following.c — a family that follows θ (S0 §3.2, eq 25). At θ₀ the draws z of a fitted family, weighed by w =
 * exp(−E)/q, tell the mean m and the variances v of the model there, and how these move with θ:
 *
 *     ∂m/∂θ = −Cov_p(y, ∂E/∂θ),   ∂log √v/∂θ = −Cov_p((y − m)², ∂E/∂θ)/2v
 *
 * which are the derivatives of the weighted sums themselves, and recorded as such. */
#include "base/options.h"
#include "ebm/log_z/weights.h"
#include "ebm/model/program.h"
#include "moved.h"
#include "record_proposal.h"

#include <math.h>
#include <string.h>

static const char NAME[] = "following";

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_following_options, widen, 1, '(', 0, INFINITY, ')'),
    GIBBS_OPTION(ebm_following_options, rows, 4096, '[', 100, INFINITY, ')'),
};

enum { LOG_WEIGHT, MOMENTS, SLOPES, OUTPUTS };

static gibbs_status build(const ebm_recording *r, const ebm_proposal *family, ad_axis *axis, ebm_program *program,
                          gibbs_error *error)
{
    *axis = ad_axis_new(r->tape, "noise");
    ad_var none = {r->tape, -1}, out[OUTPUTS], z, moments[2];
    z = ebm_proposal_draw_at(family, *axis, none, EBM_STREAM_PROPOSAL, NULL);
    ad_var log_q = ebm_proposal_log_density_at(family, *axis, none, z, NULL);
    ad_var log_w = ad_lift(*axis, ad_neg(ad_add(ebm_model_energy_at(r->model, z, r->theta), log_q)));
    ad_var share = ad_exp(ad_sub(log_w, ad_batch_logsumexp(*axis, log_w)));
    moments[0] = ad_batch_sum(*axis, ad_mul(share, z));
    moments[1] = ad_batch_sum(*axis, ad_mul(share, ad_square(ad_sub(z, moments[0]))));
    moments[1] = ad_scale(ad_log(moments[1]), 0.5);
    out[LOG_WEIGHT] = log_w;
    out[MOMENTS] = ad_concat(moments[0], moments[1], 0);
    out[SLOPES] = ad_jacobian(out[MOMENTS], r->theta, r->model->parameters);
    gibbs_status status = ebm_program_build(r->tape, out, OUTPUTS, NULL, program, error);
    if (!status) status = ebm_model_bind(r->model, program->workspace, r->theta, error);
    if (status) ebm_program_free(program);
    return status;
}

/* What the sums are worth, and the sums. */
static gibbs_status fill(const ebm_program *program, const ebm_model *model, const ebm_following_options *o,
                         const ebm_proposal *family, const ebm_move *move, gibbs_error *error)
{
    int64_t d = model->dim, p = model->size, slopes = d * p;
    const double *moment = ad_result_f64(program->workspace, MOMENTS);
    const double *slope = ad_result_f64(program->workspace, SLOPES);
    ebm_importance worth;
    gibbs_status status = ebm_weigh(NAME, GIBBS_FLOAT64, ad_result(program->workspace, LOG_WEIGHT), o->rows, false,
                                    &model->alloc, NULL, &worth, error);
    if (status) return status;
    if (worth.k > 0.7 || worth.ess < 20)
        return gibbs_fail(error, GIBBS_NUMERIC, "following: at these parameters «%s» does not cover the model (k̂ "
                          "%.2f, ESS %.3g of %lld): widen it first (ebm_proposal_widened)",
                          family->name ? family->name : "proposal", worth.k, worth.ess, (long long)o->rows);
    memcpy(move->centre, moment, (size_t)d * sizeof *moment);
    memcpy(move->theta, model->theta, (size_t)p * sizeof *moment);
    for (int64_t i = 0; i < d; i++) move->sd[i] = exp(moment[d + i]);
    for (int64_t i = 0; i < slopes; i++) move->shift[i] = slope[i] / move->sd[i / p];
    memcpy(move->stretch, slope + slopes, (size_t)slopes * sizeof *slope);
    if (ebm_first_not_finite(GIBBS_FLOAT64, move->centre, 2 * d + p + 2 * slopes) < 2 * d + p + 2 * slopes)
        return gibbs_fail(error, GIBBS_NUMERIC, "following: the derivative of E by some parameter is not finite");
    return GIBBS_OK;
}

static gibbs_status measure(const ebm_model *model, const ebm_proposal *family, const ebm_following_options *o,
                            const ebm_move *move, gibbs_error *error)
{
    ebm_program program;
    ebm_recording r;
    ad_axis axis;
    gibbs_status status = ebm_recording_start(NAME, model, &r, error);
    if (!status) status = build(&r, family, &axis, &program, error);
    ebm_recording_end(&r);
    if (status) return status;
    status = ad_set_rows(program.workspace, axis, o->rows, error);
    if (!status) status = ad_run(program.workspace, &(ad_run_options){.seed = o->seed}, error);
    if (!status) status = fill(&program, model, o, family, move, error);
    ebm_program_free(&program);
    return status;
}

gibbs_status ebm_proposal_following(const ebm_model *model, const ebm_proposal *family,
                                    const ebm_following_options *options, const gibbs_allocator *allocator,
                                    ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("following", model && q, error);
    *q = NULL;
    ebm_following_options o = options ? *options : (ebm_following_options){0};
    ebm_made *m;
    ebm_move move = {0};
    ebm_model *twin;
    gibbs_status status = gibbs_options_fill(NAME, numbers, GIBBS_COUNT(numbers), &o, error);
    if (!status) status = ebm_refuse_conditional(NAME, model, "take ebm_proposal_regression", error);
    if (!status) status = ebm_proposal_check(NAME, family, model->dim, false, error);
    if (!status && !model->size)
        status = gibbs_fail(error, GIBBS_ARGUMENT, "following: the model has no parameters to follow");
    if (!status)
        status = ebm_moved_new(NAME, family, o.widen, model->parameters, model->size, allocator, &m, &move, error);
    if (status) return status;
    status = ebm_model_like(model, &twin, error);
    if (!status) status = measure(twin, family, &o, &move, error);
    ebm_model_free(twin);
    return ebm_made_finish(m, status, q);
}
