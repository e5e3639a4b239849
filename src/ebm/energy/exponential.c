/* exponential.c — the exponential family, p ∝ exp(η·T(x)) (S3's EF), with statistics recorded by the caller. */
#include "exponential.h"
#include "ships.h"

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_exponential_spec *s = context;
    return ad_neg(ad_dot(theta[0], ebm_features_at(&s->statistics, x, NULL)));
}

const ebm_features *ebm_exponential_statistics(const ebm_model *model)
{
    const ebm_exponential_spec *s = model->context;
    return model->kind == &ebm_energy_exponential ? &s->statistics : NULL;
}

static const ebm_option options[] = {
    EBM_OPTION(INT64, ebm_exponential_spec, dim),
    EBM_OPTION(FEATURES, ebm_exponential_spec, statistics),
    EBM_COMMON_OPTIONS(ebm_exponential_spec),
};

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    ebm_exponential_spec s = *(const ebm_exponential_spec *)spec;
    gibbs_status status = ebm_features_check("exponential", &s.statistics, s.dim, error);
    if (status) return status;
    if (s.statistics.parameter_count)
        return gibbs_fail(error, GIBBS_ARGUMENT, "exponential: statistics have no parameters of their own");
    ebm_build b = ebm_build_start(s.allocator);
    ebm_build_add(&b, NULL, &(ebm_parameter){"eta", ad_vec(s.statistics.size), EBM_INIT_CONSTANT, 0});
    ebm_model_spec made = {.dtype = s.dtype, .dim = s.dim, .kind = &ebm_energy_exponential,
                           .context = ebm_context_new(&ebm_energy_exponential, &s, sizeof s, &b.alloc)};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_exponential = {
    .name = "exponential", .record = energy,
    EBM_MADE_OF(ebm_exponential_spec, options, make),
};

gibbs_status ebm_model_exponential(const ebm_exponential_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_exponential, spec, model, error);
}
