/* gaussian.c — ½(x − μ)ᵀP(x − μ). A quadratic form sees only the symmetric part of its matrix, and so do its
 * derivatives: P needs no symmetry. */
#include "base/base.h"

#include <gibbs/ebm.h>

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
    ebm_model_spec spec = ebm_model_defaults();
    spec.dtype = dtype;
    spec.dim = dim;
    spec.parameters = parameters;
    spec.parameter_count = GIBBS_COUNT(parameters);
    spec.energy = energy;
    spec.allocator = allocator;
    return ebm_model_new(&spec, model, error);
}
