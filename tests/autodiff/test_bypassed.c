/* Folding records many an op on what its argument was made of. A derivative by an x that y was so recorded past, in
 * whole or in part, would be silently wrong: every function that takes a derivative by x refuses, and names x. What
 * merely shares its leaves with x is not refused. */
#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* z is shared, p per-sample, both [3,3]; x is made of z; field has x's shape, y is a per-sample scalar. */
typedef struct scene {
    problem p;
    ad_var z, w, x, field, y;
} scene;

/* ---- Fields that are recorded past x ---- */

static ad_var negated(scene *s) { return s->x = ad_neg(s->z), ad_square(s->x); }
static ad_var negated_partly(scene *s) { return s->x = ad_neg(s->z), ad_add(ad_exp(s->x), ad_square(s->x)); }
static ad_var factor_of_itself(scene *s) { return s->x = ad_neg(s->z), ad_mul(ad_tanh(s->x), s->x); }
static ad_var scaled(scene *s) { return s->x = ad_scale(s->z, 2), ad_add(ad_exp(s->x), ad_scale(s->x, 3)); }
static ad_var inverted(scene *s)
{
    return s->x = ad_recip(ad_exp(s->z)), ad_add(ad_exp(s->x), ad_recip(s->x));
}
static ad_var repeated(scene *s)
{
    return s->x = ad_expand(ad_sum_dims(s->z, 1), ad_mat(3, 3)), ad_exp(s->x);
}
static ad_var reshaped(scene *s)
{
    return s->x = ad_reshape(s->z, ad_mat(9, 1)), ad_reshape(ad_exp(ad_reshape(s->x, ad_vec(9))), ad_mat(9, 1));
}
static ad_var transposed(scene *s) { return s->x = ad_transpose(s->z), ad_matmul(s->x, s->w); }
static ad_var transposed_partly(scene *s)
{
    return s->x = ad_transpose(s->z), ad_add(ad_exp(s->x), ad_transpose(ad_exp(ad_transpose(s->x))));
}
static ad_var twice_removed(scene *s)
{
    return s->x = ad_transpose(ad_neg(s->z)), ad_add(ad_exp(s->x), ad_transpose(ad_square(ad_transpose(s->x))));
}
static ad_var turned(scene *s) { return s->x = ad_sub(s->z, s->w), ad_add(ad_exp(s->x), ad_exp(ad_neg(s->x))); }
static ad_var doubled(scene *s)
{
    ad_vjp(ad_exp(s->z), s->w, &s->z, 1, &s->x); /* x is w·eᶻ by the chain rule */
    return ad_add(ad_exp(s->x), ad_square(ad_add(s->x, s->x)));
}
static ad_var lifted(scene *s) { return s->x = ad_lift(s->p.data, s->z), ad_exp(s->x); }
static ad_var ungrouped(scene *s)
{
    ad_var c = problem_on(&s->p, s->p.child, ad_vec(3), -1, 1);
    return s->x = ad_regroup(c), ad_add(ad_exp(s->x), ad_regroup(ad_exp(ad_ungroup(s->p.child, s->x))));
}

