/* minimum.c — a loss around θ in units of its own. */
#include "minimum.h"

#include "ebm/inference/symmetric.h"

#include <math.h>
#include <string.h>

/* Of a matrix with a diagonal of ones: what rounding leaves of an eigenvalue 0. */
static const double FLAT = 1e-14;
/* Standard errors below 10⁻¹² of θ are rounding: the rows are alike. */
static const double ALIKE = 1e-24;

gibbs_status ebm_minimum_new(ebm_curvature *curvature, const gibbs_allocator *a, ebm_minimum *m, gibbs_error *error)
{
    size_t p = (size_t)curvature->size;
    *m = (ebm_minimum){.curvature = curvature, .size = (int64_t)p, .alloc = *a};
    m->memory = gibbs_alloc_zero(a, p * (3 * p + 8), sizeof *m->memory);
    if (!m->memory) return gibbs_fail(error, GIBBS_MEMORY, "fit: out of memory");
    m->scaled = m->memory;
    m->squares = m->scaled + p * p;
    m->eigenvalue = m->squares + p * p;
    m->gradient = m->eigenvalue + p * (p + 1);
    double **vector[] = {&m->unit, &m->spread, &m->slope, &m->step, &m->start, &m->first};
    for (int k = 0; k < GIBBS_COUNT(vector); k++) *vector[k] = m->gradient + (size_t)(k + 1) * p;
    return GIBBS_OK;
}

void ebm_minimum_free(ebm_minimum *m)
{
    if (m->memory) gibbs_release(&m->alloc, m->memory);
    *m = (ebm_minimum){0};
}

/* Where the loss is not curved, by its slope. */
static void choose_units(ebm_minimum *m)
{
    for (int64_t i = 0; i < m->size; i++) {
        double h = fabs(m->scaled[i * m->size + i]), g = fabs(m->gradient[i]);
        m->unit[i] = h > 0 ? 1 / sqrt(h) : g > 0 ? 1 / g : 1;
    }
}

static void scale(const ebm_minimum *m, double *matrix)
{
    int64_t p = m->size;
    for (int64_t i = 0; i < p * p; i++) matrix[i] *= m->unit[i / p] * m->unit[i % p];
}

/* S of both samples; its trace is taken before the eigenvectors are known. */
static void take_squares(ebm_minimum *m)
{
    int64_t p = m->size;
    double *work = m->eigenvalue; /* not yet in use */
    ebm_curvature_squares(m->curvature, 0, m->squares);
    if (m->curvature->samples == 2) {
        ebm_curvature_squares(m->curvature, 1, work);
        for (int64_t i = 0; i < p * p; i++) m->squares[i] += work[i];
    }
    scale(m, m->squares);
    for (int64_t i = 0; i < p; i++) m->spread[i] = m->squares[i * p + i];
}

/* xᵀAx, or θᵀHθ for x = θ/unit and A = DHD. */
static double form(int64_t p, const double *a, const double *x, const double *unit)
{
    double sum = 0;
    for (int64_t i = 0; i < p; i++) {
        double row = 0;
        for (int64_t j = 0; j < p; j++) row += a[i * p + j] * (unit ? x[j] / unit[j] : x[j]);
        sum += row * (unit ? x[i] / unit[i] : x[i]);
    }
    return sum;
}

static void measure(ebm_minimum *m)
{
    int64_t p = m->size;
    double most = 0, fall = 0, weight = form(p, m->scaled, m->curvature->twin->theta, m->unit);
    for (int64_t k = 0; k < p; k++) most = fmax(most, fabs(m->eigenvalue[k]));
    m->flat = FLAT * most;
    m->seen = 0;
    m->excess = 0;
    for (int64_t k = 0; k < p; k++) {
        const double *q = m->eigenvalue + p + k * p;
        m->slope[k] = 0;
        for (int64_t i = 0; i < p; i++) m->slope[k] += q[i] * m->unit[i] * m->gradient[i];
        fall += m->slope[k] * m->slope[k] / fmax(m->eigenvalue[k], m->flat);
        if (m->eigenvalue[k] <= m->flat) continue;
        m->excess += form(p, m->squares, q, NULL) / m->eigenvalue[k];
        m->seen++;
    }
    m->alike = m->excess <= ALIKE * weight;
    if (m->alike) m->excess = weight;
    bool down = m->eigenvalue[0] < -m->flat;
    m->distance = down ? INFINITY : m->seen ? sqrt(fall / m->excess) : NAN;
}

gibbs_status ebm_minimum_look(ebm_minimum *m, gibbs_error *error)
{
    gibbs_status status = ebm_curvature_run(m->curvature, error);
    if (status) return status;
    double sum = m->value = ebm_curvature_value(m->curvature);
    ebm_curvature_get(m->curvature, m->gradient, m->scaled);
    choose_units(m);
    scale(m, m->scaled);
    take_squares(m);
    for (int64_t i = 0; i < m->size * m->size; i++) sum += m->scaled[i] + m->squares[i];
    for (int64_t i = 0; i < m->size; i++) sum += m->gradient[i];
    m->distance = NAN;
    if (!isfinite(sum)) return GIBBS_OK;
    status = ebm_eigen(m->size, m->scaled, m->eigenvalue, &m->alloc, error);
    if (!status) measure(m);
    return status;
}
