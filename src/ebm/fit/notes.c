/* notes.c — the table of what a fit looks for, and what can be told from its report. */
#include "notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- The minimum ---- */

static bool always(const ebm_look *l) { return l->fit->size > 0; }
static bool by_lbfgs(const ebm_look *l) { return l->fit->options.lbfgs; }

/* Methods that do not look for the minimum are held to its standard error, where each step sees other rows or points to
 * three of them. */
static double farthest(const ebm_look *l)
{
    const ebm_trainer *f = l->fit;
    if (by_lbfgs(l)) return f->options.tolerance;
    return f->train.order || f->objective->options.redraw == EBM_REDRAW_EACH_STEP ? 3 : 1;
}

static gibbs_status look_converged(const ebm_look *l)
{
    const ebm_fit_report *r = &l->fit->report;
    long long steps = (long long)r->steps;
    double far = farthest(l);
    if (r->converged || (!by_lbfgs(l) && !(r->newton > far))) return GIBBS_OK;
    if (isnan(r->newton))
        ebm_note_add(l, EBM_NOTE_NOT_CONVERGED, "after %lld steps it cannot be told whether the parameters are at a "
                     "minimum: allow more steps, or scale columns and parameters alike", steps);
    else if (isinf(r->newton))
        ebm_note_add(l, EBM_NOTE_NOT_CONVERGED, "after %lld steps the loss curves down at the parameters, which are "
                     "at no minimum: more steps, or another start", steps);
    else if (r->newton > far)
        ebm_note_add(l, EBM_NOTE_NOT_CONVERGED, "after %lld steps the minimum is %.2g standard errors away: more "
                     "steps%s",
                     steps, r->newton, by_lbfgs(l) ? "" : ", another rate, or lbfgs where the loss allows it");
    else
        ebm_note_add(l, EBM_NOTE_NOT_CONVERGED, "after %lld steps the gradient is nothing, but a parameter runs away",
                     steps);
    return GIBBS_OK;
}

/* «W[3]» for element 3 of W. */
static void name_of(const ebm_model *m, int64_t i, char *text, size_t size)
{
    for (int k = 0; k < m->parameters; k++) {
        const ebm_model_parameter *p = &m->parameter[k];
        if (i < p->offset || i >= p->offset + p->count) continue;
        if (p->count == 1) snprintf(text, size, "%.40s", p->name);
        else snprintf(text, size, "%.40s[%lld]", p->name, (long long)(i - p->offset));
        return;
    }
    snprintf(text, size, "log Z");
}

static gibbs_status look_runaway(const ebm_look *l)
{
    const ebm_fit_report *r = &l->fit->report;
    char name[64];
    if (r->runaway < 0) return GIBBS_OK;
    name_of(l->fit->model, r->runaway, name, sizeof name);
    ebm_note_add(l, EBM_NOTE_RUNAWAY, "%s runs away: the loss falls however far it goes, as where data are separated "
                 "or a column never changes. Take a prior or weight_decay, or leave it out", name);
    return GIBBS_OK;
}

static gibbs_status look_identified(const ebm_look *l)
{
    long long seen = l->fit->report.identified, all = l->fit->size;
    if (seen && seen < all)
        ebm_note_add(l, EBM_NOTE_NOT_IDENTIFIED, "the loss sees %lld of %lld directions of the parameters: the rest "
                     "stays as it started, and only what does not depend on it is an estimate", seen, all);
    return GIBBS_OK;
}

/* ---- The course of the fit ---- */

static bool has_chains(const ebm_look *l) { return l->fit->objective->chains != NULL; }

static gibbs_status look_stuck(const ebm_look *l)
{
    double accepted = ebm_chains_acceptance(l->fit->objective->chains);
    if (accepted < 0.05)
        ebm_note_add(l, EBM_NOTE_STUCK_CHAINS, "the chains accepted %.1f %% of the moves of the last step: a smaller "
                     "sampler_step, or they stay where they start", 100 * accepted);
    return GIBBS_OK;
}

static bool validates(const ebm_look *l) { return l->fit->judge && l->fit->report.history_count; }

