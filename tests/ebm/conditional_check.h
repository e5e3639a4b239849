/* conditional_check.h — conditional models against enumeration in plain C: log Z(x) is the log of a sum over all
 * labels, and the loss and its gradient are those of softmax over them. */
#ifndef TESTS_CONDITIONAL_CHECK_H
#define TESTS_CONDITIONAL_CHECK_H

#include "ebm/energy_check.h"

/* The mean of −log p(y | x) over rows, and its gradient by θ, from the plain energy over `count` labels. */
static inline double plain_loss(plain_formula f, const void *context, const double *rows, int n, int given, int width,
                                const double *labels, int count, const double *theta, int size, double *gradient)
{
    double loss = 0, row[CHECK_SIZE], g[CHECK_SIZE];
    double *E = sampling_room(count, sizeof *E), *all = sampling_room((int64_t)count * size, sizeof *all);
    for (int i = 0; i < size; i++) gradient[i] = 0;
    for (int r = 0; r < n; r++) {
        const double *x = rows + r * (given + width);
        double z = 0, own = plain_value(f, context, x, given + width, theta, size, NULL, g);
        memcpy(row, x, (size_t)given * sizeof *row);
        for (int k = 0; k < count; k++) {
            memcpy(row + given, labels + k * width, (size_t)width * sizeof *row);
            E[k] = plain_value(f, context, row, given + width, theta, size, NULL, all + k * size);
            z += exp(own - E[k]);
        }
        loss += log(z) / n;
        for (int i = 0; i < size; i++) {
            double expected = 0;
            for (int k = 0; k < count; k++) expected += exp(own - E[k]) / z * all[k * size + i];
            gradient[i] += (g[i] - expected) / n;
        }
    }
    free(E), free(all);
    return loss;
}

/* The library's loss is that one, and can be told from its neighbours: with θ's first number moved it differs. */
static inline void expect_conditional_loss(ebm_model *model, plain_formula f, const void *context, const double *rows,
                                           int n, int given, const double *labels, int count, const char *what)
{
    int width = (int)ebm_model_dim(model) - given, size = (int)ebm_model_size(model);
    double theta[CHECK_SIZE], gradient[CHECK_SIZE], unused[CHECK_SIZE];
    ebm_model_get(model, theta);
    cr_expect_eq(ebm_model_given(model), given);
    ebm_objective *o = objective_at(model, &ebm_loss_conditional_ml, NULL, NULL, rows, n, 0, 0);
    double value = value_of(o);
    const double *got = ebm_objective_gradient(o);
    double expected = plain_loss(f, context, rows, n, given, width, labels, count, theta, size, gradient);
    expect_close(value, expected, 1e-12, what);
    for (int i = 0; i < size; i++) expect_close(got[i], gradient[i], 1e-12, what);
    theta[0] += 0.01;
    double moved = plain_loss(f, context, rows, n, given, width, labels, count, theta, size, unused);
    cr_expect(fabs(moved - expected) > 1e-7, "%s: the loss does not see its parameters", what);
    ebm_objective_free(o);
}

/* Rows [x, y]: x spread, y a label of the list. */
static inline void label_rows(double *rows, int n, int given, int width, const double *labels, int count,
                              uint64_t seed)
{
    for (int r = 0; r < n; r++) {
        double *x = rows + r * (given + width);
        spread(x, given, seed + 2 * (uint64_t)r + 1);
        uint64_t state = seed * 31 + (uint64_t)r;
        int k = (int)(sampling_uniform(&state) * count);
        memcpy(x + given, labels + k * width, (size_t)width * sizeof *x);
    }
}

static inline ebm_model *regression(ebm_regression_spec spec)
{
    ebm_model *model;
    OK(ebm_model_regression(&spec, &model, ERROR));
    return model;
}

/* Fits by L-BFGS on all rows. */
static inline void fit_conditional(ebm_model *model, double *rows, int n)
{
    ebm_data data = table(rows, n, ebm_model_dim(model));
    ebm_fit_options options = {0};
    options.loss = &ebm_loss_conditional_ml, options.lbfgs = 1, options.steps = 500;
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
}

#endif
