/* ad_jacobian through every op of ops.def against differences: y is the op's own result (forward sweeps) or a scalar of
 * it (backward ones), x per-sample or shared, y likewise. What it refuses must have a reason. */
#include "support/jacobian.h"
#include "support/recipes.h"
#include "support/sanitized.h"
#include "support/user_ops.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct setting {
    ad_op op;
    int variant, choices;
    bool shared, diagonal, scalar;
} setting;

static const char *describe(const setting *s)
{
    static char text[128];
    snprintf(text, sizeof text, "%s, variant %d, kinds %d, x %s, %s, y %s", ad_ops[s->op].name, s->variant, s->choices,
             s->shared ? "shared" : "per-sample", s->diagonal ? "diagonal" : "dense", s->scalar ? "scalar" : "whole");
    return text;
}

static ad_var start(problem *p, const setting *s, ad_var *x)
{
    cr_assert(problem_start(p, GIBBS_FLOAT64, s->choices, 29 + (uint64_t)s->op));
    ad_var made = problem_on(p, s->shared ? problem_shared(p) : p->data, ad_vec(3), -1, 1);
    p->x = *x = made;
    p->diagonal = s->diagonal;
    ad_var f = recipe_record(p, s->op, s->variant);
    cr_assert(!ad_is_null(f), "%s: %s", describe(s), ad_tape_message(p->tape));
    return s->scalar ? ad_dot(problem_like(p, f), ad_sin(f)) : f;
}

/* Refused: y of another axis than x, or a mixture of its samples. */
static bool has_reason(problem *p, ad_var y, ad_var x, const setting *s)
{
    bool axes = ad_axis_of(y).id >= 0 && ad_axis_of(x).id >= 0 && ad_axis_of(y).id != ad_axis_of(x).id;
    bool mixture = ad_tape_status(p->tape) == GIBBS_SMOOTH && strstr(ad_tape_message(p->tape), "mixes samples");
    return !s->shared && (axes ? ad_tape_status(p->tape) == GIBBS_AXIS : mixture);
}

enum { RIGHT, REFUSED, COUNTS };

static int check(const setting *s, int counts[COUNTS])
{
    problem p;
    ad_var x, y = start(&p, s, &x), J = ad_jacobian(y, &x, 1);
    int free = p.free;
    bool refused = ad_is_null(J);
    double error, across;
    if (refused) cr_expect(has_reason(&p, y, x, s), "%s: %s", describe(s), ad_tape_message(p.tape));
    else if (jacobian_check(&p, y, x, J, &error, &across)) {
        cr_expect(error <= 1e-12, "%s: off by %.3g", describe(s), error);
        cr_expect(across == 0, "%s: %.3g between samples was not refused", describe(s), across);
    } else cr_expect(false, "%s: %s %s", describe(s), ad_tape_message(p.tape), p.message);
    counts[refused]++;
    problem_end(&p);
    return free;
}

/* Every combination of shared (0) and per-sample (1) for the leaves that ask, as decimal digits. */
static int next_choice(int choices, int digits)
{
    int unit = 1;
    for (int i = 0; i < digits; i++, unit *= 10) {
        if (choices / unit % 10 == LEAF_SHARED) return choices + unit * LEAF_ROWS;
        choices -= unit * LEAF_ROWS;
    }
    return 0;
}

static void check_kind(ad_kind kind)
{
    for (int op = 0; op < OP_COUNT; op++) {
        int counts[COUNTS] = {0};
        if (ad_ops[op].kind != kind) continue;
        for (int variant = 0; variant < recipe_variants((ad_op)op); variant++)
            for (int mode = 0; mode < 8; mode++) {
                setting s = {(ad_op)op, variant, 0, mode & 1, mode >> 1 & 1, mode >> 2};
                int free;
                if (!in_sweep(mode, 3)) continue;
                do free = check(&s, counts);
                while ((s.choices = next_choice(s.choices, free)));
            }
        cr_expect(counts[RIGHT] > 0, "%s: none could be checked", ad_ops[op].name);
    }
}

Test(jacobian_ops, unary_ops) { check_kind(KIND_UNARY); }
Test(jacobian_ops, binary_ops) { check_kind(KIND_BINARY); }
Test(jacobian_ops, ternary_ops) { check_kind(KIND_TERNARY); }
Test(jacobian_ops, structural_ops) { check_kind(KIND_STRUCTURAL); }
Test(jacobian_ops, batch_ops) { check_kind(KIND_BATCH); }

/* The control: 3.01 a² for 3 a², one part in 300, is seen forwards and backwards. */
Test(jacobian_ops, a_wrong_derivative_is_reported)
{
    for (int scalar = 0; scalar < 2; scalar++)
        for (int shared = 0; shared < 2; shared++) {
            problem p;
            double error, across;
            cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 31));
            ad_var x = problem_on(&p, shared ? problem_shared(&p) : p.data, ad_vec(USER_SIZE), 0.5, 1.5);
            ad_var y = ad_user(&user_wrong_first, &x), f = scalar ? ad_sum(y) : y;
            cr_assert(jacobian_check(&p, f, x, ad_jacobian(f, &x, 1), &error, &across), "%s", p.message);
            cr_expect(error > 1e-3 && error < 1e-2, "%g", error);
            problem_end(&p);
        }
}
