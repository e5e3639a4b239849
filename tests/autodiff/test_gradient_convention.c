/* What derivatives are where the functions leave a choice, or where arithmetic would poison them: kinks, ties, branches
 * that are not taken, and arguments far out. Expected numbers are written out by hand. */
#include "support/problem.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { N = 3 };

static ad_var by_max(ad_var x) { return ad_max(x, ad_scale(x, 0.5)); }
static ad_var by_max_second(ad_var x) { return ad_max(ad_scale(x, 0.5), x); }
static ad_var by_min(ad_var x) { return ad_min(x, ad_scale(x, 0.5)); }
static ad_var by_min_second(ad_var x) { return ad_min(ad_scale(x, 0.5), x); }
static ad_var top(ad_var x) { return ad_max_reduce(x); }
static ad_var guarded_root(ad_var x)
{
    return ad_select(ad_less(ad_constant(x.tape, 0), x), ad_sqrt(x), ad_constant(x.tape, 0));
}
static ad_var guarded_log(ad_var x) { return ad_select(ad_step(x), ad_log(x), ad_scale(x, 2)); }
static ad_var cubed(ad_var x) { return ad_pow(x, ad_constant(x.tape, 3)); }
static ad_var squared(ad_var x) { return ad_pow(x, ad_constant(x.tape, 2)); }
static ad_var normalised(ad_var x) { return ad_sum(ad_slice(ad_softmax(x), 0, 0, 1)); }
static ad_var held(ad_var x) { return ad_mul(x, ad_stop_gradient(x)); }
static ad_var masked(ad_var x)
{
    return ad_mul(ad_select(ad_step(x), ad_constant(x.tape, 1), ad_constant(x.tape, 0)), ad_exp(x));
}

static const struct convention {
    const char *name;
    ad_var (*f)(ad_var x);
    double at[N], value[N], slope[N]; /* of Σ f; value[0] alone where f is a scalar */
} conventions[] = {
    {"abs", ad_abs, {-2, 0, 2}, {2, 0, 2}, {-1, 0, 1}},
    {"relu", ad_relu, {-2, 0, 2}, {0, 0, 2}, {0, 0, 1}},
    {"sign", ad_sign, {-2, 0, 2}, {-1, 0, 1}, {0, 0, 0}},
    {"step", ad_step, {-2, 0, 2}, {0, 0, 1}, {0, 0, 0}},
    {"max", by_max, {-2, 0, 2}, {-1, 0, 2}, {0.5, 1, 1}},
    {"max, tied", by_max_second, {-2, 0, 2}, {-1, 0, 2}, {0.5, 0.5, 1}},
    {"min", by_min, {-2, 0, 2}, {-2, 0, 1}, {1, 1, 0.5}},
    {"min, tied", by_min_second, {-2, 0, 2}, {-2, 0, 1}, {1, 0.5, 0.5}},
    {"max_reduce", top, {1, 3, 3}, {3}, {0, 0.5, 0.5}},
    {"max_reduce, all tied", top, {2, 2, 2}, {2}, {1. / 3, 1. / 3, 1. / 3}},
    {"root in select", guarded_root, {-1, 0, 4}, {0, 0, 2}, {0, 0, 0.25}},
    {"log in select", guarded_log, {-1, 0, 4}, {-2, 0, 1.3862943611198906}, {2, 2, 0.25}},
    {"elu", ad_elu, {-800, 0, 800}, {-1, 0, 800}, {0, 1, 1}},
    {"softplus", ad_softplus, {-800, 0, 800}, {0, 0.6931471805599453, 800}, {0, 0.5, 1}},
    {"sigmoid", ad_sigmoid, {-800, 0, 800}, {0, 0.5, 1}, {0, 0.25, 0}},
    {"tanh", ad_tanh, {-800, 0, 800}, {-1, 0, 1}, {0, 1, 0}},
    {"logcosh", ad_logcosh, {-800, 0, 800}, {799.30685281944005, 0, 799.30685281944005}, {-1, 0, 1}},
    {"silu", ad_silu, {-800, 0, 800}, {0, 0, 800}, {0, 0.5, 1}},
    {"gelu", ad_gelu, {-800, 0, 800}, {0, 0, 800}, {0, 0.5, 1}},
    {"cube", cubed, {-2, 0, 2}, {-8, 0, 8}, {12, 0, 12}},
    {"square", squared, {-2, 0, 2}, {4, 0, 4}, {-4, 0, 4}},
    {"logsumexp", ad_logsumexp, {1000, 0, 1000}, {1000.6931471805599}, {0.5, 0, 0.5}},
    {"logsumexp of −∞", ad_logsumexp, {-INFINITY, 1, -INFINITY}, {1}, {0, 1, 0}},
    {"softmax", normalised, {0, 0, 0}, {1. / 3}, {2. / 9, -1. / 9, -1. / 9}},
    {"held", held, {-2, 0, 2}, {4, 0, 4}, {-2, 0, 2}},
    {"mask", masked, {-2, 0, 1}, {0, 0, 2.718281828459045}, {0, 0, 2.718281828459045}},
};