/* The kept parameters are the best ones; that training went on to fit the rows and not the density is worth a word. */
static gibbs_status look_validation(const ebm_look *l)
{
    const ebm_fit_report *r = &l->fit->report;
    int64_t last = r->history_count - 1;
    double first = NAN;
    while (last > 0 && isnan(r->history_validation[last])) last--;
    for (int64_t k = 0; k < last && isnan(first); k++) first = r->history_validation[k];
    double rise = r->history_validation[last] - r->best_validation, fall = first - r->best_validation;
    if (rise > 0.1 * fabs(fall) && rise > 1e-3 * fabs(r->best_validation) && 5 * r->best_step < 4 * r->steps)
        ebm_note_add(l, EBM_NOTE_VALIDATION, "the held-out loss was least after step %lld of %lld and has risen by "
                     "%.3g: those parameters were kept. Fewer steps, more rows or a smaller "
                     "model", (long long)r->best_step,
                     (long long)r->steps, rise);
    return GIBBS_OK;
}

static bool contrasts(const ebm_look *l) { return has_chains(l) && l->fit->report.history_count >= 40; }

/* The loss is the gap, in nats: about 0 where the chains are the model's. Means of four quarters, each beyond the one
 * before. */
static gibbs_status look_gap(const ebm_look *l)
{
    const ebm_fit_report *r = &l->fit->report;
    double gap[4] = {0};
    int64_t quarter = r->history_count / 4;
    for (int64_t k = 0; k < 4 * quarter; k++) gap[k / quarter] += r->history_loss[k] / (double)quarter;
    bool away = fabs(gap[3]) > 5 && fabs(gap[3]) > 1.5 * fabs(gap[2]) && fabs(gap[2]) > 1.5 * fabs(gap[1]);
    if (away)
        ebm_note_add(l, EBM_NOTE_ENERGY_GAP, "E of the data less E of the chains went from %.3g to %.3g: the chains "
                     "do not follow the model. A smaller rate, more sampler_steps, or an energy "
                     "penalty", gap[1], gap[3]);
    return GIBBS_OK;
}

/* ---- The table ---- */

static const ebm_check checks[] = {
    {EBM_NOTE_NOT_CONVERGED, always, look_converged},
    {EBM_NOTE_RUNAWAY, by_lbfgs, look_runaway},
    {EBM_NOTE_NOT_IDENTIFIED, by_lbfgs, look_identified},
    {EBM_NOTE_NOT_NORMALISABLE, ebm_seek_is_density, ebm_seek_normalisable},
    {EBM_NOTE_OUTSIDE_THE_SUPPORT, ebm_seek_has_support, ebm_seek_outside},
    {EBM_NOTE_TIES, ebm_seek_matches_scores, ebm_seek_ties},
    {EBM_NOTE_WEIGHTS, ebm_seek_has_weights, ebm_seek_weights},
    {EBM_NOTE_STUCK_CHAINS, has_chains, look_stuck},
    {EBM_NOTE_VALIDATION, validates, look_validation},
    {EBM_NOTE_ENERGY_GAP, contrasts, look_gap},
};

gibbs_status ebm_fit_look(ebm_trainer *f)
{
    int64_t given = ebm_model_given(f->model), rows = f->train.rows, dim = f->train.cols - given;
    ebm_look l = {.fit = f, .alloc = f->model->alloc};
    double *x = gibbs_alloc(&l.alloc, (size_t)(rows * f->train.cols), sizeof *x);
    if (!x) return gibbs_fail(f->error, GIBBS_MEMORY, "fit: out of memory");
    ebm_from_dtype(f->model->dtype, rows * f->train.cols, x, f->train.all);
    for (int64_t r = 0; given && r < rows; r++)
        memmove(x + r * dim, x + r * f->train.cols + given, (size_t)dim * sizeof *x);
    l.rows = (ebm_data){.rows = rows, .cols = dim, .x = x};
    gibbs_status status = GIBBS_OK;
    f->report.note_count = 0;
    for (int k = 0; k < GIBBS_COUNT(checks) && status != GIBBS_MEMORY; k++)
        if (checks[k].applies(&l)) status = checks[k].look(&l);
    gibbs_release(&l.alloc, x);
    return status == GIBBS_MEMORY ? gibbs_fail(f->error, status, "fit: out of memory") : GIBBS_OK;
}
