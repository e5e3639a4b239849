/* kept.c — when a training is over, and which parameters are then the model's: those that held-out rows liked best,
 * else their average, else the last. */
#include "fit.h"

#include <math.h>
#include <string.h>

bool ebm_fit_done(const ebm_trainer *f)
{
    const ebm_fit_options *o = &f->options;
    return f->report.steps >= o->steps || (o->patience && f->since_best >= o->patience) || f->over;
}

void ebm_fit_take_average(ebm_trainer *f)
{
    if (f->average) ebm_to_dtype(f->model->dtype, f->size, f->model->theta, f->average);
}

void ebm_fit_take_kept(ebm_trainer *f)
{
    ebm_fit_report *r = &f->report;
    bool best = f->judge && isfinite(r->best_validation);
    memcpy(f->raw, f->model->theta, f->bytes);
    if (best) memcpy(f->model->theta, f->best, f->bytes);
    else ebm_fit_take_average(f);
    r->best_step = best ? f->best_at : r->steps;
    f->finished = true;
}

void ebm_fit_take_back(ebm_trainer *f)
{
    memcpy(f->model->theta, f->raw, f->bytes);
    f->finished = false;
}
