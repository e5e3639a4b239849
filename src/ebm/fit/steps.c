/* steps.c — the loop of first-order methods. */
#include "fit.h"

#include <math.h>
#include <string.h>

/* The L2 penalty ½·decay·‖θ‖², not of a learnt log Z. */
static void add_decay(const ebm_fit_state *f)
{
    double decay = f->options->weight_decay;
    const void *w = f->model->theta;
    if (decay == 0) return;
    if (f->model->dtype == GIBBS_FLOAT64)
        for (int64_t i = 0; i < f->model->size; i++)
            ((double *)f->objective->gradient)[i] += decay * ((const double *)w)[i];
    else
        for (int64_t i = 0; i < f->model->size; i++)
            ((float *)f->objective->gradient)[i] += (float)decay * ((const float *)w)[i];
}

/* Loss and gradient of one batch, at the present parameters. */
static gibbs_status evaluate(ebm_fit_state *f, int64_t step, double *loss, double *norm)
{
    ebm_objective *o = f->objective;
    const void *x = ebm_batches_next(&f->train);
    gibbs_status status = GIBBS_OK;
    gibbs_error found;
    if (step == 0 || f->train.order) status = ebm_objective_bind(o, x, f->train.count, &found);
    if (!status && (step == 0 || o->options.redraw || o->chains || (f->train.order && o->draw)))
        status =
            ebm_objective_refresh(o, f->options->seed, o->options.redraw || o->chains ? (uint64_t)step : 0, &found);
    if (!status) status = ebm_objective_evaluate(o, loss, &found);
    if (status) {
        memcpy(f->model->theta, f->good, f->bytes);
        return ebm_fit_fail(f, step, &found);
    }
    add_decay(f);
    *norm = ebm_clip_gradient(f->model->dtype, f->size, o->gradient, f->options->clip);
    return isfinite(*loss) && isfinite(*norm) ? GIBBS_OK : ebm_fit_not_finite(f, step);
}

static void update(ebm_fit_state *f, int64_t step, double *rate)
{
    const ebm_fit_options *o = f->options;
    *rate = ebm_schedule_rate(o->schedule, o->rate, step, o->steps);
    ebm_optim_step args = {.step = step,
                           .rate = *rate,
                           .momentum = o->momentum,
                           .beta1 = o->beta1,
                           .beta2 = o->beta2,
                           .epsilon = o->epsilon};
    memcpy(f->good, f->model->theta, f->bytes);
    o->optimizer->update(f->model->dtype, f->size, f->model->theta, f->objective->gradient, f->state, &args);
}

/* The validation loss after `step` steps; the best parameters are kept. A value that is not finite is no best. */
static gibbs_status validate(ebm_fit_state *f, int64_t step, double *value)
{
    ebm_fit_report *r = f->report;
    *value = NAN;
    if (!f->judge || (step % f->options->validation_every && step != f->options->steps)) return GIBBS_OK;
    gibbs_error found;
    if (ebm_objective_evaluate(f->judge, value, &found)) {
        found.row = -1; /* of the held-out rows */
        return ebm_fit_fail(f, step, &found);
    }
    bool better = isfinite(*value) && !(*value >= r->best_validation);
    f->since_best = better ? 0 : f->since_best + 1;
    if (better) {
        r->best_validation = *value;
        r->best_step = step;
        memcpy(f->best, f->model->theta, f->bytes);
    }
    return GIBBS_OK;
}

static gibbs_status tell(const ebm_fit_state *f, int64_t step, double rate)
{
    const ebm_fit_options *o = f->options;
    const ebm_fit_report *r = f->report;
    if (!o->progress) return GIBBS_OK;
    ebm_progress p = {step,
                      o->steps,
                      r->history_loss[step - 1],
                      r->history_norm[step - 1],
                      rate,
                      r->history_validation[step - 1],
                      ebm_objective_health(f->objective)};
    return o->progress(o->context, &p)
               ? gibbs_fail(f->error, GIBBS_STOPPED, "step %lld: stopped by the callback", (long long)step)
               : GIBBS_OK;
}

static gibbs_status one_step(ebm_fit_state *f, int64_t step)
{
    ebm_fit_report *r = f->report;
    double loss, norm, rate, validation;
    gibbs_status status = evaluate(f, step, &loss, &norm);
    if (status) return status;
    update(f, step, &rate);
    r->steps = r->history_count = step + 1;
    r->loss = r->history_loss[step] = loss;
    r->history_norm[step] = norm;
    status = validate(f, step + 1, &validation);
    r->history_validation[step] = validation;
    return status ? status : tell(f, step + 1, rate);
}

gibbs_status ebm_fit_first_order(ebm_fit_state *f)
{
    double first;
    gibbs_status status = validate(f, 0, &first);
    for (int64_t step = 0; !status && step < f->options->steps; step++) {
        status = one_step(f, step);
        if (f->options->patience && f->since_best >= f->options->patience) break;
    }
    ebm_fit_report *r = f->report;
    if (!status && f->judge && isfinite(r->best_validation)) memcpy(f->model->theta, f->best, f->bytes);
    else
        r->best_step =
            r->steps && status && status != GIBBS_STOPPED ? r->steps - 1 : r->steps; /* put back, or as it is */
    return status;
}
