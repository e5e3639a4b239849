/* Gaussian proposals: the density against its closed form and against quadrature, draws, the fit to data, and what is
 * refused. How draws are distributed: statistics/test_samplers_proposal.c. */
#include "ebm/proposal/cholesky.h"
#include "ebm/proposal/draw.h"
#include "sampling.h"


static const double MEAN[] = {1, -2, 0.5}, SD[] = {0.5, 2, 3};
static const double COVARIANCE[] = {2, 0.6, -0.3, 0.6, 1, 0.2, -0.3, 0.2, 0.5};

/* −½ (x − μ)ᵀ C⁻¹ (x − μ) − ½ log det C − (3/2) log 2π, by Cramer's rule and not by a factor. */
static double closed_form(const double *c, const double *x)
{
    double z[3], inverse[9], det, form = 0;
    for (int i = 0; i < 3; i++) z[i] = x[i] - MEAN[i];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3, b = (j + 2) % 3, k = (i + 1) % 3, l = (i + 2) % 3;
            inverse[3 * i + j] = c[3 * a + k] * c[3 * b + l] - c[3 * a + l] * c[3 * b + k];
        }
    det = c[0] * inverse[0] + c[1] * inverse[3] + c[2] * inverse[6];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) form += z[i] * inverse[3 * i + j] / det * z[j];
    return -0.5 * form - 0.5 * log(det) - 1.5 * log(2 * M_PI);
}

/* log q at given points, and the log q that comes with draws. */
static void check_density(const ebm_proposal *q, const double *covariance)
{
    enum { ROWS = 50 };
    double x[3 * ROWS], log_q[ROWS], again[ROWS];
    OK(ebm_proposal_sample(q, ROWS, 3, 4, NULL, x, log_q, ERROR));
    OK(ebm_proposal_log_density(q, x, ROWS, NULL, again, ERROR));
    for (int r = 0; r < ROWS; r++) {
        double expected = closed_form(covariance, x + 3 * r);
        cr_assert_float_eq(log_q[r], expected, 1e-11 * (1 + fabs(expected)), "draw %d: %.17g, not %.17g", r, log_q[r],
                           expected);
        cr_assert_float_eq(again[r], log_q[r], 1e-12 * (1 + fabs(expected)));
    }
}

Test(proposal, full_density_is_the_closed_form)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_full(3, MEAN, COVARIANCE, NULL, &q, ERROR));
    check_density(q, COVARIANCE);
    ebm_proposal_free(q);
}

Test(proposal, diagonal_density_is_the_closed_form)
{
    ebm_proposal *q;
    double covariance[9] = {SD[0] * SD[0], 0, 0, 0, SD[1] * SD[1], 0, 0, 0, SD[2] * SD[2]};
    OK(ebm_proposal_gaussian_diagonal(3, MEAN, SD, NULL, &q, ERROR));
    check_density(q, covariance);
    ebm_proposal_free(q);
}

/* The trapezoidal rule on a grid of `side` points a dimension over mean ± 9 sd. */
static double integral(const ebm_proposal *q, const double *sd, int side)
{
    int rows = q->dim == 1 ? side : side * side;
    double *x = sampling_room(rows * q->dim, sizeof *x), *log_q = sampling_room(rows, sizeof *log_q), sum = 0, cell = 1;
    for (int r = 0; r < rows; r++)
        for (int64_t i = 0; i < q->dim; i++)
            x[r * q->dim + i] = MEAN[i] + sd[i] * 18 * ((double)(i ? r / side : r % side) / (side - 1) - 0.5);
    for (int64_t i = 0; i < q->dim; i++) cell *= sd[i] * 18 / (side - 1);
    OK(ebm_proposal_log_density(q, x, rows, NULL, log_q, ERROR));
    for (int r = 0; r < rows; r++) sum += exp(log_q[r]);
    free(x);
    free(log_q);
    return sum * cell;
}

Test(proposal, densities_integrate_to_one)
{
    ebm_proposal *q[4];
    const double covariance[] = {2, -0.9, -0.9, 0.7}, sd[] = {sqrt(2), sqrt(0.7)}, variance = 2;
    OK(ebm_proposal_gaussian_diagonal(1, MEAN, sd, NULL, &q[0], ERROR));
    OK(ebm_proposal_gaussian_full(1, MEAN, &variance, NULL, &q[1], ERROR));
    OK(ebm_proposal_gaussian_diagonal(2, MEAN, sd, NULL, &q[2], ERROR));
    OK(ebm_proposal_gaussian_full(2, MEAN, covariance, NULL, &q[3], ERROR));
    for (int k = 0; k < COUNT(q); k++) {
        cr_assert_float_eq(integral(q[k], sd, 201), 1, 1e-10, "proposal %d", k);
        ebm_proposal_free(q[k]);
    }
}

