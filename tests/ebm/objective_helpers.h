/* objective_helpers.h — energies written twice, as a graph and in plain C, and what tests of losses do with them. */
#ifndef TEST_OBJECTIVE_HELPERS_H
#define TEST_OBJECTIVE_HELPERS_H

#include "base/random.h"
#include "ebm/sampling.h"

enum { MOST_PARAMETERS = 8 };

/* |a − b| at most `tolerance`, relative where b is large. */
static inline int close_to(double a, double b, double tolerance) { return fabs(a - b) <= tolerance * fmax(1, fabs(b)); }
#define expect_close(a, b, tolerance, what)                                                                       \
    cr_expect(close_to(a, b, tolerance), "%s: %.15g, expected %.15g (difference %g)", what, (double)(a), (double)(b), \
              (double)(a) - (double)(b))

/* ---- Numbers ---- */

static inline double *normals(int64_t n, double mean, double sd, uint64_t seed)
{
    gibbs_words words = gibbs_words_start(seed, 0x6e6f726d, 0);
    double *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = mean + sd * gibbs_words_normal(&words);
    return x;
}

/* Rows of N(mean, LLᵀ) in two dimensions. */
static inline double *normals2(int64_t rows, const double mean[2], const double L[4], uint64_t seed)
{
    double *x = normals(2 * rows, 0, 1, seed);
    for (int64_t r = 0; r < rows; r++) {
        double a = x[2 * r], b = x[2 * r + 1];
        x[2 * r] = mean[0] + L[0] * a;
        x[2 * r + 1] = mean[1] + L[2] * a + L[3] * b;
    }
    return x;
}

static inline ebm_data table(double *x, int64_t rows, int64_t cols)
{
    return (ebm_data){.rows = rows, .cols = cols, .x = x};
}

/* ---- Energies: the graph, and the same in plain C with its derivatives ---- */

typedef struct plain_energy {
    const char *name;
    int dim, size;
    double theta[MOST_PARAMETERS]; /* where tests evaluate */
    ebm_model *(*make)(void);
    double (*E)(const double *x, const double *theta);
    void (*dtheta)(const double *x, const double *theta, double *g);
    void (*dx)(const double *x, const double *theta, double *g);
} plain_energy;

static inline ebm_model *model_of(int64_t dim, const ebm_parameter *parameters, int count, ebm_energy_fn energy,
                                  gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dtype = dtype;
    spec.dim = dim;
    spec.parameters = parameters;
    spec.parameter_count = count;
    spec.energy = energy;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* x²/(2θ²): S0 §7 */
static inline ad_var scale_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_div(ad_sum(ad_square(x)), ad_scale(ad_square(theta[0]), 2));
}
static inline ebm_model *scale_make(void)
{
    return model_of(1, &(ebm_parameter){"theta", {0, {0}}, EBM_INIT_CONSTANT, 1.5}, 1, scale_graph, GIBBS_FLOAT64);
}
static inline double scale_E(const double *x, const double *t) { return x[0] * x[0] / (2 * t[0] * t[0]); }
static inline void scale_dtheta(const double *x, const double *t, double *g)
{
    g[0] = -x[0] * x[0] / (t[0] * t[0] * t[0]);
}
static inline void scale_dx(const double *x, const double *t, double *g) { g[0] = x[0] / (t[0] * t[0]); }

/* ½λx² */
static inline ad_var precision_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_mul(theta[0], ad_sum(ad_square(x))), 0.5);
}
static inline ebm_model *precision_make(void)
{
    return model_of(1, &(ebm_parameter){"precision", {0, {0}}, EBM_INIT_CONSTANT, 1}, 1, precision_graph,
                    GIBBS_FLOAT64);
}
static inline double precision_E(const double *x, const double *t) { return 0.5 * t[0] * x[0] * x[0]; }
static inline void precision_dtheta(const double *x, const double *t, double *g) { (void)t, g[0] = 0.5 * x[0] * x[0]; }
static inline void precision_dx(const double *x, const double *t, double *g) { g[0] = t[0] * x[0]; }

/* a x⁴ + b x²: two wells where b < 0 */
static inline ad_var quartic_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var square = ad_square(x);
    return ad_sum(ad_add(ad_mul(theta[0], ad_square(square)), ad_mul(theta[1], square)));
}
static inline ebm_model *quartic_make(void)
{
    const ebm_parameter p[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 0.5}, {"b", {0, {0}}, EBM_INIT_CONSTANT, 0}};
    return model_of(1, p, 2, quartic_graph, GIBBS_FLOAT64);
}
static inline double quartic_E(const double *x, const double *t)
{
    double s = x[0] * x[0];
    return t[0] * s * s + t[1] * s;
}
static inline void quartic_dtheta(const double *x, const double *t, double *g)
{
    (void)t;
    g[1] = x[0] * x[0];
    g[0] = g[1] * g[1];
}
static inline void quartic_dx(const double *x, const double *t, double *g)
{
    g[0] = 4 * t[0] * x[0] * x[0] * x[0] + 2 * t[1] * x[0];
}