static void expect_all(const char *name, const char *what, const double *got, const double *want, int n)
{
    for (int i = 0; i < n; i++)
        cr_expect(fabs(got[i] - want[i]) <= 1e-13 * fmax(1, fabs(want[i])), "%s: %s %d is %.17g, not %.17g", name, what,
                  i, got[i], want[i]);
}

Test(gradient_convention, kinks_ties_and_far_arguments)
{
    for (int i = 0; i < (int)(sizeof conventions / sizeof conventions[0]); i++) {
        const struct convention *c = &conventions[i];
        problem p;
        ad_var output[2];
        double *got[2];
        cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 1));
        ad_var x = problem_on(&p, problem_shared(&p), ad_vec(N), -1, 1);
        memcpy(p.leaf[0].value, c->at, sizeof c->at);
        output[0] = c->f(x);
        ad_grad(ad_sum(output[0]), &x, 1, &output[1]);
        cr_assert(problem_run(&p, output, 2, got), "%s: %s", c->name, p.message);
        expect_all(c->name, "value", got[0], c->value, ad_shape_of(output[0]).rank ? N : 1);
        expect_all(c->name, "slope", got[1], c->slope, N);
        problem_free_results(got, 2);
        problem_end(&p);
    }
}

/* Equal logits have equal shares, which add up to 1, however far they are from 0: within a sample and over a batch, as
 * a softmax and as the slope of a logsumexp; and slopes of it, which add up to 0. */
static void check_shares(double offset, bool over_a_batch)
{
    problem p;
    ad_var output[3];
    double *got[3];
    cr_assert(problem_start(&p, GIBBS_FLOAT32, 0, 1));
    ad_axis axis = over_a_batch ? p.data : problem_shared(&p);
    ad_var x = problem_on(&p, axis, over_a_batch ? ad_scalar() : ad_vec(N), -1, 1);
    for (int i = 0; i < N; i++) p.leaf[0].value[i] = i == 1 ? -offset : offset;
    ad_grad(over_a_batch ? ad_batch_logsumexp(p.data, x) : ad_logsumexp(x), &x, 1, &output[0]);
    output[1] = over_a_batch ? output[0] : ad_softmax(x);
    ad_var squares = ad_square(output[1]);
    ad_grad(over_a_batch ? ad_batch_sum(p.data, squares) : ad_sum(squares), &x, 1, &output[2]);
    cr_assert(problem_run(&p, output, 3, got), "%s %s", ad_tape_message(p.tape), p.message);
    for (int k = 0; k < 2; k++) expect_all("large logits", "share", got[k], (double[N]){0.5, 0, 0.5}, N);
    expect_all("large logits", "slope of a share", got[2], (double[N]){0, 0, 0}, N);
    problem_free_results(got, 3);
    problem_end(&p);
}

Test(gradient_convention, shares_of_large_logits_add_up_to_1)
{
    for (int k = 0; k < 4; k++) {
        static const double offset[] = {1e3, 1e7, 1e20, 3e38};
        check_shares(offset[k], false);
        check_shares(offset[k], true);
    }
}

/* A condition or an index that is x itself carries no derivative, forwards, backwards or twice. At x = (0, 2, 1):
 * x[x]² is (x₀², x₂², x₁²). */
