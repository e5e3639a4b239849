/* Predictions of conditional models: by formulas (regressions, the chain's marginals and best path) against plain C
 * over all labels, by labels, and by points of a real y against the closed form. */
#include "ebm/conditional_check.h"

enum { GIVEN = 3, ROWS = 9, MOST_LABELS = 81 };

/* Probabilities of all labels at x, by the model's own energies. */
static double plain_probabilities(ebm_model *model, const double *x, int width, const double *labels, int count,
                                  double *p)
{
    double rows[MOST_LABELS * 16], sum = 0, low = INFINITY;
    for (int k = 0; k < count; k++) {
        memcpy(rows + k * (GIVEN + width), x, GIVEN * sizeof *rows);
        memcpy(rows + k * (GIVEN + width) + GIVEN, labels + k * width, (size_t)width * sizeof *rows);
    }
    OK(ebm_model_energy(model, rows, count, p, NULL, ERROR));
    for (int k = 0; k < count; k++) low = fmin(low, p[k]);
    for (int k = 0; k < count; k++) sum += p[k] = exp(low - p[k]);
    for (int k = 0; k < count; k++) p[k] /= sum;
    return log(sum) - low;
}

/* Mean, mode and log Z(x) are those of the listed labels. */
static void expect_predictions(ebm_model *model, int width, const double *labels, int count, double tolerance)
{
    double x[ROWS * GIVEN], mean[ROWS * 16], mode[ROWS * 16], log_z[ROWS], p[MOST_LABELS];
    spread(x, ROWS * GIVEN, 7);
    OK(ebm_predict(model, &(ebm_predict_options){.mean = 1}, x, ROWS, mean, log_z, NULL, ERROR));
    OK(ebm_predict(model, NULL, x, ROWS, mode, NULL, NULL, ERROR));
    for (int r = 0; r < ROWS; r++) {
        double z = plain_probabilities(model, x + r * GIVEN, width, labels, count, p), expected[16] = {0};
        int best = 0;
        for (int k = 0; k < count; k++) {
            if (p[k] > p[best]) best = k;
            for (int i = 0; i < width; i++) expected[i] += p[k] * labels[k * width + i];
        }
        expect_close(log_z[r], z, tolerance, "log Z(x)");
        for (int i = 0; i < width; i++) {
            expect_close(mean[r * width + i], expected[i], tolerance, "mean");
            expect_close(mode[r * width + i], labels[best * width + i], 0, "mode");
        }
    }
}

static void expect_space(ebm_model *model, ebm_space space, double tolerance)
{
    double labels[MOST_LABELS * 16];
    int count = (int)ebm_space_size(&space);
    cr_assert(count <= MOST_LABELS);
    ebm_space_rows(&space, 0, count, labels);
    spread_theta(model, 3);
    expect_predictions(model, (int)ebm_space_dim(&space), labels, count, tolerance);
    ebm_model_free(model);
}

Test(predict, regressions_of_labels)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        double tolerance = dtype == GIBBS_FLOAT64 ? 1e-12 : 2e-5;
        expect_space(regression((ebm_regression_spec){.response = EBM_LOGISTIC, .given = GIVEN, .outputs = 3,
                                                      .dtype = (gibbs_dtype)dtype}),
                     (ebm_space){.variables = 3}, tolerance);
        expect_space(regression((ebm_regression_spec){.response = EBM_SOFTMAX,
                                                      .given = GIVEN,
                                                      .outputs = 2,
                                                      .labels = 4,
                                                      .pinned = 1,
                                                      .dtype = (gibbs_dtype)dtype}),
                     (ebm_space){.variables = 2, .labels = 4, .one_hot = 1}, tolerance);
    }
}

/* Marginals and Viterbi's path of chains of lengths 1 to 4. */
Test(predict, chains)
{
    for (int length = 1; length <= 4; length++) {
        ebm_model *model;
        ebm_chain_crf_spec spec = {.given = GIVEN, .length = length, .labels = 3, .dtype = GIBBS_FLOAT64};
        if (GIVEN % length) continue;
        OK(ebm_model_chain_crf(&spec, &model, ERROR));
        expect_space(model, (ebm_space){.variables = length, .labels = 3, .one_hot = 1}, 1e-12);
    }
}

/* All paths tie at the start, where all parameters are 0: the first is taken, a whole one; and large potentials. */
Test(predict, ties_and_large_potentials)
{
    ebm_model *model;
    double y[6], x[] = {1, 1, -1};
    OK(ebm_model_chain_crf(&(ebm_chain_crf_spec){.given = 3, .length = 3, .labels = 2, .dtype = GIBBS_FLOAT64}, &model,
                           ERROR));
    OK(ebm_predict(model, NULL, x, 1, y, NULL, NULL, ERROR));
    for (int i = 0; i < 6; i++) cr_expect_eq(y[i], i % 2 == 0);
    ebm_model_set(model, (double[]){800, -800, 0, 0, 700, 0, 0, 700});
    OK(ebm_predict(model, NULL, x, 1, y, NULL, NULL, ERROR));
    const double best[] = {1, 0, 1, 0, 0, 1};
    for (int i = 0; i < 6; i++) cr_expect_eq(y[i], best[i]);
    OK(ebm_predict(model, &(ebm_predict_options){.mean = 1}, x, 1, y, NULL, NULL, ERROR));
    for (int i = 0; i < 6; i++) expect_close(y[i], best[i], 1e-12, "marginals");
    ebm_model_free(model);
}

