/* distance.c — how far from a minimum a method ended that does not look for one: within the standard error, it is
 * stationary but for noise. */
#include "fit.h"
#include "runaway.h"

#include <math.h>

static const double FLAT = 1e-6, DOWN = 1e-2; /* of the largest eigenvalue */

/* √r among the directions that a method of first order follows within its steps. It ends somewhere on a slope of those
 * that are flatter, and slightly curved down ones are no saddle that it stays at. */
static double distance(const ebm_minimum *m)
{
    int64_t p = m->size;
    double most = 0, fall = 0, excess = 0;
    if (isnan(m->distance)) return NAN;
    for (int64_t k = 0; k < p; k++) most = fmax(most, fabs(m->eigenvalue[k]));
    for (int64_t k = 0; k < p; k++) {
        const double *q = m->eigenvalue + p + k * p;
        if (m->eigenvalue[k] < -DOWN * most) return INFINITY;
        if (m->eigenvalue[k] < FLAT * most) continue;
        fall += m->slope[k] * m->slope[k] / m->eigenvalue[k];
        for (int64_t i = 0; i < p * p; i++) excess += q[i / p] * m->squares[i] * q[i % p] / m->eigenvalue[k];
    }
    return sqrt(fall / (m->alike ? m->excess : excess));
}

static gibbs_status measure(ebm_trainer *f, ebm_curvature *c, const ebm_weighed_rows *rows)
{
    ebm_minimum m;
    gibbs_status status = ebm_curvature_bind(c, rows, f->options.seed, NULL);
    if (!status) status = ebm_minimum_new(c, &f->model->alloc, &m, NULL);
    if (status) return status;
    status = ebm_minimum_look(&m, NULL);
    if (!status) {
        f->report.newton = distance(&m);
        bool near = m.distance <= f->options.tolerance;
        for (int64_t i = 0; near && i < m.size; i++) near = !ebm_runaway_suspect(&m, i);
        f->report.converged = near;
    }
    ebm_minimum_free(&m);
    return status;
}

static gibbs_status look(ebm_trainer *f, const ebm_weighed_rows *rows)
{
    ebm_curvature c;
    gibbs_status status = ebm_curvature_new(f->model, f->options.loss, &f->loss_options, f->options.weight_decay, rows,
                                            &c, NULL);
    if (status) return status;
    status = measure(f, &c, rows);
    ebm_curvature_free(&c);
    return status;
}

/* A Hessian that takes longer than the fit took is too dear. */
gibbs_status ebm_fit_distance(ebm_trainer *f)
{
    ebm_noise noise = f->options.loss->noise;
    bool drawn = noise == EBM_NOISE_NONE || noise == EBM_NOISE_PROPOSAL || noise == EBM_NOISE_POINTS;
    if (f->judge || !drawn || f->size > f->options.steps) return GIBBS_OK;
    int64_t numbers = f->train.rows * f->train.cols;
    double *x = gibbs_alloc_aligned(&f->model->alloc, (size_t)(numbers + f->train.rows), sizeof *x);
    if (!x) return gibbs_fail(f->error, GIBBS_MEMORY, "fit: out of memory");
    ebm_weighed_rows rows = {x, f->train.rows, f->train.weight ? x + numbers : NULL, f->train.seen};
    ebm_from_dtype(f->model->dtype, numbers, x, f->train.all);
    if (rows.weight) ebm_from_dtype(f->model->dtype, f->train.rows, x + numbers, f->train.weight);
    gibbs_status status = look(f, &rows);
    gibbs_release_aligned(&f->model->alloc, x);
    return status == GIBBS_MEMORY ? gibbs_fail(f->error, status, "fit: out of memory") : GIBBS_OK;
}
