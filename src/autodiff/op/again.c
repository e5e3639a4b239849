/* again.c — recording nodes again: on other arguments, or without variables. Constructors fold and hoist anew. */
#include "op.h"

static ad_rebuilder rebuild_as;

ad_var ad_rebuild(const ad_node *node, const ad_var *in)
{
    const ad_structure *op = ad_structures[node->op];
    if (node->op == OP_scan) return ad_scan_again(node, in, rebuild_as);
    if (op) return op->again(node, in);
    return ad_elementwise(node->op, in, node->nin);
}

/* A rebuilt value keeps its old axis: what became shared is lifted back, for the nodes that read it. */
static ad_var rebuild_as(const ad_node *node, const ad_var *in)
{
    return ad_on_axis(ad_rebuild(node, in), node->axis);
}

int ad_most_arguments(const ad_tape *tape, int64_t count)
{
    int most = 1;
    for (int64_t i = 0; i < count; i++) most = tape->node[i].nin > most ? tape->node[i].nin : most;
    return most;
}

void ad_record_again(ad_tape *tape, int64_t count, const bool *again, bool erase, int32_t *now)
{
    ad_var *in = gibbs_alloc(&tape->alloc, (size_t)ad_most_arguments(tape, count), sizeof *in);
    if (!in) ad_fail(tape, GIBBS_MEMORY, "recording again: out of memory");
    for (int64_t i = 0; i < count && tape->error.status == GIBBS_OK; i++) {
        if (!again[i]) continue;
        ad_node node = tape->node[i];
        for (int k = 0; k < node.nin; k++) in[k] = ad_handle(tape, now[node.in[k]]);
        now[i] = erase && node.op == OP_variable ? in[0].id : rebuild_as(&node, in).id;
    }
    gibbs_release(&tape->alloc, in);
}

/* Marks, among live nodes, the variables and what is made of them; false when there is none. */
static bool mark_above_variables(const ad_tape *tape, int64_t count, const bool *live, bool *above)
{
    bool any = false;
    for (int64_t i = 0; i < count; i++) {
        const ad_node *node = &tape->node[i];
        above[i] = live[i] && node->op == OP_variable;
        for (int k = 0; live[i] && k < node->nin; k++) above[i] |= above[node->in[k]];
        any |= above[i];
    }
    return any;
}

static void erase_below(ad_tape *tape, int64_t count, bool *mark, ad_var *output, int outputs)
{
    bool *above = mark + count;
    for (int k = 0; k < outputs; k++) mark[output[k].id] = true;
    ad_mark_sources(tape, count - 1, NULL, mark);
    if (!mark_above_variables(tape, count, mark, above)) return;
    int32_t *now = gibbs_alloc(&tape->alloc, (size_t)count, sizeof *now);
    if (!now) ad_fail(tape, GIBBS_MEMORY, "compile: out of memory");
    for (int64_t i = 0; i < count && now; i++) now[i] = (int32_t)i;
    if (now) ad_record_again(tape, count, above, true, now);
    for (int k = 0; k < outputs && now; k++) output[k].id = now[output[k].id];
    gibbs_release(&tape->alloc, now);
}

gibbs_status ad_erase_variables(ad_var *output, int outputs, gibbs_error *error)
{
    ad_tape *tape = output[0].tape;
    int64_t count = 0;
    for (int k = 0; k < outputs; k++) count = output[k].id >= count ? output[k].id + 1 : count;
    bool *mark = gibbs_alloc_zero(&tape->alloc, 2 * (size_t)count, sizeof *mark);
    if (!mark) return gibbs_fail(error, GIBBS_MEMORY, "compile: out of memory");
    erase_below(tape, count, mark, output, outputs);
    gibbs_release(&tape->alloc, mark);
    gibbs_status status = tape->error.status;
    if (status) gibbs_fail(error, status, "%s", tape->error.message);
    tape->error = (gibbs_error){.status = GIBBS_OK}; /* what was recorded by others is as good as it was */
    return status;
}
