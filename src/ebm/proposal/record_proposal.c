/* record_proposal.c — what a proposal's callbacks are given, and what is made of their results. */
#include "record_proposal.h"

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
