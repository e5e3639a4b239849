/* ad_divergence: against the trace of the Jacobian, against closed forms, through three more orders, and at kinks and
 * jumps by the identity ∫ div(pv) = 0 that a refused field breaks. */
#include "support/derivative.h"
#include "support/energies.h"
#include "support/jacobian.h"

#include <criterion/criterion.h>
#include <math.h>

enum { D = 3 };

static ad_var parameter(problem *p, ad_shape shape) { return problem_on(p, problem_shared(p), shape, -1, 1); }

static ad_var network(problem *p, ad_var x)
{
    ad_var W = parameter(p, ad_mat(D, 5)), V = parameter(p, ad_mat(5, D));
    return ad_matmul(ad_tanh(ad_matmul(x, W)), V);
}
static ad_var elementwise(problem *p, ad_var x) { return ad_mul(ad_sin(x), parameter(p, ad_vec(D))); }
static ad_var itself(problem *p, ad_var x) { return (void)p, x; }
static ad_var constant(problem *p, ad_var x)
{
    return ad_lift(p->data, ad_constant_array(x.tape, ad_vec(D), (double[]){1, 2, 3}));
}
static ad_var kinked(problem *p, ad_var x)
{
    return ad_add(ad_relu(ad_matmul(x, parameter(p, ad_mat(D, D)))), ad_abs(x));
}
static ad_var both(problem *p, ad_var x)
{
    ad_var joined = ad_concat(ad_slice(x, 0, 1, 2), network(p, x), 0);
    return ad_slice(ad_mul(ad_max_reduce(x), joined), 0, 1, D);
}
static ad_var score(problem *p, ad_var x) /* −∇E of a quartic */
{
    ad_var g;
    ad_grad(ad_add(ad_sum(ad_square(ad_square(x))), ad_logsumexp(network(p, x))), &x, 1, &g);
    return ad_neg(g);
}

static const struct field {
    const char *name;
    ad_var (*record)(problem *p, ad_var x);
    bool smooth;
} fields[] = {{"network", network, true}, {"elementwise", elementwise, true}, {"itself", itself, true},
              {"constant", constant, true}, {"kinked", kinked, false}, {"kinks and slices", both, false},
              {"score", score, true}};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static ad_var start(problem *p, const struct field *f, gibbs_dtype dtype, bool shared, ad_var *x)
{
    cr_assert(problem_start(p, dtype, 0, 5));
    *x = problem_on(p, shared ? problem_shared(p) : p->data, ad_vec(D), -1, 1);
    return f->record(p, *x);
}

Test(divergence, is_the_trace_of_the_jacobian)
{
    for (int k = 0; k < FIELDS; k++)
        for (int shared = 0; shared < 2; shared++) {
            problem p;
            double *got[2], error, across;
            ad_var x, v = start(&p, &fields[k], GIBBS_FLOAT64, shared, &x);
            ad_var out[] = {ad_divergence(v, x), ad_jacobian(v, &x, 1)};
            cr_assert(problem_run(&p, out, 2, got), "%s: %s %s", fields[k].name, ad_tape_message(p.tape), p.message);
            cr_assert(jacobian_check(&p, v, x, out[1], &error, &across));
            cr_expect(error <= 1e-12, "%s: %g", fields[k].name, error);
            for (int r = 0; r < (ad_is_shared(out[0]) ? 1 : DATA_ROWS); r++) {
                double trace = 0;
                for (int i = 0; i < D; i++) trace += got[1][(r * D + i) * D + i];
                cr_expect(fabs(got[0][r] - trace) <= 1e-13 * fmax(1, fabs(trace)), "%s: %.15g, trace %.15g",
                          fields[k].name, got[0][r], trace);
            }
            problem_free_results(got, 2);
            problem_end(&p);
        }
}

Test(divergence, has_derivatives_of_three_orders)
{
    for (int k = 0; k < FIELDS; k++) {
        problem p;
        derivative_errors e;
        ad_var x, v = start(&p, &fields[k], GIBBS_FLOAT64, false, &x), div = ad_divergence(v, x);
        if (!fields[k].smooth) {
            problem_end(&p);
            continue;
        }
        cr_assert(derivative_check(&p, div, p.leaves > 1 ? 3 : 1, &e), "%s: %s %s", fields[k].name,
                  ad_tape_message(p.tape), p.message);
        cr_expect(e.value <= 1e-12 && e.first <= 1e-11 && e.second <= 1e-9 && e.third <= 1e-7,
                  "%s: value %.3g, first %.3g, second %.3g, third %.3g", fields[k].name, e.value, e.first, e.second,
                  e.third);
        problem_end(&p);
    }
}

