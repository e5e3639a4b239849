/* outside.c — is the integral finite, and does the box hold it? The box is doubled 20 times: shell k is what lies
 * between 2ᵏ⁻¹ and 2ᵏ times the box. A density that falls as a power of x gives shells that fall by a factor, one that
 * does not fall gives shells that do not; at the end the factor says what is still to come, as a geometric series.
 *
 * One grid serves all shells. Each coordinate has CORE points in the box and `side` points a shell on each side, at the
 * middle of equal intervals, and the grid is their product; a point is in the shell of its outermost coordinate.
 * So a ridge along an axis, such as a direction in which E is flat, is seen as finely far out as in the box. */
#include "outside.h"

#include "log_sum.h"

#include <float.h>

enum { LEVELS = 20, MOST_COORDINATES = 4096, CHUNK = 1 << 14 };
static const int core_points[EBM_BOX_DIM] = {64, 64, 24}, side_points[EBM_BOX_DIM] = {64, 4, 2};
static const double SAME = 0.01; /* of log Z: what may lie outside */
static const double FALL = 0.03; /* of a shell's log mass against the last one's: a slower fall is none */

/* The coordinates, in half widths of the box about its middle, common to all dimensions. */
typedef struct outer {
    int64_t count;
    double at[MOST_COORDINATES], width[MOST_COORDINATES];
    int level[MOST_COORDINATES];
    int point_level[CHUNK]; /* of the points that are looked at together */
    ebm_log_sum shell[LEVELS + 1];
    int known; /* the last shell in which E is a number everywhere, and so in all before it */
} outer;

static void put(outer *o, int level, double low, double high, int points)
{
    double width = (high - low) / points;
    for (int i = 0; i < points; i++, o->count++) {
        o->at[o->count] = low + width * (i + 0.5);
        o->width[o->count] = width;
        o->level[o->count] = level;
    }
}

/* Whether the model's numbers reach so far. */
static bool reaches(const ebm_model *model, const ebm_grid *box, int level)
{
    double most = model->dtype == GIBBS_FLOAT32 ? FLT_MAX : DBL_MAX;
    for (int k = 0; k < box->dim; k++) {
        double middle = 0.5 * box->low[k] + 0.5 * box->high[k], half = 0.5 * box->high[k] - 0.5 * box->low[k];
        if (!(fabs(middle) + ldexp(half, level) < most)) return false;
    }
    return true;
}

static void place_coordinates(const ebm_model *model, const ebm_grid *box, outer *o)
{
    int side = side_points[box->dim - 1];
    o->count = 0;
    o->known = LEVELS;
    while (o->known > 1 && !reaches(model, box, o->known)) o->known--;
    put(o, 0, -1, 1, core_points[box->dim - 1]);
    for (int level = 1; level <= o->known; level++) {
        put(o, level, -ldexp(1, level), -ldexp(1, level - 1), side);
        put(o, level, ldexp(1, level - 1), ldexp(1, level), side);
    }
    for (int level = 0; level <= LEVELS; level++) o->shell[level] = ebm_log_sum_empty();
}

/* Point `number` into x; its volume, and its shell. */
static int place(const ebm_grid *box, const outer *o, int64_t number, double *x, double *volume)
{
    int level = 0;
    *volume = 1;
    for (int k = box->dim - 1; k >= 0; k--, number /= o->count) {
        int64_t i = number % o->count;
        double half = 0.5 * box->high[k] - 0.5 * box->low[k];
        x[k] = 0.5 * box->low[k] + 0.5 * box->high[k] + half * o->at[i];
        *volume *= half * o->width[i];
        level = o->level[i] > level ? o->level[i] : level;
    }
    return level;
}

/* NaN and −∞ end what is known before their shell; +∞ is an energy. */
static void add(outer *o, int level, double energy, double volume)
{
    if (level > o->known) return;
    if (isnan(energy) || energy == -INFINITY) o->known = level - 1;
    else ebm_log_sum_add(&o->shell[level], -energy, volume);
}

