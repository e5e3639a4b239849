/* bilinear.c — embeddings that meet in a product, E(x, y) = −Ψ(x)ᵀφ(y) (S3 eq 10.14), Ψ(x) = Uᵀψ(x) and φ(y) = Vᵀf(y)
 * with recorded ψ and f; without projections where `width` is 0. */
#include "ebm/model/conditional.h"
#include "features.h"
#include "ships.h"

static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    const ebm_bilinear_spec *b = context;
    const ad_var *of_x = theta + (b->width ? 2 : 0), *of_y = of_x + b->x.parameter_count;
    ad_var psi = ebm_features_at(&b->x, ebm_given(row, b->given), of_x);
    ad_var phi = ebm_features_at(&b->y, ebm_modelled(row, b->given), of_y);
    if (b->width) {
        psi = ad_matmul(psi, theta[0]);
        phi = ad_matmul(phi, theta[1]);
    }
    return ad_neg(ad_dot(psi, phi));
}

static int64_t label_numbers(const void *spec)
{
    const ebm_bilinear_spec *b = spec;
    int64_t count;
    return gibbs_mul_size(b->label_count, b->modelled, &count) ? count : -1;
}

static const ebm_option options[] = {
    EBM_OPTION(INT64, ebm_bilinear_spec, given),
    EBM_OPTION(INT64, ebm_bilinear_spec, modelled),
    EBM_OPTION(INT64, ebm_bilinear_spec, width),
    EBM_OPTION(FEATURES, ebm_bilinear_spec, x),
    EBM_OPTION(FEATURES, ebm_bilinear_spec, y),
    EBM_OPTION(INT64, ebm_bilinear_spec, label_count),
    EBM_LIST(DOUBLES, ebm_bilinear_spec, labels, label_numbers),
    EBM_COMMON_OPTIONS(ebm_bilinear_spec),
};

/* The spec with what is 0 or NULL in it filled in. */
static gibbs_status check(ebm_bilinear_spec *s, gibbs_error *error)
{
    const ebm_model_spec rows = {.dim = s->given + s->modelled, .given = s->given, .labels = s->labels,
                                 .label_count = s->label_count};
    gibbs_status status = ebm_need_count("bilinear", "given columns", s->given, 1, error);
    if (!status) status = ebm_need_count("bilinear", "modelled columns", s->modelled, 1, error);
    if (!status) status = ebm_need_count("bilinear", "dimensions of the embedding", s->width, 0, error);
    if (!status) status = ebm_features_check("bilinear", &s->x, s->given, error);
    if (!status) status = ebm_features_check("bilinear", &s->y, s->modelled, error);
    if (!status) status = ebm_conditional_check(&rows, error);
    if (status || s->width || s->x.size == s->y.size) return status;
    return gibbs_fail(error, GIBBS_SHAPE, "bilinear: embeddings of size %lld and %lld do not meet",
                      (long long)s->x.size, (long long)s->y.size);
}

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    ebm_bilinear_spec s = *(const ebm_bilinear_spec *)spec;
    gibbs_status status = check(&s, error);
    if (status) return status;
    const ebm_parameter parameters[] = {
        {"U", ad_mat(s.x.size, s.width), EBM_INIT_GLOROT, 1},
        {"V", ad_mat(s.y.size, s.width), EBM_INIT_GLOROT, 1},
    };
    ebm_build b = ebm_build_start(s.allocator);
    ebm_build_add_all(&b, NULL, parameters, s.width ? GIBBS_COUNT(parameters) : 0);
    ebm_features_build(&b, "x.", &s.x);
    ebm_features_build(&b, "y.", &s.y);
    ebm_model_spec made = {.dtype = s.dtype, .dim = s.given + s.modelled, .kind = &ebm_energy_bilinear,
                           .context = ebm_context_new(&ebm_energy_bilinear, &s, sizeof s, &b.alloc), .seed = s.seed,
                           .given = s.given, .labels = s.labels, .label_count = s.label_count};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_bilinear = {
    .name = "bilinear", .record = energy,
    EBM_MADE_OF(ebm_bilinear_spec, options, make),
};

gibbs_status ebm_model_bilinear(const ebm_bilinear_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_bilinear, spec, model, error);
}
