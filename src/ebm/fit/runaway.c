/* runaway.c — an endless descent, as of separated data: slope, curvature and spread of the rows vanish together. */
#include "runaway.h"

#include <math.h>
#include <string.h>

enum { FAR = 10 }; /* fourfold steps along a ray: a million of the first */
static const double THIN = 1e-6, FALLEN = 1e-8, RISE = 0.05, ROUNDING = 1e-12;

typedef struct look {
    ebm_minimum *m;
    ebm_value_fn value;
    void *context;
    double *theta; /* where to look; m->start is where from */
    double here;
    gibbs_error *error;
} look;

/* ---- At a minimum ---- */

bool ebm_runaway_suspect(const ebm_minimum *m, int64_t i)
{
    double curvature = 1 / (m->unit[i] * m->unit[i]);
    if (m->scaled[i * m->size + i] == 0) return m->first[i] > 0; /* where it was seen once */
    return m->alike || m->spread[i] < THIN * m->excess / (double)m->seen || curvature < FALLEN * m->first[i];
}

static gibbs_status stays(const look *l, int64_t i, bool *yes)
{
    const ebm_minimum *m = l->m;
    double length = m->alike ? fabs(m->start[i]) : m->unit[i] * sqrt(m->excess / (double)m->seen);
    double promised = 0.5 * length * length / (m->unit[i] * m->unit[i]), there;
    *yes = promised > ROUNDING * fabs(l->here) && m->scaled[i * m->size + i] != 0;
    for (int side = -1; side <= 1 && *yes; side += 2) {
        l->theta[i] = m->start[i] + side * length;
        gibbs_status status = l->value(l->context, l->theta, &there, l->error);
        if (status) return status;
        *yes = !(there - l->here < RISE * promised); /* a NaN is beyond an edge */
    }
    l->theta[i] = m->start[i];
    return GIBBS_OK;
}

static gibbs_status look_around(const look *l, int64_t *parameter)
{
    gibbs_status status = GIBBS_OK;
    for (int64_t i = 0; i < l->m->size && !status && *parameter < 0; i++) {
        bool yes = true;
        if (ebm_runaway_suspect(l->m, i)) status = stays(l, i, &yes);
        if (!yes) *parameter = i;
    }
    return status;
}

/* ---- Elsewhere ---- */

/* Along what Newton's method would do next; to nowhere, where it would do nothing. */
static int64_t direction(const ebm_minimum *m, double *way)
{
    int64_t p = m->size, most = -1;
    double longest = 0;
    memset(way, 0, (size_t)p * sizeof *way);
    for (int64_t k = 0; k < p; k++) {
        const double *q = m->eigenvalue + p + k * p;
        double step = -m->slope[k] / fmax(fabs(m->eigenvalue[k]), m->flat);
        for (int64_t i = 0; i < p; i++) way[i] += step * q[i];
    }
    for (int64_t i = 0; i < p; i++) {
        if (fabs(way[i]) > longest) longest = fabs(way[i]), most = i;
        way[i] *= m->unit[i];
    }
    return most;
}

static gibbs_status look_ahead(const look *l, int64_t *parameter)
{
    const ebm_minimum *m = l->m;
    double *way = m->step, before = l->here, step = 1;
    int64_t most = direction(m, way);
    for (int k = 0; k <= FAR && most >= 0; k++, step *= 4) {
        double there;
        for (int64_t i = 0; i < m->size; i++) l->theta[i] = m->start[i] + step * way[i];
        gibbs_status status = l->value(l->context, l->theta, &there, l->error);
        if (status) return status;
        if (!(there <= before + ROUNDING * fabs(before))) return GIBBS_OK;
        before = there;
    }
    *parameter = before < l->here ? most : -1;
    return GIBBS_OK;
}

gibbs_status ebm_runaway(ebm_minimum *m, bool arrived, ebm_value_fn value, void *context, int64_t *parameter,
                         gibbs_error *error)
{
    size_t bytes = (size_t)m->size * sizeof(double);
    look l = {m, value, context, m->curvature->twin->theta, NAN, error};
    *parameter = -1;
    memcpy(m->start, l.theta, bytes);
    gibbs_status status = value(context, l.theta, &l.here, error);
    bool around = arrived || !m->seen;
    if (!status && isfinite(l.here)) status = around ? look_around(&l, parameter) : look_ahead(&l, parameter);
    memcpy(l.theta, m->start, bytes);
    return status;
}
