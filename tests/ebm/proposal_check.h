/* proposal_check.h — what tests of proposals share: log q and its gradient at points, integrals of q, and χ². */
#ifndef TESTS_PROPOSAL_CHECK_H
#define TESTS_PROPOSAL_CHECK_H

#include "ebm/proposal/record_proposal.h"
#include "ebm/sampling.h"

static inline double log_q_at(const ebm_proposal *q, const double *y)
{
    double log_q = NAN;
    OK(ebm_proposal_log_density(q, y, 1, NULL, &log_q, ERROR));
    return log_q;
}

static inline void expect_near(double a, double b, double tolerance, const char *what)
{
    cr_expect(a == b || fabs(a - b) <= tolerance * (1 + fabs(b)), "%s: %.17g, expected %.17g", what, a, b);
}

/* ∇ log q at `rows` points as the tape has it, after it has stood the comparison with differences. */
static inline void log_q_gradient(const ebm_proposal *q, const double *y, int64_t rows, double *gradient)
{
    ad_check_result result;
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis axis = ad_axis_new(tape, "points");
    ad_var none = {tape, -1}, at = ad_input(axis, "y", ad_vec(q->dim)), dy;
    ad_var log_q = ebm_proposal_log_density_at(q, axis, none, at, NULL);
    const double *values[] = {y};
    OK(ad_check_gradient(log_q, &at, values, 1, &(ad_check_options){.rows = rows}, &result, ERROR));
    ad_plan *plan;
    ad_workspace *workspace;
    OK(ad_grad(log_q, &at, 1, &dy));
    OK(ad_compile(&dy, 1, NULL, &plan, ERROR));
    OK(ad_workspace_new(plan, &workspace, ERROR));
    OK(ad_bind(workspace, at, y, ERROR));
    OK(ad_set_rows(workspace, axis, rows, ERROR));
    OK(ad_run(workspace, NULL, ERROR));
    memcpy(gradient, ad_result(workspace, 0), (size_t)(rows * q->dim) * sizeof *gradient);
    ad_workspace_free(workspace);
    ad_plan_free(plan);
    ad_tape_free(tape);
}

/* ∫ q over the line or the plane by the trapezoidal rule in t, y = centre + width sinh t, |t| ≤ reach: the ends, where
 * the integrand vanishes, do not count. */
static inline double integral_of(const ebm_proposal *q, const double *centre, const double *width, double reach,
                                 int side)
{
    int rows = q->dim == 1 ? side : side * side;
    double *y = sampling_room(rows * q->dim, sizeof *y), *log_q = sampling_room(rows, sizeof *log_q), sum = 0;
    double step = 2 * reach / (side - 1);
    for (int r = 0; r < rows; r++)
        for (int64_t i = 0; i < q->dim; i++)
            y[r * q->dim + i] = centre[i] + width[i] * sinh(step * (i ? r / side : r % side) - reach);
    OK(ebm_proposal_log_density(q, y, rows, NULL, log_q, ERROR));
    for (int r = 0; r < rows; r++) {
        double cell = 1;
        for (int64_t i = 0; i < q->dim; i++)
            cell *= step * width[i] * cosh(step * (i ? r / side : r % side) - reach);
        sum += cell * exp(log_q[r]);
    }
    free(y);
    free(log_q);
    return sum;
}

/* Wilson and Hilferty: χ² with k degrees of freedom as a standard normal; above 4 with probability 3e-5. */
static inline double chi_square_score(double chi_square, int k)
{
    double f = 2 / (9. * k);
    return (cbrt(chi_square / k) - 1 + f) / sqrt(f);
}

/* The score of counts against probabilities that sum to 1. */
static inline double count_score(const int64_t *count, const double *p, int cells, int64_t n)
{
    double chi_square = 0;
    for (int c = 0; c < cells; c++) {
        double expected = p[c] * (double)n, off = (double)count[c] - expected;
        cr_assert_gt(expected, 5, "cell %d: %g draws are expected", c, expected);
        chi_square += off * off / expected;
    }
    return chi_square_score(chi_square, cells - 1);
}

#endif