/* div ∇E is the Laplacian, which another mechanism makes. */
Test(divergence, of_a_gradient_is_the_laplacian)
{
    for (int k = 0; k < energies_count; k++) {
        const energy *e = &energies_all[k];
        problem p;
        double *got[2];
        cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 7));
        ad_var x = problem_on(&p, e->shared ? problem_shared(&p) : p.data, ad_vec(e->d), -1, 1), g;
        ad_var E = e->record(&p, x), out[2];
        ad_grad(E, &x, 1, &g);
        out[0] = ad_divergence(g, x);
        out[1] = ad_laplacian(E, x);
        cr_assert(problem_run(&p, out, 2, got), "%s: %s %s", e->name, ad_tape_message(p.tape), p.message);
        for (int r = 0; r < (e->shared ? 1 : DATA_ROWS); r++)
            cr_expect(fabs(got[0][r] - got[1][r]) <= 1e-11 * fmax(1, fabs(got[1][r])), "%s: %.15g, not %.15g", e->name,
                      got[0][r], got[1][r]);
        problem_free_results(got, 2);
        problem_end(&p);
    }
}

Test(divergence, in_single_precision)
{
    for (int k = 0; k < FIELDS; k++) {
        double *got[2];
        for (int dtype = 0; dtype < 2; dtype++) {
            problem p;
            ad_var x, v = start(&p, &fields[k], (gibbs_dtype)dtype, false, &x), div = ad_divergence(v, x);
            cr_assert(problem_run(&p, &div, 1, &got[dtype]), "%s: %s %s", fields[k].name, ad_tape_message(p.tape),
                      p.message);
            problem_end(&p);
        }
        for (int r = 0; r < DATA_ROWS; r++)
            cr_expect_float_eq(got[0][r], got[1][r], 2e-5 * fmax(1, fabs(got[1][r])), "%s", fields[k].name);
        problem_free_results(got, 2);
    }
}

/* ---- Why jumps are refused and kinks are not: ∫ p (s v + v′) dx = 0, s = (log p)′, p normal, on a grid ---- */

typedef ad_var (*line)(ad_var x);
static ad_var kink(ad_var x) { return ad_relu(ad_sub(x, ad_constant(x.tape, 0.3))); }
static ad_var jump(ad_var x) { return ad_step(ad_sub(x, ad_constant(x.tape, 0.3))); }

static double stein_identity(line v)
{
    enum { POINTS = 4001 };
    static double at[POINTS];
    for (int i = 0; i < POINTS; i++) at[i] = -8 + 16.0 * i / (POINTS - 1);
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(tape, "data");
    ad_var x = ad_input(data, "x", ad_vec(1)), f = v(x), p = ad_sum(ad_exp(ad_scale(ad_square(x), -0.5)));
    ad_var term = ad_mul(p, ad_sub(ad_divergence_almost_everywhere(f, x), ad_dot(x, f)));
    ad_var mean = ad_scale(ad_batch_sum(data, term), 16.0 / (POINTS - 1) / sqrt(2 * M_PI));
    ad_plan *plan;
    ad_workspace *w;
    cr_assert(!ad_compile(&mean, 1, NULL, &plan, NULL) && !ad_workspace_new(plan, &w, NULL), "%s",
              ad_tape_message(tape));
    cr_assert(!ad_bind(w, x, at, NULL) && !ad_set_rows(w, data, POINTS, NULL) && !ad_run(w, NULL, NULL));
    double result = ad_result_scalar(w, 0);
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(tape);
    return result;
}

Test(divergence, kinks_keep_the_stein_identity_and_jumps_do_not)
{
    cr_expect_float_eq(stein_identity(kink), 0, 2e-3);
    /* −∫ x p over x > 0.3 is −p(0.3): the surface term is missing */
    cr_expect_float_eq(stein_identity(jump), -exp(-0.045) / sqrt(2 * M_PI), 2e-3);
}
