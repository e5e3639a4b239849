/* dense.c — the dense form of tangents that are zero or diagonal; and masks that may be none. */
#include "op.h"

ad_var ad_tangent_dense(ad_var node, ad_tangent t, int64_t directions)
{
    if (ad_is_null(node)) return node;
    ad_node own = *ad_node_of(node);
    ad_shape dense = ad_shape_prepend(directions, &own.shape);
    if (t.kind == TANGENT_ZERO) return ad_fill(node.tape, own.axis, dense, 0);
    if (t.kind == TANGENT_DENSE) return t.v;
    return ad_masked(ad_broadcast_to(ad_reshape(ad_eye(node.tape, directions), dense), own.axis, dense), t.v);
}

ad_var ad_where_equal(int64_t n, ad_shape shape, ad_var v)
{
    return n == 1 || ad_is_null(v) ? v : ad_masked(ad_reshape(ad_eye(v.tape, n), shape), v);
}

ad_var ad_masked_if(ad_var mask, ad_var v) { return ad_is_null(mask) ? v : ad_masked(mask, v); }
