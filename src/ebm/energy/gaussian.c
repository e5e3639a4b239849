/* gaussian.c — ½(x − μ)ᵀP(x − μ). A quadratic form sees only the symmetric part of its matrix, and so do its
 * derivatives: P needs no symmetry. */
#include "ebm/proposal/cholesky.h"
#include "ebm/log_z/known_log_z.h"

#include <math.h>

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_quadratic_form(ad_sub(x, theta[0]), theta[1]), 0.5);
}

gibbs_status ebm_model_gaussian(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *allocator, ebm_model **model,
                                gibbs_error *error)
{
    const ebm_parameter parameters[] = {
        {"mean", ad_vec(dim), EBM_INIT_CONSTANT, 0},
        {"precision", ad_mat(dim, dim), EBM_INIT_IDENTITY, 1},
    };
    const ebm_model_spec spec = {.dtype = dtype, .dim = dim, .parameters = parameters,
                                 .parameter_count = GIBBS_COUNT(parameters), .energy = energy, .allocator = allocator};
    return ebm_model_new(&spec, model, error);
}

/* ½ d log 2π − Σ log Lᵢᵢ, where LLᵀ is the symmetric part of P = theta + d. */
static gibbs_status log_z(ebm_model *model, double *result, gibbs_error *error)
{
    int64_t d = model->dim;
    double *theta = gibbs_alloc(&model->alloc, (size_t)(model->size + 2 * d * d), sizeof *theta);
    if (!theta) return gibbs_fail(error, GIBBS_MEMORY, "log Z: out of memory");
    double *P = theta + d, *symmetric = P + d * d, *lower = symmetric + d * d, sum = 0.5 * (double)d * log(2 * M_PI);
    ebm_model_get(model, theta);
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) symmetric[i * d + j] = 0.5 * (P[i * d + j] + P[j * d + i]);
    gibbs_status status = ebm_cholesky(d, symmetric, lower, NULL);
    if (status) gibbs_fail(error, status, "log Z: the precision is not positive definite");
    for (int64_t i = 0; i < d && !status; i++) sum -= log(lower[i * d + i]);
    if (!status) *result = sum;
    gibbs_release(&model->alloc, theta);
    return status;
}

const ebm_known_log_z ebm_gaussian_log_z = {energy, log_z};
