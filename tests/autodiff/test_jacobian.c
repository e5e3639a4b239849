/* Jacobians and Hessians by several x at once, and each sample's own gradient: against differences, against products
 * with vectors, against single samples run alone, and through three more orders of differentiation. */
#include "support/derivative.h"
#include "support/energies.h"
#include "support/jacobian.h"
#include "support/user_ops.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* The energies' parameters, which are all the leaves but x and constants. */
static int parameters_of(const problem *p, ad_var x, ad_var *theta)
{
    int n = 0;
    for (int i = 0; i < p->leaves; i++)
        if (ad_is_shared(p->leaf[i].var) && p->leaf[i].var.id != x.id && !p->leaf[i].constant)
            theta[n++] = p->leaf[i].var;
    return n;
}

static ad_var start(problem *p, const energy *e, ad_var *x)
{
    cr_assert(problem_start(p, GIBBS_FLOAT64, 0, 7));
    *x = problem_on(p, e->shared ? problem_shared(p) : p->data, ad_vec(e->d), -1, 1);
    return e->record(p, *x);
}

static int64_t count_of(ad_var v)
{
    ad_shape s = ad_shape_of(v);
    return ad_shape_count(&s);
}

/* ---- Hessians ---- */

/* uᵀHw over all x and samples, against the second difference of ΣE along u and w; H is symmetric to the last bit. */
static void check_hessian(problem *p, const char *name, ad_var E, const ad_var *x, int n)
{
    ad_var H = ad_hessian(E, x, n), u[PROBLEM_LEAVES], w[PROBLEM_LEAVES];
    const double *du[PROBLEM_LEAVES] = {NULL}, *dw[PROBLEM_LEAVES] = {NULL}, *const *both[2] = {du, dw};
    double *h, sum = 0, scale = 0;
    cr_assert(!ad_is_null(H) && problem_run(p, &H, 1, &h), "%s: %s %s", name, ad_tape_message(p->tape), p->message);
    int64_t size = ad_shape_of(H).dim[0], rows = 1;
    if (!ad_is_shared(H)) rows = p->leaf[problem_find(p, x[0])].size / count_of(x[0]);
    for (int i = 0; i < n; i++) {
        u[i] = problem_like(p, x[i]);
        w[i] = problem_like(p, x[i]);
        du[problem_find(p, x[i])] = p->leaf[problem_find(p, u[i])].value;
        dw[problem_find(p, x[i])] = p->leaf[problem_find(p, w[i])].value;
    }
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0, a = 0; i < n; a += (int)count_of(x[i++]))
            for (int j = 0, b = 0; j < n; b += (int)count_of(x[j++]))
                for (int64_t k = 0; k < count_of(x[i]); k++)
                    for (int64_t l = 0; l < count_of(x[j]); l++) {
                        double entry = h[(r * size + a + k) * size + b + l];
                        double left = du[problem_find(p, x[i])][r * count_of(x[i]) + k];
                        double term = left * entry * dw[problem_find(p, x[j])][r * count_of(x[j]) + l];
                        cr_expect(entry == h[(r * size + b + l) * size + a + k], "%s: not symmetric", name);
                        sum += term;
                        scale += fabs(term);
                    }
    quad want;
    cr_assert(derivative_difference(p, E, NULL, both, 2, &want));
    cr_expect(derivative_error(sum, want, scale) <= 1e-10, "%s: off by %.3g", name, derivative_error(sum, want, scale));
    problem_free_results(&h, 1);
}

Test(jacobian, hessians_by_x_of_all_energies)
{
    for (int k = 0; k < energies_count; k++) {
        problem p;
        ad_var x, E = start(&p, &energies_all[k], &x);
        check_hessian(&p, energies_all[k].name, E, &x, 1);
        problem_end(&p);
    }
}

/* All parameters at once: the blocks between two of them are there, and the samples are added up. */
Test(jacobian, hessians_by_parameters_of_all_energies)
{
    for (int k = 0; k < energies_count; k++) {
        problem p;
        ad_var x, E = start(&p, &energies_all[k], &x), theta[PROBLEM_LEAVES];
        check_hessian(&p, energies_all[k].name, E, theta, parameters_of(&p, x, theta));
        problem_end(&p);
    }
}

