/* cumsum.c — sums of what lies before an element of a dimension and of itself, or behind it: each is the other's
 * adjoint. */
#include "op.h"

static ad_var cumsum(ad_var x, int dim, bool from_end)
{
    ad_tape *tape;
    const char *name = from_end ? "cumsum_reverse" : "cumsum";
    if (!ad_check_args(name, &x, 1, &tape) || !ad_check_dim(name, x, dim)) return ad_handle(tape, -1);
    ad_node node = ad_proto(OP_cumsum, &x, 1, ad_node_of(x)->shape);
    if (node.shape.dim[dim] == 1) return x;
    if (ad_is_zero(x)) return x;
    node.attr[0] = dim;
    node.attr[1] = from_end;
    return ad_hoist(tape, &node);
}

ad_var ad_cumsum(ad_var x, int dim) { return cumsum(x, dim, false); }
ad_var ad_cumsum_reverse(ad_var x, int dim) { return cumsum(x, dim, true); }

/* ---- Rules ---- */

static ad_var again(const ad_node *node, const ad_var *in) { return cumsum(in[0], node->attr[0], node->attr[1]); }

static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return cumsum(ybar, c->node.attr[0], !c->node.attr[1]);
}

static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return cumsum(t, c->node.attr[0] + 1, c->node.attr[1]);
}

const ad_structure ad_structure_cumsum = {.again = again, .adjoint = adjoint, .tangent = tangent};
