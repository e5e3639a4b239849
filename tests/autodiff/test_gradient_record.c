/* Derivatives and substitutions as recordings: asking twice records nothing new, and what is substituted is what would
 * have been recorded with the other arguments. */
#include "support/derivative.h"
#include "support/recipes.h"
#include "support/user_ops.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { ASKED = PROBLEM_LEAVES };

/* Everything that can be asked of E by x. */
static int ask_all(ad_var E, const ad_var *x, const ad_var *v, int n, ad_var *out)
{
    int k = n;
    ad_grad(E, x, n, out);
    out[k++] = ad_jvp(E, x, v, n);
    out[k++] = ad_hvp(E, x[0], v[0]);
    out[k++] = ad_hess_diag_almost_everywhere(E, x[0]);
    return k;
}

static ad_var energy_of(problem *p, ad_op op, int variant, ad_var *x, ad_var *v, int *n)
{
    ad_var y = recipe_record(p, op, variant);
    int leaves = p->leaves;
    *n = 0;
    for (int i = 0; i < leaves; i++)
        if (!p->leaf[i].whole) {
            x[*n] = p->leaf[i].var;
            v[(*n)++] = problem_like(p, p->leaf[i].var);
        }
    return ad_dot(problem_like(p, y), ad_sin(y));
}

/* Shared leaves, so that a batch reduction on the path is no reason to refuse. */
Test(gradient_record, asking_twice_records_nothing)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (int variant = 0; variant < recipe_variants((ad_op)op); variant++) {
            problem p;
            ad_var x[ASKED], v[ASKED], first[2 * ASKED], second[2 * ASKED];
            int n;
            cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 3));
            p.x = problem_on(&p, problem_shared(&p), ad_vec(3), -1, 1);
            ad_var E = energy_of(&p, (ad_op)op, variant, x, v, &n);
            n = n > 4 ? 4 : n;
            int k = ask_all(E, x, v, n, first);
            int64_t size = ad_tape_size(p.tape);
            cr_assert_eq(ad_tape_status(p.tape), GIBBS_OK, "%s: %s", ad_ops[op].name, ad_tape_message(p.tape));
            ask_all(E, x, v, n, second);
            cr_expect_eq(ad_tape_size(p.tape), size, "%s, variant %d: %d more nodes", ad_ops[op].name, variant,
                         (int)(ad_tape_size(p.tape) - size));
            for (int i = 0; i < k; i++) cr_expect_eq(first[i].id, second[i].id, "%s: result %d", ad_ops[op].name, i);
            problem_end(&p);
        }
}

/* ---- Substitution ---- */

/* A body that is recorded anew is another one: with the same values. */
static void expect_same_values(problem *p, ad_op op, ad_var got, ad_var want)
{
    ad_var both[2] = {got, want};
    double *value[2];
    cr_assert(problem_run(p, both, 2, value), "%s: %s", ad_ops[op].name, p->message);
    ad_shape s = ad_shape_of(got);
    for (int64_t i = 0; i < ad_shape_count(&s); i++)
        cr_expect_float_eq(value[0][i], value[1][i], 1e-14, "%s: %g, recorded anew %g", ad_ops[op].name, value[0][i],
                           value[1][i]);
    problem_free_results(value, 2);
}

/* The recipe on leaves a, then on leaves b: substituting b for a in the first gives the second, node for node. */
static void check_substitution(ad_op op, int variant, int choices)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, choices, 3));
    ad_var y = recipe_record(&p, op, variant), from[ASKED], to[ASKED];
    int n = p.leaves;
    for (int i = 0; i < n; i++) {
        from[i] = p.leaf[i].var;
        to[i] = problem_like(&p, from[i]);
    }
    ad_var got = ad_substitute(y, from, to, n);
    p.given = to;
    p.free = 0;
    ad_var want = recipe_record(&p, op, variant);
    cr_expect_eq(ad_tape_status(p.tape), GIBBS_OK, "%s: %s", ad_ops[op].name, ad_tape_message(p.tape));
    if (op == OP_scan || ad_is_scan_result(op)) expect_same_values(&p, op, got, want);
    else cr_expect(got.id == want.id && got.id != y.id, "%s, variant %d, kinds %d: node %d, recorded anew %d",
              ad_ops[op].name, variant, choices, got.id, want.id);
    problem_end(&p);
}

Test(gradient_record, substituting_equals_recording_anew)
{
    for (int op = 0; op < OP_COUNT; op++)
        for (int variant = 0; variant < recipe_variants((ad_op)op); variant++) {
            if (op == OP_less && recipe_aliased((ad_op)op, variant)) continue; /* folds to 0 where x < x */
            if (op == OP_variable) continue; /* one that is recorded anew is another one */
            check_substitution((ad_op)op, variant, 0);
            check_substitution((ad_op)op, variant, 1111);
            check_substitution((ad_op)op, variant, 101);
            check_substitution((ad_op)op, variant, 1010);
        }
}

/* y(x, θ), of several ops, with x replaced by a function of itself; against the interpreter's value at that point. */
static ad_var compound(ad_var x, ad_var theta)
{
    ad_var a = ad_softplus(ad_matmul(x, theta)), b = ad_logsumexp_dims(ad_mul(x, ad_reshape(x, ad_mat(3, 1))), 1);
    return ad_add(ad_mul(a, b), ad_user(&user_wave, (ad_var[]){a, x}));
}

static void expect_same_value(problem *p, ad_var a, ad_var b)
{
    ad_var both[2] = {a, b};
    double *got[2];
    cr_assert(problem_run(p, both, 2, got), "%s", p->message);
    for (int i = 0; i < 3; i++) cr_expect_float_eq(got[0][i], got[1][i], 1e-14, "%g %g", got[0][i], got[1][i]);
    problem_free_results(got, 2);
}