/* All points beyond the doubled box, CHUNK at a time. */
static gibbs_status add_all(ebm_model *model, const ebm_grid *box, outer *o, double *x, gibbs_error *error)
{
    double *energy = x + CHUNK * box->dim, *volume = energy + CHUNK;
    int *level = o->point_level, rows = 0;
    int64_t total = 1;
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < box->dim; k++) total *= o->count;
    for (int64_t number = 0; number < total && !status; number++) {
        level[rows] = place(box, o, number, x + rows * box->dim, &volume[rows]);
        rows += level[rows] > 1;
        if (!rows || (rows < CHUNK && number + 1 < total)) continue;
        status = ebm_model_energy(model, x, rows, energy, NULL, error);
        for (int r = 0; r < rows && !status; r++) add(o, level[r], energy[r], volume[r]);
        rows = 0;
    }
    return status;
}

static double log_add(double a, double b)
{
    double most = fmax(a, b), least = fmin(a, b);
    return most == -INFINITY ? most : most + log1p(exp(least - most));
}

/* inside[k] = log ∫ over the box of 2ᵏ times the width. */
static void judge(const outer *o, ebm_quadrature *result)
{
    double inside[LEVELS + 1] = {result->log_z, result->log_z_doubled}, last = -INFINITY, before = -INFINITY;
    for (int k = 2; k <= o->known; k++) {
        before = last;
        last = ebm_log_sum_value(&o->shell[k]);
        inside[k] = log_add(inside[k - 1], last);
    }
    double all = inside[o->known], fall = before - last;
    bool looked = o->known == LEVELS, falls = last == -INFINITY || fall >= FALL;
    if (looked && falls && last > -INFINITY) all = log_add(all, last - log(expm1(fall))); /* what is still to come */
    int level = 0;
    while (level < o->known && !(all - inside[level] <= SAME)) level++;
    bool held = all - inside[level] <= SAME;
    if (looked && (!falls || all == -INFINITY)) result->verdict = EBM_NOT_NORMALISABLE;
    else if (held && !level) result->verdict = EBM_NORMALISABLE;
    else result->verdict = looked ? EBM_BOX_TOO_SMALL : EBM_CANNOT_BE_TOLD;
    bool unknown = result->verdict == EBM_CANNOT_BE_TOLD;
    result->widen = unknown ? NAN : held && falls ? ldexp(1, level) : INFINITY;
}

gibbs_status ebm_look_outside(ebm_model *model, const ebm_grid *box, ebm_quadrature *result, gibbs_error *error)
{
    outer *o = gibbs_alloc(&model->alloc, 1, sizeof *o);
    double *memory = gibbs_alloc(&model->alloc, (size_t)CHUNK * (size_t)(box->dim + 2), sizeof *memory);
    gibbs_status status = GIBBS_OK;
    if (!o || !memory) status = gibbs_fail(error, GIBBS_MEMORY, "integrate: out of memory");
    else {
        place_coordinates(model, box, o);
        status = add_all(model, box, o, memory, error);
    }
    if (!status) judge(o, result);
    gibbs_release(&model->alloc, memory);
    gibbs_release(&model->alloc, o);
    return status;
}

double ebm_edge(ebm_model *model, const ebm_points *p)
{
    double least = INFINITY, edge = INFINITY;
    if (p->kind != EBM_POINTS_BOX || ebm_model_given(model)) return NAN;
    double *energy = gibbs_alloc(&model->alloc, (size_t)p->rows, sizeof *energy);
    bool known = energy && !ebm_model_energy(model, p->x, p->rows, energy, NULL, NULL);
    for (int64_t i = 0; i < p->rows && known; i++) {
        least = fmin(least, energy[i]);
        if (ebm_points_on_edge(p, i)) edge = fmin(edge, energy[i]);
    }
    gibbs_release(&model->alloc, energy);
    return known ? exp(least - edge) : NAN;
}

const char *ebm_verdict_text(ebm_verdict verdict)
{
    static const char *const texts[] = {"normalisable", "the box is too small", "not normalisable", "cannot be told"};
    return (unsigned)verdict < GIBBS_COUNT(texts) ? texts[verdict] : "no verdict";
}
