/* lbfgs_fit.c — a deterministic objective, minimised in double whatever the model's number type: by L-BFGS as far as
 * that goes fast, then by Newton's method, which knows where the minimum is (minimum.h). */
#include "fit.h"
#include "large.h"
#include "minimum.h"
#include "runaway.h"

#include <math.h>
#include <string.h>

enum { WINDOW = 20, MOST_LEFT = 100, NEWTON_STEPS = 4, NEWTON_SHARE = 4, FEW = 20 };
static const double GAIN = 0.01;    /* of all that was gained: less in a window of iterations, and Newton goes on */
static const double NEAR = 1e-3;    /* likewise, ‖g‖ in units in which the distance is its norm */

typedef struct descent {
    ebm_trainer *fit;
    ebm_large large;          /* in double: model and objective are the fit's own, or a twin's */
    double *x;                /* the rows in double, and their weights, where they are not the fit's */
    int64_t limit;            /* steps of the fit at which to stop */
    ebm_curvature curvature;  /* size 0: none is to be had */
    ebm_minimum minimum;
    double *w, *origin, *unit; /* θ = origin + unit·w */
    double factor, norm;      /* of the objective; ‖∇‖ at the last evaluation, of θ */
    double first, mark;       /* the value at the start, and a window ago */
    bool over;                /* Newton's turn */
} descent;

static bool is_double(const descent *d) { return d->fit->model->dtype == GIBBS_FLOAT64; }

bool ebm_fit_suits_lbfgs(const ebm_model *model, int64_t rows, const ebm_fit_options *o)
{
    const ebm_loss *loss = o->loss;
    bool redrawn = o->loss_options.redraw ? o->loss_options.redraw == EBM_REDRAW_EACH_STEP : loss->redraw;
    bool whole = o->batch <= 0 || o->batch >= rows;
    return loss->deterministic && !redrawn && whole && o->validation_fraction <= 0 && o->average <= 0 && model->size &&
           model->size + (loss->learns_log_z != 0) <= EBM_MOST_CURVED;
}

/* ---- The objective ---- */

static gibbs_status scaled_objective(void *context, int64_t n, const double *w, double *value, double *g,
                                     gibbs_error *error)
{
    descent *d = context;
    double *theta = d->large.model->theta, sum = 0;
    for (int64_t i = 0; i < n; i++) theta[i] = d->origin[i] + d->unit[i] * w[i];
    gibbs_status status = ebm_large_evaluate(&d->large, value, g, error);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) {
        sum += g[i] * g[i];
        g[i] *= d->factor * d->unit[i];
    }
    d->norm = sqrt(sum);
    *value *= d->factor;
    return GIBBS_OK;
}

/* ---- Steps ---- */

/* The parameters are the model's, in its type. */
static void hand_over(const descent *d)
{
    ebm_trainer *f = d->fit;
    if (!is_double(d)) ebm_to_dtype(f->model->dtype, f->size, f->model->theta, d->large.model->theta);
}

static int note_step(descent *d, double value, double norm)
{
    ebm_trainer *f = d->fit;
    ebm_fit_report *r = &f->report;
    if (r->steps < d->limit) {
        r->loss = r->history_loss[r->steps] = value;
        r->history_norm[r->steps] = norm;
        r->history_validation[r->steps] = NAN;
        r->history_count = ++r->steps;
    }
    if (!f->options.progress) return 0;
    hand_over(d);
    ebm_progress p = {r->steps, f->options.steps, value, norm, 1, NAN, ebm_objective_health(d->large.objective)};
    return f->options.progress(f->options.context, &p);
}

static int lbfgs_step(void *context, int iteration, double value, double norm)
{
    (void)norm;
    descent *d = context;
    if (iteration < 1) return 0;
    value /= d->factor;
    if (note_step(d, value, d->norm)) return 1;
    if (!d->curvature.size || iteration % WINDOW) return 0;
    d->over = d->mark - value <= GAIN * (d->first - value);
    d->mark = value;
    return d->over;
}

static int newton_step(void *context, double value, double norm)
{
    descent *d = context;
    const ebm_model *twin = d->curvature.size ? d->curvature.twin : d->large.model;
    if (twin != d->large.model) memcpy(d->large.model->theta, twin->theta, (size_t)d->fit->size * sizeof(double));
    return note_step(d, value, norm);
}

/* ---- Preparing ---- */