Test(proposal, draws_depend_on_seed_step_and_row_alone)
{
    enum { ROWS = 300 };
    ebm_proposal *q;
    double a[3 * ROWS], b[3 * ROWS];
    OK(ebm_proposal_gaussian_full(3, MEAN, COVARIANCE, NULL, &q, ERROR));
    OK(ebm_proposal_sample(q, ROWS, 7, 9, NULL, a, NULL, ERROR));
    OK(ebm_proposal_sample(q, 10, 7, 9, NULL, b, NULL, ERROR));
    for (int i = 0; i < 30; i++) cr_assert_float_eq(a[i], b[i], 1e-14);
    OK(ebm_proposal_sample(q, ROWS, 8, 9, NULL, b, NULL, ERROR));
    cr_assert_neq(a[0], b[0]);
    OK(ebm_proposal_sample(q, ROWS, 7, 10, NULL, b, NULL, ERROR));
    cr_assert_neq(a[0], b[0]);
    OK(ebm_proposal_sample(q, ROWS, 7, 9, NULL, NULL, NULL, ERROR));
    ebm_proposal_free(q);
}

/* A draw in float32 takes its own numbers, and its log q is that of the points it drew. */
Test(proposal, float32_draws_come_with_their_density)
{
    enum { ROWS = 100 };
    ebm_proposal *q;
    ebm_draw *draw;
    double y[3 * ROWS], log_q[ROWS];
    OK(ebm_proposal_gaussian_full(3, MEAN, COVARIANCE, NULL, &q, ERROR));
    OK(ebm_draw_new(q, GIBBS_FLOAT32, NULL, &draw, ERROR));
    OK(ebm_draw_run(draw, ROWS, 7, 9, ERROR));
    for (int i = 0; i < 3 * ROWS; i++) y[i] = ((const float *)ebm_draw_y(draw))[i];
    OK(ebm_proposal_log_density(q, y, ROWS, NULL, log_q, ERROR));
    for (int i = 0; i < ROWS; i++) cr_assert_float_eq(((const float *)ebm_draw_log_q(draw))[i], log_q[i], 1e-4);
    ebm_draw_free(draw);
    ebm_proposal_free(q);
}

/* So many rows that the engine splits them over threads. */
Test(proposal, draws_are_the_same_on_one_thread_and_on_two)
{
    enum { ROWS = 200000 };
    ebm_proposal *q;
    double *a = sampling_room(8 * ROWS, sizeof *a), *b = a + 4 * ROWS;
    OK(ebm_proposal_gaussian_full(3, MEAN, COVARIANCE, NULL, &q, ERROR));
    setenv("OMP_NUM_THREADS", "1", 1);
    OK(ebm_proposal_sample(q, ROWS, 1, 2, NULL, a, a + 3 * ROWS, ERROR));
    setenv("OMP_NUM_THREADS", "2", 1);
    OK(ebm_proposal_sample(q, ROWS, 1, 2, NULL, b, b + 3 * ROWS, ERROR));
    cr_assert_arr_eq(a, b, 4 * ROWS * sizeof *a);
    cr_assert_neq(a[0], a[3 * (ROWS - 1)]);
    ebm_proposal_free(q);
    free(a);
}

/* ---- The fit ---- */

