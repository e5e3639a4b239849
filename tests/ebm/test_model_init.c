/* How parameters start: the rules, reproducible by seed. */
#include <gibbs/ebm.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_sum(x);
}

/* A model of one parameter, or of as many as there are up to a nameless one. */
static ebm_model *new_model(const ebm_parameter *p, int count, gibbs_dtype dtype, uint64_t seed)
{
    ebm_model_spec spec = {0};
    ebm_model *model;
    gibbs_error error = {.status = GIBBS_OK};
    spec.dtype = dtype;
    spec.dim = 1;
    spec.parameters = p;
    spec.parameter_count = count;
    spec.energy = energy;
    spec.seed = seed;
    cr_assert(ebm_model_new(&spec, &model, &error) == GIBBS_OK, "%s", error.message);
    return model;
}

static double *values_of(ebm_model *model)
{
    double *theta = malloc((size_t)ebm_model_size(model) * sizeof *theta);
    cr_assert(theta);
    ebm_model_get(model, theta);
    return theta;
}

static double *draw(const ebm_parameter *p, uint64_t seed)
{
    ebm_model *model = new_model(p, 1, GIBBS_FLOAT64, seed);
    double *theta = values_of(model);
    ebm_model_free(model);
    return theta;
}

Test(model_init, constant_and_identity)
{
    static const ebm_parameter p[] = {{"c", {2, {2, 2}}, EBM_INIT_CONSTANT, -1.5},
                                      {"square", {2, {2, 2}}, EBM_INIT_IDENTITY, 3},
                                      {"wide", {2, {2, 3}}, EBM_INIT_IDENTITY, 1},
                                      {"tall", {2, {3, 2}}, EBM_INIT_IDENTITY, -1}};
    static const double expected[] = {-1.5, -1.5, -1.5, -1.5, 3, 0, 0, 3, 1, 0, 0, 0, 1, 0, -1, 0, 0, -1, 0, 0};
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        ebm_model *model = new_model(p, 4, dtype, 5);
        double *theta = values_of(model);
        cr_assert(ebm_model_size(model) == sizeof expected / sizeof *expected);
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
            cr_expect(theta[i] == expected[i], "number %zu is %g", i, theta[i]);
        free(theta);
        ebm_model_free(model);
    }
}

Test(model_init, identity_is_for_matrices)
{
    static const ad_shape shapes[] = {{0, {0}}, {1, {3}}, {3, {2, 2, 2}}};
    for (int i = 0; i < 3; i++) {
        const ebm_parameter p = {"w", shapes[i], EBM_INIT_IDENTITY, 1};
        ebm_model_spec spec = {0};
        ebm_model *model;
        gibbs_error error = {.status = GIBBS_OK};
        char expected[80];
        spec.dim = spec.parameter_count = 1, spec.parameters = &p, spec.energy = energy;
        cr_expect(ebm_model_new(&spec, &model, &error) == GIBBS_ARGUMENT);
        snprintf(expected, sizeof expected, "model: «w» starts as a unit matrix, but has %d dimensions",
                 shapes[i].rank);
        cr_expect_str_eq(error.message, expected);
    }
}

/* Mean, variance, skewness and kurtosis of 10⁵ standard normals, each within 5 of its standard deviations. */
Test(model_init, normal_has_the_moments)
{
    enum { N = 100000 };
    static const ebm_parameter p = {"w", {2, {N / 100, 100}}, EBM_INIT_NORMAL, 2.5};
    static const double moment[] = {0, 1, 0, 3}, variance[] = {1, 2, 15, 96};
    double *theta = draw(&p, 11), power[4] = {0};
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 4; k++) power[k] += pow(theta[i] / 2.5, k + 1) / N;
    for (int k = 0; k < 4; k++)
        cr_expect(fabs(power[k] - moment[k]) < 5 * sqrt(variance[k] / N), "moment %d is %g", k + 1, power[k]);
    double lag = 0;
    for (int i = 1; i < N; i++) lag += theta[i] * theta[i - 1] / (2.5 * 2.5 * N);
    cr_expect(fabs(lag) < 5 / sqrt(N), "neighbours are correlated: %g", lag);
    free(theta);
}

/* Uniform on ±scale √(6/(rows + cols)), ±scale/√rows or ±scale: never outside, and close to both ends; a
 * vector counts as one row, or as what goes into a unit. */
