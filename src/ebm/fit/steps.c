/* steps.c — the loop of first-order methods. */
#include "fit.h"

#include <math.h>
#include <string.h>

/* y ← y + factor·θ over the weights. A learnt log Z comes after them, and is none. */
static void add_weights(const ebm_fit_state *f, void *y, double factor)
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
static gibbs_status feed(ebm_fit_state *f, int64_t step, gibbs_error *found)
{
    ebm_objective *o = f->objective;
    const void *x = ebm_batches_next(&f->train);
    bool new_rows = step == 0 || f->train.order, move = o->options.redraw == EBM_REDRAW_EACH_STEP || o->chains;
    bool new_points = step == 0 || move || (new_rows && ebm_objective_draws(o));
    gibbs_status status = new_rows ? ebm_objective_bind(o, x, f->train.count, found) : GIBBS_OK;
    if (status || !new_points) return status;
    return ebm_objective_refresh(o, f->options->seed, move ? (uint64_t)step : 0, found);
}

/* Loss and gradient of one batch, at the present parameters. */
static gibbs_status evaluate(ebm_fit_state *f, int64_t step, double *loss, double *norm)
{
    ebm_objective *o = f->objective;
    gibbs_error found;
    gibbs_status status = feed(f, step, &found);
    if (!status) status = ebm_objective_evaluate(o, loss, &found);
    if (status) {
        memcpy(f->model->theta, f->good, f->bytes);
        return ebm_fit_fail(f, step, &found);
    }
    if (!f->options->optimizer->decoupled) add_weights(f, o->gradient, f->options->weight_decay); /* of ½λ‖θ‖² */
    *norm = ebm_clip_gradient(f->model->dtype, f->size, o->gradient, f->options->clip);
    return isfinite(*loss) && isfinite(*norm) ? GIBBS_OK : ebm_fit_not_finite(f, step);
}

static void update(ebm_fit_state *f, int64_t step, double *rate)
{
    const ebm_fit_options *o = f->options;
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

/* The model's parameters become their average, when one is kept. */
static void take_average(ebm_fit_state *f)
{
    if (f->average) ebm_to_dtype(f->model->dtype, f->size, f->model->theta, f->average);
}

/* The validation loss at the model's parameters; the best are kept. A value that is not finite is no best. */
static gibbs_status judge(ebm_fit_state *f, int64_t step, double *value)
{
    ebm_fit_report *r = f->report;
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

/* The same after `step` steps, when it is time; at the averaged parameters where they are kept. Before the first step
 * there is no average yet. */
static gibbs_status validate(ebm_fit_state *f, int64_t step, double *value)
{
    *value = NAN;
    if (!f->judge || (step % f->options->validation_every && step != f->options->steps)) return GIBBS_OK;
    if (!f->average || !step) return judge(f, step, value);
    memcpy(f->raw, f->model->theta, f->bytes);
    take_average(f);
    gibbs_status status = judge(f, step, value);
    memcpy(f->model->theta, f->raw, f->bytes);
    return status;
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
    if (!status && f->judge && isfinite(r->best_validation)) {
        memcpy(f->model->theta, f->best, f->bytes);
        return GIBBS_OK;
    }
    if (!status) take_average(f);
    r->best_step = r->steps && status && status != GIBBS_STOPPED ? r->steps - 1 : r->steps; /* put back, or as it is */
    return status;
}
