/* The energies that ship, against their formulas in plain C, in both dtypes: values, ∇xE, parameters, refusals. */
#include <gibbs/ebm.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
enum { ROWS = 37, MAX_DIM = 7, MAX_WIDTH = 32, MAX_THETA = 4096 };

static const double tolerance[] = {[GIBBS_FLOAT32] = 2e-5, [GIBBS_FLOAT64] = 1e-13};

/* Numbers on (−2, 2), exact in float32 so that both dtypes see the same. */
static void fill(double *x, int n, unsigned seed)
{
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (double)(float)((double)(seed >> 8) / (1 << 22) - 2);
    }
}

static void expect_close(const double *got, const double *wanted, int n, double limit, const char *what)
{
    for (int i = 0; i < n; i++)
        cr_assert(fabs(got[i] - wanted[i]) <= limit * (1 + fabs(wanted[i])), "%s, number %d: %.17g, not %.17g", what, i,
                  got[i], wanted[i]);
}

/* The formula under test: fills energy and gradient for one x. */
typedef double (*formula)(const double *x, int dim, const double *theta, const void *context, double *gradient);

static void expect_formula(ebm_model *model, formula f, const void *context)
{
    int dim = (int)ebm_model_dim(model);
    double x[ROWS * MAX_DIM], theta[MAX_THETA], E[ROWS], g[ROWS * MAX_DIM], E2[ROWS], g2[ROWS * MAX_DIM], alone[ROWS];
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert(ebm_model_size(model) <= MAX_THETA && dim <= MAX_DIM);
    fill(x, ROWS * dim, 5);
    ebm_model_get(model, theta);
    cr_assert(ebm_model_energy(model, x, ROWS, E, g, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(ebm_model_energy(model, x, ROWS, alone, NULL, &error) == GIBBS_OK, "%s", error.message);
    for (int r = 0; r < ROWS; r++) E2[r] = f(x + r * dim, dim, theta, context, g2 + r * dim);
    double limit = tolerance[ebm_model_dtype(model)];
    expect_close(E, E2, ROWS, limit, "energy");
    expect_close(alone, E2, ROWS, limit, "energy without gradient");
    expect_close(g, g2, ROWS * dim, limit, "gradient");
}

/* ---- Gaussian ------------------------------------------------------------------------------------------------ */

static double gaussian(const double *x, int dim, const double *theta, const void *context, double *gradient)
{
    const double *P = theta + dim;
    double E = 0;
    (void)context;
    for (int i = 0; i < dim; i++) {
        gradient[i] = 0;
        for (int j = 0; j < dim; j++) {
            E += 0.5 * (x[i] - theta[i]) * P[i * dim + j] * (x[j] - theta[j]);
            gradient[i] += 0.5 * (P[i * dim + j] + P[j * dim + i]) * (x[j] - theta[j]);
        }
    }
    return E;
}

static ebm_model *new_gaussian(int dim, gibbs_dtype dtype)
{
    ebm_model *model;
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert(ebm_model_gaussian(dim, dtype, NULL, &model, &error) == GIBBS_OK, "%s", error.message);
    return model;
}

/* The precision is not symmetric here: the gradient must be that of its symmetric part. */
Test(gaussian, is_the_formula)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++)
        for (int dim = 1; dim <= MAX_DIM; dim += 2) {
            double theta[MAX_DIM + MAX_DIM * MAX_DIM];
            ebm_model *model = new_gaussian(dim, dtype);
            expect_formula(model, gaussian, NULL);
            fill(theta, dim + dim * dim, 77);
            ebm_model_set(model, theta);
            expect_formula(model, gaussian, NULL);
            ebm_model_free(model);
        }
}