Test(gradient_convention, conditions_and_indices_carry_no_derivative)
{
    problem p;
    double *got[6];
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 1));
    ad_var x = problem_on(&p, problem_shared(&p), ad_vec(N), -1, 1), output[6];
    memcpy(p.leaf[0].value, (double[N]){0, 2, 1}, sizeof(double[N]));
    ad_var f[2] = {ad_select(x, ad_square(x), ad_exp(x)), ad_square(ad_gather(x, x))};
    ad_var ones = ad_expand(ad_constant(p.tape, 1), ad_vec(N));
    for (int k = 0; k < 2; k++) {
        ad_grad(ad_sum(f[k]), &x, 1, &output[3 * k]);
        output[3 * k + 1] = ad_jvp(f[k], &x, &ones, 1);
        output[3 * k + 2] = ad_hess_diag_almost_everywhere(ad_sum(ad_square(f[k])), x);
    }
    cr_assert(problem_run(&p, output, 6, got), "%s %s", ad_tape_message(p.tape), p.message);
    expect_all("select", "slope", got[0], (double[]){1, 4, 2}, N);
    expect_all("select", "tangent", got[1], (double[]){1, 4, 2}, N);
    expect_all("select", "curvature of the square", got[2], (double[]){4, 48, 12}, N);
    expect_all("gather", "slope", got[3], (double[]){0, 4, 2}, N);
    expect_all("gather", "tangent", got[4], (double[]){0, 2, 4}, N);
    expect_all("gather", "curvature of the square", got[5], (double[]){0, 48, 12}, N);
    problem_free_results(got, 6);
    problem_end(&p);
}

/* Ties over a batch share alike: rows 0 and 2 of 3. */
Test(gradient_convention, ties_over_a_batch)
{
    problem p;
    double *got;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 1));
    ad_var x = problem_on(&p, p.data, ad_scalar(), -1, 1), dx;
    memcpy(p.leaf[0].value, (double[DATA_ROWS]){5, 1, 5}, sizeof(double[DATA_ROWS]));
    ad_grad(ad_batch_max(p.data, x), &x, 1, &dx);
    cr_assert(problem_run(&p, &dx, 1, &got), "%s", p.message);
    expect_all("batch_max", "slope", got, (double[]){0.5, 0, 0.5}, DATA_ROWS);
    problem_free_results(&got, 1);
    problem_end(&p);
}

/* E = b + w·x: ∂ΣE/∂b is the number of samples, ∇xE is w on the axis, ∂ΣE/∂w the sum of x. */
Test(gradient_convention, adjoints_have_the_type_of_their_primal)
{
    problem p;
    double *got[3];
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 1));
    ad_var x = problem_on(&p, p.data, ad_vec(N), -1, 1), w = problem_on(&p, problem_shared(&p), ad_vec(N), -1, 1);
    ad_var b = problem_on(&p, problem_shared(&p), ad_scalar(), -1, 1), by[3] = {b, w, x}, dx[3];
    ad_grad(ad_add(b, ad_dot(w, x)), by, 3, dx);
    cr_assert(problem_run(&p, dx, 3, got), "%s %s", ad_tape_message(p.tape), p.message);
    expect_all("b", "slope", got[0], (double[]){DATA_ROWS}, 1);
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int r = 0; r < DATA_ROWS; r++) sum += p.leaf[0].value[r * N + i];
        expect_all("w", "slope", got[1] + i, &sum, 1);
        for (int r = 0; r < DATA_ROWS; r++) expect_all("x", "slope", got[2] + r * N + i, p.leaf[1].value + i, 1);
    }
    problem_free_results(got, 3);
    problem_end(&p);
}

/* θ as an input with a row a sample: the gradients are per-sample, and their sum is the shared θ's gradient. */
Test(gradient_convention, a_parameter_on_the_axis_has_a_gradient_a_sample)
{
    problem p;
    double *got[2];
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 1));
    ad_var x = problem_on(&p, p.data, ad_vec(2), -1, 1), W = problem_on(&p, problem_shared(&p), ad_mat(2, N), -1, 1);
    ad_var rows = problem_on(&p, p.data, ad_mat(2, N), -1, 1), output[2];
    for (int r = 0; r < DATA_ROWS; r++) memcpy(p.leaf[2].value + r * 2 * N, p.leaf[1].value, sizeof(double[2 * N]));
    ad_grad(ad_sum(ad_softplus(ad_matmul(x, W))), &W, 1, &output[0]);
    ad_grad(ad_sum(ad_softplus(ad_matmul(x, rows))), &rows, 1, &output[1]);
    cr_assert(problem_run(&p, output, 2, got), "%s %s", ad_tape_message(p.tape), p.message);
    for (int e = 0; e < 2 * N; e++) {
        double sum = got[1][e] + got[1][2 * N + e] + got[1][4 * N + e];
        expect_all("W", "slope", got[0] + e, &sum, 1);
    }
    problem_free_results(got, 2);
    problem_end(&p);
}