Test(model_init, uniform_rules_fill_their_intervals)
{
    static const ebm_parameter p[] = {{"matrix", {2, {200, 400}}, EBM_INIT_GLOROT, 0.5},
                                      {"vector", {1, {20000}}, EBM_INIT_GLOROT, 1},
                                      {"in", {2, {400, 100}}, EBM_INIT_FAN_IN, 2},
                                      {"output", {1, {10000}}, EBM_INIT_FAN_IN, 1},
                                      {"bias", {1, {20000}}, EBM_INIT_UNIFORM, 0.3}};
    static const double bound[] = {0.05, 0.017320075, 0.1, 0.01, 0.3};
    for (int k = 0; k < 5; k++) {
        int64_t n = ad_shape_count(&p[k].shape);
        double *theta = draw(&p[k], 3), low = 0, high = 0, mean = 0, variance = 0;
        for (int64_t i = 0; i < n; i++) {
            low = fmin(low, theta[i]);
            high = fmax(high, theta[i]);
            mean += theta[i] / (double)n;
            variance += theta[i] * theta[i] / (double)n;
        }
        double b = bound[k];
        cr_expect(low >= -b && high <= b && low < -0.999 * b && high > 0.999 * b, "%s: %g … %g", p[k].name, low, high);
        cr_expect(fabs(mean) < 5 * b / sqrt(3 * (double)n));
        cr_expect(fabs(variance - b * b / 3) < 5 * b * b * sqrt(4 / (45 * (double)n)));
        free(theta);
    }
}

Test(model_init, the_seed_decides)
{
    enum { N = 64 };
    static const ebm_parameter p = {"w", {1, {N}}, EBM_INIT_NORMAL, 1};
    double *first = draw(&p, 1), *again = draw(&p, 1), *other = draw(&p, 2);
    cr_expect(memcmp(first, again, N * sizeof *first) == 0);
    for (int i = 0; i < N; i++) cr_expect(first[i] != other[i]);
    ebm_model *model = new_model(&p, 1, GIBBS_FLOAT64, 2);
    ebm_model_reset(model, 1);
    cr_expect(memcmp(first, ebm_model_theta(model), N * sizeof *first) == 0);
    ebm_model_free(model);
    free(first);
    free(again);
    free(other);
}

/* Element i of parameter k is the same in both dtypes, and whatever the other parameters' sizes are. */
Test(model_init, draws_depend_on_seed_parameter_and_element_only)
{
    static const ebm_parameter small[] = {{"a", {1, {2}}, EBM_INIT_NORMAL, 1}, {"b", {1, {4}}, EBM_INIT_NORMAL, 1}};
    static const ebm_parameter large[] = {{"a", {1, {9}}, EBM_INIT_NORMAL, 1}, {"b", {1, {4}}, EBM_INIT_NORMAL, 1}};
    ebm_model *one = new_model(small, 2, GIBBS_FLOAT64, 8), *two = new_model(large, 2, GIBBS_FLOAT64, 8);
    ebm_model *narrow = new_model(small, 2, GIBBS_FLOAT32, 8);
    double *a = values_of(one), *b = values_of(two), *c = values_of(narrow);
    cr_expect(memcmp(a, b, 2 * sizeof *a) == 0 && memcmp(a + 2, b + 9, 4 * sizeof *a) == 0);
    for (int i = 0; i < 6; i++) cr_expect(c[i] == (double)(float)a[i]);
    cr_expect(a[0] != a[2], "two parameters have different draws");
    ebm_model_free(one);
    ebm_model_free(two);
    ebm_model_free(narrow);
    free(a);
    free(b);
    free(c);
}

/* A network's start: as ±√(6/(rows + cols)) with biases at 0, or as PyTorch's, ±1/√rows of weights and biases. */
Test(model_init, of_a_network)
{
    const int64_t widths[] = {400, 300};
    static const double bounds[2][5] = {{0.122169, 0, 0.0925820, 0, 0.141187},
                                        {0.707107, 0.707107, 0.05, 0.05, 0.0577350}};
    for (int k = 0; k < 2; k++) {
        ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 2, .start = k ? EBM_INIT_FAN_IN : 0, .seed = 3};
        gibbs_error error;
        ebm_model *model;
        cr_assert(!ebm_model_mlp(&spec, &model, &error), "%s", error.message);
        double *theta = values_of(model), *at = theta;
        for (int p = 0; p < 5; p++) {
            ad_shape shape = ebm_model_parameter_shape(model, p);
            double most = 0;
            for (int64_t i = 0; i < ad_shape_count(&shape); i++) most = fmax(most, fabs(*at++));
            cr_expect(most <= 1.000001 * bounds[k][p] && most >= 0.98 * bounds[k][p], "%d, %d: %g", k, p, most);
        }
        free(theta);
        ebm_model_free(model);
        spec.start = EBM_INIT_NORMAL;
        cr_expect(ebm_model_mlp(&spec, &model, &error) == GIBBS_ARGUMENT && strstr(error.message, "start"));
    }
}
