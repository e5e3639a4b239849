/* hessian.c — see hessian.h. Differences along eᵢ are taken for all samples at once: E of a sample sees its own x. */
#include "hessian.h"

#include "derivative.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSIONS = 16, MOST_ROWS = 12 }; /* elements and samples of x */

static int64_t dimension(ad_var x)
{
    ad_shape s = ad_shape_of(x);
    return ad_shape_count(&s);
}

/* ---- The reference ---- */

/* E of each sample of x (of all together where x is shared) at θ + t·theta, x + Σ step[k]·along[k]. */
static bool energies(problem *p, quad_machine *m, ad_var E, ad_var x, const double *const *const *along,
                     const quad *step, int n, quad *out)
{
    if (!problem_interpret(p, m, along, step, n)) return false;
    const quad *value = quad_value(m, E);
    int64_t rows = quad_rows(m, ad_axis_of(x).id), all = quad_size(m, E);
    if (!value) return false;
    for (int64_t r = 0; r < rows; r++) out[r] = 0;
    for (int64_t i = 0; i < all; i++) out[rows == 1 ? 0 : i] += value[i];
    return true;
}

/* First and second differences of E along each eᵢ, [rows, d], with the other leaves at value + t·theta. */
static bool differences(problem *p, ad_var E, ad_var x, const double *const *theta, quad t, quad *g, quad *h)
{
    const double *still[PROBLEM_LEAVES] = {NULL}, *move[PROBLEM_LEAVES] = {NULL};
    const double *const *along[2] = {theta ? theta : still, move};
    const quad s = 1e-7f128;
    quad at[3][MOST_ROWS];
    int leaf = problem_find(p, x);
    int64_t d = dimension(x), rows = p->leaf[leaf].size / d;
    double *unit = calloc((size_t)p->leaf[leaf].size, sizeof *unit);
    quad_machine m, held;
    bool ok = quad_start(&m, p->tape, p->rows), started = quad_start(&held, p->tape, p->rows);
    ok = ok && started && unit && problem_interpret(p, &held, NULL, NULL, 0) && quad_value(&held, E);
    m.held = &held;
    move[leaf] = unit;
    for (int64_t i = 0; ok && i < d; i++) {
        for (int64_t e = 0; e < rows * d; e++) unit[e] = e % d == i;
        for (int k = 0; k < 3 && ok; k++) ok = energies(p, &m, E, x, along, (quad[]){t, (k - 1) * s}, 2, at[k]);
        for (int64_t r = 0; r < rows && ok; r++) {
            g[r * d + i] = (at[2][r] - at[0][r]) / (2 * s);
            h[r * d + i] = (at[2][r] - 2 * at[1][r] + at[0][r]) / (s * s);
        }
    }
    quad_end(&m);
    quad_end(&held);
    free(unit);
    return ok;
}

/* ---- Hessian diagonals ---- */

static ad_var unit_vector(ad_var x, int64_t i)
{
    double e[DIMENSIONS] = {0};
    e[i] = 1;
    return ad_constant_array(x.tape, ad_shape_of(x), e);
}

typedef struct outputs {
    ad_var diagonal, laplacian, curvature, product[DIMENSIONS];
} outputs;

static bool compare(problem *p, ad_var E, ad_var x, ad_var v, double *const *got, hessian_errors *e)
{
    quad g[MOST_ROWS * DIMENSIONS], h[MOST_ROWS * DIMENSIONS];
    int64_t d = dimension(x), n = p->leaf[problem_find(p, x)].size;
    if (!differences(p, E, x, NULL, 0, g, h)) return false;
    double scale = 0;
    for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs((double)h[i]));
    for (int64_t i = 0; i < n; i++) {
        e->diagonal = fmax(e->diagonal, derivative_error(got[0][i], h[i], scale));
        e->products = fmax(e->products, derivative_error(got[0][i], (quad)got[3 + i % d][i], scale));
    }
    for (int64_t r = 0; r < n / d; r++) {
        quad sum = 0;
        for (int64_t i = 0; i < d; i++) sum += (quad)got[0][r * d + i];
        e->laplacian = fmax(e->laplacian, derivative_error(got[1][r], sum, scale));
    }
    const double *direction[PROBLEM_LEAVES] = {NULL};
    const double *const *both[2] = {direction, direction};
    direction[problem_find(p, x)] = p->leaf[problem_find(p, v)].value;
    quad want;
    double total = 0;
    /* vᵀHv of a shared x and a per-sample E is summed over the samples, as every derivative by a shared x is. */
    for (int64_t r = 0; r < n / d; r++) total += got[2][r];
    if (!derivative_difference(p, E, NULL, both, 2, &want)) return false;
    e->curvature = derivative_error(total, want, scale);
    return true;
}

