/* partial.c — the second derivatives of elementwise ops, recorded on scalar placeholders and put in place.
 *
 * They are recorded on a small tape of their own, which the tape keeps: a derivative walks the tape it is on, so that
 * those of n ops cost n walks of a few hundred nodes and not n walks of all. */
#include "derive.h"

static ad_tape *partials_of(ad_tape *tape)
{
    if (!tape->partials && !(tape->partials = ad_tape_new(tape->dtype, &tape->alloc)))
        ad_fail(tape, GIBBS_MEMORY, "second derivative: out of memory");
    return tape->error.status ? NULL : tape->partials;
}

/* ∂²op/∂(argument i)∂(argument j) on the placeholders p, which are left there. */
static ad_var on_placeholders(ad_tape *partials, ad_op op, int i, int j, ad_var *p)
{
    int arguments = ad_ops[op].arguments;
    for (int k = 0; k < 2; k++) p[k] = ad_placeholder(partials, PLACE_PARTIAL + k, -1, ad_scalar());
    ad_var first = ad_slope(op, p, ad_elementwise(op, p, arguments), i), second;
    ad_grad(first, &p[j], 1, &second);
    return second;
}

/* y, a function of p and of constants, with `to` in their place; `now` has y.id + 1 places, all −1. */
static ad_var recorded_at(ad_var y, const ad_var *p, const ad_var *to, ad_var *now)
{
    enum { NEEDED = -2 };
    const ad_node *node = y.tape->node;
    now[y.id].id = NEEDED;
    for (int32_t i = y.id; i >= 0; i--)
        for (int k = 0; now[i].id == NEEDED && k < node[i].nin; k++) now[node[i].in[k]].id = NEEDED;
    for (int32_t i = 0; i <= y.id; i++) {
        ad_var in[3];
        if (now[i].id != NEEDED) continue;
        for (int k = 0; k < node[i].nin; k++) in[k] = now[node[i].in[k]];
        if (i == p[0].id || i == p[1].id) now[i] = to[i == p[1].id];
        else now[i] = node[i].nin ? ad_rebuild(&node[i], in) : ad_constant(to[0].tape, node[i].value);
    }
    return now[y.id];
}

ad_var ad_second_partial(ad_op op, int i, int j, ad_var a, ad_var b)
{
    ad_tape *tape = a.tape, *partials = partials_of(tape);
    if (!partials) return ad_handle(tape, -1);
    ad_var p[2], second = on_placeholders(partials, op, i, j, p);
    if (ad_is_null(second)) return ad_fail(tape, partials->error.status, "%s", partials->error.message);
    ad_var *now = gibbs_alloc(&tape->alloc, (size_t)second.id + 1, sizeof *now);
    if (!now) return ad_fail(tape, GIBBS_MEMORY, "second derivative: out of memory");
    for (int32_t k = 0; k <= second.id; k++) now[k] = ad_handle(tape, -1);
    second = recorded_at(second, p, (ad_var[]){a, b}, now);
    gibbs_release(&tape->alloc, now);
    return second;
}
