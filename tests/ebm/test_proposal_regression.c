/* Proposals of y given x: least squares against the normal equations, in any units; the density of what is drawn. */
#include "ebm/loss_helpers.h"
#include "ebm/proposal/record_proposal.h"

enum { N = 200, GIVEN = 2, WIDTH = 2, DIM = GIVEN + WIDTH };
static const double slope[GIVEN][WIDTH] = {{0.7, -2}, {0.1, 3}}, intercept[WIDTH] = {5, -1};

static double *rows_of(double unit, double origin)
{
    double *x = normals(N * DIM, 0, 1, 9);
    for (int r = 0; r < N; r++)
        for (int k = 0; k < WIDTH; k++) {
            double *row = x + r * DIM;
            row[GIVEN + k] = intercept[k] + slope[0][k] * row[0] + slope[1][k] * row[1] + 0.1 * row[GIVEN + k];
        }
    for (int r = 0; r < N; r++) x[r * DIM] = origin + unit * x[r * DIM];
    return x;
}

/* Residuals have mean 0 and are orthogonal to x, whatever its unit; and they are those of the line. */
Test(proposal_regression, least_squares_in_any_unit)
{
    static const double units[] = {1, 1e-6, 1e7}, origins[] = {0, 1e3, -1e9};
    double first[(1 + GIVEN) * WIDTH];
    for (int u = 0; u < COUNT(units); u++) {
        double *x = rows_of(units[u], origins[u]), b[(1 + GIVEN) * WIDTH];
        ebm_data data = table(x, N, DIM), residuals;
        OK(ebm_least_squares(&data, GIVEN, b, &residuals, ERROR));
        cr_expect(residuals.rows == N && residuals.cols == WIDTH);
        if (!u) memcpy(first, b, sizeof b);
        double worst = 0;
        for (int k = 0; k < WIDTH; k++) {
            double sum = 0, along = 0;
            for (int r = 0; r < N; r++) {
                double e = residuals.x[r * WIDTH + k];
                sum += e / N, along += e * (x[r * DIM] - origins[u]) / units[u] / N;
            }
            worst = fmax(worst, fmax(fabs(sum), fabs(along)));
            expect_close(b[WIDTH + k] * units[u], first[WIDTH + k], 1e-6, "slope");
            expect_close(b[2 * WIDTH + k], first[2 * WIDTH + k], 1e-6, "slope");
        }
        cr_expect(worst < 1e-7, "unit %g: residuals lean by %g", units[u], worst);
        ebm_data_free(&residuals), free(x);
    }
    for (int k = 0; k < WIDTH; k++) expect_close(first[k], intercept[k], 0.05, "intercept");
}

/* A column twice, a constant one: no coefficients, and the residuals of the others. */
Test(proposal_regression, columns_that_say_nothing)
{
    double *x = rows_of(1, 0), wide[N * (DIM + 2)], b[(1 + GIVEN) * WIDTH], more[(3 + GIVEN) * WIDTH];
    for (int r = 0; r < N; r++) {
        double *to = wide + r * (DIM + 2);
        to[0] = x[r * DIM], to[1] = 3 - 2 * x[r * DIM], to[2] = 7.25;
        memcpy(to + 3, x + r * DIM + 1, (DIM - 1) * sizeof *to);
    }
    ebm_data data = table(x, N, DIM), same = table(wide, N, DIM + 2), left[2];
    OK(ebm_least_squares(&data, GIVEN, b, &left[0], ERROR));
    OK(ebm_least_squares(&same, GIVEN + 2, more, &left[1], ERROR));
    for (int k = 0; k < WIDTH; k++) {
        cr_expect(more[2 * WIDTH + k] == 0 && more[3 * WIDTH + k] == 0);
        expect_close(more[4 * WIDTH + k], b[2 * WIDTH + k], 1e-10, "slope");
    }
    for (int i = 0; i < N * WIDTH; i++) expect_close(left[1].x[i], left[0].x[i], 1e-10, "residual");
    ebm_data_free(&left[0]), ebm_data_free(&left[1]), free(x);
}

