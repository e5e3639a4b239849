/* E and ∇xE at many points, and the mean log likelihood: chunks, bounded memory, refusals. */
#include <gibbs/ebm.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/alloc.h"
#include "support/sanitized.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define LOG_2PI      1.8378770664093454836

static const double tolerance[] = {[GIBBS_FLOAT32] = 1e-5, [GIBBS_FLOAT64] = 1e-13};
static const int64_t widths[] = {8, 8};

static double *points(int64_t count)
{
    double *x = malloc((size_t)count * sizeof *x);
    uint64_t state = 12345;
    cr_assert(x);
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        x[i] = (double)(state >> 40) / (1 << 22) - 2; /* exact in float32 */
    }
    return x;
}

static ebm_model *new_mlp(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *a)
{
    ebm_mlp_spec spec = {
        .dim = dim, .widths = widths, .layers = 2, .base_sd = 2, .dtype = dtype, .seed = 1, .allocator = a};
    ebm_model *model;
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert(ebm_model_mlp(&spec, &model, &error) == GIBBS_OK, "%s", error.message);
    return model;
}

static ebm_model *new_model(ebm_energy_fn energy, int64_t dim, gibbs_dtype dtype)
{
    ebm_model_spec spec = {0};
    ebm_model *model;
    gibbs_error error = {.status = GIBBS_OK};
    spec.dtype = dtype;
    spec.dim = dim;
    spec.energy = energy;
    cr_assert(ebm_model_new(&spec, &model, &error) == GIBBS_OK, "%s", error.message);
    return model;
}

static void evaluate(ebm_model *model, const double *x, int64_t rows, double *energy, double *gradient)
{
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert(ebm_model_energy(model, x, rows, energy, gradient, &error) == GIBBS_OK, "%s", error.message);
}

/* ---- Many rows ----------------------------------------------------------------------------------------------- */

/* More rows than two chunks, against the same rows a few at a time; the numbers of rows include ragged ends. */
static void expect_many_equal_few(int64_t dim, int64_t rows, gibbs_dtype dtype)
{
    static const int64_t some[] = {1, 2, 17, 1000};
    ebm_model *model = new_mlp(dim, dtype, NULL);
    double *x = points(rows * dim), *E = malloc((size_t)rows * sizeof *E);
    double *g = malloc((size_t)(rows * dim) * sizeof *g);
    double *e2 = malloc(1000 * sizeof *e2), *g2 = malloc((size_t)(1000 * dim) * sizeof *g2);
    cr_assert(E && g && e2 && g2);
    evaluate(model, x, rows, E, g);
    for (int64_t row = 0, k = 0; row < rows; row += rows / 9, k++) {
        int64_t n = some[k % COUNT(some)] < rows - row ? some[k % COUNT(some)] : rows - row;
        evaluate(model, x + row * dim, n, e2, g2);
        for (int64_t i = 0; i < n; i++) cr_assert(fabs(e2[i] - E[row + i]) <= tolerance[dtype] * (1 + fabs(e2[i])));
        for (int64_t i = 0; i < n * dim; i++)
            cr_assert(fabs(g2[i] - g[row * dim + i]) <= tolerance[dtype] * (1 + fabs(g2[i])));
    }
    evaluate(model, x + (rows - 1) * dim, 1, e2, NULL);
    cr_expect(fabs(e2[0] - E[rows - 1]) <= tolerance[dtype] * (1 + fabs(e2[0])));
    free(x);
    free(E);
    free(g);
    free(e2);
    free(g2);
    ebm_model_free(model);
}

Test(evaluate, many_rows_are_few_rows)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        expect_many_equal_few(1, 150001, dtype);
        expect_many_equal_few(40, 65537, dtype);
    }
}

/* The model's own memory, for ten times as many rows, is what it was. */
Test(evaluate, memory_does_not_grow_with_the_rows)
{
    enum { ROWS = 1 << 20, DIM = 2 };
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32 && in_sweep(dtype, 2); dtype++) {
        counting_alloc count = {0};
        gibbs_allocator a = counting_allocator(&count);
        ebm_model *model = new_mlp(DIM, dtype, &a);
        double *x = points((int64_t)ROWS * DIM), *E = malloc(ROWS * sizeof *E), *g = malloc(ROWS * DIM * sizeof *g);
        ebm_data data = {.rows = ROWS, .cols = DIM, .x = x};
        double mean;
        cr_assert(x && E && g);
        evaluate(model, x, ROWS / 10, E, g);
        cr_assert(ebm_mean_log_likelihood(model, &data, 0, &mean, NULL) == GIBBS_OK);
        int64_t peak = count.peak, calls = count.calls;
        evaluate(model, x, ROWS, E, g);
        evaluate(model, x, 3, E, g);
        cr_expect(count.peak == peak && count.calls == calls, "%lld bytes, then %lld", (long long)peak,
                  (long long)count.peak);
        cr_expect(peak < (int64_t)(ROWS * DIM * sizeof *x), "%lld bytes: as much as the table", (long long)peak);
        ebm_model_free(model);
        cr_expect(!count.live);
        free(x);
        free(E);
        free(g);
    }
}

