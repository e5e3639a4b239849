/* newton.c — Newton's method with the exact Hessian, in a trust region.
 *
 * Among the eigenvectors of the scaled Hessian the step is −slope/(λ + μ), with the least μ that keeps it in the region
 * and λ + μ positive. Directions that the loss does not see are left alone. */
#include "minimum.h"

#include <math.h>
#include <string.h>

enum { MOST_IDLE = 25, PATIENCE = 3, MOST_BOUND = 200, MOST_REJECTED = 40, HALVINGS = 80 };
static const double ROUNDING = 1e-13; /* of a value */

typedef struct trust {
    ebm_minimum *m;
    ebm_value_fn value;
    ebm_step_fn taken;
    void *context;
    double tolerance, radius;
    bool bound;      /* the last step ended at the region's edge */
    double stretch;  /* of steps that do not come nearer, as of e^θ from afar: Newton's are short there */
    double promised; /* fall of the loss by its quadratic model */
} trust;

/* Nothing is to be had where neither slope nor curvature is more than rounding. */
static bool idle(const trust *t, int64_t k)
{
    const ebm_minimum *m = t->m;
    double least = t->tolerance * t->tolerance * m->excess * m->flat;
    return fabs(m->eigenvalue[k]) <= m->flat && m->slope[k] * m->slope[k] <= least;
}

/* The step for a shift μ, and its length. */
static double step_at(const trust *t, double mu)
{
    const ebm_minimum *m = t->m;
    double sum = 0;
    for (int64_t k = 0; k < m->size; k++) {
        m->step[k] = idle(t, k) ? 0 : -m->slope[k] / fmax(m->eigenvalue[k] + mu, m->flat);
        sum += m->step[k] * m->step[k];
    }
    return sqrt(sum);
}

/* Where even the least shift gives a short step, the rest goes along the direction that curves down most. */
static void choose_step(trust *t)
{
    ebm_minimum *m = t->m;
    double least = m->eigenvalue[0], low = fmax(0, -least), high = low, length = step_at(t, low), sum = 0;
    t->bound = length > t->radius || least < -m->flat;
    if (length > t->radius) {
        for (int64_t k = 0; k < m->size; k++) sum += m->slope[k] * m->slope[k];
        high = sqrt(sum) / t->radius - least;
        for (int i = 0; i < HALVINGS; i++) {
            double middle = 0.5 * (low + high);
            if (step_at(t, middle) > t->radius) low = middle;
            else high = middle;
        }
        step_at(t, high);
    } else if (least < -m->flat) {
        double rest = sqrt(t->radius * t->radius - length * length + m->step[0] * m->step[0]);
        m->step[0] = m->slope[0] > 0 ? -rest : rest;
    }
    t->promised = 0;
    for (int64_t k = 0; k < m->size; k++)
        t->promised -= m->step[k] * (m->slope[k] + 0.5 * m->eigenvalue[k] * m->step[k]);
}

static void move(const trust *t, double stretch)
{
    const ebm_minimum *m = t->m;
    int64_t p = m->size;
    double *theta = m->curvature->twin->theta;
    memcpy(theta, m->start, (size_t)p * sizeof *theta);
    for (int64_t k = 0; k < p; k++)
        for (int64_t i = 0; i < p; i++) theta[i] += stretch * m->step[k] * m->eigenvalue[p + k * p + i] * m->unit[i];
}

static gibbs_status try_step(const trust *t, double stretch, double *fall, gibbs_error *error)
{
    move(t, stretch);
    double there = NAN;
    gibbs_status status = t->value(t->context, t->m->curvature->twin->theta, &there, error);
    *fall = t->m->value - there;
    return status;
}

/* Longer steps first, where they are due, as long as they lower the loss more than one alone would. Then steps until
 * one lowers it as promised, up to rounding; `moved` is false when none does. */
static gibbs_status advance(trust *t, bool *moved, gibbs_error *error)
{
    ebm_minimum *m = t->m;
    double noise = ROUNDING * fabs(m->value), fall;
    gibbs_status status = GIBBS_OK;
    memcpy(m->start, m->curvature->twin->theta, (size_t)m->size * sizeof *m->start);
    *moved = false;
    for (int tries = 0; tries < MOST_REJECTED && !*moved; tries++) {
        choose_step(t);
        bool longer = t->stretch > 1 && !t->bound;
        status = try_step(t, longer ? t->stretch : 1, &fall, error);
        if (status) return status;
        double kept = (fall + noise) / (t->promised + noise);
        *moved = longer ? kept > 1 : kept > 0.1;
        if (longer && !*moved) t->stretch /= 4;
        else if (!(kept > 0.25)) t->radius /= 4;
        else if (kept > 0.75 && t->bound) t->radius *= kept > 0.9 ? 8 : 2;
    }
    if (*moved) return ebm_minimum_look(m, error);
    memcpy(m->curvature->twin->theta, m->start, (size_t)m->size * sizeof *m->start);
    return GIBBS_OK;
}

static double norm(int64_t n, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

/* Steps that do not come nearer are counted. */
static bool worth_going_on(trust *t, double *best, int *since)
{
    double now = t->m->distance;
    if (isnan(now)) return false;
    if (now < 0.7 * *best) *best = now, *since = 0;
    else ++*since;
    t->stretch = *since > PATIENCE ? 2 * t->stretch : 1;
    return *since < (t->bound ? MOST_BOUND : MOST_IDLE);
}

static gibbs_status search(trust *t, int64_t steps, gibbs_error *error)
{
    ebm_minimum *m = t->m;
    double best = INFINITY, before = INFINITY;
    int since = 0;
    bool moved = true;
    for (int64_t step = 0; step < steps; step++) {
        if (!worth_going_on(t, &best, &since) || before <= t->tolerance) break;
        before = m->distance;
        gibbs_status status = advance(t, &moved, error);
        if (status || !moved) return status;
        if (t->taken(t->context, m->value, norm(m->size, m->gradient)))
            return gibbs_fail(error, GIBBS_STOPPED, "stopped by the callback");
    }
    if (m->distance <= t->tolerance || before > t->tolerance) return GIBBS_OK;
    memcpy(m->curvature->twin->theta, m->start, (size_t)m->size * sizeof *m->start); /* one step too many */
    return ebm_minimum_look(m, error);
}

gibbs_status ebm_newton(ebm_minimum *m, double tolerance, int64_t steps, ebm_value_fn value, ebm_step_fn taken,
                        void *context, gibbs_error *error)
{
    trust t = {.m = m, .value = value, .taken = taken, .context = context, .tolerance = tolerance, .stretch = 1};
    double sum = 0;
    for (int64_t k = 0; k < m->size; k++) sum += m->slope[k] * m->slope[k];
    t.radius = fmax(sqrt(sum), sqrt(m->excess));
    return isnan(m->distance) ? GIBBS_OK : search(&t, steps, error);
}