/* Moments of the rows, plainly. The fit's own are read off log q: its curvature is −C⁻¹, its maximum the mean. */
Test(proposal, fit_has_the_moments_of_the_data_widened)
{
    enum { ROWS = 1000 };
    double x[2 * ROWS], mean[2] = {0}, c[3] = {0}, widen = 1.5;
    uint64_t seed = 5;
    for (int r = 0; r < ROWS; r++) {
        x[2 * r] = 100 + sampling_uniform(&seed);
        x[2 * r + 1] = 3 * x[2 * r] + sampling_uniform(&seed);
        for (int i = 0; i < 2; i++) mean[i] += x[2 * r + i] / ROWS;
    }
    for (int r = 0; r < ROWS; r++) {
        double a = x[2 * r] - mean[0], b = x[2 * r + 1] - mean[1];
        c[0] += a * a / ROWS * widen * widen;
        c[1] += a * b / ROWS * widen * widen;
        c[2] += b * b / ROWS * widen * widen;
    }
    for (int full = 0; full < 2; full++) {
        ebm_proposal *q;
        ebm_data data = {.rows = ROWS, .cols = 2, .x = x};
        double off = full ? c[1] : 0, det = c[0] * c[2] - off * off, log_q[3];
        double at[] = {mean[0], mean[1], mean[0] + 0.3, mean[1], mean[0] + 0.2, mean[1] - 0.4};
        OK(ebm_proposal_gaussian_fit(&data, full, widen, NULL, &q, ERROR));
        OK(ebm_proposal_log_density(q, at, 3, NULL, log_q, ERROR));
        double top = -log(2 * M_PI) - 0.5 * log(det);
        cr_assert_float_eq(log_q[0], top, 1e-9);
        cr_assert_float_eq(log_q[1], top - 0.5 * 0.09 * c[2] / det, 1e-9);
        cr_assert_float_eq(log_q[2], top - 0.5 * (0.04 * c[2] + 0.16 * c[0] + 2 * 0.08 * off) / det, 1e-9);
        ebm_proposal_free(q);
    }
}

