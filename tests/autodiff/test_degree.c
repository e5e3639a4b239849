/* ad_degree: known polynomials, what is none, and random programs against the differences of their values, of which
 * those of an order above the degree are zero. */
#include "plan_helpers.h"
#include "support/problem.h"
#include "support/user_ops.h"

/* x [3] and c [3] per-sample, W [3,3] and θ = (λ, μ) shared. */
typedef struct scene {
    problem p;
    ad_var x, c, W, theta;
} scene;

static void start(scene *s, uint64_t seed)
{
    cr_assert(problem_start(&s->p, GIBBS_FLOAT64, 0, seed));
    s->x = problem_on(&s->p, s->p.data, ad_vec(3), 0.3, 1);
    s->c = problem_on(&s->p, s->p.data, ad_vec(3), 0.3, 1);
    s->W = problem_on(&s->p, problem_shared(&s->p), ad_mat(3, 3), 0.3, 1);
    s->theta = problem_on(&s->p, problem_shared(&s->p), ad_vec(2), 0.3, 1);
}

static ad_var power(ad_var x, double p) { return ad_pow(x, ad_constant(x.tape, p)); }
static ad_var cubic(scene *s) { return ad_sum(ad_mul(s->c, power(s->x, 3))); }
static ad_var gaussian(scene *s)
{
    return ad_scale(ad_mul(ad_at(s->theta, 0), ad_square(ad_sub(ad_at(s->x, 0), ad_at(s->theta, 1)))), 0.5);
}

/* ---- In x ---- */

static ad_var quartic(scene *s)
{
    return ad_sub(ad_scale(power(s->x, 4), 1.0 / 12), ad_scale(power(s->x, 3), 1.0 / 6));
}
static ad_var ising(scene *s) { return ad_add(ad_quadratic_form(s->x, s->W), ad_dot(s->x, s->c)); }
static ad_var other(scene *s) { return ad_exp(s->c); }
static ad_var itself(scene *s) { return s->x; }
static ad_var divided(scene *s) { return ad_div(ad_square(s->x), s->c); }
static ad_var chosen(scene *s) { return ad_select(ad_less(s->c, ad_constant(s->p.tape, 0.5)), power(s->x, 3), s->x); }
static ad_var outer(scene *s) { return ad_batch_matmul(s->p.data, ad_square(s->x), ad_sin(s->c)); }
static ad_var outer_square(scene *s) { return ad_batch_matmul(s->p.data, s->x, ad_mul(s->x, s->c)); }
static ad_var gathered(scene *s) { return ad_gather(s->x, ad_constant_array(s->p.tape, ad_vec(2), (double[]){2, 0})); }
static ad_var moved(scene *s)
{
    ad_var joined = ad_concat(ad_pad(ad_slice(s->x, 0, 1, 2), 0, 0, 1), ad_square(s->x), 0);
    return ad_sum_dims(ad_transpose(ad_expand(joined, ad_mat(2, 6))), 1);
}
static ad_var gradient(scene *s)
{
    ad_var g;
    return ad_grad(cubic(s), &s->x, 1, &g), g;
}
static ad_var curvature(scene *s) { return ad_hess_diag(cubic(s), s->x); }
static ad_var third(scene *s) { return ad_hess_diag(ad_sum(gradient(s)), s->x); }
static ad_var of_a_variable(scene *s) { return ad_square(ad_variable(ad_square(s->x))); }
static ad_var batch(scene *s) { return ad_square(ad_batch_mean(s->p.data, s->x)); }

