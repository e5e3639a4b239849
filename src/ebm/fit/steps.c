/* steps.c — the loop of first-order methods. */
#include "fit.h"

#include <math.h>
#include <string.h>

/* y ← y + factor·θ over the weights. A learnt log Z comes after them, and is none. */
static void add_weights(const ebm_trainer *f, void *y, double factor)
{
    const void *w = f->model->theta;
    if (factor == 0) return;
    if (f->model->dtype == GIBBS_FLOAT64)
        for (int64_t i = 0; i < f->model->size; i++) ((double *)y)[i] += factor * ((const double *)w)[i];
    else
        for (int64_t i = 0; i < f->model->size; i++) ((float *)y)[i] += (float)factor * ((const float *)w)[i];
}

/* The rows of this step, and their artificial points. Points move on with the step where they are to be drawn anew, or
 * are chains'; else they are those of step 0, drawn again where the rows they belong to are others and they are no part
 * of the graph. */
static gibbs_status feed(ebm_trainer *f, int64_t step, gibbs_error *found)
{
    ebm_objective *o = f->objective;
    bool new_rows = !f->bound || f->train.order, move = o->options.redraw == EBM_REDRAW_EACH_STEP || o->chains;
    bool new_points = !f->bound || move || (new_rows && ebm_objective_draws(o));
    gibbs_status status = new_rows ? ebm_batches_bind(&f->train, o, found) : GIBBS_OK;
    if (!status && new_points)
        status = ebm_objective_refresh(o, f->options.seed, move ? (uint64_t)step : 0, found);
    f->bound = !status;
    return status;
}

/* Loss and gradient of one batch, at the present parameters. */
static gibbs_status evaluate(ebm_trainer *f, int64_t step, double *loss, double *norm)
{
    ebm_objective *o = f->objective;
    gibbs_error found;
    gibbs_status status = feed(f, step, &found);
    if (!status) status = ebm_objective_evaluate(o, loss, &found);
    if (status) {
        memcpy(f->model->theta, f->good, f->bytes);
        return ebm_fit_fail(f, step, &found);
    }
    if (!f->options.optimizer->decoupled) add_weights(f, o->gradient, f->options.weight_decay); /* of ½λ‖θ‖² */
    *norm = ebm_clip_gradient(f->model->dtype, f->size, o->gradient, f->options.clip);
    return isfinite(*loss) && isfinite(*norm) ? GIBBS_OK : ebm_fit_not_finite(f, step);
}

static void update(ebm_trainer *f, int64_t step, double *rate)
{
    const ebm_fit_options *o = &f->options;
    *rate = ebm_schedule_warmed(o->schedule, o->rate, step, o->steps, o->warmup);
    ebm_optim_step args = {.step = step,
                           .rate = *rate,
                           .momentum = o->momentum,
                           .beta1 = o->beta1,
                           .beta2 = o->beta2,
                           .epsilon = o->epsilon,
                           .threads = f->loss_options.threads};
    memcpy(f->good, f->model->theta, f->bytes);
    if (o->optimizer->decoupled) add_weights(f, f->model->theta, -*rate * o->weight_decay);
    o->optimizer->update(f->model->dtype, f->size, f->model->theta, f->objective->gradient, f->state, &args);
    if (f->average) ebm_average(f->model->dtype, f->size, f->average, f->model->theta, o->average, step);
}

/* The validation loss at the model's parameters; the best are kept. A value that is not finite is no best. */
static gibbs_status judge(ebm_trainer *f, int64_t step, double *value)
{
    ebm_fit_report *r = &f->report;
    gibbs_error found;
    if (ebm_objective_evaluate(f->judge, value, &found)) {
        found.row = -1; /* of the held-out rows */
        return ebm_fit_fail(f, step, &found);
    }
    bool better = isfinite(*value) && !(*value >= r->best_validation);
    f->since_best = better ? 0 : f->since_best + 1;
    if (better) {
        r->best_validation = *value;
        f->best_at = step;
        memcpy(f->best, f->model->theta, f->bytes);
    }
    return GIBBS_OK;
}

/* The same after `step` steps, when it is time; at the averaged parameters where they are kept. Before the first step
 * there is no average yet. */
static gibbs_status validate(ebm_trainer *f, int64_t step, double *value)
{
    *value = NAN;
    if (!f->judge || (step % f->options.validation_every && step != f->options.steps)) return GIBBS_OK;
    if (!f->average || !step) return judge(f, step, value);
    memcpy(f->raw, f->model->theta, f->bytes);
    ebm_fit_take_average(f);
    gibbs_status status = judge(f, step, value);
    memcpy(f->model->theta, f->raw, f->bytes);
    return status;
}

/* The callback sees the parameters in training. */
static gibbs_status tell(ebm_trainer *f, int64_t step, double rate, double health)
{
    const ebm_fit_options *o = &f->options;
    const ebm_fit_report *r = &f->report;
    if (!o->progress) return GIBBS_OK;
    ebm_progress p = {step,
                      o->steps,
                      r->history_loss[step - 1],
                      r->history_norm[step - 1],
                      rate,
                      r->history_validation[step - 1],
                      health};
    if (f->finished) ebm_fit_take_back(f);
    bool stop = o->progress(o->context, &p);
    if (!stop && ebm_fit_done(f)) ebm_fit_take_kept(f);
    return stop ? gibbs_fail(f->error, GIBBS_STOPPED, "step %lld: stopped by the callback", (long long)step) : GIBBS_OK;
}

static gibbs_status one_step(ebm_trainer *f, int64_t step)
{
    ebm_fit_report *r = &f->report;
    double loss, norm, rate, validation;
    gibbs_status status = evaluate(f, step, &loss, &norm);
    if (status) return status;
    double health = ebm_objective_health(f->objective);
    update(f, step, &rate);
    r->steps = r->history_count = step + 1;
    r->loss = r->history_loss[step] = loss;
    r->history_norm[step] = norm;
    status = validate(f, step + 1, &validation);
    r->history_validation[step] = validation;
    if (!status && ebm_fit_done(f)) status = ebm_fit_finish(f);
    return status ? status : tell(f, step + 1, rate, health);
}

gibbs_status ebm_fit_first_order(ebm_trainer *f, int64_t steps)
{
    double first;
    gibbs_status status = f->report.steps ? GIBBS_OK : validate(f, 0, &first);
    for (; !status && steps > 0 && !ebm_fit_done(f); steps--) status = one_step(f, f->report.steps);
    ebm_fit_report *r = &f->report;
    if (!f->finished) r->best_step = r->steps && status && status != GIBBS_STOPPED ? r->steps - 1 : r->steps;
    return status;
}
