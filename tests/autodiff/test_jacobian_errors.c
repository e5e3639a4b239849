/* What derivatives, matrices of them, divergences and influences refuse, and in which words; nothing crashes on
 * NULL. */
#include "support/problem.h"
#include "support/user_ops.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct stage {
    problem p;
    ad_var x, z, theta, score, none; /* per-sample [3] on data, [3] on other; shared [3]; scalar on data */
} stage;

static ad_var wrong_axis(stage *s) { return ad_jacobian(s->score, &s->z, 1); }
static ad_var two_kinds(stage *s) { return ad_jacobian(s->score, (ad_var[]){s->x, s->theta}, 2); }
static ad_var no_list(stage *s) { return ad_jacobian(s->score, NULL, 1); }
static ad_var empty_list(stage *s) { return ad_hessian(s->score, &s->theta, 0); }
static ad_var null_y(stage *s) { return ad_jacobian(s->none, &s->x, 1); }
static ad_var null_x(stage *s) { return ad_hessian(s->score, &s->none, 1); }
static ad_var mixed(stage *s) { return ad_jacobian(ad_sub(s->score, ad_batch_mean(s->p.data, s->score)), &s->x, 1); }
static ad_var mixed_hessian(stage *s) { return ad_hessian(ad_batch_sum(s->p.data, ad_square(s->score)), &s->x, 1); }
static ad_var rough_hessian(stage *s) { return ad_hessian(ad_sum(ad_relu(s->theta)), &s->theta, 1); }
static ad_var vector_hessian(stage *s) { return ad_hessian(s->x, &s->x, 1); }
static ad_var expression(stage *s)
{
    ad_var minus = ad_neg(s->x);
    return ad_jacobian(ad_square(minus), &minus, 1); /* recorded as x·x */
}
static ad_var own(ad_var y, ad_var x)
{
    ad_var g;
    ad_grad_per_sample(y, &x, 1, &g);
    return g;
}
static ad_var own_of_shared(stage *s) { return own(ad_sum(s->theta), s->theta); }
static ad_var own_of_vector(stage *s) { return own(ad_mul(s->x, s->theta), s->theta); }
static ad_var own_by_sample(stage *s) { return own(s->score, s->x); }
static ad_var own_nowhere(stage *s) { return ad_grad_per_sample(s->score, &s->theta, 1, NULL), s->none; }
static ad_var grad_no_list(stage *s)
{
    ad_var g;
    return ad_grad(s->score, NULL, 1, &g), g;
}
static ad_var grad_nowhere(stage *s) { return ad_grad(s->score, &s->x, 1, NULL), s->none; }
static ad_var vjp_nowhere(stage *s) { return ad_vjp(s->score, s->score, &s->x, 1, NULL), s->none; }
static ad_var jvp_no_direction(stage *s) { return ad_jvp(s->score, &s->x, NULL, 1); }
static ad_var jvp_other_axis(stage *s) { return ad_jvp(s->score, &s->x, &s->z, 1); }
static ad_var substitute_nothing(stage *s) { return ad_substitute(s->score, &s->x, NULL, 1); }
static ad_var own_null(stage *s) { return own(s->score, s->none); }
static ad_var field_shape(stage *s) { return ad_divergence(s->score, s->x); }
static ad_var field_axis(stage *s) { return ad_divergence(s->z, s->x); }
static ad_var field_null(stage *s) { return ad_divergence(s->none, s->x); }
static ad_var jump_step(stage *s) { return ad_divergence(ad_step(s->x), s->x); }
static ad_var jump_sign(stage *s) { return ad_divergence(ad_mul(s->x, ad_sign(s->x)), s->x); }
static ad_var jump_select(stage *s) { return ad_divergence(ad_select(s->x, s->x, ad_neg(s->x)), s->x); }
static ad_var jump_less(stage *s) { return ad_divergence(ad_mul(s->x, ad_less(s->x, s->theta)), s->x); }
static ad_var jump_user(stage *s) { return ad_divergence(ad_user(&user_rough_cube, &s->x), s->x); }
static ad_var jump_gradient(stage *s) /* of a kinked energy: its divergence is a Laplacian */
{
    ad_var g;
    ad_grad(ad_sum(ad_square(ad_relu(s->x))), &s->x, 1, &g);
    return ad_divergence(g, s->x);
}
static ad_var mixed_field(stage *s) { return ad_divergence(ad_mul(s->x, ad_batch_max(s->p.data, s->score)), s->x); }
static ad_var mixed_almost(stage *s)
{
    return ad_divergence_almost_everywhere(ad_mul(s->x, ad_batch_sum(s->p.data, s->score)), s->x);
}
static ad_var weigh_sample(stage *s) { return ad_influence(s->p.data, s->score); }
static ad_var weigh_null(stage *s) { return ad_influence(s->p.data, s->none); }
static ad_var weigh_max(stage *s) { return ad_influence(s->p.data, ad_batch_max(s->p.data, s->score)); }
static ad_var weigh_no_axis(stage *s)
{
    return ad_influence((ad_axis){s->p.tape, -1}, ad_batch_sum(s->p.data, s->score));
}

