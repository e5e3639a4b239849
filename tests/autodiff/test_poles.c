/* Poles: where a slope on the way is infinite the derivative is right, or it is NaN; it is never another number. And what
 * no path leads through has no part in it: an element that is not read, a draw that has no weight. */
#include "plan_helpers.h"

#include <criterion/criterion.h>
#include <math.h>

static ad_var at(ad_var x, double c) { return ad_constant(x.tape, c); }
static ad_var root(ad_var x) { return ad_sqrt(ad_square(x)); } /* |x| */
static ad_var power(ad_var x) { return ad_pow(ad_square(x), at(x, 0.5)); }

static ad_var square_of_root(ad_var x) { return ad_square(root(x)); }
static ad_var square_of_norm(ad_var x) { return ad_square(ad_norm(ad_reshape(x, ad_vec(1)))); }
static ad_var cos_of_norm(ad_var x) { return ad_cos(ad_norm(ad_reshape(x, ad_vec(1)))); }
static ad_var cos_of_root(ad_var x) { return ad_cos(root(x)); }
static ad_var logcosh_of_root(ad_var x) { return ad_logcosh(root(x)); }
static ad_var bell(ad_var x) { return ad_exp(ad_neg(ad_square(power(x)))); }
static ad_var cauchy(ad_var x) { return ad_recip(ad_sqrt(ad_shift(ad_square(root(x)), 1))); }
static ad_var square_of_power(ad_var x) { return ad_square(power(x)); }
static ad_var exp_of_log(ad_var x) { return ad_exp(ad_log(x)); }
static ad_var root_squared(ad_var x) { return ad_square(ad_sqrt(x)); }
static ad_var fourth_root(ad_var x) { return ad_square(ad_square(ad_pow(x, at(x, 0.25)))); }
static ad_var twice_inverted(ad_var x) { return ad_recip(ad_div(at(x, 1), x)); }
static ad_var two_weights(ad_var x)
{
    ad_var one = ad_reshape(x, ad_vec(1));
    return ad_logsumexp(ad_log(ad_concat(one, ad_shift(one, 1), 0)));
}
static ad_var far_softplus(ad_var x) { return ad_log1p(ad_exp(ad_shift(x, 1000))); }
static ad_var far_log(ad_var x) { return ad_log(ad_exp(ad_shift(x, 1000))); }
static ad_var far_root(ad_var x) { return ad_log(ad_sqrt(ad_exp(ad_shift(x, 1000)))); }
static ad_var cube(ad_var x) { return ad_pow(x, at(x, 3)); }
static ad_var x_log_x(ad_var x) { return ad_exp(ad_mul(ad_square(x), ad_log(ad_square(x)))); }

static const struct {
    const char *name;
    ad_var (*f)(ad_var x);
    double right[3]; /* derivatives at 0, of orders one to three; NaN: there is none */
    bool number;     /* it is right, and not NaN */
} poles[] = {
    {"|x|² by a root", square_of_root, {0, 2, 0}, false},
    {"|x|² by a norm", square_of_norm, {0, 2, 0}, true},
    {"cos of a norm", cos_of_norm, {0, -1, 0}, false},
    {"cos |x|", cos_of_root, {0, -1, 0}, false},
    {"logcosh |x|", logcosh_of_root, {0, 1, 0}, false},
    {"exp −|x|²", bell, {0, -2, 0}, false},
    {"(1 + |x|²)^−½", cauchy, {0, -1, 0}, false},
    {"(x²)^½ squared", square_of_power, {0, 2, 0}, false},
    {"exp log x", exp_of_log, {1, 0, 0}, false},
    {"√x squared", root_squared, {1, 0, 0}, false},
    {"x^¼ to the fourth", fourth_root, {1, 0, 0}, false},
    {"1/(1/x)", twice_inverted, {1, 0, 0}, false},
    {"logsumexp log(x, x + 1)", two_weights, {2, -4, 16}, false},
    {"log1p exp(x + 1000)", far_softplus, {1, 0, 0}, false},
    {"log exp(x + 1000)", far_log, {1, 0, 0}, false},
    {"log √exp(x + 1000)", far_root, {0.5, 0, 0}, false},
    {"exp x² log x²", x_log_x, {0, NAN, NAN}, false},
    {"|x|", root, {NAN, NAN, NAN}, false},
    {"(x²)^½", power, {NAN, NAN, NAN}, false},
    {"√x", ad_sqrt, {NAN, NAN, NAN}, false},
    {"log x", ad_log, {NAN, NAN, NAN}, false},
    {"x³", cube, {0, 0, 6}, true},
    {"e^x", ad_exp, {1, 1, 1}, true},
};

