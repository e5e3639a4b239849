/* compile.c — from vars to a plan: the list of passes (passes.h). */
#include "passes.h"

#include "autodiff/op/op.h"

#include <string.h>

static bool copy_axes(ad_plan *plan, const ad_tape *tape)
{
    plan->axis = gibbs_alloc_zero(&plan->alloc, (size_t)tape->axes, sizeof *plan->axis);
    plan->counted = gibbs_alloc_zero(&plan->alloc, (size_t)tape->axes, sizeof *plan->counted);
    if (!plan->axis || !plan->counted) return false;
    plan->axes = tape->axes;
    for (int64_t a = 0; a < tape->axes; a++) {
        plan->axis[a] = tape->axis[a];
        if (!(plan->axis[a].name = gibbs_strdup(&plan->alloc, tape->axis[a].name))) return plan->axes = a, false;
    }
    return true;
}

static bool mark_leaves(ad_plan *plan, const ad_tape *tape)
{
    plan->leaf = gibbs_alloc(&plan->alloc, (size_t)tape->size, sizeof *plan->leaf);
    for (int64_t i = 0; plan->leaf && i < tape->size; i++)
        plan->leaf[i] = tape->node[i].op == OP_input || tape->node[i].op == OP_parameter;
    return plan->leaf;
}

static void begin(ad_compiler *c)
{
    for (int k = 0; k < c->outputs; k++)
        if (c->output[k].id >= c->count) c->count = c->output[k].id + 1;
    c->value = gibbs_alloc_zero(&c->plan->alloc, (size_t)c->count, sizeof *c->value);
    if (!c->value || !copy_axes(c->plan, c->tape) || !mark_leaves(c->plan, c->tape)) {
        ad_out_of_memory(c);
        return;
    }
    for (int64_t i = 0; i < c->count; i++) c->value[i].into = c->value[i].shown = c->value[i].joined = -1;
}

/* Each runs if nothing has gone wrong before it. */
static const struct pass {
    void (*run)(ad_compiler *c);
    void (*print)(const ad_compiler *c, ad_printer *p); /* what it wrote */
} passes[] = {
    {begin, NULL},
    {ad_check_pairs, NULL},
    {ad_find_live, ad_print_live},
    {ad_order, ad_print_order},
    {ad_check_one_pass, NULL},
    {ad_find_values, ad_print_values},
    {ad_emit, NULL},
    {ad_layout, NULL},
};

static void run_passes(ad_compiler *c)
{
    for (int k = 0; k < GIBBS_COUNT(passes) && !c->status; k++) {
        passes[k].run(c);
        if (c->show && passes[k].print && !c->status) passes[k].print(c, c->show);
    }
}

static gibbs_status compile_plan(const ad_var *output, int outputs, const ad_plan_options *options, ad_printer *show,
                                 bool stores, bool *recomputes, ad_plan **out, gibbs_error *error)
{
    const ad_tape *tape = output[0].tape;
    ad_plan *plan = gibbs_alloc_zero(&tape->alloc, 1, sizeof *plan);
    if (!plan) return gibbs_fail(error, GIBBS_MEMORY, "compile: out of memory");
    plan->alloc = tape->alloc;
    plan->dtype = tape->dtype;
    plan->kernels = ad_kernels_for(tape->dtype);
    plan->tape = tape;
    plan->tape_size = tape->size;
    plan->repeats = options->carries;
    ad_compiler c = {.plan = plan, .tape = tape, .output = output, .outputs = outputs, .carry = options->carry,
                     .carries = options->carries, .show = show, .stores = stores, .times = 1, .error = error};
    if (options->block_bytes > 0) c.block_bytes = options->block_bytes;
    run_passes(&c);
    gibbs_release(&plan->alloc, c.value);
    gibbs_release(&plan->alloc, c.step);
    gibbs_release(&plan->alloc, c.stage_steps);
    gibbs_release(&plan->alloc, c.loop);
    gibbs_release(&plan->alloc, c.stacked);
    gibbs_release(&plan->alloc, c.arena.at);
    gibbs_release(&plan->alloc, c.shared.at);
    *recomputes = c.recomputes;
    if (c.status) ad_plan_free(plan);
    else *out = plan;
    return c.status;
}