bool hessian_check(problem *p, ad_var E, ad_var x, hessian_errors *errors)
{
    int64_t d = dimension(x);
    outputs o = {.diagonal = ad_hess_diag(E, x), .laplacian = ad_laplacian(E, x)};
    ad_var v = problem_like(p, x);
    double *got[3 + DIMENSIONS];
    *errors = (hessian_errors){0};
    if (d > DIMENSIONS || p->leaf[problem_find(p, x)].size > d * MOST_ROWS) return false;
    o.curvature = ad_directional_curvature(E, x, v);
    for (int64_t i = 0; i < d; i++) o.product[i] = ad_hvp(E, x, unit_vector(x, i));
    if (!problem_run(p, &o.diagonal, 3 + (int)d, got)) return false;
    bool ok = compare(p, E, x, v, got, errors);
    problem_free_results(got, 3 + (int)d);
    return ok;
}

/* ---- Implicit score matching ---- */

static ad_var score_loss(ad_var E, ad_var x, ad_var trace)
{
    ad_var g;
    ad_grad(E, &x, 1, &g);
    ad_var loss = ad_sub(ad_scale(ad_sum(ad_square(g)), 0.5), trace);
    return ad_is_null(loss) || ad_is_shared(loss) ? loss : ad_batch_mean(ad_axis_of(loss), loss);
}

ad_var hessian_score_loss(ad_var E, ad_var x) { return score_loss(E, x, ad_sum(ad_hess_diag(E, x))); }

ad_var hessian_score_loss_by_products(ad_var E, ad_var x)
{
    ad_var trace = ad_constant(x.tape, 0);
    for (int64_t i = 0; i < dimension(x); i++) {
        ad_var e = unit_vector(x, i);
        trace = ad_add(trace, ad_dot(ad_hvp(E, x, e), e));
    }
    return score_loss(E, x, trace);
}

static bool reference_loss(problem *p, ad_var E, ad_var x, const double *const *theta, quad t, quad *loss)
{
    quad g[MOST_ROWS * DIMENSIONS], h[MOST_ROWS * DIMENSIONS];
    int64_t d = dimension(x), n = p->leaf[problem_find(p, x)].size;
    if (!differences(p, E, x, theta, t, g, h)) return false;
    *loss = 0;
    for (int64_t i = 0; i < n; i++) *loss += g[i] * g[i] / 2 - h[i];
    *loss /= (quad)(n / d);
    return true;
}

/* Along a direction of leaf `i` alone. */
static bool compare_gradient(problem *p, ad_var E, ad_var x, int i, const double *found, double *worst)
{
    const double *theta[PROBLEM_LEAVES] = {NULL};
    problem_like(p, p->leaf[i].var);
    const double *u = theta[i] = p->leaf[p->leaves - 1].value;
    const quad t = 1e-6f128;
    quad up, down;
    if (!reference_loss(p, E, x, theta, t, &up) || !reference_loss(p, E, x, theta, -t, &down)) return false;
    double sum = 0, scale = 0;
    for (int64_t e = 0; e < p->leaf[i].size; e++) {
        sum += u[e] * found[e];
        scale += fabs(u[e] * found[e]);
    }
    *worst = fmax(*worst, derivative_error(sum, (up - down) / (2 * t), scale));
    return true;
}

bool hessian_score_check(problem *p, ad_var E, ad_var x, double *value, double *worst)
{
    ad_var leaf[PROBLEM_LEAVES], output[1 + PROBLEM_LEAVES];
    int at[PROBLEM_LEAVES], n = 0;
    double *got[1 + PROBLEM_LEAVES];
    for (int i = 0; i < p->leaves; i++) {
        if (p->leaf[i].var.id == x.id || p->leaf[i].constant || p->leaf[i].whole) continue;
        at[n] = i;
        leaf[n++] = p->leaf[i].var;
    }
    output[0] = hessian_score_loss(E, x);
    ad_grad(output[0], leaf, n, output + 1);
    if (!problem_run(p, output, 1 + n, got)) return false;
    quad want;
    bool ok = reference_loss(p, E, x, NULL, 0, &want);
    *value = ok ? derivative_error(got[0][0], want, fabs((double)want)) : INFINITY;
    *worst = 0;
    for (int i = 0; i < n && ok; i++) ok = compare_gradient(p, E, x, at[i], got[1 + i], worst);
    problem_free_results(got, 1 + n);
    return ok && n > 0;
}
