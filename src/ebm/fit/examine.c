/* examine.c — what a fit looks for when it is done, that would make its answer wrong without a word.
 *
 * Does one number do for every log Z(x)? Noise contrastive estimation of a conditional model learns one. Two
 * independent estimates of log Z(x) for each row, by importance sampling, have the covariance over the rows that log
 * Z(x) has as a variance: their errors are independent. Does the box of an exact log Z hold the density? Have the
 * weights of a proposal's points a variance? */
#include "fit.h"

#include "ebm/log_z/outside.h"

#include <math.h>
#include <string.h>

enum { HALF = 50, MOST_ROWS = 1000 }; /* points of an estimate; rows looked at, evenly spaced */

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

/* Rows of the training part, evenly spaced, in the model's number type. */
static void choose_rows(const ebm_trainer *f, int64_t rows, char *to)
{
    size_t bytes = (size_t)f->model->dim * gibbs_dtype_size(f->model->dtype);
    for (int64_t r = 0; r < rows; r++)
        memcpy(to + (size_t)r * bytes, (const char *)f->train.all + (size_t)(r * f->train.rows / rows) * bytes, bytes);
}

/* The fit stands, whatever comes of this: a spread that cannot be told is NaN. */
static void log_z_spread(ebm_trainer *f)
{
    ebm_objective *o;
    ebm_loss_options options = f->loss_options;
    double variance = NAN;
    if (!f->options.loss->learns_log_z || !ebm_model_given(f->model) || !options.proposal) return;
    options.weighted = 0; /* the rows are places to look at */
    options.noise_ratio = 2 * HALF;
    if (ebm_objective_make(f->model, &spread, &options, false, &o, NULL)) return;
    int64_t rows = f->train.rows < MOST_ROWS ? f->train.rows : MOST_ROWS;
    void *x = gibbs_alloc_aligned(&f->model->alloc, (size_t)(rows * f->model->dim), gibbs_dtype_size(f->model->dtype));
    if (x) choose_rows(f, rows, x);
    gibbs_status status = x ? ebm_objective_bind(o, x, rows, NULL) : GIBBS_MEMORY;
    if (!status) status = ebm_objective_refresh(o, f->options.seed, UINT64_MAX >> 2, NULL);
    if (!status) status = ebm_objective_evaluate(o, &variance, NULL);
    if (!status && !isnan(variance)) f->report.log_z_spread = sqrt(fmax(variance, 0));
    ebm_objective_free(o);
    gibbs_release_aligned(&f->model->alloc, x);
}

/* Weights of which nothing can be said, as of an energy that is −∞ at a point, are NaN. */
static gibbs_status judge_weights(ebm_trainer *f)
{
    ebm_noise noise = f->options.loss->noise;
    bool weighs = noise == EBM_NOISE_PROPOSAL || noise == EBM_NOISE_RESAMPLED || noise == EBM_NOISE_INDEPENDENCE;
    if (!weighs || ebm_model_given(f->model)) return GIBBS_OK;
    double points = round(f->objective->options.noise_ratio * (double)f->train.rows);
    gibbs_error error;
    gibbs_status status = ebm_importance_sample(f->model, f->loss_options.proposal, (int64_t)points, f->options.seed,
                                                NULL, NULL, &f->report.weights, &error);
    return status == GIBBS_MEMORY ? gibbs_fail(f->error, status, "%s", error.message) : GIBBS_OK;
}

/* Health and log Z at the parameters that were kept, on the last batch and its artificial points. */
gibbs_status ebm_fit_finish(ebm_trainer *f)
{
    double unused;
    ebm_fit_take_kept(f);
    gibbs_status status = ebm_objective_evaluate(f->objective, &unused, f->error);
    if (status) return status;
    f->report.health = ebm_objective_health(f->objective);
    f->report.log_z = ebm_objective_log_z(f->objective);
    log_z_spread(f);
    if (f->options.loss->noise == EBM_NOISE_POINTS) f->report.edge = ebm_edge(f->model, f->loss_options.points);
    status = judge_weights(f);
    if (!status && !f->options.lbfgs) status = ebm_fit_distance(f);
    return status ? status : ebm_fit_look(f);
}
