/* discrete_space.h — small discrete models, all of whose states are listed with their probabilities; exact draws from
 * them, and χ² as a standard normal number. */
#ifndef TESTS_DISCRETE_SPACE_H
#define TESTS_DISCRETE_SPACE_H

#include "ebm/sampling.h"

/* ---- χ²: Wilson and Hilferty's normal number, above 4.3 with probability 1e-5 ---- */

static inline double chi_square_z(const double *count, const double *probability, int cells, double draws)
{
    double sum = 0, df = cells - 1;
    for (int k = 0; k < cells; k++) {
        double expected = draws * probability[k];
        sum += (count[k] - expected) * (count[k] - expected) / expected;
    }
    return (cbrt(sum / df) - 1 + 2 / (9 * df)) / sqrt(2 / (9 * df));
}

/* ---- Energies: xᵀb + xᵀWx + ¾ x₀x₁x₂, so that a first-order expansion is wrong by something ---- */

enum { SPACE_DIM = 6, SPACE_STATES = 64 };

static inline double space_linear(int i) { return 0.9 * sin(3 + 5.0 * i); }
static inline double space_pair(int i, int j) { return i == j ? 0 : 0.5 * cos(1 + 7.0 * i + 3.0 * j); }

static inline ad_var space_record(ad_var x, const ad_var *theta, void *context)
{
    double b[SPACE_DIM], W[SPACE_DIM * SPACE_DIM];
    int n = (int)ad_shape_of(x).dim[0];
    (void)theta;
    (void)context;
    for (int i = 0; i < n; i++) {
        b[i] = space_linear(i);
        for (int j = 0; j < n; j++) W[i * n + j] = space_pair(i, j);
    }
    ad_var first = ad_sum(ad_slice(x, 0, 0, 1)), second = ad_sum(ad_slice(x, 0, 1, 1));
    ad_var three = ad_mul(ad_mul(first, second), ad_sum(ad_slice(x, 0, 2, 1)));
    ad_var E = ad_quadratic_form(x, ad_constant_array(x.tape, ad_mat(n, n), W));
    E = ad_add(E, ad_dot(x, ad_constant_array(x.tape, ad_vec(n), b)));
    return ad_add(E, ad_scale(three, 0.75));
}

static inline ebm_model *space_model(int64_t dim, gibbs_dtype dtype)
{
    ebm_model_spec spec = {0};
    ebm_model *model = NULL;
    spec.dim = dim;
    spec.dtype = dtype;
    spec.energy = space_record;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* ---- All states ---- */

typedef struct space {
    int dim, states;
    double x[SPACE_STATES * SPACE_DIM], p[SPACE_STATES], log_z;
} space;

/* Column `column` of state `k`: digits of k are the variables. */
static inline double space_value(const double values[2], int categories, int k, int column)
{
    if (!categories) return values[k >> column & 1];
    int digit = k;
    for (int v = 0; v < column / categories; v++) digit /= categories;
    return digit % categories == column % categories;
}

/* `of`: as among a chain's options. */
static inline space space_list(ebm_model *model, const ebm_space *of)
{
    const double *values = of->values ? of->values : (const double[]){0, 1};
    int categories = of->one_hot ? (int)of->labels : 0;
    space s = {.dim = (int)ebm_model_dim(model), .states = 1};
    double E[SPACE_STATES];
    for (int v = 0; v < (categories ? s.dim / categories : s.dim); v++) s.states *= categories ? categories : 2;
    for (int k = 0; k < s.states; k++)
        for (int c = 0; c < s.dim; c++) s.x[k * s.dim + c] = space_value(values, categories, k, c);
    OK(ebm_model_energy(model, s.x, s.states, E, NULL, ERROR));
    double z = 0;
    for (int k = 0; k < s.states; k++) z += exp(-E[k]);
    for (int k = 0; k < s.states; k++) s.p[k] = exp(-E[k]) / z;
    s.log_z = log(z);
    return s;
}

/* The number of the state x; the test fails when it is none. */
static inline int space_index(const space *s, const double *x)
{
    int k = 0;
    while (k < s->states && memcmp(s->x + k * s->dim, x, (size_t)s->dim * sizeof *x)) k++;
    cr_assert_lt(k, s->states, "%.17g %.17g … is no state", x[0], x[1]);
    return k;
}

static inline void space_draw(const space *s, int64_t rows, uint64_t seed, double *x)
{
    for (int64_t r = 0; r < rows; r++) {
        double u = sampling_uniform(&seed);
        int k = 0;
        while (k + 1 < s->states && u >= s->p[k]) u -= s->p[k++];
        memcpy(x + r * s->dim, s->x + k * s->dim, (size_t)s->dim * sizeof *x);
    }
}

static inline double space_chi_square(const space *s, const double *x, int64_t rows)
{
    double count[SPACE_STATES] = {0};
    for (int64_t r = 0; r < rows; r++) count[space_index(s, x + r * s->dim)]++;
    return chi_square_z(count, s->p, s->states, (double)rows);
}

#endif
