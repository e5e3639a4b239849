/* Every op of ops.def, its value and its derivatives of three orders, against the quadruple-precision interpreter: for
 * every variant of its recipe, every combination of shared, per-sample and constant arguments, and every set of
 * arguments that the derivative is taken by. */
#include "support/derivative.h"
#include "support/recipes.h"
#include "support/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

static const derivative_errors TOLERANCE = {
    .value = 1e-14, .first = 1e-13, .second = 1e-10, .third = 1e-8, .forward = 1e-10, .transpose = 1e-13,
    .symmetry = 1e-13};

static int power_of_ten(int n) { return n ? 10 * power_of_ten(n - 1) : 1; }

/* The next combination of leaf kinds, as decimal digits; 0 after the last. */
static int next_choice(int choices, int digits)
{
    for (int i = 0; i < digits; i++) {
        int unit = power_of_ten(i), digit = choices / unit % 10;
        if (digit + 1 < LEAF_KINDS) return choices + unit;
        choices -= digit * unit;
    }
    return 0;
}

/* The leaves that a derivative can be taken by. */
static unsigned differentiable(const problem *p)
{
    unsigned mask = 0;
    for (int i = 0; i < p->leaves; i++)
        if (!p->leaf[i].constant && !p->leaf[i].whole) mask |= 1u << i;
    return mask;
}

typedef struct gradient_case {
    ad_op op;
    int variant, choices;
    unsigned active;
} gradient_case;

/* The case in words: what the leaves that ask are, in their order, and by which leaves the derivative is taken. */
static const char *describe(const gradient_case *g)
{
    static char text[256];
    static const char *const kinds[LEAF_KINDS] = {
        [LEAF_SHARED] = "shared", [LEAF_ROWS] = "per-sample", [LEAF_CONSTANT] = "constant"};
    size_t n = (size_t)snprintf(text, sizeof text, "%s, variant %d, leaves", ad_ops[g->op].name, g->variant);
    for (int rest = g->choices; rest; rest /= 10)
        n += (size_t)snprintf(text + n, sizeof text - n, " %s", kinds[rest % 10]);
    n += (size_t)snprintf(text + n, sizeof text - n, g->choices ? " then shared" : " all shared");
    if (g->active) n += (size_t)snprintf(text + n, sizeof text - n, ", by leaf");
    for (int k = 0; g->active >> k; k++)
        if (g->active >> k & 1) n += (size_t)snprintf(text + n, sizeof text - n, " %d", k + 1);
    return text;
}

static void expect_small(const gradient_case *g, const derivative_errors *e)
{
#define CHECK(part, what) \
    cr_expect(e->part <= TOLERANCE.part, "%s: " what ": relative error %.3g", describe(g), e->part)
    CHECK(value, "the plan's value is not the interpreter's");
    CHECK(first, "the written derivative is not what differences of the value give");
    CHECK(second, "the second derivative is not what differences of the value give");
    CHECK(third, "the third derivative is not what differences of the value give");
    CHECK(forward, "the forward derivative of the gradient is not what differences of the value give");
    CHECK(transpose, "the forward derivative is not the transpose of the backward one");
    CHECK(symmetry, "the Hessian is not symmetric");
#undef CHECK
}

static void check_case(ad_op op, int variant, int choices, unsigned active)
{
    problem p;
    derivative_errors e;
    gradient_case g = {op, variant, choices, active};
    cr_assert(problem_start(&p, GIBBS_FLOAT64, choices, 7 + (uint64_t)op));
    ad_var y = recipe_record(&p, op, variant);
    bool done = derivative_check(&p, y, active, &e);
    cr_expect(done, "%s: %s %s", describe(&g), ad_tape_message(p.tape), p.message);
    if (done) expect_small(&g, &e);
    problem_end(&p);
}

/* Records once to see what there is; then once for each set of leaves. Returns how many leaves asked for a kind. */
static int check_choice(ad_op op, int variant, int choices, int *cases)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, choices, 7 + (uint64_t)op));
    ad_var y = recipe_record(&p, op, variant);
    cr_assert(!ad_is_null(y), "%s, variant %d: %s", ad_ops[op].name, variant, ad_tape_message(p.tape));
    bool constant = false;
    for (int i = 0; i < p.leaves; i++) constant |= p.leaf[i].constant;
    cr_expect(constant || recipe_aliased(op, variant) || recipe_reaches(y, op),
              "%s, variant %d: the op was folded away", ad_ops[op].name, variant);
    unsigned all = differentiable(&p);
    int free = p.free;
    problem_end(&p);
    check_case(op, variant, choices, 0);
    for (unsigned active = 1; active <= all; active++)
        if (!(active & ~all)) check_case(op, variant, choices, active), ++*cases;
    return free;
}

static int check_op(ad_op op)
{
    int cases = 0;
    for (int variant = 0; variant < recipe_variants(op); variant++) {
        int choices = 0, free = 0;
        do
            if (free < 2 || in_sweep(choices, 3)) free = check_choice(op, variant, choices, &cases);
        while ((choices = next_choice(choices, free)));
    }
    return cases;
}

static void check_kind(ad_kind kind)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (ad_ops[op].kind == kind) cr_expect(check_op((ad_op)op) > 0, "%s: nothing was checked", ad_ops[op].name);
}

Test(gradient, every_op_has_a_recipe)
{
    int ops = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        if (ad_ops[op].kind == KIND_LEAF) continue;
        cr_expect(recipe_variants((ad_op)op) > 0, "%s has no recipe: write one in tests/support/recipes.c",
                  ad_ops[op].name);
        ops++;
    }
    cr_assert(ops > 0);
}

Test(gradient, unary_ops) { check_kind(KIND_UNARY); }
Test(gradient, binary_ops) { check_kind(KIND_BINARY); }
Test(gradient, ternary_ops) { check_kind(KIND_TERNARY); }
Test(gradient, structural_ops) { check_kind(KIND_STRUCTURAL); }
Test(gradient, batch_ops) { check_kind(KIND_BATCH); }

/* The same values in single precision. */
Test(gradient, values_in_float32)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (int variant = 0; variant < recipe_variants((ad_op)op); variant++)
            for (int choices = 0; choices <= 1111; choices += 1111) {
                problem p;
                double error = INFINITY;
                cr_assert(problem_start(&p, GIBBS_FLOAT32, choices, 7 + (uint64_t)op));
                ad_var y = recipe_record(&p, (ad_op)op, variant);
                bool done = !ad_is_null(y) && derivative_value(&p, y, &error);
                cr_expect(done && error <= 2e-6, "%s, variant %d: error %.3g %s %s", ad_ops[op].name, variant, error,
                          ad_tape_message(p.tape), p.message);
                problem_end(&p);
            }
}
