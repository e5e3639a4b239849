/* Kernel density proposals: the density against its sum, its integral, far from the origin too; gradients, rules of
 * thumb, rows left out, and what is refused. How draws are distributed: statistics/test_proposal_draws.c. */
#include "ebm/proposal/draw.h"
#include "proposal_check.h"

static const double X[] = {0, 1, 0.3, -2, 1.5, 0.4, -1, -1, 0.3, 1.1, 2, 2, 0.3, -2}; /* a row that repeats */
static const double H[] = {0.5, 0.25};
enum { ROWS = COUNT(X) / 2 };

static ebm_data table_of(const double *x, int64_t rows, int64_t cols)
{
    return (ebm_data){.rows = rows, .cols = cols, .x = (double *)x};
}

static ebm_proposal *kernels(const double *x, int64_t rows, int64_t cols, const double *h)
{
    ebm_proposal *q;
    ebm_data data = table_of(x, rows, cols);
    OK(ebm_proposal_kernel_density(&data, h, NULL, &q, ERROR));
    return q;
}

/* log (1/count) Σ over the rows but `out` of Π N(y; x, h²), from its largest term. */
static double plain(const double *x, int64_t rows, int64_t cols, const double *h, const double *y, int64_t out)
{
    long double largest = -INFINITY, sum = 0, norm = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t j = 0; j < rows; j++) {
            long double e = 0;
            for (int64_t i = 0; i < cols; i++) {
                long double z = ((long double)y[i] - x[j * cols + i]) / h[i];
                e -= z * z / 2;
            }
            if (j == out) continue;
            if (pass) sum += expl(e - largest);
            else if (e > largest) largest = e;
        }
    for (int64_t i = 0; i < cols; i++) norm += logl(h[i]) + logl(2 * acosl(-1.0L)) / 2;
    return (double)(largest + logl(sum) - logl(rows - (out >= 0)) - norm);
}

Test(kernel_density, density_is_the_sum_of_kernels)
{
    static const double y[][2] = {{0, 1}, {0.3, -2}, {0.1, 0.2}, {-7, 9}, {60, 80}};
    ebm_proposal *q = kernels(X, ROWS, 2, H);
    for (int r = 0; r < COUNT(y); r++)
        expect_near(log_q_at(q, y[r]), plain(X, ROWS, 2, H, y[r], -1), 1e-14, "log q");
    ebm_proposal_free(q);
    q = kernels(X, 1, 2, H);
    expect_near(log_q_at(q, y[2]), plain(X, 1, 2, H, y[2], -1), 1e-14, "one row");
    ebm_proposal_free(q);
}

/* Rows 2³⁰ bandwidths from the origin and from one another: products of rows would have lost every digit. */
Test(kernel_density, keeps_its_digits_far_from_the_origin)
{
    const double x[] = {0x1p30, 0x1p30 + 1.5, -0x1p30}, h = 1;
    ebm_proposal *q = kernels(x, 3, 1, &h);
    for (double y = 0x1p30 - 2; y < 0x1p30 + 3; y += 0.25)
        expect_near(log_q_at(q, &y), plain(x, 3, 1, &h, &y, -1), 1e-14, "log q");
    ebm_proposal_free(q);
}

Test(kernel_density, densities_integrate_to_one)
{
    const double origin[] = {0, 0}, width[] = {2, 2};
    for (int d = 1; d <= 2; d++) {
        ebm_proposal *q = kernels(X, ROWS, d, H);
        expect_near(integral_of(q, origin, width, 2.5, d == 1 ? 801 : 401), 1, 1e-10, "∫q");
        ebm_proposal_free(q);
    }
}

/* Σ rⱼ (xⱼ − y)/h² with the responsibilities r. */
Test(kernel_density, gradient)
{
    const double y[] = {0, 1, 0.3, -1.9, 0.9, 0.6, -1.2, 0.3};
    double g[COUNT(y)];
    ebm_proposal *q = kernels(X, ROWS, 2, H);
    log_q_gradient(q, y, COUNT(y) / 2, g);
    for (int k = 0; k < COUNT(y); k++) {
        const double *at = y + k / 2 * 2;
        double sum = 0, slope = 0;
        for (int j = 0; j < ROWS; j++) {
            double own = exp(plain(X + 2 * j, 1, 2, H, at, -1));
            sum += own, slope += own * (X[2 * j + k % 2] - y[k]) / (H[k % 2] * H[k % 2]);
        }
        expect_near(g[k], slope / sum, 1e-12, "∂ log q/∂y");
    }
    ebm_proposal_free(q);
}