static const struct way {
    const char *name, *op;
    bool per_sample; /* x is */
    ad_var (*record)(scene *s);
} ways[] = {
    {"−z squared", "neg", false, negated},
    {"−z, in part", "neg", false, negated_partly},
    {"tanh(−z)·(−z)", "neg", false, factor_of_itself},
    {"a multiple", "mul", false, scaled},
    {"1/(1/z)", "recip", false, inverted},
    {"an expansion", "expand", false, repeated},
    {"a reshape", "reshape", false, reshaped},
    {"a product's flag", "permute", false, transposed},
    {"a transpose back", "permute", false, transposed_partly},
    {"two at once", "permute", false, twice_removed},
    {"−(z − w)", "sub", false, turned},
    {"x + x", "a product of the chain rule", false, doubled},
    {"a lift", "lift", true, lifted},
    {"a regrouping", "regroup", true, ungrouped},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* ---- Everything that takes a derivative by x ---- */

static ad_var like_x(scene *s) { return problem_like(&s->p, s->x); }
static ad_var by_grad(scene *s)
{
    ad_var d;
    return ad_grad(s->y, &s->x, 1, &d), d;
}
static ad_var by_vjp(scene *s)
{
    ad_var d;
    return ad_vjp(s->y, ad_constant(s->p.tape, 1), &s->x, 1, &d), d;
}
static ad_var by_per_sample(scene *s)
{
    ad_var d;
    return ad_grad_per_sample(s->y, &s->x, 1, &d), d;
}
static ad_var by_jvp(scene *s)
{
    ad_var v = like_x(s);
    return ad_jvp(s->field, &s->x, &v, 1);
}
static ad_var by_hvp(scene *s) { return ad_hvp(s->y, s->x, like_x(s)); }
static ad_var by_curvature(scene *s) { return ad_directional_curvature(s->y, s->x, like_x(s)); }
static ad_var by_diagonal(scene *s) { return ad_hess_diag(s->y, s->x); }
static ad_var by_diagonal_anyway(scene *s) { return ad_hess_diag_almost_everywhere(s->y, s->x); }
static ad_var by_laplacian(scene *s) { return ad_laplacian(s->y, s->x); }
static ad_var by_jacobian(scene *s) { return ad_jacobian(s->field, &s->x, 1); }
static ad_var by_jacobian_backward(scene *s) { return ad_jacobian(s->y, &s->x, 1); }
static ad_var by_hessian(scene *s) { return ad_hessian(s->y, &s->x, 1); }
static ad_var by_divergence(scene *s) { return ad_divergence(s->field, s->x); }
static ad_var by_divergence_anyway(scene *s) { return ad_divergence_almost_everywhere(s->field, s->x); }
static ad_var by_substitution(scene *s)
{
    ad_var to = like_x(s);
    return ad_substitute(s->y, &s->x, &to, 1);
}

static const struct entry {
    const char *name; /* as the message begins */
    bool shared;      /* it takes derivatives by shared x only */
    ad_var (*ask)(scene *s);
} entries[] = {
    {"grad:", false, by_grad},
    {"vjp:", false, by_vjp},
    {"grad_per_sample:", true, by_per_sample},
    {"jvp:", false, by_jvp},
    {"grad:", false, by_hvp},
    {"directional_curvature:", false, by_curvature},
    {"hess_diag:", false, by_diagonal},
    {"hess_diag:", false, by_diagonal_anyway},
    {"laplacian:", false, by_laplacian},
    {"jacobian:", false, by_jacobian},
    {"jacobian:", false, by_jacobian_backward},
    {"hessian:", false, by_hessian},
    {"divergence:", false, by_divergence},
    {"divergence:", false, by_divergence_anyway},
    {"substitute:", false, by_substitution},
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

static void start(scene *s, ad_var (*record)(scene *s))
{
    cr_assert(problem_start(&s->p, GIBBS_FLOAT64, 0, 3));
    s->z = problem_on(&s->p, problem_shared(&s->p), ad_mat(3, 3), 0.2, 1);
    s->w = problem_on(&s->p, problem_shared(&s->p), ad_mat(3, 3), 0.2, 1);
    s->field = record(s);
    s->y = ad_dot(s->field, problem_on(&s->p, s->p.data, ad_shape_of(s->field), -1, 1));
    cr_assert(!ad_is_null(s->y), "%s", ad_tape_message(s->p.tape));
}

Test(bypassed, every_derivative_refuses)
{
    for (int k = 0; k < WAYS; k++)
        for (int e = 0; e < ENTRIES; e++) {
            scene s;
            char argument[96];
            start(&s, ways[k].record);
            if (ways[k].per_sample && entries[e].shared) {
                problem_end(&s.p);
                continue;
            }
            ad_var got = entries[e].ask(&s);
            const char *message = ad_tape_message(s.p.tape);
            snprintf(argument, sizeof argument, "argument %s (node %d)", ways[k].op, s.x.id);
            cr_expect(ad_is_null(got) && ad_tape_status(s.p.tape) == GIBBS_ARGUMENT, "%s, %s not refused: «%s»",
                      ways[k].name, entries[e].name, message);
            cr_expect(!strncmp(message, entries[e].name, strlen(entries[e].name)), "%s, %s «%s»", ways[k].name,
                      entries[e].name, message);
            cr_expect(strstr(message, argument) && strstr(message, "by a leaf"), "%s, %s «%s» lacks «%s»",
                      ways[k].name, entries[e].name, message, argument);
            problem_end(&s.p);
        }
}

/* A weight is no x: influences are not concerned. */
Test(bypassed, influences_are_not_concerned)
{
    for (int k = 0; k < WAYS; k++) {
        scene s;
        start(&s, ways[k].record);
        cr_expect(!ad_is_null(ad_influence(s.p.data, ad_batch_sum(s.p.data, s.y))), "%s: %s", ways[k].name,
                  ad_tape_message(s.p.tape));
        problem_end(&s.p);
    }
}

/* ---- What is right by x though y reads z as well ---- */

static ad_var beside(scene *s) { return s->x = ad_sin(s->z), ad_mul(s->z, s->x); }
static ad_var reshaped_once(scene *s) { return s->x = ad_reshape(s->z, ad_vec(9)), ad_exp(s->x); }
static ad_var difference(scene *s) { return s->x = ad_sub(s->z, s->w), ad_mul(ad_exp(s->x), s->z); }
static ad_var unread(scene *s) { return s->x = ad_sin(s->z), ad_square(s->z); }
static ad_var recorded_later(scene *s)
{
    ad_var field = ad_square(s->z);
    return s->x = ad_sin(s->z), field;
}

Test(bypassed, what_shares_leaves_is_not_refused)
{
    static ad_var (*const record[])(scene *s) = {beside, reshaped_once, difference, unread, recorded_later};
    for (int k = 0; k < (int)(sizeof record / sizeof record[0]); k++)
        for (int e = 0; e < ENTRIES; e++) {
            scene s;
            start(&s, record[k]);
            cr_expect(!ad_is_null(entries[e].ask(&s)), "field %d, %s «%s»", k, entries[e].name,
                      ad_tape_message(s.p.tape));
            problem_end(&s.p);
        }
}

/* Of z·x with x = sin z the derivatives by x, z held: z, z v, 0. */
Test(bypassed, and_has_the_right_value)
{
    scene s;
    double *got[4];
    start(&s, beside);
    s.y = ad_sum(s.field);
    ad_var v = like_x(&s);
    ad_var out[] = {by_grad(&s), ad_jvp(s.y, &s.x, &v, 1), ad_hvp(s.y, s.x, v), by_diagonal(&s)};
    cr_assert(problem_run(&s.p, out, 4, got), "%s %s", ad_tape_message(s.p.tape), s.p.message);
    const double *z = s.p.leaf[0].value, *along = s.p.leaf[problem_find(&s.p, v)].value;
    double sum = 0;
    for (int i = 0; i < 9; i++) {
        cr_expect_eq(got[0][i], z[i]);
        cr_expect(got[2][i] == 0 && got[3][i] == 0);
        sum += z[i] * along[i];
    }
    cr_expect_float_eq(got[1][0], sum, 1e-14);
    problem_free_results(got, 4);
    problem_end(&s.p);
}
