/* Variables: what every function that takes a derivative refuses, in which words; that by a variable the derivative is
 * the one by a leaf in its place, however much constructors look through what it was made of. */
#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* z and w are shared, p per-sample; x is what the derivative is by, a function of the first two, or that handed on by
 * `as`; field has x's shape, y is a per-sample scalar. */
typedef struct scene {
    problem p;
    ad_var z, w, x, field, y;
    ad_var (*as)(struct scene *s, ad_var v);
} scene;

static ad_var itself(scene *s, ad_var v) { return (void)s, v; }
static ad_var variable(scene *s, ad_var v) { return (void)s, ad_variable(v); }
static ad_var leaf_in_place(scene *s, ad_var v) { return problem_like(&s->p, v); }

/* ---- Fields of an x that constructors look through ---- */

static ad_var by(scene *s, ad_var v) { return s->x = s->as(s, v); }

static ad_var negated(scene *s) { return ad_square(by(s, ad_neg(s->z))); }
static ad_var negated_partly(scene *s) { return by(s, ad_neg(s->z)), ad_add(ad_exp(s->x), ad_square(s->x)); }
static ad_var scaled(scene *s) { return by(s, ad_scale(s->z, 2)), ad_add(ad_exp(s->x), ad_scale(s->x, 3)); }
static ad_var inverted(scene *s)
{
    return by(s, ad_recip(ad_exp(s->z))), ad_add(ad_exp(s->x), ad_recip(s->x));
}
static ad_var repeated(scene *s) { return ad_exp(by(s, ad_expand(ad_sum_dims(s->z, 1), ad_mat(3, 3)))); }
static ad_var reshaped(scene *s)
{
    return by(s, ad_reshape(s->z, ad_mat(9, 1))), ad_reshape(ad_exp(ad_reshape(s->x, ad_vec(9))), ad_mat(9, 1));
}
static ad_var transposed(scene *s) { return ad_matmul(by(s, ad_transpose(s->z)), s->w); }
static ad_var joined(scene *s)
{
    by(s, ad_concat(ad_slice(s->z, 0, 0, 2), ad_slice(s->w, 0, 0, 1), 0));
    return ad_add(ad_exp(s->x), ad_pad(ad_square(ad_slice(s->x, 0, 1, 2)), 0, 1, 0));
}
static ad_var turned(scene *s) { return by(s, ad_sub(s->z, s->w)), ad_add(ad_exp(s->x), ad_exp(ad_neg(s->x))); }
static ad_var doubled(scene *s)
{
    ad_var chained;
    ad_vjp(ad_exp(s->z), s->w, &s->z, 1, &chained); /* w·eᶻ by the chain rule */
    return by(s, chained), ad_add(ad_exp(s->x), ad_square(ad_add(s->x, s->x)));
}
static ad_var lifted(scene *s) { return ad_exp(by(s, ad_lift(s->p.data, s->z))); }
static ad_var constant(scene *s) { return ad_mul(s->z, ad_square(by(s, ad_fill(s->p.tape, -1, ad_mat(3, 3), 2)))); }
static ad_var zero(scene *s) { return ad_mul(ad_sin(s->z), by(s, ad_fill(s->p.tape, -1, ad_mat(3, 3), 0))); }
static ad_var equal(scene *s) /* another expression of the same value is not x */
{
    by(s, ad_sin(s->z));
    return ad_add(ad_square(s->x), ad_scale(ad_sin(s->z), 3));
}
static ad_var beside(scene *s) { return by(s, ad_sin(s->z)), ad_mul(s->z, s->x); }
static ad_var ungrouped(scene *s)
{
    by(s, ad_regroup(problem_on(&s->p, s->p.child, ad_vec(3), -1, 1)));
    return ad_add(ad_exp(s->x), ad_regroup(ad_exp(ad_ungroup(s->p.child, s->x))));
}
static ad_var drawn(scene *s) { return ad_square(by(s, ad_normal(s->p.data, ad_mat(3, 3), 7))); }