static ad_var stopped(scene *s) { return ad_mul(s->c, ad_stop_gradient(s->x)); }
static ad_var bent(scene *s) { return ad_exp(s->x); }
static ad_var kinked(scene *s) { return ad_relu(s->x); }
static ad_var jumping(scene *s) { return ad_step(s->x); }
static ad_var inverse(scene *s) { return ad_div(s->c, s->x); }
static ad_var root(scene *s) { return power(s->x, 2.5); }
static ad_var negative(scene *s) { return power(s->x, -2); }
static ad_var exponent(scene *s) { return ad_pow(s->c, s->x); }
static ad_var unknown_power(scene *s) { return ad_pow(s->x, s->c); }
static ad_var condition(scene *s) { return ad_select(s->x, s->x, s->c); }
static ad_var index_of_x(scene *s) { return ad_gather(s->W, ad_at(s->x, 0)); }
static ad_var users(scene *s) { return ad_user(&user_cube, &s->x); }
static ad_var norm(scene *s) { return ad_norm(s->x); }
static ad_var towering(scene *s)
{
    ad_var y = s->x;
    for (int k = 0; k < 40; k++) y = ad_square(y);
    return y;
}
static ad_var huge_power(scene *s) { return power(ad_square(s->x), 1 << 30); }
static ad_var beside_a_bend(scene *s) { return ad_add(ad_square(s->x), ad_sin(s->x)); }

static const struct known {
    const char *name;
    int degree;
    ad_var (*record)(scene *s);
} knowns[] = {
    {"x⁴/12 − x³/6", 4, quartic}, {"xᵀJx + h·x", 2, ising}, {"a function of another", 0, other}, {"x", 1, itself},
    {"x²/c", 2, divided}, {"a choice", 3, chosen}, {"Σ x² c", 2, outer}, {"Σ x x c", 2, outer_square},
    {"a gather", 1, gathered}, {"moves", 2, moved}, {"a cubic", 3, cubic}, {"its gradient", 2, gradient},
    {"its curvature", 1, curvature}, {"its third derivative", 0, third}, {"a variable", 4, of_a_variable},
    {"a mean squared", 2, batch}, {"½λ(x − μ)²", 2, gaussian}, {"stop_gradient", -1, stopped}, {"exp", -1, bent},
    {"relu", -1, kinked}, {"step", -1, jumping}, {"c/x", -1, inverse}, {"x^2.5", -1, root}, {"x^−2", -1, negative},
    {"c^x", -1, exponent}, {"x^c", -1, unknown_power}, {"a condition of x", -1, condition},
    {"an index", -1, index_of_x}, {"a user's op", -1, users}, {"a norm", -1, norm}, {"x^(2^40)", -1, towering},
    {"x^(2^31)", -1, huge_power}, {"x² + sin x", -1, beside_a_bend},
};

Test(degree, of_known_polynomials)
{
    for (int k = 0; k < LENGTH(knowns); k++) {
        scene s;
        start(&s, 3);
        ad_var y = knowns[k].record(&s);
        int64_t size = ad_tape_size(s.p.tape);
        cr_expect_eq(ad_degree(y, s.x), knowns[k].degree, "%s: %d, not %d", knowns[k].name, ad_degree(y, s.x),
                     knowns[k].degree);
        cr_expect(ad_tape_size(s.p.tape) == size && !ad_tape_status(s.p.tape), "%s", ad_tape_message(s.p.tape));
        problem_end(&s.p);
    }
}

/* ½λ(x − μ)² is linear in λ, quadratic in μ, and a cubic in both. */
Test(degree, in_each_and_in_both)
{
    scene s;
    start(&s, 3);
    ad_var l = ad_variable(ad_at(s.theta, 0)), m = ad_variable(ad_at(s.theta, 1));
    ad_var E = ad_scale(ad_mul(l, ad_square(ad_sub(ad_at(s.x, 0), m))), 0.5);
    cr_expect_eq(ad_degree(E, l), 1);
    cr_expect_eq(ad_degree(E, m), 2);
    cr_expect_eq(ad_degree(E, s.theta), 3);
    cr_expect_eq(ad_degree(gaussian(&s), s.theta), 3);
    problem_end(&s.p);
}

Test(degree, refuses_what_is_no_variable)
{
    scene s;
    start(&s, 3);
    ad_var e = ad_sin(s.x);
    cr_expect_eq(ad_degree(ad_square(e), e), -1);
    cr_expect(ad_tape_status(s.p.tape) == GIBBS_ARGUMENT);
    cr_expect_str_eq(ad_tape_message(s.p.tape), "degree: argument 1 is an expression (sin, node 4): make it a "
                                                "variable, v = ad_variable(v), before y is recorded from it");
    problem_end(&s.p);
}

/* ---- Random programs ---- */

