/* user.c — ops of a user's own. They bring one derivative; tangents and curvature come from it. */
#include "op.h"

#include <gibbs/op.h>

ad_var ad_user(const ad_user_op *op, const ad_var *in)
{
    ad_tape *tape;
    if (!op || !in || op->arguments < 1 || op->arguments > AD_MAX_ARGUMENTS || !op->shape || !op->kernel || !op->name)
        return ad_fail(in ? in[0].tape : NULL, GIBBS_ARGUMENT,
                       "user op: needs a name, 1 to %d arguments, a shape and a kernel", AD_MAX_ARGUMENTS);
    if (!ad_check_args(op->name, in, op->arguments, &tape)) return ad_handle(tape, -1);
    ad_shape shapes[AD_MAX_ARGUMENTS], out = ad_scalar();
    int32_t axis = -1;
    for (int k = 0; k < op->arguments; k++) {
        int32_t own = ad_node_of(in[k])->axis;
        shapes[k] = ad_node_of(in[k])->shape;
        if (axis >= 0 && own >= 0 && own != axis)
            return ad_fail(tape, GIBBS_AXIS, "%s: axes «%s» and «%s» meet", op->name, ad_axis_name(tape, axis),
                           ad_axis_name(tape, own));
        if (own >= 0) axis = own;
    }
    gibbs_error error = {GIBBS_OK, "", -1, -1};
    if (op->shape(op->context, shapes, &out, &error))
        return ad_fail(tape, GIBBS_SHAPE, "%s: %s", op->name,
                       error.message[0] ? error.message : "the shapes do not fit");
    int32_t side = -1;
    for (int64_t i = 0; i < tape->sides && side < 0; i++)
        if (tape->side[i].user == op) side = (int32_t)i;
    if (side < 0 && (side = ad_side_new(tape, op->name)) < 0)
        return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", op->name);
    tape->side[side].user = op;
    ad_node node = ad_proto(OP_user, in, op->arguments, out);
    node.side = side;
    return ad_hoist(tape, &node);
}

/* ---- Rules ---- */

static const ad_user_op *user_of(const ad_call *c) { return c->y.tape->side[c->node.side].user; }

static ad_var again(const ad_node *node, const ad_var *in) { return ad_user(in[0].tape->side[node->side].user, in); }

static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    const ad_user_op *op = user_of(c);
    ad_var in[AD_MAX_ARGUMENTS];
    if (!op->vjp) return ad_fail(c->y.tape, GIBBS_SMOOTH, "%s: the op has no derivative", op->name);
    for (int k = 0; k < c->node.nin; k++) in[k] = ad_arg(c, k);
    return op->vjp(op->context, in, c->y, ybar, which);
}

/* All of the arguments may matter for any element. */
static ad_var mask(const ad_call *c, ad_var taken, int which)
{
    ad_shape own = ad_node_of(ad_arg(c, which))->shape; /* read before anything is recorded: the nodes may move */
    return ad_is_null(taken) ? taken : ad_expand(ad_sum(taken), own);
}

const ad_structure ad_structure_user = {.again = again, .adjoint = adjoint, .mask = mask};
