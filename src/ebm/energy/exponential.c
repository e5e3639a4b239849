/* exponential.c — the exponential family, p ∝ exp(η·T(x)) (S3's EF), with statistics recorded by the caller. */
#include "exponential.h"

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    return ad_neg(ad_dot(theta[0], ebm_features_at(context, x, NULL)));
}

const ebm_features *ebm_exponential_statistics(const ebm_model *model)
{
    return model && model->energy == energy ? model->context : NULL;
}

gibbs_status ebm_model_exponential(const ebm_exponential_spec *spec, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("exponential", spec && model, error);
    *model = NULL;
    ebm_features T;
    gibbs_status status = ebm_features_check("exponential", &spec->statistics, spec->dim, &T, error);
    if (status) return status;
    if (T.parameter_count)
        return gibbs_fail(error, GIBBS_ARGUMENT, "exponential: statistics have no parameters of their own");
    ebm_build b = ebm_build_start(spec->allocator);
    ebm_build_add(&b, NULL, &(ebm_parameter){"eta", ad_vec(T.size), EBM_INIT_CONSTANT, 0});
    ebm_model_spec made = {.dtype = spec->dtype, .dim = spec->dim, .energy = energy,
                           .context = ebm_build_copy(&b, &T, sizeof T)};
    return ebm_build_owner(&b, made, model, error);
}
