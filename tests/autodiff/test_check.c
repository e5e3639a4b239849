/* test_check.c — the public gradient checker: it passes what is right, and names what is wrong, in both orders. */
#include <criterion/criterion.h>
#include <gibbs/ad.h>

#include <math.h>
#include <string.h>

enum { D = 3, H = 4, ROWS = 5 };

static void fill(double *x, int n, double phase)
{
    for (int i = 0; i < n; i++) x[i] = sin(phase + 1.7 * i);
}

/* x³ whose derivative claims to be 3x² times `factor`, and, `held`, not to depend on x. */
typedef struct cube_op {
    double factor;
    int smooth, held;
} cube_op;

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
    const cube_op *op = context;
    ad_var slope = ad_scale(ad_square(in[0]), 3 * op->factor);
    return ad_mul(ybar, op->held ? ad_stop_gradient(slope) : slope);
}

static gibbs_status check_cube(cube_op *op, ad_check_result *result, gibbs_error *error)
{
    ad_user_op cube = {"cube", 1, cube_shape, cube_kernel, cube_vjp, op->smooth, op};
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var x = ad_input(ad_axis_new(tape, "data"), "x", ad_vec(D));
    double values[ROWS * D];
    fill(values, ROWS * D, 0.3);
    const double *at[] = {values};
    ad_check_options options = {.rows = ROWS};
    gibbs_status status = ad_check_gradient(ad_sum(ad_user(&cube, &x)), &x, at, 1, &options, result, error);
    ad_tape_free(tape);
    return status;
}

Test(check, passes_an_mlp)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var v[] = {ad_input(ad_axis_new(tape, "data"), "x", ad_vec(D)), ad_parameter(tape, "W", ad_mat(D, H)),
                  ad_parameter(tape, "b", ad_vec(H))};
    ad_var E = ad_sum(ad_tanh(ad_add(ad_matmul(v[0], v[1]), v[2])));
    double x[ROWS * D], W[D * H], b[H];
    ad_check_result result;
    fill(x, ROWS * D, 0), fill(W, D * H, 1), fill(b, H, 2);
    const double *values[] = {x, W, b};
    gibbs_error error;
    ad_check_options options = {.rows = ROWS};
    cr_assert_eq(ad_check_gradient(E, v, values, 3, &options, &result, &error), GIBBS_OK, "%s", error.message);
    cr_assert(result.gradient < 1e-9 && result.second < 1e-9 && !result.why[0], "%g %g %s", result.gradient,
              result.second, result.why);
    ad_tape_free(tape);
}

Test(check, passes_a_right_user_op_and_finds_a_wrong_one)
{
    ad_check_result r;
    gibbs_error error;
    cr_assert_eq(check_cube(&(cube_op){1, 1, 0}, &r, &error), GIBBS_OK);
    cr_assert(r.gradient < 1e-9 && r.second < 1e-9 && !r.why[0]);
    cr_assert_eq(check_cube(&(cube_op){1.001, 1, 0}, &r, &error), GIBBS_NUMERIC);
    cr_assert(strstr(error.message, "by «x» (argument 1) the gradient is off"), "%s", error.message);
    cr_assert(r.gradient > 1e-4 && r.gradient < 1e-2 && isnan(r.second));
    cr_assert_eq(check_cube(&(cube_op){-1, 1, 0}, &r, &error), GIBBS_NUMERIC);
}

/* The first derivative is right, and what is recorded for it is not to be differentiated. */
Test(check, finds_a_wrong_second_order)
{
    ad_check_result r;
    gibbs_error error;
    cr_assert_eq(check_cube(&(cube_op){1, 1, 1}, &r, &error), GIBBS_NUMERIC);
    cr_assert(strstr(error.message, "by «x» (argument 1) the derivative of the gradient is off"), "%s", error.message);
    cr_assert(r.gradient < 1e-9 && r.second > 0.1);
}