/* ---- Labels and points ---- */

/* E = ½λ(y − w·x)² + s sin y, y real: with s = 0 a normal. */
static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var y = ad_reshape(ad_slice(row, 0, GIVEN, 1), ad_scalar());
    ad_var off = ad_sub(y, ad_dot(theta[0], ad_slice(row, 0, 0, GIVEN)));
    ad_var bowl = ad_scale(ad_mul(theta[1], ad_square(off)), 0.5);
    return ad_add(bowl, ad_mul(theta[2], ad_sin(y)));
}

static ebm_model *real_model(const double *labels, int count, double wave)
{
    static ebm_parameter p[] = {{"w", {1, {GIVEN}}, EBM_INIT_CONSTANT, 0.7},
                                {"lambda", {0, {0}}, EBM_INIT_CONSTANT, 2},
                                {"s", {0, {0}}, EBM_INIT_CONSTANT, 0}};
    ebm_model_spec spec = {0};
    ebm_model *model;
    p[2].scale = wave;
    spec.dim = GIVEN + 1, spec.parameters = p, spec.parameter_count = 3, spec.energy = energy;
    spec.given = GIVEN, spec.labels = labels, spec.label_count = count;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

Test(predict, labels_with_their_probabilities)
{
    static const double labels[] = {-1, 0, 0.5, 2};
    double x[ROWS * GIVEN], y[ROWS], got[ROWS * 4], p[4];
    ebm_model *model = real_model(labels, 4, 0.3);
    expect_predictions(model, 1, labels, 4, 1e-12);
    spread(x, ROWS * GIVEN, 7);
    OK(ebm_predict(model, NULL, x, ROWS, y, NULL, got, ERROR));
    for (int r = 0; r < ROWS; r++) {
        plain_probabilities(model, x + r * GIVEN, 1, labels, 4, p);
        for (int k = 0; k < 4; k++) expect_close(got[r * 4 + k], p[k], 1e-12, "probability");
    }
    ebm_model_free(model);
}

/* A real y by quadrature: mean and log Z of the normal to 1e-9, the mode by search; a coarse grid misses the mode
 * without the search. */
Test(predict, real_y_by_points)
{
    ebm_model *model = real_model(NULL, 0, 0), *waves;
    ebm_points points;
    double x[ROWS * GIVEN], y[ROWS], log_z[ROWS], coarse = 0;
    spread(x, ROWS * GIVEN, 7);
    OK(ebm_points_box(1, &(ebm_box){.low = {-8}, .high = {8}, .points = 161}, NULL, &points, ERROR));
    ebm_predict_options o = {.points = &points, .mean = 1};
    FAILS(GIBBS_ARGUMENT, "set options.points", ebm_predict(model, NULL, x, ROWS, y, NULL, NULL, FAIL));
    OK(ebm_predict(model, &o, x, ROWS, y, log_z, NULL, ERROR));
    for (int r = 0; r < ROWS; r++) {
        double mean = 0.7 * (x[r * GIVEN] + x[r * GIVEN + 1] + x[r * GIVEN + 2]);
        expect_close(y[r], mean, 1e-9, "mean");
        expect_close(log_z[r], 0.5 * log(2 * M_PI / 2), 1e-9, "log Z(x)");
    }
    o.mean = 0;
    OK(ebm_predict(model, &o, x, ROWS, y, NULL, NULL, ERROR));
    for (int r = 0; r < ROWS; r++)
        coarse = fmax(coarse, fabs(y[r] - 0.7 * (x[r * GIVEN] + x[r * GIVEN + 1] + x[r * GIVEN + 2])));
    cr_expect(coarse > 1e-3 && coarse <= 0.0501, "the best point of the grid is off by %g", coarse);
    o.refine = 1;
    OK(ebm_predict(model, &o, x, ROWS, y, NULL, NULL, ERROR));
    for (int r = 0; r < ROWS; r++)
        expect_close(y[r], 0.7 * (x[r * GIVEN] + x[r * GIVEN + 1] + x[r * GIVEN + 2]), 1e-7, "mode");
    /* of several valleys the one that the points found: λ(y − w·x) + s cos y = 0 there, and none is lower */
    waves = real_model(NULL, 0, 9);
    OK(ebm_predict(waves, &o, x, ROWS, y, NULL, NULL, ERROR));
    for (int r = 0; r < ROWS; r++) {
        double mean = 0.7 * (x[r * GIVEN] + x[r * GIVEN + 1] + x[r * GIVEN + 2]), at = y[r], lowest = INFINITY;
        for (double v = -8; v < 8; v += 0.001) lowest = fmin(lowest, (v - mean) * (v - mean) + 9 * sin(v));
        expect_close(2 * (at - mean) + 9 * cos(at), 0, 1e-6, "slope");
        cr_expect((at - mean) * (at - mean) + 9 * sin(at) <= lowest + 1e-9, "a lower valley at row %d", r);
    }
    ebm_points_free(&points);
    ebm_model_free(model), ebm_model_free(waves);
}

Test(predict, what_is_refused)
{
    double x[GIVEN] = {0}, y[2], p[4];
    ebm_model *model = real_model(NULL, 0, 0), *plain;
    ebm_points points;
    OK(ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &plain, ERROR));
    FAILS(GIBBS_ARGUMENT, "not conditional", ebm_predict(plain, NULL, x, 1, y, NULL, NULL, FAIL));
    OK(ebm_points_box(2, &(ebm_box){.low = {-1, -1}, .high = {1, 1}, .points = 3}, NULL, &points, ERROR));
    ebm_predict_options o = {.points = &points};
    FAILS(GIBBS_SHAPE, "2 columns, the model models 1", ebm_predict(model, &o, x, 1, y, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "no points", ebm_predict(model, &(ebm_predict_options){.points = &(ebm_points){.dim = 1}}, x,
                                                   1, y, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "predict: 0 rows", ebm_predict(model, &o, x, 0, y, NULL, NULL, FAIL));
    ebm_points_free(&points);
    OK(ebm_points_box(1, &(ebm_box){.low = {-1}, .high = {1}, .points = 3}, NULL, &points, ERROR));
    x[1] = NAN;
    FAILS(GIBBS_DATA, "row 1, column 2", ebm_predict(model, &o, x, 1, y, NULL, NULL, FAIL));
    x[1] = 1e300; /* every point has the density 0 */
    FAILS(GIBBS_NUMERIC, "at row 1", ebm_predict(model, &o, x, 1, y, NULL, NULL, FAIL));
    ebm_model *linear = regression((ebm_regression_spec){.response = EBM_LINEAR, .given = 1, .dtype = GIBBS_FLOAT64});
    FAILS(GIBBS_ARGUMENT, "has no labels: set", ebm_predict(linear, NULL, x, 1, y, NULL, p, FAIL));
    ebm_model_free(linear);
    ebm_points_free(&points);
    ebm_model_free(model), ebm_model_free(plain);
}

/* y of mean 7 in a box that ends at 6; the same box as the whole domain, and a wide one, have an answer. */
Test(predict, a_box_that_cuts_the_density_off)
{
    double x[GIVEN] = {10, 0, 0}, y;
    ebm_model *model = real_model(NULL, 0, 0);
    for (int whole = 0; whole < 2; whole++)
        for (int mean = 0; mean < 2; mean++) {
            ebm_points points;
            OK(ebm_points_box(1, &(ebm_box){{-6}, {6}, 400, whole}, NULL, &points, ERROR));
            ebm_predict_options o = {.points = &points, .mean = mean};
            if (whole) OK(ebm_predict(model, &o, x, 1, &y, NULL, NULL, ERROR));
            else FAILS(GIBBS_NUMERIC, "at the edge of the box", ebm_predict(model, &o, x, 1, &y, NULL, NULL, FAIL));
            ebm_points_free(&points);
        }
    ebm_model_free(model);
}

/* Parameters that are no numbers have no prediction, by labels or by formulas that pick one. */
Test(predict, nothing_follows_from_nan)
{
    double x[GIVEN] = {1, 2, 3}, y[16], theta[64];
    ebm_model *models[] = {
        regression((ebm_regression_spec){.response = EBM_SOFTMAX, .given = GIVEN, .labels = 3}),
        regression((ebm_regression_spec){.response = EBM_LOGISTIC, .given = GIVEN, .outputs = 2}),
    };
    for (int k = 0; k < 64; k++) theta[k] = NAN;
    for (int m = 0; m < COUNT(models); m++) {
        memcpy(ebm_model_theta(models[m]), theta, (size_t)ebm_model_size(models[m]) * gibbs_dtype_size(GIBBS_FLOAT32));
        for (int mean = 0; mean < 2; mean++)
            FAILS(GIBBS_NUMERIC, "at row 1", ebm_predict(models[m], &(ebm_predict_options){.mean = mean}, x, 1, y, NULL,
                                                         NULL, FAIL));
        ebm_model_free(models[m]);
    }
}

/* The linear regression's formula, in units of its own: mean = mode = η/τ. */
Test(predict, linear_regression)
{
    ebm_model *model = regression((ebm_regression_spec){.response = EBM_LINEAR, .given = 1, .dtype = GIBBS_FLOAT64});
    double x[] = {-1, 0, 2.5}, y[3];
    ebm_model_set(model, (double[]){6, -3, log(4)}); /* W, b, log τ */
    for (int mean = 0; mean < 2; mean++) {
        OK(ebm_predict(model, &(ebm_predict_options){.mean = mean}, x, 3, y, NULL, NULL, ERROR));
        for (int r = 0; r < 3; r++) expect_close(y[r], (6 * x[r] - 3) / 4, 1e-13, "η/τ");
    }
    ebm_model_free(model);
}
