/* Student t proposals: the density against closed forms, its integral, its gradient, the limit of many degrees of
 * freedom, the fit, and what is refused. How draws are distributed: statistics/test_proposal_draws.c. */
#include "ebm/proposal/draw.h"
#include "proposal_check.h"

static const double LOCATION[] = {0.5, -2}, SCALE[] = {0.7, 3};

static ebm_proposal *student(int64_t dim, double nu)
{
    ebm_proposal *q;
    OK(ebm_proposal_student_t(dim, LOCATION, SCALE, nu, NULL, &q, ERROR));
    return q;
}

/* Of one column, with the factor from lgammal. */
static long double plain(double y, int i, long double nu)
{
    long double z = ((long double)y - LOCATION[i]) / SCALE[i];
    return lgammal((nu + 1) / 2) - lgammal(nu / 2) - logl(acosl(-1.0L) * nu) / 2 - logl(SCALE[i]) -
           (nu + 1) / 2 * log1pl(z * z / nu);
}

Test(student_t, density_is_the_closed_form)
{
    static const double nu[] = {0.05, 0.3, 1, 2, 2.5, 7, 30, 62, 63.9, 64, 65, 200, 1e3, 2e4};
    static const double y[][2] = {{0.5, -2}, {0.4, 1}, {-3, 20}, {1e3, -1e6}, {0.5 + 1e-9, -2.1}};
    for (int n = 0; n < COUNT(nu); n++) {
        ebm_proposal *q = student(2, nu[n]);
        for (int r = 0; r < COUNT(y); r++)
            expect_near(log_q_at(q, y[r]), (double)(plain(y[r][0], 0, nu[n]) + plain(y[r][1], 1, nu[n])), 1e-13,
                        "log q");
        ebm_proposal_free(q);
    }
}

/* 1/(π(1 + z²)), 1/(2 + z²)^(3/2), 6√3/(π(3 + z²)²), without Γ. */
Test(student_t, one_two_and_three_degrees_of_freedom)
{
    for (double y = -5; y < 6; y += 0.37) {
        double z = (y - LOCATION[0]) / SCALE[0], s = z * z;
        double expected[] = {-log(M_PI * (1 + s)), -1.5 * log(2 + s), log(6 * sqrt(3) / M_PI) - 2 * log(3 + s)};
        for (int nu = 1; nu <= 3; nu++) {
            ebm_proposal *q = student(1, nu);
            expect_near(log_q_at(q, &y), expected[nu - 1] - log(SCALE[0]), 1e-14, "log q");
            ebm_proposal_free(q);
        }
    }
}

/* ln t = ln N + (z⁴ − 2z² − 1)/4ν + O(1/ν²): seen, and gone when ν has no end. */
Test(student_t, many_degrees_of_freedom_are_the_normal)
{
    static const double nu[] = {1e7, 1e9, 1e12, 1e18, 1e300, INFINITY};
    for (int n = 0; n < COUNT(nu); n++) {
        ebm_proposal *q = student(1, nu[n]);
        for (double z = -3; z < 3.1; z += 0.5) {
            double y = LOCATION[0] + SCALE[0] * z, normal = -0.5 * z * z - 0.5 * log(2 * M_PI) - log(SCALE[0]);
            expect_near(log_q_at(q, &y), normal + (z * z * z * z - 2 * z * z - 1) / (4 * nu[n]), 2e-13, "log q");
        }
        ebm_proposal_free(q);
    }
}

Test(student_t, densities_integrate_to_one)
{
    static const double nu[] = {0.3, 0.8, 1, 2.2, 5, 40, 1e5};
    for (int n = 0; n < COUNT(nu); n++) {
        ebm_proposal *q = student(1, nu[n]);
        double reach = nu[n] < 1 ? 40 / nu[n] : 45;
        expect_near(integral_of(q, LOCATION, SCALE, reach, 12001), 1, 1e-11, "∫q on the line");
        ebm_proposal_free(q);
    }
    ebm_proposal *q = student(2, 2.2);
    expect_near(integral_of(q, LOCATION, SCALE, 16, 401), 1, 1e-11, "∫q on the plane");
    ebm_proposal_free(q);
}

/* −(ν+1) z / (s(ν + z²)) */
Test(student_t, gradient)
{
    static const double nu[] = {0.4, 3, 1e3};
    static const double y[] = {0.5, -2, 0.9, 4, -3, -40, 2.2, -1.7};
    double g[COUNT(y)];
    for (int n = 0; n < COUNT(nu); n++) {
        ebm_proposal *q = student(2, nu[n]);
        log_q_gradient(q, y, COUNT(y) / 2, g);
        for (int k = 0; k < COUNT(y); k++) {
            double z = (y[k] - LOCATION[k % 2]) / SCALE[k % 2];
            expect_near(g[k], -(nu[n] + 1) * z / (SCALE[k % 2] * (nu[n] + z * z)), 1e-14, "∂ log q/∂y");
        }
        ebm_proposal_free(q);
    }
}

