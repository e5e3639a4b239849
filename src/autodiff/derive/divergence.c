/* divergence.c — Σᵢ ∂vᵢ/∂xᵢ of a vector field, exactly, by one forward sweep with a direction for each element of x.
 *
 * A divergence takes one derivative of v. Kinks (relu, abs, max) are therefore harmless: v is continuous there and its
 * derivative is missing on a null set only. Jumps are not: over a jump the divergence holds a surface term that no
 * derivative at a point sees, and ∫ div(pv) = 0, which score matching and Stein discrepancies rest on, fails. */
#include "jacobian.h"

/* The sum of the diagonal; what is beside it does no harm, were it NaN. */
static ad_var trace(ad_var v, ad_tangent t, int64_t d)
{
    if (t.kind == TANGENT_DIAGONAL) return ad_sum(t.v);
    return ad_sum(ad_masked(ad_eye(v.tape, d), ad_reshape(t.v, ad_mat(d, d))));
}

static ad_var divergence(ad_var v, ad_var x, ad_smoothness least)
{
    ad_tape *tape;
    int32_t axis;
    char s[AD_SHAPE_TEXT], t[AD_SHAPE_TEXT];
    if (!ad_check_alike("divergence", v, &x, 1, &tape, &axis)) return ad_handle(tape, -1);
    ad_node field = *ad_node_of(v), at = *ad_node_of(x);
    if (!ad_shape_equal(&field.shape, &at.shape))
        return ad_fail(tape, GIBBS_SHAPE, "divergence: the field has shape %s, x has %s",
                       ad_shape_text(&field.shape, s, sizeof s), ad_shape_text(&at.shape, t, sizeof t));
    if (axis >= 0 && field.axis >= 0 && axis != field.axis)
        return ad_fail(tape, GIBBS_AXIS, "divergence: the field is on axis «%s», x on «%s»",
                       ad_axis_name(tape, field.axis), ad_axis_name(tape, axis));
    if (ad_refuse("divergence", v, &x, 1, axis >= 0, least)) return ad_handle(tape, -1);
    ad_tangent tangent = ad_forward(v, x);
    if (tape->error.status) return ad_handle(tape, -1);
    int32_t to = axis >= 0 ? axis : field.axis;
    if (tangent.kind == TANGENT_ZERO) return ad_fill(tape, to, ad_scalar(), 0);
    return ad_on_axis(trace(v, tangent, ad_shape_count(&at.shape)), to);
}

ad_var ad_divergence(ad_var v, ad_var x) { return divergence(v, x, AD_CONTINUOUS); }
ad_var ad_divergence_almost_everywhere(ad_var v, ad_var x) { return divergence(v, x, AD_ANY); }