static gibbs_status make_double(descent *d, gibbs_error *error)
{
    ebm_trainer *f = d->fit;
    int64_t numbers = f->train.rows * f->train.cols;
    const double *x = (const double *)f->train.all, *weight = (const double *)f->train.weight;
    ebm_weighed_rows rows = {x, f->train.rows, weight, f->train.seen};
    d->large = (ebm_large){.model = f->model, .objective = f->objective, .rows = rows, .seed = f->options.seed,
                           .decay = f->options.weight_decay, .taken = newton_step, .context = d};
    if (is_double(d)) return GIBBS_OK;
    d->large.objective = NULL;
    gibbs_status status = ebm_model_like(f->model, &d->large.model, error);
    if (!status)
        status = ebm_objective_new(d->large.model, f->options.loss, &f->loss_options, &d->large.objective, error);
    if (status) return status;
    d->x = gibbs_alloc_aligned(&f->model->alloc, (size_t)(numbers + f->train.rows), sizeof(double));
    if (!d->x) return gibbs_fail(error, GIBBS_MEMORY, "fit: out of memory");
    d->large.rows.x = d->x;
    ebm_from_dtype(f->model->dtype, numbers, d->x, f->train.all);
    if (f->train.weight) {
        ebm_from_dtype(f->model->dtype, f->train.rows, d->x + numbers, f->train.weight);
        d->large.rows.weight = d->x + numbers;
    }
    return ebm_objective_bind_rows(d->large.objective, &d->large.rows, f->options.seed, error);
}

/* Where there is none, or one takes longer than all of L-BFGS, L-BFGS goes all the way. */
static gibbs_status make_curvature(descent *d, gibbs_error *error)
{
    ebm_trainer *f = d->fit;
    const ebm_fit_options *o = &f->options;
    if (f->size > FEW && f->size > o->steps) return GIBBS_OK;
    gibbs_status status = ebm_curvature_new(d->large.model, o->loss, &f->loss_options, o->weight_decay,
                                            &d->large.rows, &d->curvature, NULL);
    if (status == GIBBS_MEMORY) return gibbs_fail(error, status, "fit: out of memory");
    if (status) return GIBBS_OK;
    status = ebm_curvature_bind(&d->curvature, &d->large.rows, o->seed, error);
    if (!status) status = ebm_minimum_new(&d->curvature, &f->model->alloc, &d->minimum, error);
    return status ? status : ebm_minimum_look(&d->minimum, error);
}

/* Units in which the Hessian has a diagonal of ones where the fit begins, and in which ‖∇‖ is the distance, were there
 * nothing beside the diagonals. */
static void choose_units(descent *d)
{
    const ebm_minimum *m = &d->minimum;
    double spread = 0;
    d->factor = 1;
    for (int64_t i = 0; i < d->fit->size; i++) {
        d->origin[i] = ((const double *)d->large.model->theta)[i];
        d->unit[i] = 1;
        d->w[i] = 0;
        if (!m->size) continue;
        bool curved = m->scaled[i * m->size + i] != 0;
        m->first[i] = curved ? 1 / (m->unit[i] * m->unit[i]) : 0;
        spread += m->spread[i];
    }
    bool known = m->size && !isnan(m->distance) && spread > 0 && isfinite(spread);
    if (!known) return;
    d->factor = 1 / spread;
    for (int64_t i = 0; i < d->fit->size; i++) d->unit[i] = m->unit[i] * sqrt(spread);
}

static gibbs_status prepare(descent *d, gibbs_error *error)
{
    ebm_trainer *f = d->fit;
    d->w = gibbs_alloc(&f->model->alloc, 3 * (size_t)f->size, sizeof *d->w);
    if (!d->w) return gibbs_fail(error, GIBBS_MEMORY, "fit: out of memory");
    d->origin = d->w + f->size;
    d->unit = d->origin + f->size;
    gibbs_status status = ebm_batches_bind(&f->train, f->objective, error);
    if (!status) status = ebm_objective_refresh(f->objective, f->options.seed, 0, error);
    if (!status) status = make_double(d, error);
    if (!status) status = make_curvature(d, error);
    if (!status) choose_units(d);
    return status;
}

static void release(descent *d)
{
    const gibbs_allocator *a = &d->fit->model->alloc;
    ebm_minimum_free(&d->minimum);
    ebm_curvature_free(&d->curvature);
    if (!is_double(d)) {
        ebm_objective_free(d->large.objective);
        ebm_model_free(d->large.model);
    }
    gibbs_release_aligned(a, d->x);
    gibbs_release(a, d->w);
}

