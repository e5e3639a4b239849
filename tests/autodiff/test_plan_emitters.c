/* Every op of the table is a leaf that is placed, a view, what a scan's loop gives, or has an emitter; one that has
 * none is refused by name. */
#include "autodiff/plan/emit.h"
#include "plan_helpers.h"

static bool is_placed(int op)
{
    if (op == OP_scan_value || ad_is_scan_result((ad_op)op)) return true;
    return op == OP_input || op == OP_parameter || op == OP_constant || op == OP_array;
}

Test(plan_emitters, every_op_is_emitted_or_needs_not_be)
{
    int emitted = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        bool emits = ad_has_emitter((ad_op)op);
        bool known = emits || is_placed(op) || ad_is_view((ad_op)op) || op == OP_variable;
        cr_expect(known, "%s has no emitter: write one in emit.c", ad_ops[op].name);
        cr_expect(!(emits && is_placed(op)), "%s is placed and emitted", ad_ops[op].name);
        emitted += emits;
    }
    cr_assert(emitted > 40 && emitted < OP_COUNT);
}

/* No op of the table lacks one; so a view is handed over as if it were none. */
Test(plan_emitters, one_without_an_emitter_is_refused)
{
    gibbs_error error = {.status = GIBBS_OK};
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var y = ad_reshape(ad_parameter(tape, "w", ad_vec(4)), ad_mat(2, 2));
    ad_compiler c = {.tape = tape, .error = &error};
    ad_emit_step(&c, &(ad_plan_step){y.id, FORM_OWN, {-1, -1}});
    cr_assert_eq(c.status, GIBBS_ARGUMENT);
    cr_assert_str_eq(error.message, "compile: reshape has no emitter");
    ad_tape_free(tape);
}
