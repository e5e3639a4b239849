/* substitute.c — recording a function again on other arguments, and the placeholders that make a function of an
 * op's derivative. */
#include "derive.h"

ad_var ad_placeholder(ad_tape *tape, int number, int32_t axis, ad_shape shape)
{
    if (tape->error.status) return ad_handle(tape, -1);
    ad_node node = ad_proto(axis < 0 ? OP_parameter : OP_input, NULL, 0, shape);
    node.axis = axis;
    node.attr[0] = 1 + number; /* side stays −1: so it is no named leaf, and the same for the same number */
    return ad_record(tape, &node);
}

ad_var ad_rebuild(const ad_node *node, const ad_var *in)
{
    ad_tape *tape = in[0].tape;
    ad_axis axis = {tape, node->attr[0]};
    int order[AD_MAX_RANK];
    for (int i = 0; i < AD_MAX_RANK; i++) order[i] = node->attr[i];
    if (ad_ops[node->op].partial[0] || node->op == OP_select) return ad_elementwise(node->op, in, node->nin);
    switch (node->op) {
    case OP_lift: return ad_lift((ad_axis){tape, node->axis}, in[0]);
    case OP_expand: return ad_expand(in[0], node->shape);
    case OP_reshape: return ad_reshape(in[0], node->shape);
    case OP_permute: return ad_permute(in[0], order);
    case OP_slice: return ad_slice(in[0], order[0], order[1], node->shape.dim[order[0]]);
    case OP_pad: return ad_pad(in[0], order[0], order[1], order[2]);
    case OP_concat: return ad_concat(in[0], in[1], order[0]);
    case OP_gather: return ad_gather(in[0], in[1]);
    case OP_scatter_add: return ad_scatter_add(in[0], in[1], node->shape.dim[0]);
    case OP_sum:
    case OP_max_reduce:
    case OP_logsumexp: return ad_sum_range(node->op, in[0], order[0], order[1]);
    case OP_matmul: return ad_matmul_core(in[0], order[0], in[1], order[1]);
    case OP_user: return ad_user(tape->side[node->side].user, in);
    case OP_regroup: return ad_regroup(in[0]);
    case OP_ungroup: return ad_ungroup((ad_axis){tape, node->axis}, in[0]);
    case OP_batch_sum:
    case OP_batch_max:
    case OP_batch_logsumexp: return ad_batch_reduce(node->op, axis.id, in[0]);
    case OP_batch_matmul: return ad_batch_matmul_core(axis.id, in[0], in[1]);
    case OP_batch_gather: return ad_batch_gather(in[0], in[1]);
    case OP_batch_scatter_add: return ad_batch_scatter_add(axis, in[0], in[1]);
    default: return ad_fail(tape, GIBBS_ARGUMENT, "substitute: %s cannot be recorded again", ad_ops[node->op].name);
    }
}

/* A rebuilt value keeps its old axis: what became shared is lifted back, for the nodes that read it. */
static ad_var rebuild_as(const ad_node *node, const ad_var *in)
{
    ad_var v = ad_rebuild(node, in);
    if (ad_is_null(v) || node->axis < 0 || ad_node_of(v)->axis >= 0) return v;
    return ad_lift((ad_axis){v.tape, node->axis}, v);
}

static void substitute_all(ad_var y, const ad_paths *p, int32_t *now)
{
    ad_tape *tape = y.tape;
    for (int32_t i = 0; i <= y.id && tape->error.status == GIBBS_OK; i++) {
        if (!p->reads[i] || !p->needed[i] || p->is_x[i]) continue;
        ad_node node = tape->node[i];
        ad_var in[AD_MAX_ARGUMENTS];
        for (int k = 0; k < node.nin; k++)
            in[k] = ad_handle(tape, p->reads[node.in[k]] ? now[node.in[k]] : node.in[k]);
        now[i] = rebuild_as(&node, in).id;
    }
}

static bool check_pair(ad_tape *tape, ad_var from, ad_var to, int number)
{
    ad_node f = *ad_node_of(from), t = *ad_node_of(to);
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (!ad_shape_equal(&f.shape, &t.shape))
        ad_fail(tape, GIBBS_SHAPE, "substitute: pair %d has shapes %s and %s", number,
                ad_shape_text(&f.shape, a, sizeof a), ad_shape_text(&t.shape, b, sizeof b));
    else if (t.axis >= 0 && t.axis != f.axis)
        ad_fail(tape, GIBBS_AXIS, "substitute: pair %d is on axes «%s» and «%s»", number, ad_axis_name(tape, f.axis),
                ad_axis_name(tape, t.axis));
    return tape->error.status == GIBBS_OK;
}

ad_var ad_substitute(ad_var y, const ad_var *from, const ad_var *to, int n)
{
    ad_tape *tape;
    if (!ad_check_lists("substitute", y, from, n, to, &tape) || !ad_check_lists("substitute", y, to, n, from, &tape))
        return ad_handle(tape, -1);
    for (int i = 0; i < n; i++)
        if (!check_pair(tape, from[i], to[i], i + 1)) return ad_handle(tape, -1);
    ad_paths paths;
    if (!ad_paths_new("substitute", y, from, n, &paths)) return ad_handle(tape, -1);
    int32_t *now = gibbs_alloc(&tape->alloc, (size_t)paths.count, sizeof *now);
    if (!now) ad_fail(tape, GIBBS_MEMORY, "substitute: out of memory");
    for (int i = 0; i < n && now; i++)
        if (from[i].id <= y.id) now[from[i].id] = to[i].id;
    if (now) substitute_all(y, &paths, now);
    ad_var result = y;
    if (tape->error.status) result = ad_handle(tape, -1);
    else if (paths.reads[y.id]) result = ad_handle(tape, now[y.id]);
    gibbs_release(&tape->alloc, now);
    ad_paths_free(tape, &paths);
    return result;
}

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