static gibbs_status check_outputs(const ad_var *outputs, int count, gibbs_error *error)
{
    if (!outputs || count < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "compile: no outputs");
    const ad_tape *tape = outputs[0].tape;
    for (int k = 0; k < count; k++) {
        const ad_tape *own = outputs[k].tape;
        if (own && own->error.status) return gibbs_fail(error, own->error.status, "%s", own->error.message);
        if (ad_is_null(outputs[k])) return gibbs_fail(error, GIBBS_TAPE, "compile: output %d is the null var", k + 1);
        if (own != tape) return gibbs_fail(error, GIBBS_TAPE, "compile: output %d belongs to another tape", k + 1);
    }
    return GIBBS_OK;
}

static gibbs_status check_options(const ad_plan_options *options, gibbs_error *error)
{
    if (options->block_bytes < 0)
        return gibbs_fail(error, GIBBS_ARGUMENT, "compile: block_bytes is %lld; it must lie in [0, inf)",
                          (long long)options->block_bytes);
    if (options->carries == 0 || (options->carries > 0 && options->carry)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, options->carries < 0 ? "compile: a negative number of carries"
                                                                  : "compile: the list of carries is NULL");
}

/* The plan of outputs without variables, and its storing twin. */
static gibbs_status compile_both(const ad_var *output, int count, const ad_plan_options *options, ad_printer *show,
                                 ad_plan **out, gibbs_error *error)
{
    bool recomputes;
    gibbs_status status = compile_plan(output, count, options, show, false, &recomputes, out, error);
    if (!status && recomputes)
        status = compile_plan(output, count, options, NULL, true, &recomputes, &(*out)->storing, error);
    if (status) {
        ad_plan_free(*out);
        *out = NULL;
    }
    return status;
}

static gibbs_status compile(const ad_var *outputs, int count, const ad_plan_options *options, ad_printer *show,
                            ad_plan **out, gibbs_error *error)
{
    static const ad_plan_options defaults;
    *out = NULL;
    if (!options) options = &defaults;
    gibbs_status status = check_outputs(outputs, count, error);
    if (!status) status = check_options(options, error);
    if (status) return status;
    gibbs_allocator a = outputs[0].tape->alloc;
    ad_var *erased = gibbs_alloc(&a, (size_t)count, sizeof *erased);
    if (!erased) return gibbs_fail(error, GIBBS_MEMORY, "compile: out of memory");
    memcpy(erased, outputs, (size_t)count * sizeof *erased);
    status = ad_erase_variables(erased, count, error);
    if (!status) status = compile_both(erased, count, options, show, out, error);
    gibbs_release(&a, erased);
    return status;
}

gibbs_status ad_compile(const ad_var *outputs, int count, const ad_plan_options *options, ad_plan **out,
                        gibbs_error *error)
{
    GIBBS_REQUIRE("compile", out, error);
    return compile(outputs, count, options, NULL, out, error);
}

gibbs_status ad_compile_print(const ad_var *outputs, int count, const ad_plan_options *options, ad_write_fn write,
                              void *context, gibbs_error *error)
{
    ad_plan *plan;
    ad_printer show = {write, context, false};
    GIBBS_REQUIRE("compile_print", write, error);
    gibbs_status status = compile(outputs, count, options, &show, &plan, error);
    if (status) return status;
    status = show.stopped ? gibbs_fail(error, GIBBS_STOPPED, "compile_print: the writer stopped")
                          : ad_plan_print(plan, write, context, error);
    ad_plan_free(plan);
    return status;
}