static const struct way {
    const char *name, *said;
    bool per_sample; /* x is */
    ad_var (*record)(scene *s);
} ways[] = {
    {"−z squared", "an expression (neg", false, negated},
    {"−z, in part", "an expression (neg", false, negated_partly},
    {"a multiple", "an expression (mul", false, scaled},
    {"1/(1/z)", "an expression (recip", false, inverted},
    {"an expansion", "an expression (expand", false, repeated},
    {"a reshape", "an expression (reshape", false, reshaped},
    {"a product's flag", "an expression (permute", false, transposed},
    {"a slice of what is joined", "an expression (concat", false, joined},
    {"−(z − w)", "an expression (sub", false, turned},
    {"x + x", "an expression (a product of the chain rule", false, doubled},
    {"a lift", "an expression (lift", true, lifted},
    {"a constant", "an expression (expand", false, constant},
    {"zero", "an expression (expand", false, zero},
    {"an equal value", "an expression (sin", false, equal},
    {"beside its source", "an expression (sin", false, beside},
    {"a regrouping", "an expression (regroup", true, ungrouped},
    {"a draw", "a draw (normal", true, drawn},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static void start(scene *s, ad_var (*record)(scene *s), ad_var (*as)(scene *s, ad_var v))
{
    cr_assert(problem_start(&s->p, GIBBS_FLOAT64, 0, 3));
    s->as = as;
    s->z = problem_on(&s->p, problem_shared(&s->p), ad_mat(3, 3), 0.2, 1);
    s->w = problem_on(&s->p, problem_shared(&s->p), ad_mat(3, 3), 0.2, 1);
    s->field = record(s);
    s->y = ad_dot(s->field, problem_on(&s->p, s->p.data, ad_shape_of(s->field), -1, 1));
    cr_assert(!ad_is_null(s->y), "%s", ad_tape_message(s->p.tape));
}

/* ---- Everything that takes a derivative by x ---- */

static ad_var like_x(scene *s) { return ad_cos(ad_fill(s->p.tape, -1, ad_shape_of(s->x), 2)); }
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
    ad_var to = ad_sin(s->x);
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

static void expect_refused(scene *s, const char *name, const struct entry *e, const char *part)
{
    ad_var got = e->ask(s);
    const char *message = ad_tape_message(s->p.tape);
    cr_expect(ad_is_null(got) && ad_tape_status(s->p.tape) == GIBBS_ARGUMENT, "%s, %s not refused: «%s»", name, e->name,
              message);
    cr_expect(!strncmp(message, e->name, strlen(e->name)) && strstr(message, part), "%s, %s «%s» lacks «%s»", name,
              e->name, message, part);
}

Test(variable, expressions_constants_and_draws_are_refused)
{
    for (int k = 0; k < WAYS; k++)
        for (int e = 0; e < ENTRIES; e++) {
            scene s;
            char part[96];
            if (ways[k].per_sample && entries[e].shared) continue;
            start(&s, ways[k].record, itself);
            snprintf(part, sizeof part, "argument 1 is %s, node %d): make it a variable, v = ad_variable(v), before y",
                     ways[k].said, s.x.id);
            expect_refused(&s, ways[k].name, &entries[e], part);
            problem_end(&s.p);
        }
}

Test(variable, in_its_words)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var p = ad_parameter(tape, "p", ad_scalar()), c = ad_constant(tape, 2), dy;
    cr_assert_eq(ad_grad(ad_mul(p, c), (ad_var[]){p, c}, 2, (ad_var[]){dy = p, dy}), GIBBS_ARGUMENT);
    cr_expect_str_eq(ad_tape_message(tape), "grad: argument 2 is a constant (constant, node 1): make it a variable, "
                                            "v = ad_variable(v), before y is recorded from it");
    ad_tape_free(tape);
}

/* ---- By a variable: as by a leaf, with the expression put in its place ---- */

static void expect_as_by_leaf(const struct way *way, const struct entry *e)
{
    scene s, leaf;
    double *got, *want;
    start(&s, way->record, variable);
    start(&leaf, way->record, leaf_in_place);
    ad_var d = e->ask(&s), of_leaf = e->ask(&leaf);
    if (ad_tape_status(s.p.tape) == GIBBS_SMOOTH) { /* a regrouping mixes samples, by either */
        cr_expect_eq(ad_tape_status(leaf.p.tape), GIBBS_SMOOTH);
        problem_end(&s.p), problem_end(&leaf.p);
        return;
    }
    cr_assert(!ad_is_null(d) && !ad_is_null(of_leaf), "%s, %s «%s» «%s»", way->name, e->name,
              ad_tape_message(s.p.tape), ad_tape_message(leaf.p.tape));
    double *value;
    cr_assert(problem_run(&s.p, &s.x, 1, &value), "%s", s.p.message);
    int place = problem_find(&leaf.p, leaf.x);
    for (int l = 0; l < leaf.p.leaves; l++) {
        const double *from = l == place ? value : s.p.leaf[l - (l > place)].value;
        memcpy(leaf.p.leaf[l].value, from, (size_t)leaf.p.leaf[l].size * sizeof *from);
    }
    cr_assert(problem_run(&s.p, &d, 1, &got) && problem_run(&leaf.p, &of_leaf, 1, &want), "%s %s", s.p.message,
              leaf.p.message);
    ad_shape shape = ad_shape_of(d);
    int64_t n = ad_shape_count(&shape) * (ad_is_shared(d) ? 1 : DATA_ROWS);
    for (int64_t i = 0; i < n; i++)
        cr_expect(fabs(got[i] - want[i]) <= 1e-12 * fmax(1, fabs(want[i])), "%s, %s element %d: %g, by a leaf %g",
                  way->name, e->name, (int)i, got[i], want[i]);
    problem_free_results(&value, 1), problem_free_results(&got, 1), problem_free_results(&want, 1);
    problem_end(&s.p), problem_end(&leaf.p);
}

