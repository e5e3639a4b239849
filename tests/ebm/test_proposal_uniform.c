/* Uniform proposals: inside and outside of the box, draws that never leave it, the fit, and what is refused. */
#include "ebm/proposal/draw.h"
#include "proposal_check.h"

#include <float.h>

static const double LOW[] = {-1, 2}, HIGH[] = {0.5, 6};

Test(uniform, density_is_one_over_the_volume_and_zero_outside)
{
    static const double inside[][2] = {{0, 3}, {-1, 2}, {0.5, 6}, {-1, 6}, {0.4999, 2.001}};
    const double outside[][2] = {{-1.0000001, 3}, {0.5000001, 3}, {0, 1.9}, {0, 6.1}, {7, 7}, {-1e300, 1e300}};
    ebm_proposal *q;
    OK(ebm_proposal_uniform(2, LOW, HIGH, NULL, &q, ERROR));
    for (int k = 0; k < COUNT(inside); k++) expect_near(log_q_at(q, inside[k]), -log(6), 1e-15, "inside");
    for (int k = 0; k < COUNT(outside); k++) cr_expect_eq(log_q_at(q, outside[k]), -INFINITY, "point %d", k);
    double g[4];
    log_q_gradient(q, inside[0], 1, g);
    cr_expect(g[0] == 0 && g[1] == 0);
    ebm_proposal_free(q);
}

/* The integral on a grid of cells, whose middles are inside or outside as a whole. */
Test(uniform, density_integrates_to_one)
{
    enum { SIDE = 80 };
    ebm_proposal *q;
    double sum = 0, y[2 * SIDE * SIDE], log_q[SIDE * SIDE], cell = 0.1 * 0.1;
    OK(ebm_proposal_uniform(2, LOW, HIGH, NULL, &q, ERROR));
    for (int r = 0; r < SIDE * SIDE; r++) y[2 * r] = -4.95 + 0.1 * (r % SIDE), y[2 * r + 1] = 0.05 + 0.1 * (r / SIDE);
    OK(ebm_proposal_log_density(q, y, SIDE * SIDE, NULL, log_q, ERROR));
    for (int r = 0; r < SIDE * SIDE; r++) sum += exp(log_q[r]);
    expect_near(sum * cell, 1, 1e-12, "∫q");
    ebm_proposal_free(q);
}

/* Boxes whose ends are next to each other in the number type, so that low + width·u is rounded to an end; and one whose
 * ends float32 (2⁻¹⁰ apart there) rounds towards each other, so that it would be rounded beyond. */
Test(uniform, draws_have_a_density_of_their_own)
{
    enum { ROWS = 2000 };
    static const double low[] = {1, -1e9, 1e4 + 0.51 * 0x1p-10, -3};
    static const double high[] = {1 + 4 * DBL_EPSILON, -1e9 + 3e-7, 1e4 + 10.49 * 0x1p-10, 1e5};
    for (int type = 0; type < 2; type++) {
        ebm_proposal *q;
        ebm_draw *draw;
        double log_q[ROWS], y[4 * ROWS];
        OK(ebm_proposal_uniform(4, low, high, NULL, &q, ERROR));
        OK(ebm_draw_new(q, type ? GIBBS_FLOAT64 : GIBBS_FLOAT32, NULL, &draw, ERROR));
        OK(ebm_draw_run(draw, ROWS, 5, 0, ERROR));
        ebm_from_dtype(type ? GIBBS_FLOAT64 : GIBBS_FLOAT32, ROWS, log_q, ebm_draw_log_q(draw));
        ebm_from_dtype(type ? GIBBS_FLOAT64 : GIBBS_FLOAT32, 4 * ROWS, y, ebm_draw_y(draw));
        for (int r = 0; r < ROWS; r++) cr_assert(isfinite(log_q[r]), "type %d, row %d", type, r);
        for (int k = 0; type && k < 4 * ROWS; k++) cr_assert(y[k] >= low[k % 4] && y[k] <= high[k % 4]);
        ebm_draw_free(draw);
        ebm_proposal_free(q);
    }
}

