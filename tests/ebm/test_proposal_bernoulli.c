/* Product Bernoulli proposals: probabilities over all states, in both pairs of values, the fit, and what is refused. */
#include "ebm/proposal/draw.h"
#include "proposal_check.h"

enum { DIM = 5, STATES = 1 << DIM };
static const double P[DIM] = {0.5, 0.1, 0.93, 1e-9, 1 - 1e-7};

typedef struct pair {
    double low, high;
} pair;
static const pair pairs[] = {{0, 1}, {-1, 1}, {1, -1}, {0.1, 0.7}};

static ebm_proposal *bernoulli(pair v)
{
    ebm_proposal *q;
    OK(ebm_proposal_bernoulli(DIM, P, v.low, v.high, NULL, &q, ERROR));
    return q;
}

Test(bernoulli, probabilities_are_the_products_and_sum_to_one)
{
    for (int k = 0; k < COUNT(pairs); k++) {
        ebm_proposal *q = bernoulli(pairs[k]);
        double sum = 0, y[DIM];
        for (int state = 0; state < STATES; state++) {
            double expected = 0;
            for (int i = 0; i < DIM; i++) {
                int one = state >> i & 1;
                y[i] = one ? pairs[k].high : pairs[k].low;
                expected += one ? log(P[i]) : log1p(-P[i]);
            }
            double log_q = log_q_at(q, y);
            expect_near(log_q, expected, 1e-14, "log q");
            sum += exp(log_q);
        }
        expect_near(sum, 1, 1e-14, "Σq");
        ebm_proposal_free(q);
    }
}

/* Gibbs with gradients and the like ask for it: logit(p)/(high − low), everywhere. */
Test(bernoulli, gradient_is_the_logit)
{
    for (int k = 0; k < COUNT(pairs); k++) {
        ebm_proposal *q = bernoulli(pairs[k]);
        double y[DIM] = {pairs[k].low, pairs[k].high, pairs[k].low, pairs[k].high, 0.3}, g[DIM];
        log_q_gradient(q, y, 1, g);
        for (int i = 0; i < DIM; i++)
            expect_near(g[i], log(P[i] / (1 - P[i])) / (pairs[k].high - pairs[k].low), 1e-9, "∂ log q/∂y");
        ebm_proposal_free(q);
    }
}

/* Bit by bit one of the two values, in both number types, and the more likely one for the probabilities at the ends. */
Test(bernoulli, draws_are_the_two_values)
{
    enum { ROWS = 500 };
    for (int k = 0; k < COUNT(pairs); k++)
        for (int type = 0; type < 2; type++) {
            gibbs_dtype dtype = type ? GIBBS_FLOAT64 : GIBBS_FLOAT32;
            double low = type ? pairs[k].low : (float)pairs[k].low, high = type ? pairs[k].high : (float)pairs[k].high;
            double y[DIM * ROWS];
            ebm_proposal *q = bernoulli(pairs[k]);
            ebm_draw *draw;
            int seen[2] = {0, 0};
            OK(ebm_draw_new(q, dtype, NULL, &draw, ERROR));
            OK(ebm_draw_run(draw, ROWS, 4, 2, ERROR));
            ebm_from_dtype(dtype, DIM * ROWS, y, ebm_draw_y(draw));
            for (int i = 0; i < DIM * ROWS; i++) {
                cr_assert(y[i] == low || y[i] == high, "%g", y[i]);
                if (i % DIM == 0) seen[y[i] == high]++;
                if (i % DIM > 2) cr_assert_eq(y[i], i % DIM == 3 ? low : high);
            }
            cr_expect(seen[0] > ROWS / 3 && seen[1] > ROWS / 3);
            ebm_draw_free(draw);
            ebm_proposal_free(q);
        }
}

Test(bernoulli, fit_counts_and_smooths)
{
    double x[] = {1, -1, 1, -1, -1, -1, 1, -1};
    ebm_data data = {.rows = 4, .cols = 2, .x = x};
    ebm_proposal *q;
    OK(ebm_proposal_bernoulli_fit(&data, -1, 1, 0.5, NULL, &q, ERROR)); /* 3.5/5 and 0.5/5 */
    expect_near(log_q_at(q, (double[]){1, -1}), log(0.7 * 0.9), 1e-14, "log q");
    expect_near(log_q_at(q, (double[]){-1, 1}), log(0.3 * 0.1), 1e-14, "log q");
    ebm_proposal_free(q);
    OK(ebm_proposal_bernoulli_fit(&data, -1, 1, 1e9, NULL, &q, ERROR)); /* towards ½ */
    expect_near(log_q_at(q, (double[]){-1, 1}), log(0.25), 1e-8, "log q");
    ebm_proposal_free(q);
}

Test(bernoulli, refuses)
{
    ebm_proposal *q;
    double x[] = {1, 0, 1, 0.5};
    ebm_data data = {.rows = 2, .cols = 2, .x = x};
    const double bad[][2] = {{0.5, 0}, {0.5, 1}, {0.5, -0.1}, {0.5, 1.1}, {0.5, NAN}};
    for (int k = 0; k < COUNT(bad); k++)
        FAILS(GIBBS_ARGUMENT, "in column 2", ebm_proposal_bernoulli(2, bad[k], 0, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "no probability", ebm_proposal_bernoulli(2, NULL, 0, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "the values 1 and 1", ebm_proposal_bernoulli(2, P, 1, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "the values", ebm_proposal_bernoulli(2, P, NAN, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "the values", ebm_proposal_bernoulli(2, P, 0, INFINITY, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 dimensions", ebm_proposal_bernoulli(0, P, 0, 1, NULL, &q, FAIL));
    FAILS(GIBBS_SIZE, "dimensions", ebm_proposal_bernoulli(INT64_MAX, P, 0, 1, NULL, &q, FAIL));
    FAILS(GIBBS_DATA, "row 2, column 2 is 0.5", ebm_proposal_bernoulli_fit(&data, 0, 1, 1, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "smoothing is 0", ebm_proposal_bernoulli_fit(&data, 0, 1, 0, NULL, &q, FAIL));
    cr_assert_null(q);
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_bernoulli(2, P, 0, 1, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_bernoulli_fit(NULL, 0, 1, 1, NULL, &q, FAIL));
}
