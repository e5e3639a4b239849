/* Proposals of one's own: the example of gibbs/extend.h, the random numbers that a draw is given, draws that depend on
 * θ inside of mixtures and products, and numbers that are none. How draws are distributed:
 * statistics/test_proposal_draws.c. */
#include "objective_helpers.h"
#include "proposal_check.h"

/* ---- The header's example ---- */

static ad_var draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    (void)q, (void)theta;
    ad_var side = ad_shift(ad_scale(random, 2), -1);
    return ad_neg(ad_mul(ad_sign(side), ad_log1p(ad_neg(ad_abs(side)))));
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q, (void)theta;
    return ad_shift(ad_neg(ad_sum(ad_abs(y))), -log(2));
}

static const ebm_proposal laplace = {
    .name = "laplace", .dim = 1, .draw = draw, .log_density = log_density, .uniforms = 1,
};

/* P(|y| > t) = e^−t: of 20000 draws, at four t, within 4.5 standard errors; and half of them on either side. */
Test(user_proposal, the_example_is_laplace)
{
    enum { ROWS = 20000 };
    double *y = sampling_room(ROWS, sizeof *y), *log_q = sampling_room(ROWS, sizeof *log_q);
    OK(ebm_proposal_sample(&laplace, ROWS, 1, 0, NULL, y, log_q, ERROR));
    for (double t = 0; t < 4; t++) {
        double p = exp(-t) / 2, count = 0;
        for (int r = 0; r < ROWS; r++) count += y[r] > t;
        cr_expect_lt(fabs(count - ROWS * p) / sqrt(ROWS * p * (1 - p)), 4.5, "%g above %g", count, t);
    }
    for (int r = 0; r < ROWS; r++) cr_assert_float_eq(log_q[r], -fabs(y[r]) - log(2), 1e-14);
    free(y);
    free(log_q);
}

/* ---- What a draw is given ---- */

/* A draw of as many columns as it gets numbers shows them. */
static ad_var show(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    (void)q, (void)theta;
    return random;
}

static ad_var zero(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q, (void)theta;
    return ad_constant(y.tape, 0);
}

static ebm_proposal shown(int64_t normals, int64_t uniforms)
{
    int64_t dim = normals + uniforms ? normals + uniforms : 3;
    return (ebm_proposal){.name = "shown", .dim = dim, .draw = show, .log_density = zero, .normals = normals,
                          .uniforms = uniforms};
}

static double *sample(const ebm_proposal *q, int64_t rows)
{
    double *y = sampling_room(rows * q->dim, sizeof *y);
    OK(ebm_proposal_sample(q, rows, 5, 2, NULL, y, NULL, ERROR));
    return y;
}

/* First the normals, then the uniforms; the normals are those of a proposal that takes no uniforms, as they were before
 * there were any. */
Test(user_proposal, normals_come_first_then_uniforms)
{
    enum { ROWS = 200 };
    static const int64_t counts[][2] = {{3, 0}, {0, 0}, {3, 2}, {0, 4}, {1, 1}, {5, 7}};
    ebm_proposal plain = shown(3, 0);
    double *normals = sample(&plain, ROWS);
    for (int k = 0; k < COUNT(counts); k++) {
        ebm_proposal q = shown(counts[k][0], counts[k][1]);
        int64_t first = q.dim - counts[k][1];
        double *y = sample(&q, ROWS), outside = 0;
        for (int64_t i = 0; i < ROWS * q.dim; i++) {
            int inside = y[i] > 0 && y[i] < 1;
            cr_assert(i % q.dim < first || inside, "%g is not on (0, 1)", y[i]);
            outside += i % q.dim < first && !inside;
            if (first == 3 && i % q.dim < 3) cr_assert_eq(y[i], normals[i / q.dim * 3 + i % q.dim]);
        }
        cr_expect(!first || outside > 0.5 * (double)(ROWS * first), "normals leave (0, 1)");
        free(y);
    }
    free(normals);
}

/* Box and Muller make normals of uniforms: of the same stream the one would tell the other. Φ(normal) and uniform, both
 * folded, are uncorrelated to 4.5 standard errors in every pair of columns. */
Test(user_proposal, normals_and_uniforms_are_independent)
{
    enum { ROWS = 40000, D = 4 };
    ebm_proposal q = shown(D, D);
    double *y = sample(&q, ROWS);
    for (int a = 0; a < D; a++)
        for (int b = D; b < 2 * D; b++)
            for (int fold = 0; fold < 4; fold++) {
                double sum = 0;
                for (int r = 0; r < ROWS; r++) {
                    double u = 2 * sampling_normal_cdf(y[2 * D * r + a]) - 1, v = 2 * y[2 * D * r + b] - 1;
                    if (fold & 1) u = 2 * fabs(u) - 1;
                    if (fold & 2) v = 2 * fabs(v) - 1;
                    sum += 3 * u * v;
                }
                cr_expect_lt(fabs(sum) / sqrt(ROWS), 4.5, "columns %d and %d", a, b);
            }
    free(y);
}