/* log q(y | x) is the residual's density at y − a − Bᵀx, draws are the line and the residual's draws: of every kind. */
Test(proposal_regression, density_and_draws_follow_the_line)
{
    const double mean[] = {0, 0}, sd[] = {0.5, 2}, b[] = {5, -1, 0.7, -2, 0.1, 3}, x[] = {0.3, -1.2};
    ebm_proposal *kinds[3], *q;
    double *data = normals(60, 0, 1, 4);
    ebm_data cloud = table(data, 30, WIDTH);
    OK(ebm_proposal_gaussian_diagonal(WIDTH, mean, sd, NULL, &kinds[0], ERROR));
    OK(ebm_proposal_student_t(WIDTH, mean, sd, 4, NULL, &kinds[1], ERROR));
    OK(ebm_proposal_kernel_density(&cloud, NULL, NULL, &kinds[2], ERROR));
    for (int k = 0; k < 3; k++) {
        OK(ebm_proposal_regression(GIVEN, b, kinds[k], NULL, &q, ERROR));
        ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
        ad_axis axis = ad_axis_new(tape, "rows");
        ad_var none = {tape, -1}, given = ad_input(axis, "x", ad_vec(GIVEN));
        ad_var out[] = {ebm_proposal_draw_at(q, axis, given, 1, NULL), none,
                        ebm_proposal_draw_at(kinds[k], axis, none, 1, NULL), none};
        out[1] = ebm_proposal_log_density_at(q, axis, given, out[0], NULL);
        out[3] = ebm_proposal_log_density_at(kinds[k], axis, none, out[2], NULL);
        ad_plan *plan;
        ad_workspace *w;
        OK(ad_compile(out, 4, NULL, &plan, ERROR));
        OK(ad_workspace_new(plan, &w, ERROR));
        OK(ad_bind(w, given, x, ERROR));
        OK(ad_set_rows(w, axis, 1, ERROR));
        OK(ad_run(w, &(ad_run_options){.seed = 5}, ERROR));
        for (int i = 0; i < WIDTH; i++)
            expect_close(ad_result_f64(w, 0)[i], b[i] + x[0] * b[2 + i] + x[1] * b[4 + i] + ad_result_f64(w, 2)[i],
                         1e-12, "draw");
        expect_close(ad_result_scalar(w, 1), ad_result_scalar(w, 3), 1e-12, "log q");
        ad_workspace_free(w), ad_plan_free(plan), ad_tape_free(tape);
        ebm_proposal_free(q), ebm_proposal_free(kinds[k]);
    }
    free(data);
}

Test(proposal_regression, what_is_refused)
{
    double *x = rows_of(1, 0), b[(1 + GIVEN) * WIDTH] = {0};
    ebm_data data = table(x, N, DIM), few = table(x, GIVEN + 1, DIM), residuals;
    ebm_proposal *q, *residual;
    FAILS(GIBBS_ARGUMENT, "0 of 4 columns are given", ebm_least_squares(&data, 0, b, &residuals, FAIL));
    FAILS(GIBBS_ARGUMENT, "4 of 4 columns are given", ebm_proposal_regression_fit(&data, 4, 3, 1, NULL, &q, FAIL));
    FAILS(GIBBS_DATA, "take the marginal", ebm_proposal_regression_fit(&few, GIVEN, 3, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen", ebm_proposal_regression_fit(&data, GIVEN, 3, 0, NULL, &q, FAIL));
    OK(ebm_proposal_gaussian_fit(&data, 0, 1, NULL, &residual, ERROR));
    b[3] = NAN;
    FAILS(GIBBS_ARGUMENT, "coefficient 4 is", ebm_proposal_regression(GIVEN, b, residual, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "given columns", ebm_proposal_regression(0, b, residual, NULL, &q, FAIL));
    for (int r = 0; r < N; r++) x[r * DIM + 3] = 2 * x[r * DIM]; /* y is a function of x: nothing is left */
    FAILS(GIBBS_NUMERIC, "column 4 is a linear function",
          ebm_proposal_regression_fit(&data, GIVEN, INFINITY, 1, NULL, &q, FAIL));
    ebm_proposal_free(residual), free(x);
}