/* ---- Energies that do not look like one ---------------------------------------------------------------------- */

static ad_var constant(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_constant(x.tape, 2.5);
}

static ad_var logarithm(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_log(ad_sum(x));
}

/* An energy without x is one value for all samples; every row gets it, and a gradient of zero. */
Test(evaluate, an_energy_that_ignores_x)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        double x[6] = {1, 2, 3, 4, 5, 6}, E[3] = {0}, g[6] = {9, 9, 9, 9, 9, 9};
        ebm_model *model = new_model(constant, 2, dtype);
        evaluate(model, x, 3, E, g);
        for (int i = 0; i < 3; i++) cr_expect(E[i] == 2.5);
        for (int i = 0; i < 6; i++) cr_expect(g[i] == 0);
        ebm_model_free(model);
    }
}

/* Infinite and undefined energies are values like any other here. */
Test(evaluate, returns_what_the_energy_is)
{
    const double x[] = {0, -1, 1};
    double E[3];
    ebm_model *model = new_model(logarithm, 1, GIBBS_FLOAT64);
    evaluate(model, x, 3, E, NULL);
    cr_expect(E[0] == -INFINITY && isnan(E[1]) && E[2] == 0);
    ebm_model_free(model);
}

/* ---- Refusals ------------------------------------------------------------------------------------------------ */

static void expect_energy_refused(ebm_model *model, const double *x, int64_t rows, gibbs_status status,
                                  const char *sentence)
{
    double E[4] = {7, 7, 7, 7}, g[8] = {7, 7, 7, 7, 7, 7, 7, 7};
    gibbs_error error = {.status = GIBBS_OK};
    cr_expect(ebm_model_energy(model, x, rows, E, g, &error) == status && error.status == status, "%s", error.message);
    cr_expect(strstr(error.message, sentence), "%s", error.message);
    for (int i = 0; i < 8; i++) cr_expect(g[i] == 7 && E[i / 2] == 7, "nothing was written");
    cr_expect(ebm_model_energy(model, x, rows, E, g, NULL) == status);
}

Test(evaluate, refuses)
{
    double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, E[4];
    ebm_model *model = new_mlp(2, GIBBS_FLOAT64, NULL), *narrow = new_mlp(2, GIBBS_FLOAT32, NULL);
    expect_energy_refused(model, x, 0, GIBBS_ARGUMENT, "0 rows");
    expect_energy_refused(model, x, -3, GIBBS_ARGUMENT, "-3 rows");
    expect_energy_refused(model, x, INT64_MAX, GIBBS_SIZE, "too many");
    expect_energy_refused(model, x, INT64_MAX / 4, GIBBS_SIZE, "too many");
    expect_energy_refused(model, NULL, 1, GIBBS_ARGUMENT, "no points");
    cr_expect(ebm_model_energy(model, x, 1, NULL, NULL, NULL) == GIBBS_ARGUMENT);
    x[5] = NAN;
    expect_energy_refused(model, x, 4, GIBBS_DATA, "row 3, column 2");
    x[5] = -INFINITY;
    expect_energy_refused(narrow, x, 4, GIBBS_DATA, "row 3, column 2");
    x[5] = 1e39;
    expect_energy_refused(narrow, x, 4, GIBBS_DATA, "row 3, column 2 is too large for a float32 model");
    evaluate(model, x, 4, E, NULL);
    x[5] = 6;
    evaluate(narrow, x, 4, E, NULL);
    ebm_model_free(model);
    ebm_model_free(narrow);
}

static ad_var table(ad_var x, const ad_var *theta, void *context)
{
    static const double levels[] = {3, 1, 4, 1};
    (void)theta;
    (void)context;
    return ad_sum(ad_gather(ad_constant_array(x.tape, ad_vec(4), levels), x));
}