Test(user_proposal, refuses_numbers_that_are_none)
{
    double y[3];
    ebm_proposal bad[] = {shown(3, 0), shown(3, 0), shown(3, 0), shown(3, 0)}, wrong = shown(2, 2);
    bad[0].normals = -1, bad[1].uniforms = -1, bad[2].normals = (int64_t)INT32_MAX + 1;
    bad[3].uniforms = bad[3].normals = INT32_MAX;
    for (int k = 0; k < COUNT(bad); k++)
        FAILS(GIBBS_ARGUMENT, "normals and", ebm_proposal_sample(&bad[k], 1, 0, 0, NULL, y, NULL, FAIL));
    wrong.dim = 3; /* a draw of four columns */
    FAILS(GIBBS_SHAPE, "", ebm_proposal_sample(&wrong, 1, 0, 0, NULL, y, NULL, FAIL));
}

/* ---- Draws that depend on θ, in mixtures and products (S0 §3.2) ---- */

/* x²/(2θ²) in each column, and Laplace draws of width θ, from uniforms, in one. */
static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_div(ad_square(x), ad_scale(ad_square(theta[0]), 2)));
}

static ad_var moving_draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    return ad_mul(theta[0], draw(q, random, theta));
}

static ad_var moving_log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    return ad_sub(log_density(q, ad_div(y, theta[0]), theta), ad_log(theta[0]));
}

static const ebm_proposal moving = {
    .name = "moving", .dim = 1, .depends_on_theta = 1, .draw = moving_draw, .log_density = moving_log_density,
    .uniforms = 1,
};

enum { DIM = 2, ROWS = 30 };
typedef struct stack {
    ebm_proposal *fixed, *mixture, *product;
} stack;

/* Column 1: 70 % of the one that moves and 30 % N(0, 2²). Column 2: the fixed one alone. */
static stack stack_new(const ebm_proposal *part)
{
    stack s;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){2}, NULL, &s.fixed, ERROR));
    OK(ebm_proposal_mixture(2, (double[]){7, 3}, (const ebm_proposal *[]){part, s.fixed}, NULL, &s.mixture, ERROR));
    OK(ebm_proposal_product(2, (const ebm_proposal *[]){s.mixture, s.fixed}, NULL, &s.product, ERROR));
    return s;
}

static void stack_free(stack s)
{
    ebm_proposal_free(s.product);
    ebm_proposal_free(s.mixture);
    ebm_proposal_free(s.fixed);
}

static ebm_model *model_new(void)
{
    ebm_parameter theta = {"theta", {0, {0}}, EBM_INIT_CONSTANT, 1.3};
    return model_of(DIM, &theta, 1, energy, GIBBS_FLOAT64);
}

/* The gradient less the differences of the value, at the same random numbers. */
static double gradient_error(const ebm_proposal *q)
{
    double x[DIM * ROWS];
    for (int i = 0; i < DIM * ROWS; i++) x[i] = sin(1 + 1.7 * i);
    ebm_model *model = model_new();
    ebm_loss_options options = {0};
    options.proposal = q;
    ebm_objective *o = objective_at(model, &ebm_loss_ml_is, &options, NULL, x, ROWS, 3, 1);
    value_of(o);
    double gradient = *(const double *)ebm_objective_gradient(o), error = gradient - difference(o, 0);
    ebm_objective_free(o);
    ebm_model_free(model);
    return fabs(error) / fmax(1, fabs(gradient));
}

/* Control: the same, with y held where it is. */
static ad_var held_draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    return ad_stop_gradient(moving_draw(q, random, theta));
}

/* The derivative flows through y and log q of the component that moves. */
Test(user_proposal, gradient_flows_through_a_mixture_in_a_product)
{
    stack s = stack_new(&moving);
    cr_assert(s.product->depends_on_theta && s.product->uniforms == 2 && s.product->normals == 2);
    cr_expect_lt(gradient_error(s.product), 1e-8);
    stack_free(s);
    ebm_proposal held = moving;
    held.draw = held_draw;
    s = stack_new(&held);
    cr_expect_gt(gradient_error(s.product), 1e-3);
    stack_free(s);
}

/* log Z is that of the Gaussian within Monte Carlo error: the mixture's draws go with its density at any θ. */
Test(user_proposal, theta_dependent_mixture_estimates_log_z)
{
    enum { DRAWS = 40000 };
    stack s = stack_new(&moving);
    ebm_model *model = model_new();
    double theta[] = {0.6, 1, 1.7};
    for (int k = 0; k < COUNT(theta); k++) {
        ebm_importance result;
        ebm_model_set(model, &theta[k]);
        OK(ebm_importance_sample(model, s.product, DRAWS, 4, NULL, NULL, &result, ERROR));
        double error = sqrt(1 / result.ess - 1. / DRAWS);
        cr_expect_lt(fabs(result.log_z - 2 * log(theta[k] * sqrt(2 * M_PI))), 4.5 * error, "θ = %g: %g", theta[k],
                     result.log_z);
        cr_expect_gt(result.ess, DRAWS / 10);
    }
    ebm_model_free(model);
    stack_free(s);
}

Test(user_proposal, a_mixture_that_depends_on_theta_needs_a_model)
{
    double y[2];
    stack s = stack_new(&moving);
    FAILS(GIBBS_ARGUMENT, "depends on", ebm_proposal_sample(s.product, 1, 0, 0, NULL, y, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "depends on", ebm_proposal_log_density(s.mixture, y, 1, NULL, y + 1, FAIL));
    stack_free(s);
}