/* With bandwidths of nothing the draws are the rows, each of them. */
Test(kernel_density, draws_start_from_the_rows)
{
    enum { DRAWS = 400 };
    double y[4 * DRAWS], thin[] = {1e-9, 1e-9}; /* of both types */
    int seen[ROWS] = {0};
    ebm_draw *draw;
    ebm_proposal *q = kernels(X, ROWS, 2, thin);
    OK(ebm_proposal_sample(q, DRAWS, 1, 0, NULL, y, NULL, ERROR));
    OK(ebm_draw_new(q, GIBBS_FLOAT32, NULL, &draw, ERROR));
    OK(ebm_draw_run(draw, DRAWS, 1, 0, ERROR));
    ebm_from_dtype(GIBBS_FLOAT32, 2 * DRAWS, y + 2 * DRAWS, ebm_draw_y(draw));
    for (int r = 0; r < 2 * DRAWS; r++) {
        const double *at = y + 2 * r;
        int j = 0;
        while (j < ROWS && hypot(X[2 * j] - at[0], X[2 * j + 1] - at[1]) > 1e-6) j++;
        cr_assert_lt(j, ROWS, "draw %d: (%g, %g) is near no row", r, at[0], at[1]);
        seen[j]++;
    }
    for (int j = 0; j < ROWS - 1; j++) cr_expect_gt(seen[j], DRAWS / ROWS, "row %d", j);
    cr_expect_gt(seen[1], seen[0], "the row that is there twice");
    ebm_draw_free(draw);
    ebm_proposal_free(q);
}

Test(kernel_density, rules_of_thumb)
{
    double x[] = {1, 10, 2, 30, 4, 20, 9, 20}, h[2], sd[] = {sqrt(38 / 4.), sqrt(50)}, y[] = {3, 15};
    ebm_data data = table_of(x, 4, 2);
    OK(ebm_bandwidth(&data, EBM_BANDWIDTH_SCOTT, 3, h, ERROR));
    for (int i = 0; i < 2; i++) expect_near(h[i], 3 * sd[i] * pow(4, -1 / 6.), 1e-14, "Scott");
    OK(ebm_bandwidth(&data, EBM_BANDWIDTH_SILVERMAN, 1, h, ERROR));
    for (int i = 0; i < 2; i++) expect_near(h[i], sd[i] * pow(4 * 4 / 4., -1 / 6.), 1e-14, "Silverman");
    ebm_proposal *q = kernels(x, 4, 2, NULL);
    expect_near(log_q_at(q, y), plain(x, 4, 2, h, y, -1), 1e-14, "the default");
    ebm_proposal_free(q);
    double line[] = {1, 2, 4, 9, 5};
    data = table_of(line, 5, 1);
    OK(ebm_bandwidth(&data, EBM_BANDWIDTH_SILVERMAN, 1, h, ERROR)); /* (4/3)^(1/5) sd n^(−1/5) */
    expect_near(h[0], pow(4 / 3., 0.2) * sqrt(7.76) * pow(5, -0.2), 1e-14, "Silverman on the line");
}

/* Each row judged by the others: a far row gets next to nothing, which n·q minus its own kernel would not have seen. */
Test(kernel_density, rows_left_out)
{
    enum { MORE = ROWS + 1 };
    double x[2 * MORE], log_q[MORE];
    memcpy(x, X, sizeof X);
    x[2 * ROWS] = 30, x[2 * ROWS + 1] = -20;
    ebm_proposal *q = kernels(x, MORE, 2, H);
    OK(ebm_proposal_kernel_density_left_out(q, log_q, ERROR));
    for (int r = 0; r < MORE; r++) expect_near(log_q[r], plain(x, MORE, 2, H, x + 2 * r, r), 1e-13, "left out");
    cr_expect_lt(log_q[ROWS], -1000);
    ebm_proposal_free(q);
}

