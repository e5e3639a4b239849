/* lbfgs_fit.c — a deterministic objective, minimised in double whatever the model's number type. */
#include "fit.h"

#include <math.h>
#include <string.h>

typedef struct lbfgs_state {
    ebm_trainer *fit;
    int64_t first; /* steps that were taken before */
} lbfgs_state;

static gibbs_status value_and_gradient(void *context, int64_t n, const double *w, double *value, double *g,
                                       gibbs_error *error)
{
    ebm_trainer *f = ((lbfgs_state *)context)->fit;
    double decay = f->options.weight_decay;
    ebm_to_dtype(f->model->dtype, n, f->model->theta, w);
    gibbs_status status = ebm_objective_evaluate(f->objective, value, error);
    if (status) return status;
    ebm_from_dtype(f->model->dtype, n, g, f->objective->gradient);
    for (int64_t i = 0; i < f->model->size; i++) {
        *value += 0.5 * decay * w[i] * w[i];
        g[i] += decay * w[i];
    }
    return GIBBS_OK;
}

static int progress(void *context, int iteration, double value, double norm)
{
    ebm_trainer *f = ((lbfgs_state *)context)->fit;
    ebm_fit_report *r = &f->report;
    int64_t step = ((lbfgs_state *)context)->first + iteration;
    if (iteration >= 1 && step <= f->options.steps) {
        r->steps = r->history_count = step;
        r->loss = r->history_loss[step - 1] = value;
        r->history_norm[step - 1] = norm;
        r->history_validation[step - 1] = NAN;
    }
    if (!f->options.progress) return 0;
    ebm_progress p = {step, f->options.steps, value, norm, 1, NAN, ebm_objective_health(f->objective)};
    return f->options.progress(f->options.context, &p);
}

/* Begins anew from the present parameters: liblbfgs does not hand out what it has learnt of the curvature. */
gibbs_status ebm_fit_lbfgs(ebm_trainer *f, int64_t steps)
{
    lbfgs_state state = {f, f->report.steps};
    ebm_fit_report *r = &f->report;
    double *w = gibbs_alloc(&f->model->alloc, (size_t)f->size, sizeof *w);
    if (!w) return gibbs_fail(f->error, GIBBS_MEMORY, "fit: out of memory");
    gibbs_status status = ebm_batches_bind(&f->train, f->objective, f->error);
    if (!status) status = ebm_objective_refresh(f->objective, f->options.seed, 0, f->error);
    ebm_from_dtype(f->model->dtype, f->size, w, f->model->theta);
    ebm_lbfgs_options options = {.max_iterations = steps > INT32_MAX ? INT32_MAX : (int)steps,
                                 .progress = progress, .context = &state};
    if (f->model->dtype == GIBBS_FLOAT32) options.tolerance = 1e-4;
    ebm_lbfgs_result result = {0};
    if (!status) {
        status = ebm_lbfgs(f->size, w, value_and_gradient, &state, &options, &result, f->error);
        if (status == GIBBS_NUMERIC) status = ebm_fit_not_finite(f, r->steps);
        else ebm_to_dtype(f->model->dtype, f->size, f->model->theta, w);
        r->best_step = r->steps;
        r->converged = result.converged;
        f->over = !status && (result.converged || result.iterations < steps);
        if (!status) status = ebm_objective_evaluate(f->objective, &r->loss, f->error);
    }
    gibbs_release(&f->model->alloc, w);
    return status || !ebm_fit_done(f) ? status : ebm_fit_finish(f);
}