Test(gaussian, starts_at_the_standard_normal)
{
    static const double expected[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    double theta[12];
    ebm_model *model = new_gaussian(3, GIBBS_FLOAT64);
    cr_assert(ebm_model_parameters(model) == 2 && ebm_model_size(model) == 12);
    cr_expect_str_eq(ebm_model_parameter_name(model, 0), "mean");
    cr_expect_str_eq(ebm_model_parameter_name(model, 1), "precision");
    cr_expect(ebm_model_parameter_shape(model, 0).rank == 1 && ebm_model_parameter_shape(model, 1).rank == 2);
    ebm_model_get(model, theta);
    cr_expect_arr_eq(theta, expected, sizeof expected);
    ebm_model_free(model);
}

Test(gaussian, refuses)
{
    static const int64_t dims[] = {0, -1, INT64_MIN, INT64_MAX, 50000};
    static const gibbs_status statuses[] = {GIBBS_ARGUMENT, GIBBS_ARGUMENT, GIBBS_ARGUMENT, GIBBS_SIZE, GIBBS_SIZE};
    for (int i = 0; i < COUNT(dims); i++) {
        ebm_model *model = (ebm_model *)&model;
        gibbs_error error = {.status = GIBBS_OK};
        gibbs_status status = ebm_model_gaussian(dims[i], GIBBS_FLOAT64, NULL, &model, &error);
        cr_expect(status == statuses[i] && error.status == status, "case %d: %s", i, error.message);
        cr_expect(!model && error.message[0]);
    }
}

/* ---- Network ------------------------------------------------------------------------------------------------- */

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}
static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}
static double tanh_slope(double z)
{
    return 1 - tanh(z) * tanh(z);
}
static double silu(double z)
{
    return z * sigmoid(z);
}
static double silu_slope(double z)
{
    return sigmoid(z) * (1 + z * sigmoid(-z));
}
static double cubic(double z)
{
    return z - z * z * z / 8;
}
static double cubic_slope(double z)
{
    return 1 - 3 * z * z / 8;
}
static ad_var record_cubic(ad_var z)
{
    return ad_sub(z, ad_scale(ad_mul(z, ad_square(z)), 0.125));
}

/* As the library records it, and in plain C with its derivative. */
static const struct activation {
    ebm_activation record;
    double (*value)(double), (*slope)(double);
} activations[] = {
    {NULL, softplus, sigmoid}, /* the default */
    {ad_softplus, softplus, sigmoid}, {ad_tanh, tanh, tanh_slope},
    {ad_silu, silu, silu_slope},      {record_cubic, cubic, cubic_slope},
};

typedef struct net {
    const ebm_mlp_spec *spec;
    const struct activation *phi;
} net;

/* v·h of what the layers from l on make of h, and its derivative by h; W is where layer l's parameters begin. */
static double layers(const net *t, int l, const double *W, const double *h, int n, double *dh)
{
    double E = 0, z[MAX_WIDTH], out[MAX_WIDTH], dout[MAX_WIDTH];
    if (l == t->spec->layers) {
        for (int i = 0; i < n; i++) E += W[i] * h[i];
        memcpy(dh, W, (size_t)n * sizeof *dh);
        return E;
    }
    int m = (int)t->spec->widths[l];
    for (int j = 0; j < m; j++) {
        z[j] = W[n * m + j];
        for (int i = 0; i < n; i++) z[j] += h[i] * W[i * m + j];
        out[j] = t->phi->value(z[j]);
    }
    E = layers(t, l + 1, W + n * m + m, out, m, dout);
    for (int i = 0; i < n; i++) {
        dh[i] = 0;
        for (int j = 0; j < m; j++) dh[i] += W[i * m + j] * t->phi->slope(z[j]) * dout[j];
    }
    return E;
}

static double mlp(const double *x, int dim, const double *theta, const void *context, double *gradient)
{
    const net *t = context;
    double E = layers(t, 0, theta, x, dim, gradient), sd = t->spec->base_sd;
    for (int i = 0; sd > 0 && i < dim; i++) {
        E += x[i] * x[i] / (2 * sd * sd);
        gradient[i] += x[i] / (sd * sd);
    }
    return E;
}

static const int64_t widths[] = {5, 1, MAX_WIDTH, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 4};

static const struct shape {
    int64_t dim;
    int layers;
    double base_sd;
} shapes[] = {{1, 1, 0}, {2, 1, 3}, {3, 2, 0}, {3, 4, 0.75}, {MAX_DIM, 16, 2}};

/* Biases start at 0, so they are moved away from it before the comparison. */
Test(mlp, is_the_formula)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++)
        for (int a = 0; a < COUNT(activations); a++)
            for (int i = 0; i < COUNT(shapes); i++) {
                ebm_mlp_spec spec = {.dim = shapes[i].dim,
                                     .widths = widths,
                                     .layers = shapes[i].layers,
                                     .dtype = dtype,
                                     .activation = activations[a].record,
                                     .base_sd = shapes[i].base_sd,
                                     .seed = 3};
                net t = {&spec, &activations[a]};
                double theta[MAX_THETA], shift[MAX_THETA];
                ebm_model *model;
                gibbs_error error = {.status = GIBBS_OK};
                cr_assert(ebm_model_mlp(&spec, &model, &error) == GIBBS_OK, "%s", error.message);
                expect_formula(model, mlp, &t);
                ebm_model_get(model, theta);
                fill(shift, (int)ebm_model_size(model), 9);
                for (int k = 0; k < ebm_model_size(model); k++) theta[k] += 0.1 * shift[k];
                ebm_model_set(model, theta);
                expect_formula(model, mlp, &t);
                ebm_model_free(model);
            }
}