Test(gradient_record, substituting_functions_and_shared_values)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 9));
    ad_var x = problem_on(&p, p.data, ad_vec(3), -1, 1), W = problem_on(&p, problem_shared(&p), ad_mat(3, 3), -1, 1);
    ad_var s = problem_on(&p, problem_shared(&p), ad_vec(3), -1, 1), y = compound(x, W), h = ad_tanh(ad_add(x, s));
    cr_expect_eq(ad_substitute(y, &x, &h, 1).id, compound(h, W).id);
    ad_var fixed = ad_substitute(y, &x, &s, 1), WT = ad_transpose(W);
    expect_same_value(&p, fixed, compound(s, W));
    cr_expect_eq(ad_axis_of(fixed).id, p.data.id, "the result keeps the axis of y");
    ad_var from[2] = {x, W}, to[2] = {h, WT};
    expect_same_value(&p, ad_substitute(y, from, to, 2), compound(h, WT));
    /* all at once: the s that x becomes is not replaced in its turn */
    ad_var turned = ad_substitute(ad_sub(x, ad_scale(s, 2)), (ad_var[]){x, s}, (ad_var[]){s, ad_scale(s, 3)}, 2);
    expect_same_value(&p, turned, ad_lift(p.data, ad_scale(s, -5)));
    cr_expect_eq(ad_substitute(y, &s, &s, 1).id, y.id, "y does not depend on s");
    cr_expect_eq(ad_substitute(y, NULL, NULL, 0).id, y.id);
    problem_end(&p);
}

/* What becomes shared is lifted back where an op needs its axis. */
Test(gradient_record, substituting_a_shared_value_below_a_regrouping)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 9));
    ad_var v = problem_on(&p, p.child, ad_vec(3), -1, 1), s = problem_on(&p, problem_shared(&p), ad_vec(3), -1, 1);
    ad_var got = ad_substitute(ad_sum_dims(ad_regroup(ad_sin(v)), 1), &v, &s, 1);
    cr_assert_eq(ad_axis_of(got).id, p.data.id, "%s", ad_tape_message(p.tape));
    expect_same_value(&p, got, ad_lift(p.data, ad_scale(ad_sin(s), CHILD_COUNT)));
    problem_end(&p);
}

Test(gradient_record, substitution_refuses_what_does_not_fit)
{
    static const char *const names[] = {"shape", "axis"};
    for (int k = 0; k < 2; k++) {
        problem p;
        cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 9));
        ad_var x = problem_on(&p, problem_shared(&p), ad_vec(3), -1, 1);
        ad_var z = problem_on(&p, k ? p.data : problem_shared(&p), ad_vec(k ? 3 : 4), -1, 1);
        ad_var got = ad_substitute(ad_sin(x), &x, &z, 1);
        cr_expect(ad_is_null(got), "%s", names[k]);
        cr_expect_eq(ad_tape_status(p.tape), k ? GIBBS_AXIS : GIBBS_SHAPE, "%s: %s", names[k], ad_tape_message(p.tape));
        problem_end(&p);
    }
}

/* ---- What a derivative is by ---- */

/* y(h(x), x) as a function of h and x at once: by x, the way through h does not count. */
Test(gradient_record, by_intermediate_values)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 9));
    ad_var x = problem_on(&p, p.data, ad_vec(3), -1, 1), h = ad_variable(ad_exp(x));
    ad_var E = ad_dot(ad_sin(h), ad_square(x)), leaf = problem_like(&p, h), by[2] = {h, x}, got[2], want[2];
    ad_grad(E, by, 2, got);
    ad_grad(ad_substitute(E, &h, &leaf, 1), (ad_var[]){leaf, x}, 2, want);
    for (int i = 0; i < 2; i++) cr_expect_eq(got[i].id, ad_substitute(want[i], &leaf, &h, 1).id, "argument %d", i);
    cr_expect_eq(ad_hess_diag(E, h).id,
                 ad_substitute(ad_hess_diag(ad_substitute(E, &h, &leaf, 1), leaf), &leaf, &h, 1).id);
    ad_grad(x, &x, 0, NULL);
    cr_expect_eq(ad_tape_status(p.tape), GIBBS_SHAPE, "x is no scalar: %s", ad_tape_message(p.tape));
    problem_end(&p);
}

/* Where y does not depend on x: zeros of x's own shape and axis, for x recorded before and after y. */
Test(gradient_record, zero_where_nothing_depends)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 9));
    ad_var z = problem_on(&p, p.other, ad_mat(2, 2), -1, 1), x = problem_on(&p, p.data, ad_vec(3), -1, 1);
    ad_var E = ad_sum(ad_sin(x)), late = problem_on(&p, p.data, ad_vec(2), -1, 1), by[3] = {z, late, x}, dx[3];
    cr_assert_eq(ad_grad(E, by, 3, dx), GIBBS_OK);
    for (int i = 0; i < 3; i++) {
        ad_shape s = ad_shape_of(by[i]), t = ad_shape_of(dx[i]);
        cr_expect(ad_shape_equal(&s, &t) && ad_axis_of(dx[i]).id == ad_axis_of(by[i]).id, "argument %d", i);
        cr_expect_eq(ad_is_zero(dx[i]), i < 2);
    }
    ad_var none[] = {ad_jvp(E, by, by, 2), ad_hess_diag(E, z), ad_hvp(E, late, late), ad_laplacian(E, late)};
    for (int i = 0; i < 4; i++) cr_expect(ad_is_zero(none[i]), "%d: %s", i, ad_tape_message(p.tape));
    problem_end(&p);
}
