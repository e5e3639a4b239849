/* jacobian.c — see jacobian.h. */
#include "jacobian.h"

#include "derivative.h"

#include <math.h>
#include <stdlib.h>

typedef struct reference {
    problem *p;
    quad_machine m, held;
    ad_var y, x;
    int64_t outputs, elements, x_rows, y_rows; /* outputs, elements: of one sample */
    quad *up, *down;
} reference;

static int64_t count_of(ad_var v)
{
    ad_shape s = ad_shape_of(v);
    return ad_shape_count(&s);
}

static bool start(reference *r, problem *p, ad_var y, ad_var x)
{
    *r = (reference){.p = p, .y = y, .x = x, .outputs = count_of(y), .elements = count_of(x)};
    bool ok = quad_start(&r->m, p->tape, p->rows), other = quad_start(&r->held, p->tape, p->rows);
    r->m.held = &r->held;
    r->x_rows = quad_rows(&r->m, ad_axis_of(x).id);
    r->y_rows = quad_rows(&r->m, ad_axis_of(y).id);
    r->up = calloc((size_t)quad_size(&r->m, y), sizeof *r->up);
    r->down = calloc((size_t)quad_size(&r->m, y), sizeof *r->down);
    return ok && other && r->up && r->down && problem_interpret(p, &r->held, NULL, NULL, 0) && quad_value(&r->held, y);
}

static void end(reference *r)
{
    quad_end(&r->m);
    quad_end(&r->held);
    free(r->up);
    free(r->down);
}

static bool value_at(reference *r, const double *const *direction, quad step, quad *out)
{
    if (!problem_interpret(r->p, &r->m, &direction, &step, 1)) return false;
    const quad *value = quad_value(&r->m, r->y);
    for (int64_t i = 0; value && i < quad_size(&r->m, r->y); i++) out[i] = value[i];
    return value != NULL;
}

/* ∂y/∂(element e of the whole leaf), into r->up. */
static bool slope(reference *r, int64_t e)
{
    const quad h = 1e-9f128;
    const double *direction[PROBLEM_LEAVES] = {NULL};
    int leaf = problem_find(r->p, r->x);
    double *unit = calloc((size_t)r->p->leaf[leaf].size, sizeof *unit);
    if (!unit) return false;
    unit[e] = 1;
    direction[leaf] = unit;
    bool ok = value_at(r, direction, h, r->up) && value_at(r, direction, -h, r->down);
    for (int64_t i = 0; ok && i < quad_size(&r->m, r->y); i++) r->up[i] = (r->up[i] - r->down[i]) / (2 * h);
    free(unit);
    return ok;
}

/* A per-sample J has as many rows as the larger of the two; a shared y counts for all samples of x, and vice versa. */
static void compare(const reference *r, int64_t e, const double *J, double *error, double *across)
{
    int64_t row = e / r->elements, column = e % r->elements, m = r->outputs;
    double scale = 0;
    for (int64_t i = 0; i < r->y_rows * m; i++) scale = fmax(scale, fabs((double)r->up[i]));
    for (int64_t n = 0; n < r->y_rows; n++)
        for (int64_t i = 0; i < m; i++) {
            int64_t at = r->x_rows > 1 ? row : n;
            double found = J[(at * m + i) * r->elements + column];
            if (r->x_rows > 1 && r->y_rows > 1 && n != row) *across = fmax(*across, fabs((double)r->up[n * m + i]));
            else *error = fmax(*error, derivative_error(found, r->up[n * m + i], scale));
        }
}

bool jacobian_check(problem *p, ad_var y, ad_var x, ad_var J, double *error, double *across)
{
    reference r;
    double *got = NULL;
    *error = *across = 0;
    if (!problem_run(p, &J, 1, &got)) return false;
    bool ok = start(&r, p, y, x);
    for (int64_t e = 0; ok && e < r.x_rows * r.elements; e++) {
        ok = slope(&r, e);
        if (ok) compare(&r, e, got, error, across);
    }
    end(&r);
    problem_free_results(&got, 1);
    return ok;
}