/* ---- The two methods ---- */

static gibbs_status by_lbfgs(descent *d, gibbs_error *error)
{
    ebm_trainer *f = d->fit;
    int64_t steps = d->limit - f->report.steps, left = steps / 4 < MOST_LEFT ? steps / 4 : MOST_LEFT;
    if (d->curvature.size) steps -= left;
    ebm_lbfgs_options options = {.max_iterations = steps > INT32_MAX ? INT32_MAX : (int)steps,
                                 .tolerance = d->curvature.size ? NEAR : 0, .progress = lbfgs_step, .context = d};
    gibbs_status status = ebm_objective_evaluate(d->large.objective, &d->first, error);
    d->mark = d->first;
    if (!status) status = ebm_lbfgs(f->size, d->w, scaled_objective, d, &options, NULL, error);
    if (status == GIBBS_NUMERIC) return ebm_fit_not_finite(f, f->report.steps);
    double *theta = d->large.model->theta;
    for (int64_t i = 0; i < f->size; i++) theta[i] = d->origin[i] + d->unit[i] * d->w[i];
    return status == GIBBS_STOPPED && d->over ? GIBBS_OK : status;
}

static gibbs_status value_at(void *context, const double *theta, double *value, gibbs_error *error)
{
    descent *d = context;
    memcpy(d->large.model->theta, theta, (size_t)d->fit->size * sizeof *theta);
    return ebm_large_evaluate(&d->large, value, d->w, error);
}

/* A Hessian is some p gradients: all of them are not to take much longer than what L-BFGS may take. */
static int64_t newton_steps(const descent *d)
{
    int64_t steps = d->fit->options.steps, left = d->limit - d->fit->report.steps;
    int64_t most = NEWTON_STEPS + NEWTON_SHARE * steps / d->fit->size;
    return most < left ? most : left;
}

static gibbs_status by_newton(descent *d, gibbs_error *error)
{
    ebm_minimum *m = &d->minimum;
    ebm_fit_report *r = &d->fit->report;
    double tolerance = d->fit->options.tolerance;
    size_t bytes = (size_t)d->fit->size * sizeof(double);
    int64_t runaway;
    memcpy(d->curvature.twin->theta, d->large.model->theta, bytes);
    gibbs_status status = ebm_minimum_look(m, error);
    if (!status) status = ebm_newton(m, tolerance, newton_steps(d), value_at, newton_step, d, error);
    bool near = m->distance <= tolerance;
    if (!status) status = ebm_runaway(m, near, value_at, d, &runaway, error);
    memcpy(d->large.model->theta, d->curvature.twin->theta, bytes);
    if (status) return status;
    r->newton = m->distance;
    r->identified = m->seen;
    r->runaway = runaway;
    r->converged = near && runaway < 0;
    return GIBBS_OK;
}

/* Where L-BFGS came to an end of its own. */
static gibbs_status by_products(descent *d, gibbs_error *error)
{
    ebm_trainer *f = d->fit;
    ebm_fit_report *r = &f->report;
    double tolerance = f->options.tolerance;
    int64_t steps = d->limit - r->steps;
    if (steps < 1) return GIBBS_OK;
    gibbs_status status = ebm_large_newton(&d->large, &f->loss_options, tolerance, steps, &r->newton, error);
    r->converged = !status && r->newton <= tolerance;
    return status;
}

/* Begins anew from the present parameters: liblbfgs does not hand out what it has learnt of the curvature. */
gibbs_status ebm_fit_lbfgs(ebm_trainer *f, int64_t steps)
{
    ebm_fit_report *r = &f->report;
    descent d = {.fit = f, .limit = r->steps + steps};
    gibbs_status status = prepare(&d, f->error);
    if (!status) status = by_lbfgs(&d, f->error);
    if (!status) status = d.curvature.size ? by_newton(&d, f->error) : by_products(&d, f->error);
    if (d.large.model && status != GIBBS_NUMERIC) hand_over(&d);
    release(&d);
    r->best_step = r->steps;
    if (status == GIBBS_STOPPED)
        return gibbs_fail(f->error, status, "step %lld: stopped by the callback", (long long)r->steps);
    if (!status) status = ebm_objective_evaluate(f->objective, &r->loss, f->error);
    f->over = !status && (r->converged || r->steps < d.limit);
    return status || !ebm_fit_done(f) ? status : ebm_fit_finish(f);
}