Test(jacobian, diagonal_and_products_agree)
{
    for (int k = 0; k < energies_count; k++) {
        problem p;
        ad_var x, E = start(&p, &energies_all[k], &x), v = problem_like(&p, x);
        ad_var out[] = {ad_hessian(E, &x, 1), ad_hess_diag(E, x), ad_hvp(E, x, v)};
        double *got[3];
        const double *along = p.leaf[problem_find(&p, v)].value;
        int64_t d = energies_all[k].d, rows = p.leaf[0].size / d;
        cr_assert(problem_run(&p, out, 3, got), "%s: %s", energies_all[k].name, p.message);
        for (int64_t i = 0; i < rows * d; i++) {
            double sum = 0, scale = 1e-2;
            for (int64_t j = 0; j < d; j++) {
                double term = got[0][i * d + j] * along[i / d * d + j];
                sum += term, scale += fabs(term);
            }
            cr_expect(fabs(sum - got[2][i]) <= 1e-12 * scale, "%s: product %d", energies_all[k].name, (int)i);
            cr_expect(fabs(got[0][i * d + i % d] - got[1][i]) <= 1e-12 * scale, "%s: diagonal", energies_all[k].name);
        }
        problem_free_results(got, 3);
        problem_end(&p);
    }
}

/* ---- Lists of x ---- */

/* The columns are those of each x alone, in order; forward (y has many elements) and backward (few). */
Test(jacobian, lists_are_columns_side_by_side)
{
    for (int few = 0; few < 2; few++) {
        problem p;
        cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 3));
        ad_var x = problem_on(&p, p.data, ad_vec(3), -1, 1);
        ad_var W = problem_on(&p, problem_shared(&p), ad_mat(3, 4), -1, 1);
        ad_var b = problem_on(&p, problem_shared(&p), ad_vec(4), -1, 1), h = ad_tanh(ad_add(ad_matmul(x, W), b));
        ad_var outer = ad_matmul(ad_reshape(h, ad_mat(4, 1)), ad_reshape(ad_sin(h), ad_mat(1, 4)));
        ad_var y = few ? ad_slice(h, 0, 1, 2) : outer;
        ad_var out[] = {ad_jacobian(y, (ad_var[]){W, b}, 2), ad_jacobian(y, &W, 1), ad_jacobian(y, &b, 1)};
        double *got[3];
        cr_assert(problem_run(&p, out, 3, got), "%s %s", ad_tape_message(p.tape), p.message);
        int64_t m = few ? 2 : 16;
        for (int64_t r = 0; r < DATA_ROWS * m; r++)
            for (int64_t k = 0; k < 16; k++)
                cr_expect_float_eq(got[0][r * 16 + k], k < 12 ? got[1][r * 12 + k] : got[2][r * 4 + k - 12], 1e-14);
        problem_free_results(got, 3);
        problem_end(&p);
    }
}

/* ---- Derivatives of these derivatives, to three more orders ---- */

static void expect_differentiable(const char *name, problem *p, ad_var y, unsigned active)
{
    derivative_errors e;
    cr_assert(derivative_check(p, y, active, &e), "%s: %s %s", name, ad_tape_message(p->tape), p->message);
    cr_expect(e.value <= 1e-12 && e.first <= 1e-11 && e.second <= 1e-9 && e.third <= 1e-7,
              "%s: value %.3g, first %.3g, second %.3g, third %.3g", name, e.value, e.first, e.second, e.third);
    cr_expect(e.forward <= 1e-9 && e.transpose <= 1e-11, "%s: forward %.3g, transpose %.3g", name, e.forward,
              e.transpose);
}

Test(jacobian, derivatives_of_jacobians)
{
    for (int k = 0; k < energies_count; k++) {
        problem p;
        ad_var x, E = start(&p, &energies_all[k], &x);
        if (strstr(energies_all[k].name, "user") || energies_all[k].shared) { /* three orders of it are not recorded */
            problem_end(&p);
            continue;
        }
        expect_differentiable(energies_all[k].name, &p, ad_jacobian(E, &x, 1), 3);
        problem_end(&p);
        E = start(&p, &energies_all[k], &x);
        ad_var theta[PROBLEM_LEAVES], own;
        parameters_of(&p, x, theta);
        cr_assert_eq(ad_grad_per_sample(E, theta, 1, &own), GIBBS_OK);
        expect_differentiable(energies_all[k].name, &p, own, 3);
        problem_end(&p);
    }
}

