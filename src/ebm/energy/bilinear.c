/* bilinear.c — embeddings that meet in a product, E(x, y) = −Ψ(x)ᵀφ(y) (S3 eq 10.14), Ψ(x) = Uᵀψ(x) and φ(y) = Vᵀf(y)
 * with recorded ψ and f; without projections where `width` is 0. */
#include "conditional.h"
#include "features.h"

typedef struct bilinear {
    int64_t given, width;
    ebm_features x, y;
} bilinear;

static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    const bilinear *b = context;
    const ad_var *of_x = theta + (b->width ? 2 : 0), *of_y = of_x + b->x.parameter_count;
    ad_var psi = ebm_features_at(&b->x, ebm_given(row, b->given), of_x);
    ad_var phi = ebm_features_at(&b->y, ebm_modelled(row, b->given), of_y);
    if (b->width) {
        psi = ad_matmul(psi, theta[0]);
        phi = ad_matmul(phi, theta[1]);
    }
    return ad_neg(ad_dot(psi, phi));
}

static gibbs_status check(const ebm_bilinear_spec *spec, bilinear *b, gibbs_error *error)
{
    *b = (bilinear){.given = spec->given, .width = spec->width};
    gibbs_status status = ebm_need_count("bilinear", "given columns", spec->given, 1, error);
    if (!status) status = ebm_need_count("bilinear", "modelled columns", spec->modelled, 1, error);
    if (!status) status = ebm_need_count("bilinear", "dimensions of the embedding", spec->width, 0, error);
    if (!status) status = ebm_features_check("bilinear", &spec->x, spec->given, &b->x, error);
    if (!status) status = ebm_features_check("bilinear", &spec->y, spec->modelled, &b->y, error);
    if (status) return status;
    if (!spec->width && b->x.size != b->y.size)
        return gibbs_fail(error, GIBBS_SHAPE, "bilinear: embeddings of size %lld and %lld do not meet",
                          (long long)b->x.size, (long long)b->y.size);
    return GIBBS_OK;
}

gibbs_status ebm_model_bilinear(const ebm_bilinear_spec *spec, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("bilinear", spec && model, error);
    *model = NULL;
    bilinear own;
    gibbs_status status = check(spec, &own, error);
    if (status) return status;
    const ebm_parameter parameters[] = {
        {"U", ad_mat(own.x.size, own.width), EBM_INIT_GLOROT, 1},
        {"V", ad_mat(own.y.size, own.width), EBM_INIT_GLOROT, 1},
    };
    ebm_build b = ebm_build_start(spec->allocator);
    ebm_build_add_all(&b, NULL, parameters, own.width ? GIBBS_COUNT(parameters) : 0);
    ebm_features_build(&b, "x.", &own.x);
    ebm_features_build(&b, "y.", &own.y);
    ebm_model_spec made = {.dtype = spec->dtype, .dim = spec->given + spec->modelled, .energy = energy,
                           .context = ebm_build_copy(&b, &own, sizeof own), .seed = spec->seed};
    const ebm_conditional is = {.given = spec->given, .labels = spec->labels, .label_count = spec->label_count};
    return ebm_conditional_build(&b, made, &is, model, error);
}
