/* energy_check.h — an energy against the same written in plain C over complex numbers, whose derivatives are
 * Im f(x + ih)/h with h = 1e-30: exact to rounding, with no differentiation by hand and none by the library. */
#ifndef TESTS_ENERGY_CHECK_H
#define TESTS_ENERGY_CHECK_H

#include "ebm/objective_helpers.h"

#include <complex.h>
#undef I

typedef double complex number;
typedef number (*plain_formula)(const number *x, const number *theta, const void *context);

enum { CHECK_ROWS = 23, CHECK_SIZE = 512 };
static const double STEP = 1e-30;

static inline number plain_softplus(number z)
{
    return creal(z) > 0 ? z + clog(1 + cexp(-z)) : clog(1 + cexp(z));
}
static inline number plain_lse(const number *v, int n)
{
    int top = 0;
    number sum = 0;
    for (int k = 1; k < n; k++) top = creal(v[k]) > creal(v[top]) ? k : top;
    for (int k = 0; k < n; k++) sum += cexp(v[k] - v[top]);
    return v[top] + clog(sum);
}

/* E at real x and θ; its derivatives where there is room for them. */
static inline double plain_value(plain_formula f, const void *context, const double *x, int dim, const double *theta,
                                 int size, double *dx, double *dtheta)
{
    number cx[CHECK_SIZE], ct[CHECK_SIZE];
    cr_assert(dim <= CHECK_SIZE && size <= CHECK_SIZE);
    for (int i = 0; i < dim; i++) cx[i] = x[i];
    for (int i = 0; i < size; i++) ct[i] = theta[i];
    for (int k = 0; k < 2; k++) {
        number *at = k ? ct : cx;
        double *out = k ? dtheta : dx;
        for (int i = 0; out && i < (k ? size : dim); i++) {
            number before = at[i];
            at[i] += CMPLX(0, STEP);
            out[i] = cimag(f(cx, ct, context)) / STEP;
            at[i] = before;
        }
    }
    return creal(f(cx, ct, context));
}

static inline ad_var mean_energy_record(ebm_graph *g) { return ad_batch_mean(g->data, ebm_graph_energy(g, g->x)); }
static const ebm_loss mean_energy_loss = {.name = "mean-energy", .deterministic = 1, .record = mean_energy_record};

static inline double off(double got, double wanted) { return fabs(got - wanted) / (1 + fabs(wanted)); }

/* The largest relative error of E, ∇xE and, on a float64 model, the mean of ∂E/∂θ, at the model's parameters. */
static inline double energy_error(ebm_model *model, plain_formula f, const void *context, const double *x)
{
    int dim = (int)ebm_model_dim(model), size = (int)ebm_model_size(model);
    double *E = sampling_room(CHECK_ROWS, sizeof *E), *g = sampling_room(CHECK_ROWS * dim, sizeof *g), worst = 0;
    double theta[CHECK_SIZE], dx[CHECK_SIZE], dtheta[CHECK_SIZE], mean[CHECK_SIZE] = {0};
    ebm_model_get(model, theta);
    OK(ebm_model_energy(model, x, CHECK_ROWS, E, g, ERROR));
    for (int r = 0; r < CHECK_ROWS; r++) {
        worst = fmax(worst, off(E[r], plain_value(f, context, x + r * dim, dim, theta, size, dx, dtheta)));
        for (int i = 0; i < dim; i++) worst = fmax(worst, off(g[r * dim + i], dx[i]));
        for (int i = 0; i < size; i++) mean[i] += dtheta[i] / CHECK_ROWS;
    }
    if (ebm_model_dtype(model) == GIBBS_FLOAT64 && size) {
        ebm_objective *o = objective_at(model, &mean_energy_loss, NULL, NULL, x, CHECK_ROWS, 0, 0);
        value_of(o);
        const double *gradient = ebm_objective_gradient(o);
        for (int i = 0; i < size; i++) worst = fmax(worst, off(gradient[i], mean[i]));
        ebm_objective_free(o);
    }
    free(E), free(g);
    return worst;
}

/* Numbers on (−1, 1), exact in float32; a model at such parameters. */
static inline void spread(double *x, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) x[i] = (double)(float)(2 * sampling_uniform(&seed) - 1);
}
static inline void spread_theta(ebm_model *model, uint64_t seed)
{
    double theta[CHECK_SIZE];
    cr_assert(ebm_model_size(model) <= CHECK_SIZE);
    spread(theta, ebm_model_size(model), seed);
    ebm_model_set(model, theta);
}

/* The energy is the formula; and the check can fail: each parameter moved by 0.01, in the formula alone, is seen. */
static inline void expect_energy(ebm_model *model, plain_formula f, const void *context, const double *x,
                                 const char *what)
{
    double error = energy_error(model, f, context, x), theta[CHECK_SIZE], moved[CHECK_SIZE];
    int dim = (int)ebm_model_dim(model), size = (int)ebm_model_size(model);
    double limit = ebm_model_dtype(model) == GIBBS_FLOAT64 ? 1e-12 : 2e-5;
    cr_expect(error < limit, "%s: error %g", what, error);
    ebm_model_get(model, theta);
    for (int i = 0; i < size; i++) {
        double seen = 0;
        memcpy(moved, theta, sizeof moved);
        moved[i] += 0.01;
        for (int r = 0; r < CHECK_ROWS; r++)
            seen = fmax(seen, fabs(plain_value(f, context, x + r * dim, dim, moved, size, NULL, NULL) -
                                   plain_value(f, context, x + r * dim, dim, theta, size, NULL, NULL)));
        cr_expect(seen > 1e-5, "%s: parameter %d makes no difference", what, i);
    }
}

/* Score matching's value against the formula: ∂²ᵢE by differences of the exact ∂ᵢE. */
static inline void expect_score_matching(ebm_model *model, plain_formula f, const void *context, const double *x,
                                         const char *what)
{
    int dim = (int)ebm_model_dim(model), size = (int)ebm_model_size(model);
    double theta[CHECK_SIZE], g[CHECK_SIZE], at[CHECK_SIZE], loss = 0;
    ebm_model_get(model, theta);
    for (int r = 0; r < CHECK_ROWS; r++) {
        plain_value(f, context, x + r * dim, dim, theta, size, g, NULL);
        for (int i = 0; i < dim; i++) {
            double score = g[i], side[4], moved[CHECK_SIZE];
            for (int k = 0; k < 4; k++) { /* ±h, ±2h */
                memcpy(at, x + r * dim, (size_t)dim * sizeof *at);
                at[i] += (k % 2 ? -1e-3 : 1e-3) * (1 + k / 2);
                plain_value(f, context, at, dim, theta, size, moved, NULL);
                side[k] = moved[i];
            }
            double second = (4 * (side[0] - side[1]) / 2e-3 - (side[2] - side[3]) / 4e-3) / 3;
            loss += (0.5 * score * score - second) / CHECK_ROWS;
        }
    }
    ebm_objective *o = objective_at(model, &ebm_loss_score_matching, NULL, NULL, x, CHECK_ROWS, 0, 0);
    expect_close(value_of(o), loss, 1e-8, what);
    ebm_objective_free(o);
}

#endif