/* ---- Each sample's own gradient ---- */

/* Its sum is ad_grad's; its rows are those of runs with that sample alone. */
static void check_own(const energy *e)
{
    problem p;
    ad_var x, theta[PROBLEM_LEAVES], out[2 * PROBLEM_LEAVES];
    double *all[2 * PROBLEM_LEAVES], *one[PROBLEM_LEAVES];
    ad_var E = start(&p, e, &x);
    int n = parameters_of(&p, x, theta);
    cr_assert_eq(ad_grad_per_sample(E, theta, n, out), GIBBS_OK, "%s: %s", e->name, ad_tape_message(p.tape));
    ad_grad(E, theta, n, out + n);
    cr_assert(problem_run(&p, out, 2 * n, all), "%s: %s", e->name, p.message);
    double *points = p.leaf[0].value;
    p.rows[p.data.id] = 1;
    p.leaf[0].size = e->d;
    for (int64_t r = 0; r < DATA_ROWS; r++) {
        p.leaf[0].value = points + r * e->d;
        cr_assert(problem_run(&p, out + n, n, one));
        for (int i = 0; i < n; i++)
            for (int64_t k = 0, size = count_of(theta[i]); k < size; k++) {
                double own = all[i][r * size + k];
                cr_expect(fabs(own - one[i][k]) <= 1e-13 * fmax(1, fabs(own)), "%s: %g, alone %g", e->name, own,
                          one[i][k]);
                all[n + i][k] -= own;
            }
        problem_free_results(one, n);
    }
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < count_of(theta[i]); k++)
            cr_expect(fabs(all[n + i][k]) <= 1e-12, "%s: %g is left of the sum", e->name, all[n + i][k]);
    p.leaf[0].value = points;
    problem_free_results(all, 2 * n);
    problem_end(&p);
}

Test(jacobian, own_gradients_of_all_energies)
{
    for (int k = 0; k < energies_count; k++)
        if (!energies_all[k].shared) check_own(&energies_all[k]);
}

/* Where samples meet, the whole derivative of each: s = Σₘ xₘ·θ, yₙ = s² xₙ·θ. */
Test(jacobian, own_gradients_through_reductions)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 3));
    ad_var x = problem_on(&p, p.data, ad_vec(2), -1, 1), own;
    ad_var theta = problem_on(&p, problem_shared(&p), ad_vec(2), -1, 1);
    ad_var score = ad_dot(x, theta), y = ad_mul(ad_square(ad_batch_sum(p.data, score)), score);
    cr_assert_eq(ad_grad_per_sample(y, &theta, 1, &own), GIBBS_OK);
    double *got, s = 0, total[2] = {0};
    cr_assert(problem_run(&p, &own, 1, &got), "%s", p.message);
    const double *at = p.leaf[0].value, *t = p.leaf[1].value;
    for (int r = 0; r < DATA_ROWS; r++)
        for (int i = 0; i < 2; i++) s += at[2 * r + i] * t[i], total[i] += at[2 * r + i];
    for (int r = 0; r < DATA_ROWS; r++) {
        double z = at[2 * r] * t[0] + at[2 * r + 1] * t[1];
        for (int i = 0; i < 2; i++)
            cr_expect_float_eq(got[2 * r + i], 2 * s * z * total[i] + s * s * at[2 * r + i], 1e-13);
    }
    problem_free_results(&got, 1);
    problem_end(&p);
}

/* A user's op with a shared argument: its recorded derivative by θ itself is added up, by a lifted θ it is not. */
Test(jacobian, own_gradients_through_user_ops)
{
    double *got[2];
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 3));
    ad_var x = problem_on(&p, p.data, ad_vec(3), -1, 1), theta = problem_on(&p, problem_shared(&p), ad_vec(3), -1, 1);
    ad_var out[2], plain = ad_sum(ad_user(&user_wave, (ad_var[]){x, theta}));
    ad_var lifted = ad_sum(ad_user(&user_wave, (ad_var[]){x, ad_lift(p.data, theta)}));
    ad_grad_per_sample(plain, &theta, 1, &out[0]);
    ad_grad_per_sample(lifted, &theta, 1, &out[1]);
    cr_assert(problem_run(&p, out, 2, got), "%s %s", ad_tape_message(p.tape), p.message);
    for (int i = 0; i < 3 * DATA_ROWS; i++)
        for (int k = 0; k < 2; k++) /* a² sin b */
            cr_expect_float_eq(got[k][i], p.leaf[0].value[i] * p.leaf[0].value[i] * cos(p.leaf[1].value[i % 3]), 1e-14);
    problem_free_results(got, 2);
    problem_end(&p);
}

