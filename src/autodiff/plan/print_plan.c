/* print_plan.c — what a plan does, as text: a line a stage and a line an instruction. */
#include "plan.h"
#include "autodiff/tape/print.h"

/* What the instruction does, by the name users know. */
static const char *doing(const ad_instruction *i)
{
    if (i->action == DO_copy) return "copy";
    if (i->action == DO_unstack) return "unstack";
    if (i->action == DO_logistic) return "softplus family";
    if (i->action == DO_softmax) return "softmax and logsumexp";
    if (i->action == DO_matmul && i->matmul.starts) return "x + product";
    if (i->action == DO_window_matmul) return i->window_matmul.starts ? "x + window product" : "window product";
    if (i->action == DO_window_batch) return "batch window product";
    if (i->action == DO_matmul_overlap) return "product to windows";
    return i->action == DO_user ? i->user.op->name : ad_ops[i->op].name;
}

static void print_operand(ad_printer *p, const ad_plan *plan, const ad_operand *at)
{
    static const char *const bases[] = {"arena", "shared", "accumulator"};
    const ad_slot *slot = at->base < AD_BASE_SLOTS ? NULL : &plan->slot[at->base - AD_BASE_SLOTS];
    if (!slot) ad_put(p, "%s %lld", bases[at->base], (long long)at->offset);
    else if (slot->kind == SLOT_MOVED) {
        ad_put(p, "slice of ");
        print_operand(p, plan, &plan->move[slot->leaf].at);
        if (at->offset) ad_put(p, " + %lld", (long long)at->offset);
    } else if (slot->kind == SLOT_INPUT) ad_put(p, "«%s» %lld", slot->name, (long long)at->offset);
    else ad_put(p, "stored %d %lld", slot->node, (long long)at->offset);
}

/* Where the result lies, and what is read: bytes behind the beginning of some memory. */
static void print_places(ad_printer *p, const ad_plan *plan, const ad_instruction *i)
{
    for (int k = 0; k < AD_OPERANDS; k++) {
        if (!ad_has_operand(i, k)) continue;
        ad_put(p, k == 0 ? "  " : k == 1 ? " <- " : ", ");
        print_operand(p, plan, &i->operand[k]);
    }
}

static void print_instruction(ad_printer *p, const ad_plan *plan, int64_t number, const ad_instruction *i)
{
    char shape[AD_SHAPE_TEXT];
    if (i->action == DO_loop) {
        ad_put(p, "  %4lld  loop of %s%lld steps%s: the next %lld instructions  node %d\n", (long long)number,
               i->loop.by_length ? "at most " : "", (long long)i->loop.steps,
               i->loop.reverse ? ", the last one first" : "", (long long)i->loop.body, i->node);
        return;
    }
    ad_shape of = {.rank = (int)i->shape[0]};
    for (int d = 0; d < of.rank; d++) of.dim[d] = i->shape[1 + d];
    ad_shape_text(&of, shape, sizeof shape);
    ad_put(p, "  %4lld  %s  %s  %s  node %d", (long long)number, doing(i), shape,
           i->axis < 0 ? "shared" : plan->axis[i->axis].name, i->node);
    if (i->action == DO_matmul)
        ad_put(p, "  [%lld,%lld,%lld]·[%lld,%lld,%lld]%s%s", (long long)(i->matmul.one_a ? 1 : i->matmul.products),
               (long long)i->matmul.m, (long long)i->matmul.k, (long long)(i->matmul.one_b ? 1 : i->matmul.products),
               (long long)i->matmul.k, (long long)i->matmul.n, i->matmul.a_transposed ? " aT" : "",
               i->matmul.b_transposed ? " bT" : "");
    if (i->action == DO_batch_matmul)
        ad_put(p, "  [%lld,%lld]T·[%lld,%lld] a row", (long long)i->batch_matmul.k, (long long)i->batch_matmul.m,
               (long long)i->batch_matmul.k, (long long)i->batch_matmul.n);
    if (i->action == DO_factorise && i->factorise.transposed) ad_put(p, "  aT");
    print_places(p, plan, i);
    ad_put(p, "\n");
}

static int64_t print_code(ad_printer *p, const ad_plan *plan, const ad_code *code, int64_t number)
{
    for (int64_t k = 0; k < code->count; k++) print_instruction(p, plan, number++, &code->at[k]);
    return number;
}

static void print_plan(ad_printer *p, const ad_plan *plan)
{
    int64_t number = 0;
    for (int64_t s = 0; s < plan->stages; s++) {
        const ad_stage *stage = &plan->stage[s];
        if (stage->shared.count) ad_put(p, "stage %lld, once\n", (long long)s + 1);
        number = print_code(p, plan, &stage->shared, number);
        if (stage->axis >= 0)
            ad_put(p, "stage %lld, over «%s»: blocks of %lld rows, %lld bytes a row\n", (long long)s + 1,
                   plan->axis[stage->axis].name, (long long)stage->block_rows, (long long)stage->arena_row_bytes);
        number = print_code(p, plan, &stage->body, number);
    }
}

gibbs_status ad_plan_print(const ad_plan *plan, ad_write_fn write, void *context, gibbs_error *error)
{
    GIBBS_REQUIRE("plan_print", plan && write, error);
    ad_printer p = {write, context, false};
    print_plan(&p, plan);
    if (plan->storing) {
        ad_put(&p, "where that takes less than 16 MiB, storing what later stages read\n");
        print_plan(&p, plan->storing);
    }
    return p.stopped ? gibbs_fail(error, GIBBS_STOPPED, "plan_print: the writer stopped") : GIBBS_OK;
}