Test(mlp, parameters)
{
    ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 16, .dtype = GIBBS_FLOAT64, .seed = 4};
    ebm_model *model;
    cr_assert(ebm_model_mlp(&spec, &model, NULL) == GIBBS_OK);
    cr_assert(ebm_model_parameters(model) == 33);
    const double *theta = ebm_model_theta(model);
    for (int l = 0, from = 2; l <= 16; from = (int)widths[l++]) {
        char name[16];
        ad_shape W = ebm_model_parameter_shape(model, 2 * l), b = ebm_model_parameter_shape(model, 2 * l + 1);
        int to = l < 16 ? (int)widths[l] : 1, n = from * to;
        double bound = sqrt(6.0 / (from + to)), size = 0;
        snprintf(name, sizeof name, l < 16 ? "W%d" : "v", l + 1);
        cr_expect_str_eq(ebm_model_parameter_name(model, 2 * l), name);
        cr_expect(W.rank == (l < 16 ? 2 : 1) && W.dim[0] == from && ad_shape_count(&W) == n);
        for (int i = 0; i < n; i++) cr_expect(fabs(theta[i]) <= bound && theta[i] != 0);
        for (int i = 0; i < n; i++) size += fabs(theta[i]) / n;
        cr_expect(n < 50 || fabs(size - bound / 2) < 0.1 * bound, "%s: mean size %g", name, size);
        theta += n;
        if (l == 16) break;
        snprintf(name, sizeof name, "b%d", l + 1);
        cr_expect_str_eq(ebm_model_parameter_name(model, 2 * l + 1), name);
        cr_expect(b.rank == 1 && b.dim[0] == to);
        for (int i = 0; i < to; i++) cr_expect(theta[i] == 0);
        theta += to;
    }
    cr_expect(theta == (double *)ebm_model_theta(model) + ebm_model_size(model));
    ebm_model_free(model);
}

static const int64_t bad_widths[] = {5, 0}, negative_widths[] = {-1}, vast_widths[] = {INT64_MAX};

static const struct refusal {
    ebm_mlp_spec spec;
    gibbs_status status;
    const char *sentence; /* part of it */
} refusals[] = {
    {{.dim = 2, .widths = widths, .layers = 0}, GIBBS_ARGUMENT, "0 layers"},
    {{.dim = 2, .widths = widths, .layers = -1}, GIBBS_ARGUMENT, "-1 layers"},
    {{.dim = 2, .widths = widths, .layers = 17}, GIBBS_ARGUMENT, "17 layers"},
    {{.dim = 2, .widths = NULL, .layers = 1}, GIBBS_ARGUMENT, "no widths"},
    {{.dim = 2, .widths = bad_widths, .layers = 2}, GIBBS_ARGUMENT, "layer 2 has width 0"},
    {{.dim = 2, .widths = negative_widths, .layers = 1}, GIBBS_ARGUMENT, "layer 1 has width -1"},
    {{.dim = 2, .widths = vast_widths, .layers = 1}, GIBBS_SIZE, "«W1»"},
    {{.dim = 0, .widths = widths, .layers = 1}, GIBBS_ARGUMENT, "0 dimensions"},
    {{.dim = 2, .widths = widths, .layers = 1, .base_sd = -1}, GIBBS_ARGUMENT, "base_sd is -1"},
    {{.dim = 2, .widths = widths, .layers = 1, .base_sd = NAN}, GIBBS_ARGUMENT, "base_sd is nan"},
    {{.dim = 2, .widths = widths, .layers = 1, .base_sd = INFINITY}, GIBBS_ARGUMENT, "base_sd is inf"},
    {{.dim = 2, .widths = widths, .layers = 1, .base_sd = 1e-200}, GIBBS_ARGUMENT, "base_sd is 1e-200"},
    {{.dim = 2, .widths = widths, .layers = 1, .activation = ad_sum}, GIBBS_SHAPE, "matmul"},
};

Test(mlp, refuses)
{
    for (int i = 0; i < COUNT(refusals); i++) {
        ebm_model *model = (ebm_model *)&model;
        gibbs_error error = {.status = GIBBS_OK};
        gibbs_status status = ebm_model_mlp(&refusals[i].spec, &model, &error);
        cr_expect(status == refusals[i].status && error.status == status, "case %d: status %d, %s", i, status,
                  error.message);
        cr_expect(strstr(error.message, refusals[i].sentence), "case %d: %s", i, error.message);
        cr_expect(!model);
    }
}
