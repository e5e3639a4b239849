/* quadrature.c — log ∫ exp(−E) over a box of up to three dimensions by the trapezoidal rule, which converges
 * faster than any power of the spacing when the density and its derivatives vanish at the box's faces.
 *
 * One pass over the grid of the doubled box gives both integrals: the box's own points are among them, so that the
 * two sums differ by what lies outside alone. There an energy of a half line or an interval is NaN: that is no error,
 * but leaves the question open what else lies there (outside.c). Of a whole domain there is no outside. */
#include "ebm/model/conditioned.h"
#include "log_sum.h"
#include "outside.h"

#include <math.h>
#include <stdio.h>

enum { CHUNK_ROWS = 1 << 16, POINT_TEXT = 80 };

/* ---- The grid ---- */

/* The doubled box (of a whole domain the box itself) has `side` points a dimension; first … last are those of the box.
 * An odd number of intervals cannot be extended equally on both sides: then one more goes to the upper one. */
typedef struct doubled {
    ebm_grid box;
    int64_t side, first, last, total;
} doubled;

static gibbs_status make_grid(int64_t dim, const ebm_box *box, doubled *g, gibbs_error *error)
{
    *g = (doubled){.total = 1};
    gibbs_status status = ebm_grid_new("integrate", dim, box, &g->box, error);
    if (status) return status;
    int64_t points = g->box.side;
    g->side = box->whole_domain ? points : 2 * points - 1;
    g->first = box->whole_domain ? 0 : (points - 1) / 2;
    g->last = g->first + points - 1;
    for (int k = 0; k < dim; k++)
        if (!gibbs_mul_size(g->total, g->side, &g->total))
            return gibbs_fail(error, GIBBS_SIZE, "integrate: %lld points a dimension are too many", (long long)points);
    return GIBBS_OK;
}

/* The trapezoidal rule's weight of point i, over the interval of points first … last, in units of the step. */
static double end_weight(int64_t i, int64_t first, int64_t last)
{
    return i < first || i > last ? 0 : i == first || i == last ? 0.5 : 1;
}

/* ---- Sums ---- */

enum { BOX, DOUBLED, BOXES };

/* One chunk of points, with their energies and their weights in both boxes. */
typedef struct chunk {
    int64_t rows;
    double *x, *energy, *weight[BOXES];
} chunk;

static void place_points(const doubled *g, int64_t number, chunk *c)
{
    for (int64_t row = 0; row < c->rows; row++, number++) {
        double *x = c->x + row * g->box.dim, inner = 1, outer = 1;
        int64_t rest = number;
        for (int k = g->box.dim - 1; k >= 0; k--, rest /= g->side) {
            int64_t i = rest % g->side;
            x[k] = i == g->last ? g->box.high[k] : g->box.low[k] + (double)(i - g->first) * g->box.step[k];
            inner *= end_weight(i, g->first, g->last);
            outer *= end_weight(i, 0, g->side - 1);
        }
        c->weight[BOX][row] = inner;
        c->weight[DOUBLED][row] = outer;
    }
}

/* +∞ is an energy (the density is 0); NaN and −∞ are none. */
static gibbs_status bad_energy(const doubled *g, const double *x, double energy, gibbs_error *error)
{
    char text[POINT_TEXT] = "";
    for (int k = 0, used = 0; k < g->box.dim; k++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%.9g", k ? ", " : "", x[k]);
    return gibbs_fail(error, GIBBS_NUMERIC, "integrate: E is %s at x = (%s)", isnan(energy) ? "NaN" : "-infinity",
                      text);
}

static gibbs_status add_chunk(const doubled *g, const chunk *c, ebm_log_sum sum[BOXES], gibbs_error *error)
{
    for (int64_t row = 0; row < c->rows; row++) {
        double energy = c->energy[row];
        bool bad = isnan(energy) || energy == -INFINITY;
        if (bad && c->weight[BOX][row] > 0) return bad_energy(g, c->x + row * g->box.dim, energy, error);
        if (bad) sum[DOUBLED].sum = NAN; /* and so it stays */
        for (int b = 0; b < BOXES && !bad; b++) ebm_log_sum_add(&sum[b], -energy, c->weight[b][row]);
    }
    return GIBBS_OK;
}

static gibbs_status add_all(ebm_model *model, const doubled *g, double *memory, int64_t most, ebm_log_sum sum[BOXES],
                            gibbs_error *error)
{
    chunk c = {.x = memory, .energy = memory + most * g->box.dim};
    for (int b = 0; b < BOXES; b++) c.weight[b] = c.energy + most * (b + 1);
    gibbs_status status = GIBBS_OK;
    for (int64_t number = 0; number < g->total && !status; number += most) {
        c.rows = g->total - number < most ? g->total - number : most;
        place_points(g, number, &c);
        status = ebm_model_energy(model, c.x, c.rows, c.energy, NULL, error);
        if (!status) status = add_chunk(g, &c, sum, error);
    }
    return status;
}

/* The sums of both boxes. */
static gibbs_status add_up(ebm_model *model, const doubled *g, ebm_log_sum sum[BOXES], gibbs_error *error)
{
    int64_t most = g->total < CHUNK_ROWS ? g->total : CHUNK_ROWS;
    double *memory = gibbs_alloc(&model->alloc, (size_t)(most * (g->box.dim + 1 + BOXES)), sizeof *memory);
    if (!memory) return gibbs_fail(error, GIBBS_MEMORY, "integrate: out of memory");
    gibbs_status status = add_all(model, g, memory, most, sum, error);
    gibbs_release(&model->alloc, memory);
    return status;
}

gibbs_status ebm_integrate(ebm_model *model, const ebm_box *box, ebm_quadrature *result, gibbs_error *error)
{
    GIBBS_REQUIRE("integrate", model && box && result, error);
    doubled g;
    ebm_log_sum sum[BOXES] = {ebm_log_sum_empty(), ebm_log_sum_empty()};
    gibbs_status status = ebm_refuse_conditional("integrate", model, "ebm_predict tells log Z(x) of each x", error);
    if (!status) status = make_grid(model->dim, box, &g, error);
    if (!status) status = add_up(model, &g, sum, error);
    if (status) return status;
    double log_cell = 0;
    for (int k = 0; k < g.box.dim; k++) log_cell += log(g.box.step[k]);
    ebm_quadrature found = {ebm_log_sum_value(&sum[BOX]) + log_cell, ebm_log_sum_value(&sum[DOUBLED]) + log_cell,
                            EBM_CANNOT_BE_TOLD, NAN};
    if (box->whole_domain) {
        bool mass = found.log_z > -INFINITY;
        found.verdict = mass ? EBM_NORMALISABLE : EBM_NOT_NORMALISABLE;
        found.widen = mass ? 1 : INFINITY;
    } else if (!isnan(found.log_z_doubled)) {
        status = ebm_look_outside(model, &g.box, &found, error);
    }
    if (!status) *result = found;
    return status;
}
