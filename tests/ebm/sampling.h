/* sampling.h — what the tests of proposals and samplers share: densities on the line with everything about them known
 * by quadrature, exact draws from them, the distance of Kolmogorov and Smirnov, and the models that they belong to. */
#ifndef TESTS_SAMPLING_H
#define TESTS_SAMPLING_H

#include <gibbs/ebm.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/sanitized.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define OK(call)                                                                                        \
    do {                                                                                                \
        gibbs_error ok_error = {.status = GIBBS_OK, .message = ""};                                     \
        gibbs_status ok_status = (call);                                                                \
        cr_assert_eq(ok_status, GIBBS_OK, "%s: %s", #call, ok_error.message);                           \
    } while (0)
#define ERROR (&ok_error)

/* `call` must fail so, with a sentence that holds `part`; it reports to FAIL. */
#define FAILS(expected, part, call)                                                                     \
    do {                                                                                                \
        gibbs_error fail_error = {.status = GIBBS_OK, .message = ""};                                   \
        gibbs_status fail_status = (call);                                                              \
        cr_assert_eq(fail_status, expected, "%s gave %s: %s", #call, gibbs_status_text(fail_status),    \
                     fail_error.message);                                                               \
        cr_assert_not_null(strstr(fail_error.message, part), "«%s» lacks «%s»", fail_error.message, part); \
    } while (0)
#define FAIL (&fail_error)

/* The first number of a parameter that is there. */
static inline double parameter_of(const ebm_model *model, const char *name)
{
    double value = NAN;
    OK(ebm_model_value(model, name, &value, ERROR));
    return value;
}

static inline double sampling_uniform(uint64_t *state) /* on (0, 1): splitmix64, not the library's generator */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 12) + 0.5) * 0x1p-52;
}

static inline void *sampling_room(int64_t count, size_t size)
{
    void *room = calloc((size_t)count, size);
    cr_assert_not_null(room);
    return room;
}

/* ---- Densities on the line: p ∝ exp(−E), E = a x²/2 + b x⁴/4 + c x ---- */

typedef struct density {
    const char *name;
    double a, b, c;
    double low, high; /* holds all of p but 1e-12 */
} density;

static inline double density_energy(const density *p, double x)
{
    return x * (p->c + x * (p->a / 2 + x * x * p->b / 4));
}

static inline double density_slope(const density *p, double x) { return p->c + x * (p->a + x * x * p->b); }

enum { GRID = 4000 };

typedef struct grid {
    double x[GRID + 1], p[GRID + 1], cdf[GRID + 1], log_z;
} grid;

static inline grid *grid_new(const density *p)
{
    grid *g = sampling_room(1, sizeof *g);
    double width = (p->high - p->low) / GRID;
    for (int i = 0; i <= GRID; i++) {
        g->x[i] = p->low + width * i;
        g->p[i] = exp(-density_energy(p, g->x[i]));
        g->cdf[i] = i ? g->cdf[i - 1] + (g->p[i] + g->p[i - 1]) / 2 * width : 0;
    }
    double z = g->cdf[GRID];
    g->log_z = log(z);
    for (int i = 0; i <= GRID; i++) g->p[i] /= z, g->cdf[i] /= z;
    return g;
}

/* E xᵏ */
static inline double grid_moment(const grid *g, int k)
{
    double sum = 0;
    for (int i = 0; i <= GRID; i++) sum += g->p[i] * pow(g->x[i], k);
    return sum * (g->x[1] - g->x[0]);
}

static inline double grid_cdf(const grid *g, double x)
{
    double at = (x - g->x[0]) / (g->x[1] - g->x[0]);
    if (!(at > 0)) return 0;
    if (at >= GRID) return 1;
    int i = (int)at;
    return g->cdf[i] + (at - i) * (g->cdf[i + 1] - g->cdf[i]);
}

static inline void grid_draw(const grid *g, int64_t n, uint64_t seed, double *x)
{
    for (int64_t k = 0; k < n; k++) {
        double u = sampling_uniform(&seed);
        int low = 0, high = GRID;
        while (high - low > 1) *(g->cdf[(low + high) / 2] <= u ? &low : &high) = (low + high) / 2;
        double rise = g->cdf[high] - g->cdf[low];
        x[k] = g->x[low] + (g->x[high] - g->x[low]) * (rise > 0 ? (u - g->cdf[low]) / rise : 0.5);
    }
}

/* ---- √n sup|F_n − F| from the values F(xᵢ), which are sorted: above 2.2 with probability 1.2e-4 ---- */

static inline int sampling_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double sampling_ks(double *f, int64_t n)
{
    double worst = 0;
    qsort(f, (size_t)n, sizeof *f, sampling_compare);
    for (int64_t i = 0; i < n; i++)
        worst = fmax(worst, fmax(f[i] - (double)i / (double)n, (double)(i + 1) / (double)n - f[i]));
    return worst * sqrt((double)n);
}

static inline double sampling_normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2)); }

/* ---- Models ---- */

/* The density's numbers are the context, which must outlive the model; a [1] parameter "tilt" adds to c. */
static inline ad_var density_record(ad_var x, const ad_var *theta, void *context)
{
    const density *p = context;
    ad_var square = ad_square(x), E = ad_add(ad_scale(square, p->a / 2), ad_scale(ad_square(square), p->b / 4));
    return ad_sum(ad_add(E, ad_mul(ad_shift(theta[0], p->c), x)));
}

static inline ebm_model *density_model(const density *p, gibbs_dtype dtype, const gibbs_allocator *allocator)
{
    ebm_parameter tilt = {"tilt", ad_vec(1), EBM_INIT_CONSTANT, 0};
    ebm_model_spec spec = {0};
    spec.dtype = dtype;
    spec.dim = 1;
    spec.parameters = &tilt;
    spec.parameter_count = 1;
    spec.energy = density_record;
    spec.context = (void *)p;
    spec.allocator = allocator;
    ebm_model *model = NULL;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static inline ebm_model *energy_model(int64_t dim, ebm_energy_fn energy)
{
    ebm_model_spec spec = {0};
    spec.dim = dim;
    spec.energy = energy;
    ebm_model *model = NULL;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

#endif