/* The memory note: the gradient of each sample costs the products of the summed one, not one of its own each. */
Test(jacobian, own_gradients_keep_the_shared_products)
{
    double flops[2];
    for (int own = 0; own < 2; own++) {
        ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
        ad_axis data = ad_axis_new(tape, "data");
        ad_var x = ad_input(data, "x", ad_vec(8)), z = x, W[2], g[2];
        for (int k = 0; k < 2; k++) z = ad_tanh(ad_matmul(z, W[k] = ad_parameter(tape, "W", ad_mat(8, 8))));
        ad_plan *plan;
        if (own) ad_grad_per_sample(ad_sum(z), W, 2, g);
        else ad_grad(ad_sum(z), W, 2, g);
        if (own)
            for (int k = 0; k < 2; k++) g[k] = ad_batch_sum(data, ad_square(g[k]));
        cr_assert_eq(ad_compile(g, 2, NULL, &plan, NULL), GIBBS_OK, "%s", ad_tape_message(tape));
        flops[own] = ad_plan_describe(plan).gemm_flops_per_row;
        ad_plan_free(plan);
        ad_tape_free(tape);
    }
    /* forward and backward 3 × 128; the summed gradient's outer products are 2 × 128 more */
    cr_expect_float_eq(flops[0], 5 * 128, 0.5);
    cr_expect_leq(flops[1], 3 * 128 + 0.5, "%g", flops[1]);
}

/* ---- A fold that once went wrong here ---- */

/* A unit matrix that was reshaped is no factor 1: [4,1]·[1,3] has rows 1, 0, 0, 1. */
Test(jacobian, reshaped_unit_matrix_is_no_unit)
{
    problem p;
    double *got;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 3));
    ad_var b = problem_on(&p, problem_shared(&p), ad_mat(1, 3), -1, 1);
    ad_var eye = ad_constant_array(p.tape, ad_mat(2, 2), (double[]){1, 0, 0, 1});
    ad_var y = ad_matmul(ad_reshape(eye, ad_mat(4, 1)), b);
    cr_assert(!ad_is_null(y) && problem_run(&p, &y, 1, &got), "%s %s", ad_tape_message(p.tape), p.message);
    for (int i = 0; i < 12; i++)
        cr_expect_float_eq(got[i], i / 3 == 0 || i / 3 == 3 ? p.leaf[0].value[i % 3] : 0, 0);
    problem_free_results(&got, 1);
    problem_end(&p);
}

/* A user's op of shared values alone, whose result every sample reads: y = x·(θ³), each sample's gradient is x∘3θ². */
Test(jacobian, users_ops_of_shared_values)
{
    problem p;
    double *got[2];
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 3));
    ad_var x = problem_on(&p, p.data, ad_vec(USER_SIZE), -1, 1);
    ad_var theta = problem_on(&p, problem_shared(&p), ad_vec(USER_SIZE), -1, 1), out[2];
    ad_var y = ad_dot(x, ad_user(&user_cube, &theta));
    ad_grad_per_sample(y, &theta, 1, &out[0]);
    out[1] = ad_jacobian(y, &theta, 1);
    cr_assert(problem_run(&p, out, 2, got), "%s %s", ad_tape_message(p.tape), p.message);
    for (int k = 0; k < 2; k++)
        for (int e = 0; e < DATA_ROWS * USER_SIZE; e++) {
            double at = p.leaf[1].value[e % USER_SIZE], want = p.leaf[0].value[e] * 3 * at * at;
            cr_expect_float_eq(got[k][e], want, 1e-14, "%d, %d: %g, not %g", k, e, got[k][e], want);
        }
    problem_free_results(got, 2);
    problem_end(&p);
}
