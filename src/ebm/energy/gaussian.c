/* gaussian.c — ½(x − μ)ᵀP(x − μ). A quadratic form sees only the symmetric part of its matrix, and so do its
 * derivatives: P needs no symmetry. */
#include "build.h"
#include "ebm/proposal/cholesky.h"
#include "ships.h"

#include <math.h>

typedef struct gaussian {
    int64_t dim;
    gibbs_dtype dtype;
    const gibbs_allocator *allocator;
} gaussian;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_quadratic_form(ad_sub(x, theta[0]), theta[1]), 0.5);
}

/* ½ d log 2π − Σ log Lᵢᵢ, where LLᵀ is the symmetric part of βP, P = theta + d. */
static gibbs_status log_z(const double *theta, double beta, void *context, const gibbs_allocator *a, double *result,
                          gibbs_error *error)
{
    int64_t d = ((const gaussian *)context)->dim;
    const double *P = theta + d;
    double *symmetric = gibbs_alloc(a, (size_t)(2 * d * d), sizeof *symmetric), sum = 0.5 * (double)d * log(2 * M_PI);
    if (!symmetric) return gibbs_fail(error, GIBBS_MEMORY, "log Z: out of memory");
    double *lower = symmetric + d * d;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) symmetric[i * d + j] = 0.5 * beta * (P[i * d + j] + P[j * d + i]);
    gibbs_status status = ebm_cholesky(d, symmetric, lower, NULL);
    if (status) gibbs_fail(error, status, "log Z: the precision is not positive definite");
    for (int64_t i = 0; i < d && !status; i++) sum -= log(lower[i * d + i]);
    if (!status) *result = sum;
    gibbs_release(a, symmetric);
    return status;
}

static const ebm_option options[] = {
    EBM_OPTION(INT64, gaussian, dim),
    EBM_COMMON_OPTIONS(gaussian),
};

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    const gaussian *s = spec;
    ebm_build b = ebm_build_start(s->allocator);
    ebm_build_add(&b, NULL, &(ebm_parameter){"mean", ad_vec(s->dim), EBM_INIT_CONSTANT, 0});
    ebm_build_add(&b, NULL, &(ebm_parameter){"precision", ad_mat(s->dim, s->dim), EBM_INIT_IDENTITY, 1});
    ebm_model_spec made = {.dtype = s->dtype, .dim = s->dim, .kind = &ebm_energy_gaussian,
                           .context = ebm_context_new(&ebm_energy_gaussian, s, sizeof *s, &b.alloc)};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_gaussian = {
    .name = "gaussian", .record = energy, .log_z = log_z,
    EBM_MADE_OF(gaussian, options, make),
};

gibbs_status ebm_model_gaussian(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *allocator, ebm_model **model,
                                gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_gaussian, &(gaussian){dim, dtype, allocator}, model, error);
}
