/* Energies with matrices in them: a Gaussian by its covariance, which score matching must find; and a density by a
 * change of variables, whose determinant keeps log Z. */
#include "ebm/energy_check.h"

enum { D = 3, ROWS = 500 };

static ad_var unit(ad_tape *tape, int64_t n, double by)
{
    double eye[D * D] = {0};
    for (int64_t i = 0; i < n; i++) eye[i * (n + 1)] = by;
    return ad_constant_array(tape, ad_mat(n, n), eye);
}

static ad_var covariance(ad_tape *tape, ad_var W)
{
    return ad_add(ad_matmul(W, ad_transpose(W)), unit(tape, D, 0.01));
}

/* ½(x − m)ᵀC⁻¹(x − m), and what makes it −log p but for a constant. */
static ad_var gaussian(ad_var x, const ad_var *theta, void *context)
{
    ad_var C = covariance(x.tape, theta[0]);
    (void)context;
    ad_var z = ad_triangular_solve(ad_cholesky(C), ad_sub(x, theta[1]), 0);
    return ad_scale(ad_add(ad_sum(ad_square(z)), ad_log_det(C)), 0.5);
}

static void expect_covariance(const double *theta, const double *S, double tolerance, const char *what)
{
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
            double C = i == j ? 0.01 : 0;
            for (int k = 0; k < D; k++) C += theta[i * D + k] * theta[j * D + k];
            expect_close(C, S[i * D + j], tolerance, what);
        }
}

/* Of a Gaussian score matching is maximum likelihood: the covariance of the data, whatever WWᵀ makes it. */
Test(covariance, score_matching_finds_it)
{
    double x[D * ROWS], mean[D] = {0}, S[D * D] = {0}, theta[D * D + D];
    spread(x, D * ROWS, 9);
    for (int n = 0; n < ROWS; n++) x[D * n + 1] += 0.5 * x[D * n], x[D * n + 2] -= 0.7 * x[D * n + 1];
    for (int n = 0; n < D * ROWS; n++) mean[n % D] += x[n] / ROWS;
    for (int n = 0; n < ROWS; n++)
        for (int k = 0; k < D * D; k++)
            S[k] += (x[D * n + k / D] - mean[k / D]) * (x[D * n + k % D] - mean[k % D]) / ROWS;
    ebm_parameter parameters[] = {{"W", ad_mat(D, D), EBM_INIT_NORMAL, 1}, {"m", ad_vec(D), EBM_INIT_CONSTANT, 0}};
    ebm_model *model = model_of(D, parameters, 2, gaussian, GIBBS_FLOAT64);
    ebm_data data;
    ebm_fit_options options = {0};
    options.loss = &ebm_loss_score_matching;
    options.lbfgs = 1;
    OK(ebm_data_from(x, ROWS, D, NULL, &data, ERROR));
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    ebm_model_get(model, theta);
    expect_covariance(theta, S, 1e-3, "covariance");
    for (int k = 0; k < D; k++) expect_close(theta[D * D + k], mean[k], 1e-3, "mean");
    ebm_data_free(&data);
    ebm_model_free(model);
}

/* ---- A change of variables ---- */

/* u = x + ½ tanh(Ax) is standard normal: E = ½|u|² − log |det ∂u/∂x|. */
static ad_var flow(ad_var x, const ad_var *theta, void *context)
{
    ad_var u = ad_add(x, ad_scale(ad_tanh(ad_matmul(theta[0], x)), 0.5));
    (void)context;
    return ad_sub(ad_scale(ad_sum(ad_square(u)), 0.5), ad_log_abs_det(ad_jacobian(u, &x, 1)));
}

Test(covariance, a_change_of_variables_keeps_log_z)
{
    static const double theta[] = {0.8, -0.5, 0.3, 1.1};
    ebm_parameter parameters[] = {{"A", ad_mat(2, 2), EBM_INIT_NORMAL, 1}};
    ebm_model *model = model_of(2, parameters, 1, flow, GIBBS_FLOAT64);
    ebm_box box = {{-9, -9}, {9, 9}, 400, 0};
    ebm_quadrature z;
    ebm_model_set(model, theta);
    OK(ebm_integrate(model, &box, &z, ERROR));
    expect_close(z.log_z, log(2 * M_PI), 1e-10, "log Z of a standard normal");
    ebm_model_free(model);
}

/* x = u − ½ tanh(Ax), which the iteration finds, as |A| < 2. */
static void draw(const double *A, int64_t rows, double *x)
{
    uint64_t state = 3;
    for (int64_t n = 0; n < rows; n++) {
        double far = sqrt(-2 * log(sampling_uniform(&state))), turn = 2 * M_PI * sampling_uniform(&state);
        double u[2] = {far * cos(turn), far * sin(turn)}, *at = x + 2 * n;
        at[0] = u[0], at[1] = u[1];
        for (int k = 0; k < 100; k++) {
            double p = A[0] * at[0] + A[1] * at[1], q = A[2] * at[0] + A[3] * at[1];
            at[0] = u[0] - 0.5 * tanh(p), at[1] = u[1] - 0.5 * tanh(q);
        }
    }
}

/* Score matching takes second derivatives of the determinant by x, and then one by A. */
Test(covariance, score_matching_finds_a_change_of_variables)
{
    enum { MANY = 20000 };
    static const double truth[] = {0.8, -0.5, 0.3, 1.1}, start[] = {0.5, -0.2, 0.1, 0.8};
    double *x = malloc(2 * MANY * sizeof *x), theta[4];
    draw(truth, MANY, x);
    ebm_parameter parameters[] = {{"A", ad_mat(2, 2), EBM_INIT_NORMAL, 1}};
    ebm_model *model = model_of(2, parameters, 1, flow, GIBBS_FLOAT64);
    ebm_data data;
    ebm_fit_options options = {0};
    options.loss = &ebm_loss_score_matching;
    options.lbfgs = 1;
    OK(ebm_data_from(x, MANY, 2, NULL, &data, ERROR));
    ebm_model_set(model, start);
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    ebm_model_get(model, theta);
    for (int k = 0; k < 4; k++) expect_close(theta[k], truth[k], 0.1, "A");
    ebm_data_free(&data);
    ebm_model_free(model);
    free(x);
}
