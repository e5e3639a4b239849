/* The Gaussian by a Cholesky factor: its formula, its log Z two ways, its maximum-likelihood fit, and what it refuses.
 */
#include "ebm/energy_check.h"

enum { MOST = 3 };

/* theta: mean [d], log diagonal [d], and the rows below the diagonal. */
static number formula(const number *x, const number *theta, const void *context)
{
    int d = *(const int *)context;
    const number *lower = theta + 2 * d;
    number E = 0;
    for (int j = 0; j < d; j++) {
        number z = (x[j] - theta[j]) * cexp(theta[d + j]);
        for (int i = j + 1; i < d; i++) z += (x[i] - theta[i]) * lower[i * (i - 1) / 2 + j];
        E += z * z / 2;
    }
    return E;
}

Test(gaussian_cholesky, is_its_formula)
{
    double x[CHECK_ROWS * MOST];
    for (int d = 1; d <= MOST; d++)
        for (int k = 0; k < 2; k++) {
            ebm_model *model;
            OK(ebm_model_gaussian_cholesky(d, k ? GIBBS_FLOAT32 : GIBBS_FLOAT64, NULL, &model, ERROR));
            cr_assert_eq(ebm_model_size(model), 2 * d + d * (d - 1) / 2);
            spread_theta(model, (uint64_t)d);
            spread(x, CHECK_ROWS * d, 5);
            expect_energy(model, formula, &d, x, "gaussian by a factor");
            ebm_model_free(model);
        }
}

Test(gaussian_cholesky, log_z_is_that_of_quadrature)
{
    const double theta[] = {1, -2, 0.3, -0.2, 0.7};
    ebm_model *model;
    ebm_box box = {{-9, -12}, {11, 8}, 400, 0};
    ebm_quadrature z;
    double log_z;
    OK(ebm_model_gaussian_cholesky(2, GIBBS_FLOAT64, NULL, &model, ERROR));
    ebm_model_set(model, theta);
    OK(ebm_model_log_z(model, &log_z, ERROR));
    OK(ebm_integrate(model, &box, &z, ERROR));
    expect_close(log_z, log(2 * M_PI) - 0.3 + 0.2, 1e-14, "closed form");
    expect_close(log_z, z.log_z, 1e-12, "quadrature");
    ebm_model_free(model);
}

/* Score matching of a Gaussian is maximum likelihood: LLᵀ must be the inverse of the data's covariance. */
Test(gaussian_cholesky, score_matching_finds_the_precision)
{
    enum { N = 400 };
    double x[2 * N], mean[2] = {0}, S[3] = {0}, theta[5];
    spread(x, 2 * N, 9);
    for (int n = 0; n < N; n++) x[2 * n + 1] += 0.5 * x[2 * n];
    for (int n = 0; n < N; n++)
        for (int i = 0; i < 2; i++) mean[i] += x[2 * n + i] / N;
    for (int n = 0; n < N; n++) {
        double u = x[2 * n] - mean[0], v = x[2 * n + 1] - mean[1];
        S[0] += u * u / N, S[1] += u * v / N, S[2] += v * v / N;
    }
    ebm_model *model;
    ebm_data data;
    ebm_fit_options options = {0};
    options.loss = &ebm_loss_score_matching;
    options.lbfgs = 1;
    OK(ebm_model_gaussian_cholesky(2, GIBBS_FLOAT64, NULL, &model, ERROR));
    OK(ebm_data_from(x, N, 2, NULL, &data, ERROR));
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    ebm_model_get(model, theta);
    double a = exp(theta[2]), b = theta[4], c = exp(theta[3]), det = S[0] * S[2] - S[1] * S[1];
    expect_close(theta[0], mean[0], 1e-4, "mean");
    expect_close(a * a, S[2] / det, 1e-4, "precision, first");
    expect_close(a * b, -S[1] / det, 1e-4, "precision, off the diagonal");
    expect_close(b * b + c * c, S[0] / det, 1e-4, "precision, second");
    ebm_data_free(&data);
    ebm_model_free(model);
}

Test(gaussian_cholesky, errors)
{
    ebm_model *model = NULL;
    FAILS(GIBBS_ARGUMENT, "dimensions", ebm_model_gaussian_cholesky(0, GIBBS_FLOAT64, NULL, &model, FAIL));
    FAILS(GIBBS_SIZE, "4096", ebm_model_gaussian_cholesky(5000, GIBBS_FLOAT64, NULL, &model, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_model_gaussian_cholesky(2, GIBBS_FLOAT64, NULL, NULL, FAIL));
    cr_expect_null(model);
}