Test(proposal, fit_refuses)
{
    ebm_proposal *q;
    double x[] = {1, 2, 7, 2, 4, 7, 3, 6, 8, 5, 10, 9}, same[] = {1, 0.1, 2, 0.1, 3, 0.1};
    ebm_data data = {.rows = 4, .cols = 3, .x = x}, constant = {.rows = 3, .cols = 2, .x = same};
    FAILS(GIBBS_NUMERIC, "pivot 2 of 3", ebm_proposal_gaussian_fit(&data, 1, 1, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "column 2", ebm_proposal_gaussian_fit(&constant, 1, 1, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "column 2", ebm_proposal_gaussian_fit(&constant, 0, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen", ebm_proposal_gaussian_fit(&data, 0, 0, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen", ebm_proposal_gaussian_fit(&data, 0, NAN, NULL, &q, FAIL));
    x[4] = NAN;
    FAILS(GIBBS_DATA, "row 2", ebm_proposal_gaussian_fit(&data, 0, 1, NULL, &q, FAIL));
    cr_assert_null(q);
    data.rows = 0;
    FAILS(GIBBS_DATA, "empty", ebm_proposal_gaussian_fit(&data, 0, 1, NULL, &q, FAIL));
}

/* Columns that depend on one another but for rounding, in any units, at any number of rows. */
Test(proposal, fit_finds_a_dependent_column_despite_rounding)
{
    enum { ROWS = 20000 };
    double *x = sampling_room(3 * ROWS, sizeof *x);
    uint64_t seed = 8;
    for (int r = 0; r < ROWS; r++) {
        x[3 * r] = sampling_uniform(&seed) * 1e6;
        x[3 * r + 1] = sampling_uniform(&seed) * 1e-3;
        x[3 * r + 2] = 0.7 * x[3 * r] + 1e8 * x[3 * r + 1] + 12345.678;
    }
    ebm_data data = {.rows = ROWS, .cols = 3, .x = x};
    ebm_proposal *q;
    FAILS(GIBBS_NUMERIC, "pivot 3 of 3", ebm_proposal_gaussian_fit(&data, 1, 2, NULL, &q, FAIL));
    for (int r = 0; r < ROWS; r++) x[3 * r + 2] *= 1 + 1e-4 * sampling_uniform(&seed);
    OK(ebm_proposal_gaussian_fit(&data, 1, 2, NULL, &q, ERROR));
    ebm_proposal_free(q);
    free(x);
}

/* ---- Cholesky ---- */

Test(cholesky, factor_and_inverse_of_a_larger_matrix)
{
    enum { D = 40 };
    double a[D * D], lower[D * D], inverse[D * D];
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) a[i * D + j] = exp(-0.1 * abs(i - j)) + (i == j);
    OK(ebm_cholesky(D, a, lower, ERROR));
    ebm_invert_lower(D, lower, inverse);
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            double product = 0, unit = 0;
            for (int k = 0; k < D; k++) product += lower[i * D + k] * lower[j * D + k];
            for (int k = 0; k < D; k++) unit += lower[i * D + k] * inverse[k * D + j];
            cr_assert_float_eq(product, a[i * D + j], 1e-13);
            cr_assert_float_eq(unit, i == j, 1e-13);
            cr_assert(j <= i || (lower[i * D + j] == 0 && inverse[i * D + j] == 0));
        }
}

Test(proposal, full_refuses)
{
    ebm_proposal *q;
    const double zero[3] = {0}, singular[] = {1, 2, 0, 2, 4, 0, 0, 0, 1}, skew[] = {1, 0.5, 0.4, 1};
    const double bad[] = {1, 0, 0, NAN};
    const double negative[] = {1, 2, 2, 1}, nan_mean[] = {0, NAN}, unit[] = {1, 0, 0, 1}, none[] = {0};
    FAILS(GIBBS_NUMERIC, "pivot 2 of 3", ebm_proposal_gaussian_full(3, zero, singular, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "pivot 2 of 2", ebm_proposal_gaussian_full(2, zero, negative, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "pivot 1 of 1", ebm_proposal_gaussian_full(1, zero, none, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "row 2, column 1", ebm_proposal_gaussian_full(2, zero, skew, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "row 2, column 2", ebm_proposal_gaussian_full(2, zero, bad, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "mean is nan in column 2", ebm_proposal_gaussian_full(2, nan_mean, unit, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 dimensions", ebm_proposal_gaussian_full(0, zero, unit, NULL, &q, FAIL));
    FAILS(GIBBS_SIZE, "dimensions; there can be 2^31-1",
          ebm_proposal_gaussian_full((int64_t)1 << 40, zero, unit, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no covariance", ebm_proposal_gaussian_full(2, zero, NULL, NULL, &q, FAIL));
    cr_assert_null(q);
}

Test(proposal, diagonal_refuses)
{
    ebm_proposal *q;
    const double mean[] = {0, 0}, bad[][2] = {{1, 0}, {1, -1}, {1, NAN}, {1, INFINITY}, {1, 1e-320}};
    for (int k = 0; k < COUNT(bad); k++)
        FAILS(GIBBS_ARGUMENT, "column 2", ebm_proposal_gaussian_diagonal(2, mean, bad[k], NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "-1 dimensions", ebm_proposal_gaussian_diagonal(-1, mean, bad[0], NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no mean", ebm_proposal_gaussian_diagonal(2, NULL, bad[0], NULL, &q, FAIL));
    cr_assert_null(q);
}

/* ---- Proposals of one's own ---- */

static ad_var itself(const ebm_proposal *q, ad_var v, const ad_var *theta)
{
    (void)q;
    (void)theta;
    return v;
}

static ad_var flat(const ebm_proposal *q, ad_var v, const ad_var *theta)
{
    (void)q;
    (void)theta;
    return ad_constant(v.tape, -3);
}

Test(proposal, sampling_refuses)
{
    double x[] = {1, 2, 3, NAN}, log_q[2] = {5, 5};
    const ebm_proposal constant = {.name = "flat", .dim = 2, .draw = itself, .log_density = flat};
    const ebm_proposal vector = {.name = "vector", .dim = 2, .draw = itself, .log_density = itself};
    const ebm_proposal wrong = {.name = "wrong", .dim = 2, .draw = flat, .log_density = flat, .depends_on_theta = 1};
    const ebm_proposal empty = {.name = "empty", .dim = 2, .log_density = flat};
    FAILS(GIBBS_DATA, "row 2, column 2", ebm_proposal_log_density(&constant, x, 2, NULL, log_q, FAIL));
    FAILS(GIBBS_DATA, "no rows", ebm_proposal_log_density(&constant, x, 0, NULL, log_q, FAIL));
    FAILS(GIBBS_SHAPE, "", ebm_proposal_log_density(&vector, x, 1, NULL, log_q, FAIL));
    FAILS(GIBBS_SHAPE, "", ebm_proposal_sample(&vector, 1, 0, 0, NULL, x, log_q, FAIL));
    FAILS(GIBBS_ARGUMENT, "depends on", ebm_proposal_sample(&wrong, 1, 0, 0, NULL, x, log_q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no draw", ebm_proposal_sample(&empty, 1, 0, 0, NULL, x, log_q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no proposal", ebm_proposal_sample(NULL, 1, 0, 0, NULL, x, log_q, FAIL));
    FAILS(GIBBS_ARGUMENT, "rows", ebm_proposal_sample(&constant, 0, 0, 0, NULL, x, log_q, FAIL));
    cr_assert_eq(log_q[0], 5);
    OK(ebm_proposal_log_density(&constant, x, 1, NULL, log_q, ERROR)); /* a constant density is one value a row */
    cr_assert_eq(log_q[0], -3);
    ebm_proposal_free(NULL);
    ebm_proposal_free((ebm_proposal *)&constant);
}