enum { OPS = 9, POOL = OPS + 3, MOST = 9, PROGRAMS = 150 };

static ad_var one_op(scene *s, ad_var a, ad_var b, int64_t which)
{
    ad_tape *tape = s->p.tape;
    switch (which) {
    case 0: return ad_add(a, b);
    case 1: return ad_sub(a, ad_scale(b, 0.5));
    case 2: return ad_mul(a, b);
    case 3: return ad_matmul(a, s->W);
    case 4: return ad_mul(ad_sum(a), b);
    case 5: return power(a, 3);
    case 6: return ad_div(a, s->c);
    case 7: return ad_select(ad_less(s->c, ad_constant(tape, 0.6)), a, ad_neg(b));
    case 8: return ad_concat(ad_slice(a, 0, 1, 2), ad_reshape(ad_dot(a, b), ad_vec(1)), 0);
    case 9: return ad_add(a, ad_batch_mean(s->p.data, b));
    case 10: return ad_sin(a);
    default: return ad_variable(a);
    }
}

static ad_var random_program(scene *s, uint64_t *random)
{
    ad_var pool[POOL] = {s->x, s->c, s->x};
    for (int n = 3; n < POOL; n++) {
        ad_var a = pool[next_below(random, n)], b = pool[next_below(random, n)];
        pool[n] = one_op(s, a, b, next_below(random, 12));
        if (ad_degree(pool[n], s->x) > MOST) pool[n] = a;
    }
    return ad_add(pool[POOL - 1], pool[POOL - 2]);
}

/* The n-th difference of y along a direction of x, and the size of what it is made of, of the element where it is
 * largest. */
static void difference(scene *s, ad_var y, int n, quad *largest, quad *scale)
{
    static const double along[3 * DATA_ROWS] = {0.5, -0.7, 0.9, -0.4, 0.8, 0.6, -0.9, 0.3, 0.7};
    const double *direction[PROBLEM_LEAVES] = {along}; /* x is the first leaf */
    const double *const *const directions[] = {direction};
    quad_machine m;
    quad sum[3 * DATA_ROWS] = {0}, binomial = 1;
    cr_assert(quad_start(&m, s->p.tape, s->p.rows));
    *largest = *scale = 0;
    for (int k = 0; k <= n; k++, binomial = binomial * (n - k + 1) / k) {
        quad step = k;
        cr_assert(problem_interpret(&s->p, &m, directions, &step, 1));
        const quad *value = quad_value(&m, y);
        cr_assert_not_null(value);
        for (int i = 0; i < 3 * DATA_ROWS; i++) {
            quad term = binomial * value[i], size = term < 0 ? -term : term;
            sum[i] += k % 2 ? -term : term;
            if (size > *scale) *scale = size;
        }
    }
    for (int i = 0; i < 3 * DATA_ROWS; i++) {
        quad size = sum[i] < 0 ? -sum[i] : sum[i];
        if (size > *largest) *largest = size;
    }
    quad_end(&m);
}

Test(degree, of_random_programs)
{
    int polynomials = 0, exact = 0, none = 0;
    for (uint64_t seed = 1; seed <= PROGRAMS * test_times(); seed++) {
        scene s;
        quad above, at, scale;
        uint64_t random = seed;
        start(&s, seed);
        ad_var y = random_program(&s, &random);
        int degree = ad_degree(y, s.x);
        cr_assert_eq(ad_tape_status(s.p.tape), GIBBS_OK, "%s", ad_tape_message(s.p.tape));
        if (degree >= 0) {
            difference(&s, y, degree + 1, &above, &scale);
            cr_expect(above <= 1e-24f128 * scale, "program %d: degree %d, but the next difference is %g of %g",
                      (int)seed, degree, (double)above, (double)scale);
            difference(&s, y, degree, &at, &scale);
            exact += at > 1e-12f128 * scale;
        }
        polynomials += degree > 0;
        none += degree < 0;
        problem_end(&s.p);
    }
    cr_expect(polynomials > PROGRAMS / 4 && exact > PROGRAMS / 8 && none > PROGRAMS / 8,
              "%d polynomials, %d exact, %d none", polynomials, exact, none);
}
