/* features.c — recorded maps x → vector, with parameters of their own. */
#include "features.h"

#include "autodiff/op/op.h"

gibbs_status ebm_features_check(const char *model, ebm_features *f, int64_t dim, gibbs_error *error)
{
    if (!f->record && !f->size) f->size = dim;
    if (f->parameter_count < 0 || (f->parameter_count && (!f->parameters || !f->record)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: features with %d parameters, but no %s", model,
                          f->parameter_count, f->record ? "list of them" : "function");
    if (!f->record && f->size != dim)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the identity of %lld column%s has no %lld features", model,
                          (long long)dim, gibbs_plural(dim), (long long)f->size);
    return ebm_need_count(model, "features", f->size, 1, error);
}

void ebm_features_build(ebm_build *b, const char *prefix, const ebm_features *f)
{
    ebm_build_add_all(b, prefix, f->parameters, f->parameter_count);
}

ad_var ebm_features_at(const ebm_features *f, ad_var x, const ad_var *theta)
{
    if (!f->record) return x;
    ad_var v = f->record(ad_as_variable(x), theta, f->context);
    if (ad_tape_status(x.tape)) return (ad_var){x.tape, -1};
    if (ad_is_null(v) || v.tape != x.tape)
        return ad_fail(x.tape, GIBBS_TAPE, "features: the function returned the null var, or one of another tape");
    ad_shape shape = ad_shape_of(v);
    char text[AD_SHAPE_TEXT];
    if (ad_shape_count(&shape) != f->size)
        return ad_fail(x.tape, GIBBS_SHAPE, "features: the function's result has shape %s, not %lld elements",
                       ad_shape_text(&shape, text, sizeof text), (long long)f->size);
    return ad_reshape(v, ad_vec(f->size));
}
