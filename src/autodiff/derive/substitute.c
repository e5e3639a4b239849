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
    const ad_structure *op = ad_structures[node->op];
    if (op) return op->again(node, in);
    return ad_elementwise(node->op, in, node->nin);
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
    ad_var *in = gibbs_alloc(&tape->alloc, (size_t)ad_most_arguments(tape, p->count), sizeof *in);
    if (!in) ad_fail(tape, GIBBS_MEMORY, "substitute: out of memory");
    for (int32_t i = 0; i <= y.id && tape->error.status == GIBBS_OK; i++) {
        if (!p->reads[i] || !p->needed[i] || p->is_x[i]) continue;
        ad_node node = tape->node[i];
        for (int k = 0; k < node.nin; k++)
            in[k] = ad_handle(tape, p->reads[node.in[k]] ? now[node.in[k]] : node.in[k]);
        now[i] = rebuild_as(&node, in).id;
    }
    gibbs_release(&tape->alloc, in);
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
