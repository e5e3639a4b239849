/* source_weighted.c — artificial points of the model itself, out of weighted draws z of a proposal at the present θ (S0
 * §6): resampled in proportion to w = exp(−E)/q (eq 19–20), or the path of a chain of independence Metropolis–Hastings
 * that is offered one after the other, and stays where it is with probability 1 − min(1, w(z)/w(y)). */
#include "source.h"

#include "base/random.h"
#include "ebm/log_z/weights.h"
#include "ebm/proposal/record_proposal.h"

#include <math.h>
#include <string.h>

static gibbs_status make(ebm_objective *o, gibbs_error *error)
{
    return ebm_weighed_new(o->model, o->options.proposal, &o->weighed_axis, &o->weighed, error);
}

static double count(const ebm_objective *o, int64_t rows) { return round(o->options.noise_ratio * (double)rows); }

static gibbs_status bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error)
{
    (void)x, (void)rows;
    size_t beside = (sizeof(double) + sizeof(int64_t)) / gibbs_dtype_size(o->model->dtype);
    return ebm_source_room(o, noise_rows, (size_t)o->model->dim, beside, 0, error);
}

typedef gibbs_status selection(ebm_objective *o, const double *weight, int64_t *index, gibbs_error *error);

/* The draws, what they weigh, and those of them that are taken. */
static gibbs_status refresh(ebm_objective *o, selection *select, gibbs_error *error)
{
    int64_t rows = o->noise_rows, *index = (int64_t *)o->moved;
    double *weight = (double *)(index + rows);
    const ad_run_options run = {.seed = o->seed, .step = o->step, .threads = o->options.threads};
    gibbs_status status = ad_set_rows(o->weighed.workspace, o->weighed_axis, rows, error);
    if (!status) status = ad_run(o->weighed.workspace, &run, error);
    if (status) return status;
    const void *log_w = ad_result(o->weighed.workspace, EBM_WEIGHED_LOG_WEIGHT);
    status = ebm_relative_weights(o->loss->name, o->model->dtype, log_w, rows, weight, error);
    if (!status) status = select(o, weight, index, error);
    size_t bytes = (size_t)o->model->dim * gibbs_dtype_size(o->model->dtype);
    const char *z = ad_result(o->weighed.workspace, EBM_WEIGHED_POINT);
    for (int64_t r = 0; !status && r < rows; r++)
        memcpy((char *)o->buffer + (size_t)r * bytes, z + (size_t)index[r] * bytes, bytes);
    return status ? status : ad_bind(o->program.workspace, o->y_leaf, o->buffer, error);
}

static gibbs_status resample(ebm_objective *o, const double *weight, int64_t *index, gibbs_error *error)
{
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_RESAMPLE, o->step);
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < o->noise_rows; r++) sum += weight[r], squares += weight[r] * weight[r];
    o->source_health = fmin(sum * sum / squares, (double)o->noise_rows);
    return ebm_resample(weight, o->noise_rows, o->noise_rows, 0, gibbs_words_next(&words), &o->alloc, index, error);
}

static gibbs_status walk(ebm_objective *o, const double *weight, int64_t *index, gibbs_error *error)
{
    (void)error;
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_RESAMPLE, o->step);
    int64_t at = 0, moved = 0;
    for (int64_t r = 0; r < o->noise_rows; r++) {
        bool moves = gibbs_words_unit(&words) * weight[at] < weight[r];
        if (moves) moved += r > 0, at = r;
        index[r] = at;
    }
    o->source_health = o->noise_rows > 1 ? (double)moved / (double)(o->noise_rows - 1) : NAN;
    return GIBBS_OK;
}

static gibbs_status resampled_refresh(ebm_objective *o, gibbs_error *error) { return refresh(o, resample, error); }
static gibbs_status independence_refresh(ebm_objective *o, gibbs_error *error) { return refresh(o, walk, error); }

const ebm_source ebm_source_resampled = {
    .record = ebm_source_input_y, .make = make, .rows = count, .bind = bind, .refresh = resampled_refresh,
    .whole = true,
};

const ebm_source ebm_source_independence = {
    .record = ebm_source_input_y, .make = make, .rows = count, .bind = bind, .refresh = independence_refresh,
    .whole = true,
};