Test(uniform, a_point_that_is_no_number_is_not_inside)
{
    ebm_proposal *q;
    double log_q = 0, y[] = {NAN, 3};
    OK(ebm_proposal_uniform(2, LOW, HIGH, NULL, &q, ERROR));
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis axis = ad_axis_new(tape, "points");
    ad_var none = {tape, -1}, at = ad_input(axis, "y", ad_vec(2));
    ad_var out = ebm_proposal_log_density_at(q, axis, none, at, NULL);
    ad_plan *plan;
    ad_workspace *workspace;
    OK(ad_compile(&out, 1, NULL, &plan, ERROR));
    OK(ad_workspace_new(plan, &workspace, ERROR));
    OK(ad_bind(workspace, at, y, ERROR));
    OK(ad_set_rows(workspace, axis, 1, ERROR));
    OK(ad_run(workspace, NULL, ERROR));
    log_q = ad_result_scalar(workspace, 0);
    cr_expect(!isfinite(log_q), "%g", log_q);
    ad_workspace_free(workspace);
    ad_plan_free(plan);
    ad_tape_free(tape);
    ebm_proposal_free(q);
}

Test(uniform, fit_is_the_range_widened)
{
    double x[] = {0.1, -3, 0.7, 5, 0.3, 1};
    ebm_data data = {.rows = 3, .cols = 2, .x = x};
    ebm_proposal *q;
    OK(ebm_proposal_uniform_fit(&data, 1, NULL, &q, ERROR));
    for (int r = 0; r < 3; r++) expect_near(log_q_at(q, x + 2 * r), -log(0.6 * 8), 1e-14, "the data are inside");
    ebm_proposal_free(q);
    OK(ebm_proposal_uniform_fit(&data, 2, NULL, &q, ERROR));
    expect_near(log_q_at(q, (double[]){0.99, -6.9}), -log(1.2 * 16), 1e-14, "twice the range");
    cr_expect_eq(log_q_at(q, (double[]){1.01, -6.9}), -INFINITY);
    ebm_proposal_free(q);
}

Test(uniform, refuses)
{
    ebm_proposal *q;
    double x[] = {1, 2, 3, 2};
    ebm_data data = {.rows = 2, .cols = 2, .x = x};
    const double same[] = {0.5, 2}, below[] = {0.5, 1}, nan[] = {0.5, NAN}, far[] = {0.5, INFINITY};
    const double huge[] = {-1e308, 2}, huge_high[] = {1e308, 3};
    FAILS(GIBBS_ARGUMENT, "width is 0 in column 2", ebm_proposal_uniform(2, LOW, same, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "width is -1 in column 2", ebm_proposal_uniform(2, LOW, below, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "width is inf in column 1", ebm_proposal_uniform(2, huge, huge_high, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "high end is nan in column 2", ebm_proposal_uniform(2, LOW, nan, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "high end is inf in column 2", ebm_proposal_uniform(2, LOW, far, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "low end is nan in column 2", ebm_proposal_uniform(2, nan, HIGH, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no low end", ebm_proposal_uniform(2, NULL, HIGH, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no high end", ebm_proposal_uniform(2, LOW, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "-3 dimensions", ebm_proposal_uniform(-3, LOW, HIGH, NULL, &q, FAIL));
    FAILS(GIBBS_SIZE, "dimensions", ebm_proposal_uniform(INT64_MAX, LOW, HIGH, NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "column 2 is always 2", ebm_proposal_uniform_fit(&data, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen is -1", ebm_proposal_uniform_fit(&data, -1, NULL, &q, FAIL));
    x[3] = NAN;
    FAILS(GIBBS_DATA, "row 2", ebm_proposal_uniform_fit(&data, 1, NULL, &q, FAIL));
    cr_assert_null(q);
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_uniform(2, LOW, HIGH, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_uniform_fit(NULL, 1, NULL, &q, FAIL));
}
