/* scan_sums.c — the sum over all steps of what a per-sample scan's derivative is by a shared value: in each step a
 * sum over the samples, or a few, added up, reshaped, and multiplied by what is the same in all steps. The sums over
 * the samples are the loop's, which adds up over steps as well; the rest is linear, and done once. */
#include "scan.h"

/* Marks, of all nodes, those that depend on what a step of the new loop gives. The caller's. */
static bool *dependent(const ad_scan_site *s, const ad_scan_build *b)
{
    ad_tape *tape = s->tape;
    bool *mark = gibbs_alloc_zero(&tape->alloc, (size_t)tape->size, sizeof *mark);
    if (!mark) return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory"), NULL;
    for (int64_t k = 0; k < b->state.count; k++) mark[b->state.at[k].id] = true;
    for (int64_t k = 0; k < b->input.count; k++) mark[b->input.at[k].id] = true;
    for (int64_t i = 0; i < tape->size; i++) {
        const ad_node *n = &tape->node[i];
        if ((n->op == OP_normal || n->op == OP_uniform) && n->attr[0] && n->attr[0] == s->loop->family) mark[i] = true;
        for (int k = 0; k < n->nin; k++) mark[i] |= mark[n->in[k]];
    }
    return mark;
}

/* Also that of a scan in the body, over its steps. */
static bool is_sum_over_samples(const ad_node *n)
{
    return n->axis < 0 && (n->op == OP_batch_sum || n->op == OP_batch_matmul || n->op == OP_scan_sum);
}

static void list_sums(ad_tape *tape, ad_scan_build *b, const bool *depends, int32_t id)
{
    if (!depends[id]) return;
    ad_node node = tape->node[id];
    if (is_sum_over_samples(&node)) {
        ad_vars_add(tape, &b->listed, ad_handle(tape, id));
        return;
    }
    for (int k = 0; k < node.nin; k++) list_sums(tape, b, depends, node.in[k]);
}

void ad_scan_list_sums(const ad_scan_site *s, ad_scan_build *b, ad_var value)
{
    bool *depends = dependent(s, b);
    if (depends) list_sums(s->tape, b, depends, value.id);
    gibbs_release(&s->tape->alloc, depends);
}

static ad_var times_steps(const ad_scan_site *s, ad_var v)
{
    if (!s->loop->by_length) return ad_scale(v, (double)s->loop->steps);
    ad_var most = ad_constant(s->tape, (double)s->loop->steps);
    return ad_mul(v, ad_min(ad_handle(s->tape, s->node.in[s->node.nin - 1]), most));
}

static bool is_product(ad_op op) { return op == OP_mul || op == OP_chain || op == OP_matmul || op == OP_div; }

/* Of a node that is linear in those of its arguments that depend on the step. */
static bool is_linear(const ad_node *node, const bool *depends)
{
    int moving = 0;
    for (int k = 0; k < node->nin; k++) moving += depends[node->in[k]];
    if (node->op == OP_masked || node->op == OP_select) return !depends[node->in[0]];
    if (node->op == OP_div && depends[node->in[1]]) return false;
    return is_product(node->op) ? moving == 1 : ad_ops[node->op].smooth == CLASS_LINEAR;
}

static ad_var sum_of(const ad_scan_site *s, ad_var scan, const bool *depends, int32_t id)
{
    ad_tape *tape = s->tape;
    ad_node node = tape->node[id];
    ad_var in[AD_MAX_ARGUMENTS];
    if (!depends[id]) return times_steps(s, ad_handle(tape, id));
    if (is_sum_over_samples(&node)) return ad_scan_of(OP_scan_sum, scan, ad_handle(tape, id));
    if (node.nin > AD_MAX_ARGUMENTS || !is_linear(&node, depends))
        return ad_fail(tape, GIBBS_SMOOTH,
                       "scan: the derivative by a shared value of a per-sample scan goes through %s "
                       "(node %d); lift that value before the scan", ad_op_said(node.op), id);
    for (int k = 0; k < node.nin; k++) {
        bool same = !depends[node.in[k]] && (is_product(node.op) || !ad_differentiable(&node, k));
        in[k] = same ? ad_handle(tape, node.in[k]) : sum_of(s, scan, depends, node.in[k]);
    }
    return tape->error.status ? ad_handle(tape, -1) : ad_rebuild(&node, in);
}

ad_var ad_scan_sum_of(const ad_scan_site *s, const ad_scan_build *b, ad_var scan, ad_var value)
{
    bool *depends = dependent(s, b);
    ad_var sum = depends ? sum_of(s, scan, depends, value.id) : ad_handle(s->tape, -1);
    gibbs_release(&s->tape->alloc, depends);
    return sum;
}