/* An op that is not declared smooth, and a kink: the first order is checked, the second is not, and that is said. */
Test(check, leaves_the_second_order_out_where_there_is_none)
{
    ad_check_result r;
    gibbs_error error;
    cr_assert_eq(check_cube(&(cube_op){1, 0, 1}, &r, &error), GIBBS_OK);
    cr_assert(r.gradient < 1e-9 && isnan(r.second));
    cr_assert(strstr(r.why, "second order left out: cube (node 1)"), "%s", r.why);
    cr_assert(strstr(r.why, "if the op is smooth"), "%s", r.why);
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var p = ad_parameter(tape, "p", ad_vec(D));
    double values[D];
    fill(values, D, 1);
    const double *at[] = {values};
    cr_assert_eq(ad_check_gradient(ad_sum(ad_square(ad_relu(p))), &p, at, 1, NULL, &r, &error), GIBBS_OK);
    cr_assert(r.gradient < 1e-8 && isnan(r.second) && strstr(r.why, "relu"), "%s", r.why);
    cr_assert_eq(ad_tape_status(tape), GIBBS_OK);
    cr_assert_eq(ad_check_gradient(ad_sum(ad_exp(p)), &p, at, 1, NULL, &r, &error), GIBBS_OK);
    cr_assert(r.second < 1e-9 && !r.why[0]);
    ad_tape_free(tape);
}

/* Several inputs, of which one is per-sample and one is on another axis, and a y that is linear in one. */
Test(check, second_order_of_mixed_inputs)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(tape, "data"), noise = ad_axis_new(tape, "noise");
    ad_var v[] = {ad_input(data, "x", ad_vec(D)), ad_input(noise, "z", ad_vec(D)),
                  ad_parameter(tape, "W", ad_mat(D, H)), ad_parameter(tape, "s", ad_scalar())};
    ad_var log_z = ad_batch_logsumexp(noise, ad_sum(ad_sin(ad_matmul(v[1], v[2]))));
    ad_var y = ad_add(ad_mul(ad_sum(ad_softplus(ad_matmul(v[0], v[2]))), v[3]), log_z);
    double x[ROWS * D], z[ROWS * D], W[D * H], s = 0.7;
    fill(x, ROWS * D, 0), fill(z, ROWS * D, 1), fill(W, D * H, 2);
    const double *values[] = {x, z, W, &s};
    ad_check_result r;
    gibbs_error error;
    ad_check_options options = {.rows = ROWS};
    cr_assert_eq(ad_check_gradient(y, v, values, 4, &options, &r, &error), GIBBS_OK, "%s", error.message);
    cr_assert(r.gradient < 1e-8 && r.second < 1e-8 && !r.why[0], "%g %g", r.gradient, r.second);
    ad_tape_free(tape);
}

Test(check, refuses_what_it_cannot_check)
{
    gibbs_error error;
    double value = 1;
    ad_check_result result;
    const double *values[] = {&value};
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT32, NULL), *wide = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var p = ad_parameter(tape, "p", ad_scalar()), q = ad_parameter(wide, "q", ad_scalar());
    ad_var square = ad_square(q);
    cr_assert_eq(ad_check_gradient(ad_square(p), &p, values, 1, NULL, &result, &error), GIBBS_DTYPE);
    cr_assert_eq(ad_check_gradient(square, &p, values, 1, NULL, &result, &error), GIBBS_TAPE);
    cr_assert_eq(ad_check_gradient(ad_exp(square), &square, values, 1, NULL, &result, &error), GIBBS_ARGUMENT);
    cr_assert_eq(ad_check_gradient(square, &q, values, 0, NULL, &result, &error), GIBBS_ARGUMENT);
    ad_check_options negative = {.rows = -1};
    cr_assert_eq(ad_check_gradient(square, &q, values, 1, &negative, &result, &error), GIBBS_ARGUMENT);
    ad_var other = ad_add(square, ad_parameter(wide, "unbound", ad_scalar()));
    cr_assert_eq(ad_check_gradient(other, &q, values, 1, NULL, &result, &error), GIBBS_UNBOUND);
    cr_assert(strstr(error.message, "unbound"));
    ad_tape_free(tape);
    ad_tape_free(wide);
}