/* Why they are: the mean of log q at the data has no best bandwidth, that of rows left out has one near Silverman's. */
Test(kernel_density, rows_left_out_choose_a_bandwidth)
{
    enum { N = 400, TRIED = 9, MIDDLE = TRIED / 2 };
    double x[N], log_q[N], own[TRIED] = {0}, left[TRIED] = {0}, h, rule;
    uint64_t seed = 3;
    for (int r = 0; r < N; r++)
        x[r] = sqrt(-2 * log(sampling_uniform(&seed))) * cos(2 * M_PI * sampling_uniform(&seed));
    ebm_data data = table_of(x, N, 1);
    OK(ebm_bandwidth(&data, EBM_BANDWIDTH_SILVERMAN, 1, &rule, ERROR));
    for (int k = 0; k < TRIED; k++) {
        h = rule * pow(2, k - MIDDLE);
        ebm_proposal *q = kernels(x, N, 1, &h);
        OK(ebm_proposal_log_density(q, x, N, NULL, log_q, ERROR));
        for (int r = 0; r < N; r++) own[k] += log_q[r] / N;
        OK(ebm_proposal_kernel_density_left_out(q, log_q, ERROR));
        for (int r = 0; r < N; r++) left[k] += log_q[r] / N;
        ebm_proposal_free(q);
    }
    for (int k = 1; k < TRIED; k++) cr_expect_lt(own[k], own[k - 1], "smaller is always better");
    for (int k = 0; k < TRIED; k++) cr_expect(abs(k - MIDDLE) < 2 || left[k] < left[MIDDLE], "bandwidth %d", k);
}

Test(kernel_density, refuses)
{
    ebm_proposal *q, *other;
    double x[] = {1, 2, 3, 2}, log_q[2], h[2];
    ebm_data data = table_of(x, 2, 2), empty = {0};
    const double bad[][2] = {{1, 0}, {1, -1}, {1, NAN}, {1, INFINITY}};
    for (int k = 0; k < COUNT(bad); k++)
        FAILS(GIBBS_ARGUMENT, "bandwidth is", ebm_proposal_kernel_density(&data, bad[k], NULL, &q, FAIL));
    FAILS(GIBBS_NUMERIC, "column 2 is always 2", ebm_proposal_kernel_density(&data, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_DATA, "empty", ebm_proposal_kernel_density(&empty, H, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "there is no rule 7", ebm_bandwidth(&data, (ebm_bandwidth_rule)7, 1, h, FAIL));
    FAILS(GIBBS_ARGUMENT, "widen is 0", ebm_bandwidth(&data, EBM_BANDWIDTH_SCOTT, 0, h, FAIL));
    FAILS(GIBBS_NUMERIC, "bandwidth: column 2", ebm_bandwidth(&data, EBM_BANDWIDTH_SCOTT, 1, h, FAIL));
    ebm_data many = {.rows = (1 << 24) + 1, .cols = 1, .x = sampling_room((1 << 24) + 1, sizeof(double))};
    FAILS(GIBBS_SIZE, "16777217 rows", ebm_proposal_kernel_density(&many, H, NULL, &q, FAIL));
    free(many.x);
    x[1] = NAN;
    FAILS(GIBBS_DATA, "row 1", ebm_proposal_kernel_density(&data, H, NULL, &q, FAIL));
    cr_assert_null(q);
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_kernel_density(NULL, H, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_kernel_density(&data, H, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_bandwidth(&data, EBM_BANDWIDTH_SCOTT, 1, NULL, FAIL));
    OK(ebm_proposal_gaussian_diagonal(2, x + 2, H, NULL, &other, ERROR));
    FAILS(GIBBS_ARGUMENT, "«gaussian» is none", ebm_proposal_kernel_density_left_out(other, log_q, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_kernel_density_left_out(NULL, log_q, FAIL));
    q = kernels(X, 1, 2, H);
    FAILS(GIBBS_ARGUMENT, "only row", ebm_proposal_kernel_density_left_out(q, log_q, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_kernel_density_left_out(q, NULL, FAIL));
    ebm_proposal_free(q);
    ebm_proposal_free(other);
}
