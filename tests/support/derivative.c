/* derivative.c — see derivative.h. The functional is F(x) = Σ ȳ·y(x); u, v and w are random directions. */
#include "derivative.h"

#include <math.h>
#include <stdlib.h>

/* A number below this is compared absolutely: what these functions are made of is of order one. */
static const double FLOOR = 1e-2;

double derivative_error(double a, quad b, double scale)
{
    quad difference = (quad)a - b;
    double error = (double)(difference < 0 ? -difference : difference) / fmax(scale, FLOOR);
    return error == error ? error : INFINITY;
}

/* ---- The reference ---- */

static bool total(quad_machine *m, ad_var y, const double *weight, quad *sum)
{
    const quad *value = quad_value(m, y);
    if (!value) return false;
    *sum = 0;
    for (int64_t i = 0, n = quad_size(m, y); i < n; i++) *sum += value[i] * (weight ? (quad)weight[i] : 1);
    return true;
}

bool derivative_difference(problem *p, ad_var y, const double *weight, const double *const *const *direction, int order,
                           quad *result)
{
    static const quad steps[] = {1, 1e-9f128, 1e-7f128, 1e-6f128};
    quad_machine m, held;
    quad h = steps[order], scale = 1, sum = 0, unused;
    bool ok = quad_start(&m, p->tape, p->rows), started = quad_start(&held, p->tape, p->rows);
    ok = ok && started && problem_interpret(p, &held, NULL, NULL, 0) && total(&held, y, weight, &unused);
    m.held = &held;
    for (int k = 0; k < order; k++) scale *= 2 * h;
    for (unsigned sign = 0; ok && sign < 1u << order; sign++) {
        quad step[3], at = 0, parity = 1;
        for (int k = 0; k < order; k++) {
            step[k] = sign >> k & 1 ? -h : h;
            if (sign >> k & 1) parity = -parity;
        }
        ok = problem_interpret(p, &m, direction, step, order) && total(&m, y, weight, &at);
        sum += parity * at;
    }
    *result = sum / scale;
    quad_end(&m);
    quad_end(&held);
    return ok;
}

bool derivative_value(problem *p, ad_var y, double *error)
{
    quad_machine m;
    double *got;
    if (!problem_run(p, &y, 1, &got)) return false;
    const quad *want = NULL;
    if (quad_start(&m, p->tape, p->rows) && problem_interpret(p, &m, NULL, NULL, 0)) want = quad_value(&m, y);
    double scale = 0;
    *error = 0;
    for (int64_t i = 0; want && i < quad_size(&m, y); i++) scale = fmax(scale, fabs((double)want[i]));
    for (int64_t i = 0; want && i < quad_size(&m, y); i++)
        *error = fmax(*error, derivative_error(got[i], want[i], scale));
    problem_free_results(&got, 1);
    quad_end(&m);
    return want != NULL;
}

/* ---- What the engine records ---- */

enum { ACTIVE = 4, DIRECTIONS = 3 }; /* u, v, w */

/* One group of vars, one an active leaf, as they stand in the list of outputs. */
typedef enum group { GROUP_G, GROUP_G2, GROUP_G3, GROUP_HV, GROUP_HU, GROUPS } group;

typedef struct check {
    problem *p;
    int n;                                             /* active leaves */
    ad_var y, ybar, x[ACTIVE], along[DIRECTIONS][ACTIVE];
    ad_var output[1 + GROUPS * ACTIVE];                /* jvp of y, then the groups */
    double *result[1 + GROUPS * ACTIVE];
    const double *direction[DIRECTIONS][PROBLEM_LEAVES]; /* the same directions, for the interpreter */
} check;

static ad_var *outputs_of(check *c, group g) { return c->output + 1 + (int)g * c->n; }

static ad_var inner(const check *c, const ad_var *a, const ad_var *b)
{
    ad_var sum = ad_constant(c->p->tape, 0);
    for (int i = 0; i < c->n; i++) {
        ad_var part = ad_dot(a[i], b[i]);
        if (!ad_is_null(part) && !ad_is_shared(part)) part = ad_batch_sum(ad_axis_of(part), part);
        sum = ad_add(sum, part);
    }
    return sum;
}

static void choose_leaves(check *c, unsigned active)
{
    int leaves = c->p->leaves;
    for (int i = 0; i < leaves; i++)
        if (active >> i & 1 && c->n < ACTIVE) c->x[c->n++] = c->p->leaf[i].var;
    c->ybar = problem_like(c->p, c->y);
    for (int k = 0; k < DIRECTIONS; k++)
        for (int i = 0; i < c->n; i++) {
            c->along[k][i] = problem_like(c->p, c->x[i]);
            c->direction[k][problem_find(c->p, c->x[i])] = c->p->leaf[c->p->leaves - 1].value;
        }
}

