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

/* Marks what reads one of `from` and is needed; now[] of everything else is known. */
static void mark_again(ad_var y, const ad_var *from, const ad_var *to, int n, const ad_paths *p, bool *again,
                       int32_t *now)
{
    for (int64_t i = 0; i < p->count; i++) {
        now[i] = (int32_t)i;
        again[i] = p->reads[i] && p->needed[i] && !p->is_x[i];
    }
    for (int i = 0; i < n; i++)
        if (from[i].id <= y.id) now[from[i].id] = to[i].id;
}

ad_var ad_substitute(ad_var y, const ad_var *from, const ad_var *to, int n)
{
    ad_tape *tape;
    if (!ad_check_lists("substitute", y, from, n, to, &tape) || !ad_check_lists("substitute", y, to, n, from, &tape))
        return ad_handle(tape, -1);
    for (int i = 0; i < n; i++)
        if (!check_pair(tape, from[i], to[i], i + 1)) return ad_handle(tape, -1);
    ad_paths paths;
    if (!ad_check_independent("substitute", y, from, n) || !ad_paths_new("substitute", y, from, n, &paths))
        return ad_handle(tape, -1);
    int32_t *now = gibbs_alloc(&tape->alloc, (size_t)paths.count, sizeof *now);
    bool *again = gibbs_alloc(&tape->alloc, (size_t)paths.count, sizeof *again);
    if (!now || !again) ad_fail(tape, GIBBS_MEMORY, "substitute: out of memory");
    else {
        mark_again(y, from, to, n, &paths, again, now);
        ad_record_again(tape, paths.count, again, false, now);
    }
    ad_var result = ad_handle(tape, tape->error.status ? -1 : now[y.id]);
    gibbs_release(&tape->alloc, now);
    gibbs_release(&tape->alloc, again);
    ad_paths_free(tape, &paths);
    return result;
}