/* Draws are the formula of their uniforms, in both number types; those of a heavy tail stay finite as long as they can,
 * and so do those of a ν whose reciprocal float32 does not have. */
Test(student_t, draws_are_finite_in_both_types)
{
    enum { ROWS = 4000 };
    static const double nu[] = {0.25, 1, 1e12, INFINITY};
    for (int n = 0; n < COUNT(nu); n++)
        for (int type = 0; type < 2; type++) {
            ebm_proposal *q = student(2, nu[n]);
            ebm_draw *draw;
            double y[2 * ROWS], log_q[ROWS];
            OK(ebm_draw_new(q, type ? GIBBS_FLOAT64 : GIBBS_FLOAT32, NULL, &draw, ERROR));
            OK(ebm_draw_run(draw, ROWS, 3, 1, ERROR));
            ebm_from_dtype(type ? GIBBS_FLOAT64 : GIBBS_FLOAT32, 2 * ROWS, y, ebm_draw_y(draw));
            OK(ebm_proposal_log_density(q, y, ROWS, NULL, log_q, ERROR)); /* which refuses points that are not finite */
            for (int r = 0; type == 0 && nu[n] >= 1 && r < ROWS; r++)
                expect_near(((const float *)ebm_draw_log_q(draw))[r], log_q[r], 2e-5, "log q in float32");
            ebm_draw_free(draw);
            ebm_proposal_free(q);
        }
}

Test(student_t, fit_has_the_moments_of_the_data_widened)
{
    double x[] = {1, 10, 2, 30, 4, 20, 9, 20};
    ebm_data data = {.rows = 4, .cols = 2, .x = x};
    double mean[] = {4, 20}, sd[] = {sqrt(38 / 4.), sqrt(50)}, y[] = {3.1, 40}, expected = 0;
    ebm_proposal *q;
    OK(ebm_proposal_student_t_fit(&data, 3, 1.5, NULL, &q, ERROR));
    for (int i = 0; i < 2; i++) {
        double s = 1.5 * sd[i], z = (y[i] - mean[i]) / s;
        expected += log(6 * sqrt(3) / M_PI) - 2 * log(3 + z * z) - log(s);
    }
    expect_near(log_q_at(q, y), expected, 1e-13, "log q");
    ebm_proposal_free(q);
}

Test(student_t, refuses)
{
    ebm_proposal *q;
    double x[] = {1, 2, 3, 2};
    ebm_data data = {.rows = 2, .cols = 2, .x = x};
    const double bad_scale[][2] = {{1, 0}, {1, -1}, {1, NAN}, {1, INFINITY}, {1, 1e-320}}, nan_location[] = {0, NAN};
    const double bad_nu[] = {0, -1, NAN, -INFINITY};
    for (int k = 0; k < COUNT(bad_scale); k++)
        FAILS(GIBBS_ARGUMENT, "scale is", ebm_proposal_student_t(2, LOCATION, bad_scale[k], 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "in column 2", ebm_proposal_student_t(2, LOCATION, bad_scale[0], 1, NULL, &q, FAIL));
    for (int k = 0; k < COUNT(bad_nu); k++)
        FAILS(GIBBS_ARGUMENT, "degrees of freedom",
              ebm_proposal_student_t(2, LOCATION, SCALE, bad_nu[k], NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "location is nan in column 2",
          ebm_proposal_student_t(2, nan_location, SCALE, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no location", ebm_proposal_student_t(2, NULL, SCALE, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no scale", ebm_proposal_student_t(2, LOCATION, NULL, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 dimensions", ebm_proposal_student_t(0, LOCATION, SCALE, 1, NULL, &q, FAIL));
    FAILS(GIBBS_SIZE, "dimensions", ebm_proposal_student_t(INT64_MAX, LOCATION, SCALE, 1, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "student_t: column 2", ebm_proposal_student_t_fit(&data, 1, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen is 0", ebm_proposal_student_t_fit(&data, 1, 0, NULL, &q, FAIL));
    x[3] = 3;
    FAILS(GIBBS_ARGUMENT, "degrees of freedom", ebm_proposal_student_t_fit(&data, 0, 1, NULL, &q, FAIL));
    cr_assert_null(q);
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_student_t(2, LOCATION, SCALE, 1, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_student_t_fit(NULL, 1, 1, NULL, &q, FAIL));
}
