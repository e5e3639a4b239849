/* sandwich_helpers.h — sandwiches written out by hand, and what tests of standard errors do with them. */
#ifndef TESTS_SANDWICH_HELPERS_H
#define TESTS_SANDWICH_HELPERS_H

#include "ebm/objective_helpers.h"

enum { ROWS = 37, MOST = 8 };

/* A sandwich by hand: H, and the sum of squares of both samples. */
typedef struct by_hand {
    int size;
    double h[MOST * MOST], s[2][MOST * MOST];
} by_hand;

static inline void add_outer(double *m, int n, const double *a, double weight)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) m[i * n + j] += weight * a[i] * a[j];
}

/* Adds Σ (u − ū)(u − ū)ᵀ of `rows` vectors. */
static inline void add_squares(by_hand *b, int sample, const double *u, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++) {
        double centred[MOST];
        for (int i = 0; i < b->size; i++) {
            double mean = 0;
            for (int64_t k = 0; k < rows; k++) mean += u[k * b->size + i] / (double)rows;
            centred[i] = u[r * b->size + i] - mean;
        }
        add_outer(b->s[sample], b->size, centred, 1);
    }
}

/* The inverse of a small matrix, by Gauss and Jordan. */
static inline void invert(int n, const double *a, double *out)
{
    double m[MOST * MOST];
    memcpy(m, a, sizeof(double) * (size_t)(n * n));
    for (int i = 0; i < n * n; i++) out[i] = i / n == i % n;
    for (int p = 0; p < n; p++) {
        double pivot = m[p * n + p];
        for (int j = 0; j < n; j++) m[p * n + j] /= pivot, out[p * n + j] /= pivot;
        for (int i = 0; i < n; i++) {
            double factor = m[i * n + p];
            for (int j = 0; j < n && i != p; j++) {
                m[i * n + j] -= factor * m[p * n + j];
                out[i * n + j] -= factor * out[p * n + j];
            }
        }
    }
}

static inline void expect_sandwich(const by_hand *b, const ebm_uncertainty *u, double tolerance, const char *what)
{
    int n = b->size;
    double inverse[MOST * MOST], part[2][MOST * MOST] = {{0}};
    invert(n, b->h, inverse);
    for (int sample = 0; sample < 2; sample++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                for (int k = 0; k < n; k++)
                    for (int l = 0; l < n; l++)
                        part[sample][i * n + j] += inverse[i * n + k] * b->s[sample][k * n + l] * inverse[l * n + j];
    cr_assert_eq(u->size, n, "%s", what);
    cr_expect_eq(u->identified, n, "%s", what);
    for (int i = 0; i < n * n; i++) expect_close(u->covariance[i], part[0][i] + part[1][i], tolerance, what);
    for (int i = 0; i < n; i++) {
        expect_close(u->standard_error[i], sqrt(part[0][i * n + i] + part[1][i * n + i]), tolerance, what);
        expect_close(u->noise_error[i], sqrt(part[1][i * n + i]), tolerance, what);
        cr_expect(u->standard_error[i] > 0, "%s", what);
    }
}

static inline ebm_fit_options fit_of(const ebm_loss *loss, const ebm_proposal *q)
{
    ebm_fit_options o = {0};
    o.loss = loss;
    o.loss_options.proposal = q;
    o.loss_options.threads = 1;
    o.lbfgs = 1;
    o.seed = 9;
    return o;
}

static inline ebm_uncertainty of(ebm_model *model, double *x, int64_t rows, const ebm_fit_options *o)
{
    ebm_uncertainty u;
    ebm_data data = table(x, rows, ebm_model_dim(model));
    OK(ebm_standard_errors(model, &data, o, &u, ERROR));
    return u;
}

typedef struct noise_sample {
    ebm_proposal *q;
    int64_t rows;
    double *y, *log_q;
} noise_sample;

static inline noise_sample draw_noise(int64_t rows)
{
    static const double mean[] = {0.2}, sd[] = {1.9};
    noise_sample n = {.rows = rows, .y = sampling_room(rows, sizeof(double)),
                      .log_q = sampling_room(rows, sizeof(double))};
    OK(ebm_proposal_gaussian_diagonal(1, mean, sd, NULL, &n.q, ERROR));
    OK(ebm_proposal_sample(n.q, rows, 9, 0, NULL, n.y, n.log_q, ERROR)); /* the seed of fit_of, step 0 */
    return n;
}

static inline void free_noise(noise_sample *n)
{
    ebm_proposal_free(n->q);
    free(n->y);
    free(n->log_q);
}

#endif
