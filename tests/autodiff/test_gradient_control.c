/* The checkers must be able to fail: user ops whose derivatives are wrong on purpose, and interpreters and formulas
 * that do not agree, are reported with errors of the size that was put in. */
#include "support/derivative.h"
#include "support/hessian.h"
#include "support/user_ops.h"

#include <criterion/criterion.h>
#include <math.h>

static derivative_errors errors_of(const ad_user_op *op, bool per_sample)
{
    problem p;
    derivative_errors e;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 31));
    ad_var x = problem_on(&p, per_sample ? p.data : problem_shared(&p), ad_vec(USER_SIZE), 0.5, 1.5);
    cr_assert(derivative_check(&p, ad_user(op, &x), 1, &e), "%s %s", ad_tape_message(p.tape), p.message);
    problem_end(&p);
    return e;
}

Test(gradient_control, a_right_op_is_right)
{
    for (int rows = 0; rows < 2; rows++) {
        derivative_errors e = errors_of(&user_cube, rows);
        cr_expect(e.value < 1e-14 && e.first < 1e-13 && e.second < 1e-10 && e.third < 1e-8 && e.forward < 1e-10);
        cr_expect(e.transpose < 1e-13 && e.symmetry < 1e-13);
    }
}

/* 3.01 a² for 3 a²: one part in 300. */
Test(gradient_control, a_wrong_first_derivative_is_reported)
{
    for (int rows = 0; rows < 2; rows++) {
        derivative_errors e = errors_of(&user_wrong_first, rows);
        cr_expect(e.value < 1e-14);
        cr_expect(e.first > 1e-4 && e.first < 1e-2, "%g", e.first);
        cr_expect(e.second > 1e-4 && e.third > 1e-4 && e.forward > 1e-4, "%g %g %g", e.second, e.third, e.forward);
    }
}

/* 6.01 a for 6 a: one part in 600, and the first derivative is right. */
Test(gradient_control, a_wrong_second_derivative_is_reported)
{
    for (int rows = 0; rows < 2; rows++) {
        derivative_errors e = errors_of(&user_wrong_second, rows);
        cr_expect(e.first < 1e-13, "%g", e.first);
        cr_expect(e.second > 1e-4 && e.second < 1e-2, "%g", e.second);
        cr_expect(e.third > 1e-4 && e.forward > 1e-4, "%g %g", e.third, e.forward);
    }
}

/* ∂a/∂b and ∂b/∂a disagree: a Hessian that is not symmetric. y = a·b with a vjp that doubles b's. */
static ad_var lopsided_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    ad_var right = user_wave.vjp(context, in, y, ybar, which);
    return which ? ad_mul(right, ad_shift(ad_scale(in[0], 0.1), 1)) : right;
}

Test(gradient_control, an_unsymmetric_hessian_is_reported)
{
    ad_user_op lopsided = user_wave;
    problem p;
    derivative_errors e;
    lopsided.vjp = lopsided_vjp;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 31));
    ad_var v[2];
    for (int i = 0; i < 2; i++) v[i] = problem_on(&p, p.data, ad_vec(USER_SIZE), 0.5, 1.5);
    cr_assert(derivative_check(&p, ad_user(&lopsided, v), 3, &e), "%s %s", ad_tape_message(p.tape), p.message);
    cr_expect(e.symmetry > 1e-4, "%g", e.symmetry);
    problem_end(&p);
}

/* A kernel that computes something else than the interpreter. */
Test(gradient_control, a_wrong_value_is_reported)
{
    ad_user_op other = user_cube;
    problem p;
    double error;
    other.context = user_blend.context; /* the quad formula of blend, the kernel of cube */
    other.arguments = 4;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 31));
    ad_var v[4];
    for (int i = 0; i < 4; i++) v[i] = problem_on(&p, p.data, ad_vec(USER_SIZE), 0.5, 1.5);
    cr_assert(derivative_value(&p, ad_user(&other, v), &error), "%s", p.message);
    cr_expect(error > 0.1, "%g", error);
    problem_end(&p);
}

Test(gradient_control, a_wrong_curvature_is_reported)
{
    problem p;
    hessian_errors e;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 31));
    ad_var x = problem_on(&p, p.data, ad_vec(USER_SIZE), 0.5, 1.5);
    cr_assert(hessian_check(&p, ad_sum(ad_user(&user_wrong_second, &x)), x, &e), "%s", p.message);
    cr_expect(e.diagonal > 1e-4 && e.diagonal < 1e-2, "%g", e.diagonal);
    cr_expect(e.curvature > 1e-4, "%g", e.curvature);
    problem_end(&p);
}

Test(gradient_control, a_wrong_score_gradient_is_reported)
{
    problem p;
    double value, worst;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 31));
    ad_var x = problem_on(&p, p.data, ad_vec(USER_SIZE), 0.5, 1.5);
    ad_var z = ad_mul(x, problem_on(&p, problem_shared(&p), ad_vec(USER_SIZE), 0.5, 1.5));
    cr_assert(hessian_score_check(&p, ad_sum(ad_user(&user_wrong_second, &z)), x, &value, &worst), "%s", p.message);
    cr_expect(value > 1e-4, "%g", value);
    cr_expect(worst > 1e-4, "%g", worst);
    problem_end(&p);
}

/* NaN is never small. */
Test(gradient_control, nan_is_an_error)
{
    cr_expect(isinf(derivative_error(NAN, 1, 1)));
    cr_expect(isinf(derivative_error(1, (quad)NAN, 1)));
    cr_expect_float_eq(derivative_error(1.5, 1, 2), 0.25, 1e-15);
}
