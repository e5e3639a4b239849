/* large.c — Newton's method by conjugate gradients, and the distance to a minimum. */
#include "large.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 10 };
static const double ROUNDING = 1e-13; /* of a value */

gibbs_status ebm_large_evaluate(const ebm_large *l, double *value, double *gradient, gibbs_error *error)
{
    const double *w = l->model->theta;
    gibbs_status status = ebm_objective_evaluate(l->objective, value, error);
    if (status) return status;
    memcpy(gradient, l->objective->gradient, (size_t)l->objective->size * sizeof *gradient);
    for (int64_t i = 0; i < l->model->size; i++) {
        *value += 0.5 * l->decay * w[i] * w[i];
        gradient[i] += l->decay * w[i];
    }
    return GIBBS_OK;
}

/* Half the difference of the gradients of even and odd rows; the objective has all rows again afterwards. `part` has
 * room for half the rows and their weights. */
static gibbs_status difference(const ebm_large *l, double *part, double *u, gibbs_error *error)
{
    int64_t dim = l->model->dim, half = l->rows.count / 2, p = l->objective->size;
    double *weight = l->rows.weight ? part + half * dim : NULL;
    gibbs_status status = GIBBS_OK;
    for (int side = 0; side < 2 && !status; side++) {
        for (int64_t r = 0; r < half; r++) {
            memcpy(part + r * dim, l->rows.x + (2 * r + side) * dim, (size_t)dim * sizeof *part);
            if (weight) weight[r] = l->rows.weight[2 * r + side];
        }
        ebm_weighed_rows rows = {part, half, weight, l->rows.seen};
        status = ebm_objective_bind_rows(l->objective, &rows, l->seed, error);
        if (!status) status = ebm_objective_evaluate(l->objective, NULL, error);
        const double *g = l->objective->gradient;
        for (int64_t i = 0; i < p && !status; i++) u[i] = side ? 0.5 * (u[i] - g[i]) : g[i];
    }
    gibbs_status again = ebm_objective_bind_rows(l->objective, &l->rows, l->seed, error);
    return status ? status : again;
}

typedef struct search {
    const ebm_large *l;
    ebm_products h;
    double *g, *step, *u, *old, *work, *part;
    double excess;
} search;

/* uᵀH⁻¹u, NaN where it is not known. Fewer rows than the loss compares have no halves. */
static gibbs_status measure(search *s, gibbs_error *error)
{
    const ebm_large *l = s->l;
    s->excess = NAN;
    if (l->rows.count / 2 < ebm_objective_least_rows(l->objective->loss)) return GIBBS_OK;
    gibbs_status status = difference(l, s->part, s->u, error);
    return status ? status : ebm_products_solve(&s->h, s->u, s->step, &s->excess, s->work, error);
}

static double norm(int64_t n, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

/* One step, where the loss does not rise; `moved` tells. */
static gibbs_status advance(search *s, double *value, bool *moved, gibbs_error *error)
{
    const ebm_large *l = s->l;
    double *theta = l->model->theta, there;
    int64_t p = s->h.size;
    memcpy(s->old, theta, (size_t)p * sizeof *theta);
    for (int64_t i = 0; i < p; i++) theta[i] -= s->step[i];
    gibbs_status status = ebm_large_evaluate(l, &there, s->g, error);
    *moved = !status && there <= *value + ROUNDING * fabs(*value);
    if (!*moved) memcpy(theta, s->old, (size_t)p * sizeof *theta);
    else *value = there;
    if (*moved && l->taken(l->context, there, norm(p, s->g)))
        return gibbs_fail(error, GIBBS_STOPPED, "stopped by the callback");
    return status;
}

static gibbs_status run(search *s, double tolerance, int64_t steps, double *distance, gibbs_error *error)
{
    double value, fall;
    bool moved = true;
    gibbs_status status = ebm_large_evaluate(s->l, &value, s->g, error);
    if (!status) status = measure(s, error);
    for (int64_t k = 0; !status && moved; k++) {
        status = ebm_products_solve(&s->h, s->g, s->step, &fall, s->work, error);
        if (!status) *distance = sqrt(fall / s->excess);
        bool near = *distance <= tolerance;
        if (status || isnan(*distance) || k >= MOST_STEPS || k >= steps) break;
        status = advance(s, &value, &moved, error);
        if (near) break; /* with one step beyond, which squares what is left */
    }
    return status;
}

gibbs_status ebm_large_newton(const ebm_large *l, const ebm_loss_options *options, double tolerance, int64_t steps,
                              double *distance, gibbs_error *error)
{
    search s = {.l = l};
    const gibbs_allocator *a = &l->model->alloc;
    size_t p = (size_t)l->objective->size;
    *distance = NAN;
    gibbs_status status = ebm_products_new(l->model, l->objective->loss, options, l->decay, &l->rows, l->seed, &s.h,
                                           error);
    if (status) return status == GIBBS_MEMORY ? status : GIBBS_OK;
    s.g = gibbs_alloc(a, 7 * p, sizeof *s.g);
    s.part = gibbs_alloc_aligned(a, (size_t)(l->rows.count * (l->model->dim + 1)), sizeof *s.part);
    status = s.g && s.part ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "fit: out of memory");
    if (!status) {
        s.step = s.g + p;
        s.u = s.step + p;
        s.old = s.u + p;
        s.work = s.old + p;
        status = run(&s, tolerance, steps, distance, error);
    }
    ebm_products_free(&s.h);
    gibbs_release(a, s.g);
    gibbs_release_aligned(a, s.part);
    return status;
}