/* Order by order backward; the second forward and by curvature, too. */
static int derivatives(ad_var y, ad_var x, ad_var *out, int *order)
{
    ad_var one = at(x, 1), g[3] = {y};
    for (int k = 0; k < 3; k++) ad_grad(k ? g[k - 1] : y, &x, 1, &g[k]);
    ad_var all[] = {g[0], g[1], g[2], ad_jvp(y, &x, &one, 1), ad_hvp(y, x, one), ad_hess_diag(y, x)};
    static const int orders[] = {1, 2, 3, 1, 2, 2};
    for (int i = 0; i < LENGTH(all); i++) out[i] = all[i], order[i] = orders[i];
    return LENGTH(all);
}

static void check_pole(int k, gibbs_dtype dtype)
{
    ad_tape *tape = ad_tape_new(dtype, NULL);
    ad_var x = ad_parameter(tape, "x", ad_scalar()), out[8];
    int order[8], n = derivatives(poles[k].f(x), x, out, order);
    cr_assert_eq(ad_tape_status(tape), GIBBS_OK, "%s: %s", poles[k].name, ad_tape_message(tape));
    runner r = runner_new(out, n, 0);
    char zero[8] = {0};
    bind(r, x, zero);
    run(r);
    for (int i = 0; i < n; i++) {
        double got = ad_result_scalar(r.w, i), right = poles[k].right[order[i] - 1];
        bool good = isnan(got) ? !poles[k].number : fabs(got - right) < 1e-5;
        cr_expect(good, "%s: derivative %d (%d) is %g, not %g (%s)", poles[k].name, order[i], i, got, right,
                  dtype == GIBBS_FLOAT32 ? "float32" : "float64");
    }
    runner_free(r);
    ad_tape_free(tape);
}

Test(poles, a_derivative_at_a_pole_is_right_or_not_a_number)
{
    for (int k = 0; k < LENGTH(poles); k++) check_pole(k, GIBBS_FLOAT32), check_pole(k, GIBBS_FLOAT64);
}

/* ---- What is not read ---- */

enum { N = 2 };
static ad_var first_root(ad_var x) { return ad_sum(ad_slice(ad_sqrt(x), 0, 0, 1)); }
static ad_var gathered_root(ad_var x)
{
    return ad_sum(ad_gather(ad_sqrt(x), ad_constant_array(x.tape, ad_vec(1), (double[]){0})));
}
static ad_var largest_root(ad_var x) { return ad_max_reduce(ad_sqrt(x)); }
static ad_var larger_root(ad_var x) { return ad_max(ad_at(ad_sqrt(x), 0), ad_at(ad_sqrt(x), 1)); }
static ad_var smaller_inverse(ad_var x) { return ad_min(ad_recip(ad_at(x, 0)), ad_recip(ad_at(x, 1))); }
static ad_var last_of_three(ad_var x)
{
    return ad_sum(ad_slice(ad_concat(ad_log(x), ad_slice(ad_sqrt(x), 0, 0, 1), 0), 0, 2, 1));
}

static ad_var roots_and_weights(ad_var x)
{
    ad_var weights = ad_constant_array(x.tape, ad_vec(N), (double[]){1, 3});
    return ad_sum(ad_slice(ad_mul(ad_sqrt(x), weights), 0, 0, 1));
}

static const struct {
    const char *name;
    ad_var (*f)(ad_var x);
    double slope, curvature; /* by the first element, at (4, 0); the second has no part in y */
} reads[] = {
    {"slice", first_root, 0.25, -1. / 32},        {"gather", gathered_root, 0.25, -1. / 32},
    {"max_reduce", largest_root, 0.25, -1. / 32}, {"max", larger_root, 0.25, -1. / 32},
    {"min", smaller_inverse, -1. / 16, 1. / 32},  {"of joined ones", last_of_three, 0.25, -1. / 32},
    {"product", roots_and_weights, 0.25, -1. / 32},
};