Test(variable, a_derivative_is_as_by_a_leaf)
{
    for (int k = 0; k < WAYS; k++)
        for (int e = 0; e < ENTRIES; e++)
            if (!(ways[k].per_sample && entries[e].shared)) expect_as_by_leaf(&ways[k], &entries[e]);
}

/* ---- Not through the variable ---- */

static ad_var past(scene *s) { return s->x = ad_variable(ad_neg(s->z)), ad_square(ad_neg(s->z)); }
static ad_var before(scene *s)
{
    ad_var e = ad_sin(s->z), field = ad_exp(e);
    return s->x = ad_variable(e), field;
}
static ad_var of_a_leaf(scene *s) { return s->x = ad_variable(s->z), ad_square(s->z); }

Test(variable, what_is_recorded_past_it_is_refused)
{
    static ad_var (*const record[])(scene *s) = {past, before, of_a_leaf};
    for (int k = 0; k < 3; k++)
        for (int e = 0; e < ENTRIES; e++) {
            scene s;
            start(&s, record[k], variable);
            expect_refused(&s, "past", &entries[e], "y was not recorded from argument 1, a variable (node ");
            problem_end(&s.p);
        }
}

static ad_var elsewhere(scene *s) { return s->x = ad_variable(ad_sin(s->z)), ad_square(s->w); }
static ad_var in_part(scene *s) { return s->x = ad_variable(ad_matmul(s->z, s->w)), ad_square(s->w); }
static ad_var of_a_twin(scene *s)
{
    ad_var e = ad_sin(s->z), twin = ad_variable(e);
    return s->x = ad_variable(e), ad_exp(twin);
}
static ad_var of_a_number(scene *s)
{
    ad_var two = ad_fill(s->p.tape, -1, ad_mat(3, 3), 2);
    return s->x = ad_variable(two), ad_mul(s->z, two);
}

Test(variable, what_has_no_part_in_it_is_zero)
{
    static ad_var (*const record[])(scene *s) = {elsewhere, in_part, of_a_twin, of_a_number};
    for (int k = 0; k < 4; k++)
        for (int e = 0; e + 1 < ENTRIES; e++) {
            scene s;
            start(&s, record[k], variable);
            ad_var d = entries[e].ask(&s);
            double *got;
            cr_assert(problem_run(&s.p, &d, 1, &got), "field %d, %s %s", k, entries[e].name, s.p.message);
            ad_shape shape = ad_shape_of(d);
            for (int64_t i = 0; i < ad_shape_count(&shape); i++) cr_expect_eq(got[i], 0, "%d, %s", k, entries[e].name);
            problem_free_results(&got, 1);
            problem_end(&s.p);
        }
}

/* A second derivative of what is linear reads a source of the variable, and not the variable. */
Test(variable, second_derivatives_of_what_is_linear_are_zero)
{
    scene s;
    start(&s, in_part, variable);
    ad_var W = s.w, x = ad_variable(ad_matmul(s.z, W)), y = ad_sum(ad_matmul(x, W)), d;
    cr_assert_eq(ad_grad(y, &x, 1, &d), GIBBS_OK);
    cr_assert_eq(ad_grad(ad_sum(d), &x, 1, &d), GIBBS_OK, "%s", ad_tape_message(s.p.tape));
    cr_expect(ad_is_zero(d) && !ad_is_null(ad_hessian(y, &x, 1)) && !ad_is_null(ad_hvp(y, x, x)));
    cr_assert_eq(ad_tape_status(s.p.tape), GIBBS_OK, "%s", ad_tape_message(s.p.tape));
    problem_end(&s.p);
}

/* d(p a² + 3 p b)/da with a = b, d(p c² + 3 p d)/dc with constants, d(s² + 3 t)/ds with s = t = sin p. */
Test(variable, equal_values_are_told_apart)
{
    problem q;
    double *got[3];
    cr_assert(problem_start(&q, GIBBS_FLOAT64, 0, 3));
    ad_var p = problem_on(&q, problem_shared(&q), ad_scalar(), 1, 1), out[3];
    ad_var a = ad_variable(ad_constant(q.tape, 2)), b = ad_variable(ad_constant(q.tape, 2));
    ad_var s = ad_variable(ad_sin(p)), t = ad_variable(ad_sin(p)), c = ad_variable(ad_constant(q.tape, 5));
    cr_expect(a.id != b.id && s.id != t.id);
    ad_grad(ad_add(ad_mul(p, ad_square(a)), ad_scale(ad_mul(p, b), 3)), &a, 1, &out[0]);
    ad_grad(ad_add(ad_mul(p, ad_square(c)), ad_scale(ad_mul(p, ad_constant(q.tape, 2.5)), 3)), &c, 1, &out[1]);
    ad_grad(ad_add(ad_square(s), ad_scale(t, 3)), &s, 1, &out[2]);
    cr_assert(problem_run(&q, out, 3, got), "%s", q.message);
    cr_expect_eq(got[0][0], 4);
    cr_expect_eq(got[1][0], 10);
    cr_expect_float_eq(got[2][0], 2 * sin(1), 1e-15);
    problem_free_results(got, 3);
    problem_end(&q);
}