static const struct refusal {
    ad_var (*ask)(stage *s);
    gibbs_status status;
    const char *part;
} refusals[] = {
    {wrong_axis, GIBBS_AXIS, "jacobian: y is on axis «data», x on «other»"},
    {two_kinds, GIBBS_AXIS, "x 1 and x 2"},
    {no_list, GIBBS_ARGUMENT, "jacobian: no x"},
    {empty_list, GIBBS_ARGUMENT, "hessian: no x"},
    {null_y, GIBBS_TAPE, "jacobian: argument 1"},
    {null_x, GIBBS_TAPE, "hessian: argument 2"},
    {mixed, GIBBS_SMOOTH, "batch_sum"},
    {mixed_hessian, GIBBS_SMOOTH, "mixes samples"},
    {rough_hessian, GIBBS_SMOOTH, "max"},
    {vector_hessian, GIBBS_SHAPE, "hessian: y must be a scalar"},
    {expression, GIBBS_ARGUMENT, "argument 1 is an expression (neg, node"},
    {own_of_shared, GIBBS_SHAPE, "per-sample scalar"},
    {own_of_vector, GIBBS_SHAPE, "per-sample scalar"},
    {own_by_sample, GIBBS_AXIS, "x must be shared"},
    {own_nowhere, GIBBS_ARGUMENT, "no place"},
    {own_null, GIBBS_TAPE, "grad_per_sample"},
    {grad_no_list, GIBBS_ARGUMENT, "grad: a list is NULL"},
    {grad_nowhere, GIBBS_ARGUMENT, "grad: a list is NULL"},
    {vjp_nowhere, GIBBS_ARGUMENT, "vjp: a list is NULL"},
    {jvp_no_direction, GIBBS_ARGUMENT, "jvp: a list is NULL"},
    {jvp_other_axis, GIBBS_AXIS, "jvp: v 1 is on another axis than x"},
    {substitute_nothing, GIBBS_ARGUMENT, "substitute: a list is NULL"},
    {field_shape, GIBBS_SHAPE, "the field has shape [], x has [3]"},
    {field_axis, GIBBS_AXIS, "«other»"},
    {field_null, GIBBS_TAPE, "divergence"},
    {jump_step, GIBBS_SMOOTH, "step"},
    {jump_sign, GIBBS_SMOOTH, "sign"},
    {jump_select, GIBBS_SMOOTH, "select"},
    {jump_less, GIBBS_SMOOTH, "less"},
    {jump_user, GIBBS_SMOOTH, "rough_cube"},
    {jump_gradient, GIBBS_SMOOTH, "less"},
    {mixed_field, GIBBS_SMOOTH, "batch_max"},
    {mixed_almost, GIBBS_SMOOTH, "mixes samples"},
    {weigh_sample, GIBBS_SHAPE, "shared scalar"},
    {weigh_null, GIBBS_TAPE, "influence"},
    {weigh_max, GIBBS_SMOOTH, "batch_max"},
    {weigh_no_axis, GIBBS_AXIS, "influence"},
};

Test(jacobian_errors, each_in_its_words)
{
    for (int i = 0; i < (int)(sizeof refusals / sizeof refusals[0]); i++) {
        stage s;
        cr_assert(problem_start(&s.p, GIBBS_FLOAT64, 0, 1));
        s.x = problem_on(&s.p, s.p.data, ad_vec(3), -1, 1);
        s.z = problem_on(&s.p, s.p.other, ad_vec(3), -1, 1);
        s.theta = problem_on(&s.p, problem_shared(&s.p), ad_vec(3), -1, 1);
        s.score = ad_dot(s.x, s.theta);
        s.none = (ad_var){s.p.tape, -1};
        ad_var got = refusals[i].ask(&s);
        const char *message = ad_tape_message(s.p.tape);
        cr_expect(ad_is_null(got), "refusal %d: something came back", i);
        cr_expect_eq(ad_tape_status(s.p.tape), refusals[i].status, "refusal %d: «%s»", i, message);
        cr_expect(strstr(message, refusals[i].part), "refusal %d: «%s» lacks «%s»", i, message, refusals[i].part);
        problem_end(&s.p);
    }
}

/* A null var without a tape can report to nobody, and must not crash; nor must a tape that has failed before. */
Test(jacobian_errors, null_and_failed_tapes)
{
    ad_var none = {NULL, -1}, g = none;
    ad_axis no_axis = {NULL, -1};
    cr_expect(ad_is_null(ad_jacobian(none, &none, 1)) && ad_is_null(ad_hessian(none, &none, 1)));
    cr_expect(ad_is_null(ad_divergence(none, none)) && ad_is_null(ad_influence(no_axis, none)));
    cr_expect_neq(ad_grad_per_sample(none, &none, 1, &g), GIBBS_OK);
    cr_expect(ad_is_null(ad_user(&user_cube, NULL)) && ad_is_null(ad_jvp(none, NULL, NULL, 1)));
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 1));
    ad_var x = problem_on(&p, p.data, ad_vec(3), -1, 1);
    ad_permute(x, NULL);
    cr_expect(ad_is_null(ad_jacobian(x, &x, 1)) && ad_is_null(ad_divergence(x, x)));
    cr_expect_eq(ad_grad_per_sample(x, &x, 1, &g), GIBBS_ARGUMENT);
    cr_expect(strstr(ad_tape_message(p.tape), "permute"), "the first error stays");
    problem_end(&p);
}
