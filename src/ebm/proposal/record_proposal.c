/* record_proposal.c — proposals checked; what their callbacks are given, and what is made of their results. */
#include "record_proposal.h"

static gibbs_status check(const char *what, const ebm_proposal *q, int64_t dim, bool has_theta, gibbs_error *error)
{
    if (!q) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: no proposal", what);
    const char *name = q->name ? q->name : "proposal";
    if (!q->draw || !q->log_density)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: «%s» has no %s", what, name, q->draw ? "log_density" : "draw");
    if (q->dim < 1 || q->dim > INT32_MAX)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: «%s» has dim %lld", what, name, (long long)q->dim);
    if (q->normals < 0 || q->uniforms < 0 || q->normals > INT32_MAX || q->uniforms > INT32_MAX - q->normals)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: «%s» takes %lld normals and %lld uniforms", what, name,
                          (long long)q->normals, (long long)q->uniforms);
    if (q->depends_on_theta && !has_theta)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: «%s» depends on θ, and there is no model here", what, name);
    if (dim && q->dim != dim)
        return gibbs_fail(error, GIBBS_SHAPE, "%s: «%s» has %lld dimensions, the model %lld", what, name,
                          (long long)q->dim, (long long)dim);
    return GIBBS_OK;
}

gibbs_status ebm_proposal_check(const char *what, const ebm_proposal *q, int64_t dim, bool has_theta,
                                gibbs_error *error)
{
    gibbs_status status = check(what, q, dim, has_theta, error);
    if (status || !q->given) return status;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: «%s» is a density of y given x, and there is no x here", what,
                      q->name ? q->name : "proposal");
}

gibbs_status ebm_proposal_check_model(const char *what, const ebm_proposal *q, const ebm_model *model, bool has_theta,
                                      gibbs_error *error)
{
    int64_t given = ebm_model_given(model);
    if (!given) return ebm_proposal_check(what, q, model->dim, has_theta, error);
    gibbs_status status = check(what, q, 0, has_theta, error);
    if (status || (q->dim == model->dim - given && (!q->given || q->given == given))) return status;
    return gibbs_fail(error, GIBBS_SHAPE,
                      "%s: «%s» is a density of %lld column%s given %lld; the model, of %lld given %lld", what,
                      q->name ? q->name : "proposal", (long long)q->dim, gibbs_plural(q->dim), (long long)q->given,
                      (long long)(model->dim - given), (long long)given);
}

ebm_random ebm_proposal_random(const ebm_proposal *q)
{
    return (ebm_random){q->normals || q->uniforms ? q->normals : q->dim, q->uniforms};
}

/* One after the other; `first` or `second` may be no numbers at all, and is then not looked at. */
static ad_var join(ad_var first, ad_var second, ebm_random count)
{
    if (!count.uniforms) return first;
    return count.normals ? ad_concat(first, second, 0) : second;
}

static ad_var draw_random(ad_axis axis, uint64_t stream, ebm_random count)
{
    ad_var none = {axis.tape, -1};
    ad_var normals = count.normals ? ad_normal(axis, ad_vec(count.normals), stream) : none;
    ad_var uniforms = count.uniforms ? ad_uniform(axis, ad_vec(count.uniforms), stream + EBM_STREAM_UNIFORMS) : none;
    return join(normals, uniforms, count);
}

/* expand does nothing to a value that has the shape, and is an error for one that does not fit it. */
static ad_var draw_by(const ebm_proposal *q, ad_axis axis, ad_var random, const ad_var *theta)
{
    ad_var y = q->draw(q, random, q->depends_on_theta ? theta : NULL);
    return ad_expand(ad_lift(axis, y), ad_vec(q->dim));
}

ad_var ebm_proposal_draw_at(const ebm_proposal *q, ad_axis axis, ad_var given, uint64_t stream, const ad_var *theta)
{
    ad_var random = draw_random(axis, stream, ebm_proposal_random(q));
    return draw_by(q, axis, q->given ? ad_concat(given, random, 0) : random, theta);
}

ad_var ebm_proposal_draw_part(const ebm_proposal *part, ad_var random, ebm_random all, ebm_random skip,
                              const ad_var *theta)
{
    ad_var none = {random.tape, -1};
    ebm_random count = ebm_proposal_random(part);
    ad_var normals = count.normals ? ad_slice(random, 0, skip.normals, count.normals) : none;
    ad_var uniforms = count.uniforms ? ad_slice(random, 0, all.normals + skip.uniforms, count.uniforms) : none;
    return draw_by(part, ad_axis_of(random), join(normals, uniforms, count), theta);
}

ad_var ebm_proposal_log_density_part(const ebm_proposal *part, ad_var y, const ad_var *theta)
{
    return ad_expand(part->log_density(part, y, part->depends_on_theta ? theta : NULL), ad_scalar());
}

ad_var ebm_proposal_log_density_at(const ebm_proposal *q, ad_axis axis, ad_var given, ad_var y, const ad_var *theta)
{
    return ad_lift(axis, ebm_proposal_log_density_part(q, q->given ? ad_concat(given, y, 0) : y, theta));
}
