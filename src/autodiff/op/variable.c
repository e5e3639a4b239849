/* variable.c — what a derivative is taken by, beside inputs and parameters: an identity that constructors do not look
 * through, so that what is recorded from it is recorded from nothing else. Compiling records the outputs again without
 * it, and constructors fold and hoist then what they would have without. */
#include "op.h"

static ad_var variable(ad_var v, uint64_t number)
{
    ad_node node = ad_proto(OP_variable, &v, 1, ad_node_of(v)->shape);
    node.stream = number;
    return ad_record(v.tape, &node);
}

ad_var ad_variable(ad_var v)
{
    ad_tape *tape;
    return ad_check_args("variable", &v, 1, &tape) ? variable(v, ++tape->variables) : ad_handle(tape, -1);
}

bool ad_is_independent(ad_var v)
{
    ad_op op = ad_node_of(v)->op;
    return op == OP_input || op == OP_parameter || op == OP_variable || op == OP_scan_value;
}

ad_var ad_as_variable(ad_var v)
{
    return ad_is_null(v) || ad_is_independent(v) ? v : variable(v, 0);
}

/* ---- Rules ---- */

static ad_var again(const ad_node *node, const ad_var *in) { return variable(in[0], node->stream); }
static ad_var adjoint(const ad_call *c, ad_var ybar, int which) { return (void)c, (void)which, ybar; }
static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D) { return (void)c, (void)which, (void)D, t; }

const ad_structure ad_structure_variable = {.keeps = true, .again = again, .adjoint = adjoint, .tangent = tangent};