/* What goes wrong while a chunk runs is told with the number of its row. */
Test(evaluate, a_bad_index_in_a_later_chunk)
{
    enum { ROWS = 65536 + 10 };
    double *x = calloc(ROWS, sizeof *x), *E = malloc(ROWS * sizeof *E), mean;
    ebm_data data = {.rows = ROWS, .cols = 1, .x = x};
    ebm_model *model = new_model(table, 1, GIBBS_FLOAT64);
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert(x && E);
    x[65536 + 7] = 2;
    evaluate(model, x, ROWS, E, NULL);
    cr_expect(E[0] == 3 && E[65536 + 7] == 4);
    x[65536 + 7] = 9;
    cr_expect(ebm_model_energy(model, x, ROWS, E, NULL, &error) == GIBBS_DATA);
    cr_expect(strstr(error.message, "row 65536 of x as row 0: gather"), "%s", error.message);
    cr_expect(strstr(error.message, "index 9 at row 7"), "%s", error.message);
    cr_expect(ebm_mean_log_likelihood(model, &data, 0, &mean, &error) == GIBBS_DATA);
    cr_expect(strstr(error.message, "row 65536 of x as row 0: gather"), "%s", error.message);
    cr_expect(strstr(error.message, "index 9 at row 7"), "%s", error.message);
    free(x);
    free(E);
    ebm_model_free(model);
}

/* ---- Log likelihood ------------------------------------------------------------------------------------------ */

/* The standard normal's, by its formula, over more rows than a chunk. */
Test(log_likelihood, of_a_gaussian)
{
    enum { ROWS = 70001, DIM = 3 };
    double *x = points(ROWS * DIM), expected = -0.5 * DIM * LOG_2PI, mean;
    ebm_data data = {.rows = ROWS, .cols = DIM, .x = x};
    for (int i = 0; i < ROWS * DIM; i++) expected -= 0.5 * x[i] * x[i] / ROWS;
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        ebm_model *model;
        cr_assert(ebm_model_gaussian(DIM, dtype, NULL, &model, NULL) == GIBBS_OK);
        cr_assert(ebm_mean_log_likelihood(model, &data, 0.5 * DIM * LOG_2PI, &mean, NULL) == GIBBS_OK);
        cr_expect(fabs(mean - expected) < (dtype == GIBBS_FLOAT32 ? 1e-6 : 1e-11), "%.17g, not %.17g", mean, expected);
        ebm_model_free(model);
    }
    free(x);
}

/* The row is counted over all chunks. */
Test(log_likelihood, an_undefined_energy_in_a_later_chunk)
{
    enum { ROWS = 66000 };
    double *x = points(ROWS), mean;
    ebm_data data = {.rows = ROWS, .cols = 1, .x = x};
    ebm_model *model = new_model(logarithm, 1, GIBBS_FLOAT64);
    gibbs_error error = {.status = GIBBS_OK};
    for (int i = 0; i < ROWS; i++) x[i] = fabs(x[i]) + 1;
    x[65800] = -1;
    cr_expect(ebm_mean_log_likelihood(model, &data, 0, &mean, &error) == GIBBS_NUMERIC);
    cr_expect(strstr(error.message, "NaN at row 65801"), "%s", error.message);
    ebm_model_free(model);
    free(x);
}

static ad_var reciprocal_root(ad_var x, const ad_var *theta, void *context) /* NaN, ∞, 1 at −1, 0, 1 */
{
    (void)theta;
    (void)context;
    return ad_recip(ad_sqrt(ad_sum(x)));
}

static void expect_refused(ebm_model *model, const ebm_data *data, double log_z, gibbs_status status,
                           const char *sentence)
{
    double mean = 7;
    gibbs_error error = {.status = GIBBS_OK};
    cr_expect(ebm_mean_log_likelihood(model, data, log_z, &mean, &error) == status && mean == 7, "%s", error.message);
    cr_expect(strstr(error.message, sentence), "%s", error.message);
}

Test(log_likelihood, refuses)
{
    double x[] = {1, 0, -1, 1}, mean;
    ebm_data data = {.rows = 4, .cols = 1, .x = x}, empty = {.rows = 0, .cols = 1, .x = x};
    ebm_data wide = {.rows = 2, .cols = 2, .x = x};
    ebm_model *model = new_model(reciprocal_root, 1, GIBBS_FLOAT64), *lower = new_model(logarithm, 1, GIBBS_FLOAT64);
    expect_refused(model, &data, 0, GIBBS_NUMERIC, "NaN at row 3");
    expect_refused(lower, &data, 0, GIBBS_NUMERIC, "-infinity at row 2");
    expect_refused(model, &empty, 0, GIBBS_DATA, "empty");
    expect_refused(model, &wide, 0, GIBBS_SHAPE, "2 columns, the model has dim 1");
    expect_refused(model, &data, NAN, GIBBS_ARGUMENT, "log Z is nan");
    data.rows = 2; /* a density of 0 at one of the points is a fact, not an error */
    cr_expect(ebm_mean_log_likelihood(model, &data, 0, &mean, NULL) == GIBBS_OK && mean == -INFINITY);
    x[1] = NAN;
    expect_refused(model, &data, 0, GIBBS_DATA, "row 2");
    ebm_model_free(model);
    ebm_model_free(lower);
}