static bool record(check *c)
{
    const ad_var *u = c->along[0], *v = c->along[1];
    ad_var *g = outputs_of(c, GROUP_G), *g2 = outputs_of(c, GROUP_G2);
    ad_vjp(c->y, c->ybar, c->x, c->n, g);
    ad_grad(inner(c, u, g), c->x, c->n, g2);
    ad_grad(inner(c, v, g2), c->x, c->n, outputs_of(c, GROUP_G3));
    for (int i = 0; i < c->n; i++) {
        outputs_of(c, GROUP_HV)[i] = ad_jvp(g[i], c->x, v, c->n);
        outputs_of(c, GROUP_HU)[i] = ad_jvp(g[i], c->x, u, c->n);
    }
    c->output[0] = ad_jvp(c->y, c->x, v, c->n);
    return problem_run(c->p, c->output, 1 + GROUPS * c->n, c->result);
}

/* ---- Comparing ---- */

/* Σ of direction k times what the engine found, over all active leaves or one; and the sum of the terms' sizes. */
static double dot(const check *c, int k, group g, int only, double *scale)
{
    double sum = 0;
    for (int i = only < 0 ? 0 : only; i < (only < 0 ? c->n : only + 1); i++) {
        const problem_leaf *leaf = &c->p->leaf[problem_find(c->p, c->along[k][i])];
        const double *found = c->result[1 + (int)g * c->n + i];
        for (int64_t e = 0; e < leaf->size; e++) {
            sum += leaf->value[e] * found[e];
            *scale += fabs(leaf->value[e] * found[e]);
        }
    }
    return sum;
}

static const double *cotangent(const check *c) { return c->p->leaf[problem_find(c->p, c->ybar)].value; }

static bool compare_first(const check *c, derivative_errors *e)
{
    for (int only = -1; only < c->n; only++) {
        const double *one[PROBLEM_LEAVES] = {NULL};
        for (int i = 0; i < c->n; i++) {
            int leaf = problem_find(c->p, c->x[i]);
            if (only < 0 || only == i) one[leaf] = c->direction[1][leaf];
        }
        const double *const *direction = one;
        double scale = 0, found = dot(c, 1, GROUP_G, only, &scale);
        quad want;
        if (!derivative_difference(c->p, c->y, cotangent(c), &direction, 1, &want)) return false;
        e->first = fmax(e->first, derivative_error(found, want, scale));
    }
    return true;
}

static bool compare_higher(const check *c, derivative_errors *e)
{
    const double *const *direction[DIRECTIONS] = {c->direction[0], c->direction[1], c->direction[2]};
    double s2 = 0, s3 = 0, su = 0, sv = 0;
    double second = dot(c, 1, GROUP_G2, -1, &s2), third = dot(c, 2, GROUP_G3, -1, &s3);
    double uhv = dot(c, 0, GROUP_HV, -1, &su), vhu = dot(c, 1, GROUP_HU, -1, &sv);
    quad want2, want3;
    if (!derivative_difference(c->p, c->y, cotangent(c), direction, 2, &want2)) return false;
    if (!derivative_difference(c->p, c->y, cotangent(c), direction, 3, &want3)) return false;
    e->second = derivative_error(second, want2, s2);
    e->third = derivative_error(third, want3, s3);
    e->forward = derivative_error(uhv, want2, su);
    e->symmetry = derivative_error(uhv, (quad)vhu, fmax(su, sv));
    return true;
}

static void compare_transpose(const check *c, derivative_errors *e)
{
    const problem_leaf *ybar = &c->p->leaf[problem_find(c->p, c->ybar)];
    double scale = 0, reverse = dot(c, 1, GROUP_G, -1, &scale), forward = 0;
    for (int64_t i = 0; i < ybar->size; i++) {
        forward += ybar->value[i] * c->result[0][i];
        scale += fabs(ybar->value[i] * c->result[0][i]);
    }
    e->transpose = derivative_error(forward, (quad)reverse, scale);
}

bool derivative_check(problem *p, ad_var y, unsigned active, derivative_errors *errors)
{
    check c = {.p = p, .y = y};
    *errors = (derivative_errors){0};
    if (ad_is_null(y)) return false;
    choose_leaves(&c, active);
    if (!derivative_value(p, y, &errors->value) || !record(&c)) return false;
    bool ok = compare_first(&c, errors) && compare_higher(&c, errors);
    if (ok) compare_transpose(&c, errors);
    problem_free_results(c.result, 1 + GROUPS * c.n);
    return ok;
}
