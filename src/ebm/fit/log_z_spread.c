/* log_z_spread.c — does one number do for every log Z(x)? Noise contrastive estimation of a conditional model learns
 * one. Two independent estimates of log Z(x) for each row, by importance sampling, have the covariance over the rows
 * that log Z(x) has as a variance: their errors are independent. */
#include "fit.h"

#include <math.h>

enum { HALF = 50 };

static ad_var record(ebm_graph *g)
{
    ad_var log_w = ad_neg(ad_add(ebm_graph_energy(g, g->y), g->log_q)), half[2], mean[2];
    ad_var all = ad_regroup(ad_lift(g->noise, log_w));
    for (int k = 0; k < 2; k++) {
        half[k] = ad_logsumexp(ad_slice(all, 0, k * HALF, HALF));
        mean[k] = ad_batch_mean(g->data, half[k]);
    }
    return ad_batch_mean(g->data, ad_mul(ad_sub(half[0], mean[0]), ad_sub(half[1], mean[1])));
}

static const ebm_loss spread = {.name = "log Z spread", .noise = EBM_NOISE_PROPOSAL, .record = record,
                                .models = EBM_MODELS_CONDITIONAL};

gibbs_status ebm_fit_log_z_spread(ebm_fit_state *f)
{
    ebm_objective *o;
    ebm_loss_options options = f->loss_options;
    double variance;
    f->report->log_z_spread = NAN;
    if (!f->options->loss->learns_log_z || !ebm_model_given(f->model)) return GIBBS_OK;
    options.noise_ratio = 2 * HALF;
    gibbs_status status = ebm_objective_make(f->model, &spread, &options, false, &o, f->error);
    if (status) return status;
    status = ebm_objective_bind(o, f->train.all, f->train.rows, f->error);
    if (!status) status = ebm_objective_refresh(o, f->options->seed, UINT64_MAX >> 2, f->error);
    if (!status) status = ebm_objective_evaluate(o, &variance, f->error);
    if (!status) f->report->log_z_spread = sqrt(fmax(variance, 0));
    ebm_objective_free(o);
    return status;
}
