/* test_check.c — the public gradient checker: it passes what is right, and names what is wrong. */
#include <criterion/criterion.h>
#include <gibbs/ad.h>

#include <math.h>
#include <string.h>

enum { D = 3, H = 4, ROWS = 5 };

static void fill(double *x, int n, double phase)
{
    for (int i = 0; i < n; i++) x[i] = sin(phase + 1.7 * i);
}

/* x³ whose derivative claims to be 3x² scaled by *context. */
static int cube_shape(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    (void)context, (void)error;
    *out = in[0];
    return 0;
}

static void cube_kernel(void *context, gibbs_dtype dtype, int64_t rows, const void *const *in, const int *shared,
                        void *out)
{
    (void)context, (void)dtype, (void)shared;
    for (int64_t i = 0; i < rows * D; i++) {
        double x = ((const double *)in[0])[i];
        ((double *)out)[i] = x * x * x;
    }
}

static ad_var cube_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    (void)y, (void)which;
    return ad_mul(ybar, ad_scale(ad_square(in[0]), 3 * *(double *)context));
}

static gibbs_status check_cube(double factor, double *worst, gibbs_error *error)
{
    ad_user_op cube = {"cube", 1, cube_shape, cube_kernel, cube_vjp, 1, &factor};
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var x = ad_input(ad_axis_new(tape, "data"), "x", ad_vec(D));
    double values[ROWS * D];
    fill(values, ROWS * D, 0.3);
    const double *at[] = {values};
    ad_check_options options = {.rows = ROWS};
    gibbs_status status = ad_check_gradient(ad_sum(ad_user(&cube, &x)), &x, at, 1, &options, worst, error);
    ad_tape_free(tape);
    return status;
}

Test(check, passes_an_mlp)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var v[] = {ad_input(ad_axis_new(tape, "data"), "x", ad_vec(D)), ad_parameter(tape, "W", ad_mat(D, H)),
                  ad_parameter(tape, "b", ad_vec(H))};
    ad_var E = ad_sum(ad_tanh(ad_add(ad_matmul(v[0], v[1]), v[2])));
    double x[ROWS * D], W[D * H], b[H], worst;
    fill(x, ROWS * D, 0), fill(W, D * H, 1), fill(b, H, 2);
    const double *values[] = {x, W, b};
    gibbs_error error;
    ad_check_options options = {.rows = ROWS};
    cr_assert_eq(ad_check_gradient(E, v, values, 3, &options, &worst, &error), GIBBS_OK);
    cr_assert_lt(worst, 1e-9);
    ad_tape_free(tape);
}

Test(check, passes_a_right_user_op_and_finds_a_wrong_one)
{
    double worst;
    gibbs_error error;
    cr_assert_eq(check_cube(1, &worst, &error), GIBBS_OK);
    cr_assert_lt(worst, 1e-9);
    cr_assert_eq(check_cube(1.001, &worst, &error), GIBBS_NUMERIC);
    cr_assert(strstr(error.message, "«x»"), "%s", error.message);
    cr_assert(worst > 1e-4 && worst < 1e-2);
    cr_assert_eq(check_cube(-1, &worst, &error), GIBBS_NUMERIC);
}

Test(check, refuses_what_it_cannot_check)
{
    gibbs_error error;
    double value = 1, worst;
    const double *values[] = {&value};
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT32, NULL), *wide = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var p = ad_parameter(tape, "p", ad_scalar()), q = ad_parameter(wide, "q", ad_scalar());
    ad_var square = ad_square(q);
    cr_assert_eq(ad_check_gradient(ad_square(p), &p, values, 1, NULL, &worst, &error), GIBBS_DTYPE);
    cr_assert_eq(ad_check_gradient(square, &p, values, 1, NULL, &worst, &error), GIBBS_TAPE);
    cr_assert_eq(ad_check_gradient(ad_exp(square), &square, values, 1, NULL, &worst, &error), GIBBS_ARGUMENT);
    cr_assert_eq(ad_check_gradient(square, &q, values, 0, NULL, &worst, &error), GIBBS_ARGUMENT);
    ad_check_options negative = {.rows = -1};
    cr_assert_eq(ad_check_gradient(square, &q, values, 1, &negative, &worst, &error), GIBBS_ARGUMENT);
    ad_var other = ad_add(square, ad_parameter(wide, "unbound", ad_scalar()));
    cr_assert_eq(ad_check_gradient(other, &q, values, 1, NULL, &worst, &error), GIBBS_UNBOUND);
    cr_assert(strstr(error.message, "unbound"));
    ad_tape_free(tape);
    ad_tape_free(wide);
}