Test(poles, what_is_not_read_has_no_part_in_a_derivative)
{
    for (int k = 0; k < LENGTH(reads); k++) {
        ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
        ad_var x = ad_parameter(tape, "x", ad_vec(N)), y = reads[k].f(x), out[4];
        ad_var u = ad_constant_array(tape, ad_vec(N), (double[]){1, 0});
        ad_grad(y, &x, 1, &out[0]);
        out[1] = ad_hvp(y, x, u);
        out[2] = ad_hess_diag_almost_everywhere(y, x);
        cr_assert_eq(ad_tape_status(tape), GIBBS_OK, "%s: %s", reads[k].name, ad_tape_message(tape));
        out[3] = ad_jvp(y, &x, &u, 1);
        runner r = runner_new(out, 4, 0);
        bind(r, x, (double[]){4, 0});
        run(r);
        for (int i = 0; i < 3; i++) {
            const double *g = ad_result_f64(r.w, i), right = i ? reads[k].curvature : reads[k].slope;
            cr_expect(fabs(g[0] - right) < 1e-14 && g[1] == 0, "%s, %d: %g, %g, not %g, 0", reads[k].name, i, g[0], g[1],
                      right);
        }
        cr_expect_float_eq(ad_result_scalar(r.w, 3), reads[k].slope, 1e-14, "%s, forward: %g", reads[k].name,
                           ad_result_scalar(r.w, 3));
        runner_free(r);
        ad_tape_free(tape);
    }
}

/* ---- Norms of every size ---- */

/* x = s·(3, −4): |x| = 5s and x/|x| = (.6, −.8), where squares of the elements overflow, vanish, and are 0. */
Test(poles, a_norm_of_any_size_has_a_slope)
{
    static const double sizes[2][6] = {{0, 1e-37, 1e-25, 1, 1e25, 1e37}, {0, 1e-307, 1e-200, 1, 1e200, 1e307}};
    for (int dtype = 0; dtype < 2; dtype++) {
        ad_tape *tape = ad_tape_new((gibbs_dtype)dtype, NULL);
        bool single = ad_tape_dtype(tape) == GIBBS_FLOAT32;
        double close = single ? 3e-7 : 1e-15;
        ad_var x = ad_parameter(tape, "x", ad_vec(N)), out[2] = {ad_norm(x)};
        ad_grad(out[0], &x, 1, &out[1]);
        runner r = runner_new(out, 2, 0);
        for (int k = 0; k < 6; k++) {
            double s = sizes[!single][k], d[N] = {3 * s, -4 * s}, unit = s != 0;
            float f[N] = {(float)d[0], (float)d[1]};
            bind(r, x, single ? (void *)f : (void *)d);
            run(r);
            double norm = ad_result_scalar(r.w, 0);
            cr_expect(fabs(norm - 5 * s) <= close * 5 * s, "|x| is %g, not %g", norm, 5 * s);
            for (int i = 0; i < N; i++) {
                double slope = single ? (double)ad_result_f32(r.w, 1)[i] : ad_result_f64(r.w, 1)[i];
                cr_expect(fabs(slope - unit * (i ? -0.8 : 0.6)) <= close, "slope %d at %g is %g", i, s, slope);
            }
        }
        runner_free(r);
        ad_tape_free(tape);
    }
}

/* ---- A draw without weight ---- */

/* The gradient of a mean weighted by exp −E, where the E of one draw overflows: that draw has no part in it. */
Test(poles, a_draw_that_overflows_has_no_weight)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        ad_tape *tape = ad_tape_new((gibbs_dtype)dtype, NULL);
        ad_axis axis = ad_axis_new(tape, "draws");
        ad_var a = ad_parameter(tape, "a", ad_scalar()), x = ad_input(axis, "x", ad_scalar()), g;
        ad_var E = ad_add(ad_mul(a, ad_exp(x)), ad_scale(ad_square(x), 0.5));
        ad_grad(ad_batch_logsumexp(axis, ad_neg(E)), &a, 1, &g);
        runner r = runner_new(&g, 1, 0);
        float f[3] = {0.5f, 1000, -1}, one = 1;
        double d[3] = {0.5, 1000, -1}, unit = 1;
        bool single = ad_tape_dtype(tape) == GIBBS_FLOAT32;
        bind(r, x, single ? (void *)f : (void *)d);
        bind(r, a, single ? (void *)&one : (void *)&unit);
        set_rows(r, axis, 3);
        run(r);
        double p = exp(-exp(0.5) - 0.125), q = exp(-exp(-1) - 0.5);
        cr_expect_float_eq(ad_result_scalar(r.w, 0), -(p * exp(0.5) + q * exp(-1)) / (p + q), 1e-6);
        runner_free(r);
        ad_tape_free(tape);
    }
}