/* ½(x − μ)ᵀP(x − μ) in two dimensions, with an asymmetric P on purpose: its symmetric part counts. */
static inline ebm_model *gaussian2_make(void)
{
    ebm_model *model;
    OK(ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &model, ERROR));
    return model;
}
static inline double gaussian2_E(const double *x, const double *t)
{
    double a = x[0] - t[0], b = x[1] - t[1];
    return 0.5 * (t[2] * a * a + (t[3] + t[4]) * a * b + t[5] * b * b);
}
static inline void gaussian2_dx(const double *x, const double *t, double *g)
{
    double a = x[0] - t[0], b = x[1] - t[1], off = 0.5 * (t[3] + t[4]);
    g[0] = t[2] * a + off * b;
    g[1] = off * a + t[5] * b;
}
static inline void gaussian2_dtheta(const double *x, const double *t, double *g)
{
    double s[2], r[] = {x[0] - t[0], x[1] - t[1]};
    gaussian2_dx(x, t, s);
    for (int i = 0; i < 2; i++) g[i] = -s[i];
    for (int i = 0; i < 4; i++) g[2 + i] = 0.5 * r[i / 2] * r[i % 2];
}

static const plain_energy energies[] = {
    {"scale", 1, 1, {1.7}, scale_make, scale_E, scale_dtheta, scale_dx},
    {"precision", 1, 1, {0.6}, precision_make, precision_E, precision_dtheta, precision_dx},
    {"quartic", 1, 2, {0.3, -0.4}, quartic_make, quartic_E, quartic_dtheta, quartic_dx},
    {"gaussian2", 2, 6, {0.2, -0.3, 1.3, 0.5, -0.1, 0.8}, gaussian2_make, gaussian2_E, gaussian2_dtheta, gaussian2_dx},
};
enum { SCALE, PRECISION, QUARTIC, GAUSSIAN2, ENERGIES };

/* ---- Objectives ---- */

/* One bound to data and refreshed, at parameters `theta` (the model's own where it is NULL). */
static inline ebm_objective *objective_at(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                                          const double *theta, const double *x, int64_t rows, uint64_t seed,
                                          uint64_t step)
{
    ebm_objective *objective;
    if (theta) ebm_model_set(model, theta);
    OK(ebm_objective_new(model, loss, options, &objective, ERROR));
    OK(ebm_objective_bind(objective, x, rows, ERROR));
    OK(ebm_objective_refresh(objective, seed, step, ERROR));
    return objective;
}

static inline double value_of(ebm_objective *objective)
{
    double value = NAN;
    OK(ebm_objective_evaluate(objective, &value, ERROR));
    return value;
}

/* The value with parameter i moved by `by`, which is taken back. */
static inline double value_moved(ebm_objective *objective, int i, double by)
{
    double *theta = ebm_objective_theta(objective), before = theta[i];
    theta[i] += by;
    double value = value_of(objective);
    theta[i] = before;
    return value;
}

/* ∂value/∂θᵢ by central differences, Richardson extrapolated, with the artificial points as they are. */
static inline double difference(ebm_objective *o, int i)
{
    const double h = 1e-3;
    double one = (value_moved(o, i, h) - value_moved(o, i, -h)) / (2 * h);
    double two = (value_moved(o, i, 2 * h) - value_moved(o, i, -2 * h)) / (4 * h);
    return (4 * one - two) / 3;
}

/* The gradient of the last evaluation against differences of the value. */
static inline void expect_consistent(ebm_objective *objective, double tolerance, const char *what)
{
    int64_t n = ebm_objective_size(objective);
    double gradient[MOST_PARAMETERS + 1];
    value_of(objective);
    memcpy(gradient, ebm_objective_gradient(objective), (size_t)n * sizeof *gradient);
    for (int i = 0; i < n; i++) expect_close(gradient[i], difference(objective, i), tolerance, what);
}

/* Mean of E over rows, and of ∂E/∂θ. */
static inline double mean_energy(const plain_energy *e, const double *theta, const double *x, int64_t rows,
                                 double *gradient)
{
    double sum = 0, g[MOST_PARAMETERS];
    for (int k = 0; k < e->size; k++) gradient[k] = 0;
    for (int64_t r = 0; r < rows; r++) {
        sum += e->E(x + r * e->dim, theta);
        e->dtheta(x + r * e->dim, theta, g);
        for (int k = 0; k < e->size; k++) gradient[k] += g[k] / (double)rows;
    }
    return sum / (double)rows;
}

/* Data that each energy is tried on, and a proposal wider than they are. */
static inline double *test_points(const plain_energy *e, int64_t rows, uint64_t seed)
{
    static const double mean[] = {0.5, -0.25}, L[] = {1.1, 0, 0.4, 0.9};
    return e->dim == 2 ? normals2(rows, mean, L, seed) : normals(rows, 0.3, 1.2, seed);
}
static inline ebm_proposal *test_proposal(const plain_energy *e)
{
    static const double mean[] = {0.2, 0.1}, sd[] = {2, 1.8};
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(e->dim, mean, sd, NULL, &q, ERROR));
    return q;
}

#endif
