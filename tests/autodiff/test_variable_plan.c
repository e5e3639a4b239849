/* Compiling takes variables away: of a program with variables everywhere it makes the very nodes that the program has
 * without, so that they cost nothing in a run; and where there are none it records nothing. */
#include "autodiff/op/op.h"
#include "autodiff/plan/plan.h"
#include "random_graph.h"
#include "support/alloc.h"

enum { OPS = 40, PROGRAMS = 40 };

/* One program, without gradients, twice on one tape: with variables of about half of its values, and without. */
static ad_var grow(graph *g, uint64_t seed, bool variables)
{
    static ad_var (*const f[])(graph *, ad_var) = {do_unary,   do_unary,   do_binary,  do_binary, do_reduction,
                                                   do_batch,   do_permute, do_reshape, do_cut,    do_expand,
                                                   do_indexed, do_axes,    do_matmul};
    g->seed = seed;
    for (int k = 0; k < OPS; k++) {
        ad_var v = f[roll(g, LENGTH(f))](g, any(g));
        bool chosen = roll(g, 2);
        keep(g, chosen && variables && !ad_is_null(v) ? ad_variable(v) : v);
    }
    ad_var y = ad_constant(g->tape, 0);
    for (int k = 0; k < g->size; k++) {
        ad_var v = ad_sum(g->pool[k]);
        if (!ad_is_shared(v)) v = ad_batch_mean(ad_axis_of(v), v);
        y = ad_add(y, v);
    }
    return y;
}

Test(variable_plan, the_nodes_are_those_without)
{
    int64_t found = 0;
    for (uint64_t seed = 1; seed <= PROGRAMS * test_times(); seed++) {
        graph g = graph_new(GIBBS_FLOAT64, seed), bare = g;
        gibbs_error error = {.status = GIBBS_OK};
        ad_var with = grow(&g, seed, true), without = grow(&bare, seed, false), erased = with;
        cr_assert_eq(ad_tape_status(g.tape), GIBBS_OK, "%s", ad_tape_message(g.tape));
        cr_assert_eq(ad_erase_variables(&erased, 1, &error), GIBBS_OK, "%s", error.message);
        cr_expect_eq(erased.id, without.id, "program %d: node %d, without variables %d", (int)seed, erased.id,
                     without.id);
        found += with.id != without.id;
        ad_tape_free(g.tape);
    }
    cr_assert_gt(found, PROGRAMS / 2);
}

/* ---- Derivatives by a variable ---- */

static ad_var energy(ad_var x, ad_var W)
{
    return ad_add(ad_sum(ad_softplus(ad_matmul(x, W))), ad_scale(ad_sum(ad_square(x)), 0.5));
}

typedef struct scene {
    ad_tape *tape;
    ad_axis data;
    ad_var x, W, out[3];
} scene;

/* ½|∇E|² − ∇²E at the point that is x + noise, a variable or not, with its gradient by W. (Not to be had through the
 * public functions: without a variable, the substitute of a leaf.) */
static scene record(bool variable)
{
    scene s = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    s.data = ad_axis_new(s.tape, "data");
    s.x = ad_input(s.data, "x", ad_vec(3));
    s.W = ad_parameter(s.tape, "W", ad_mat(3, 8));
    ad_var noisy = ad_add(s.x, ad_normal(s.data, ad_vec(3), 1)), at, slope;
    at = variable ? ad_variable(noisy) : ad_input(s.data, "at", ad_vec(3));
    ad_var E = energy(at, s.W);
    ad_grad(E, &at, 1, &slope);
    ad_var score = ad_sub(ad_scale(ad_sum(ad_square(slope)), 0.5), ad_laplacian(E, at));
    s.out[0] = ad_batch_mean(s.data, score);
    ad_grad(s.out[0], &s.W, 1, &s.out[1]);
    s.out[2] = slope;
    for (int k = 0; k < 3 && !variable; k++) s.out[k] = ad_substitute(s.out[k], &at, &noisy, 1);
    return s;
}

Test(variable_plan, instructions_and_bits_are_those_without)
{
    enum { ROWS = 50 };
    double *x = random_numbers(ROWS * 3, 1), *W = random_numbers(24, 2);
    scene s[2] = {record(false), record(true)};
    runner r[2];
    for (int k = 0; k < 2; k++) {
        r[k] = runner_new(s[k].out, 3, 0);
        bind(r[k], s[k].x, x), bind(r[k], s[k].W, W), set_rows(r[k], s[k].data, ROWS);
        run(r[k]);
    }
    ad_plan_info a = ad_plan_describe(r[0].plan), b = ad_plan_describe(r[1].plan);
    cr_expect(a.instructions == b.instructions && a.stages == b.stages && a.gemm_flops_per_row == b.gemm_flops_per_row,
              "%d instructions, without variables %d", b.instructions, a.instructions);
    const int64_t numbers[] = {1, 24, ROWS * 3};
    for (int k = 0; k < 3; k++)
        cr_expect(!memcmp(ad_result(r[0].w, k), ad_result(r[1].w, k), (size_t)numbers[k] * sizeof(double)), "%d", k);
    for (int k = 0; k < 2; k++) runner_free(r[k]), ad_tape_free(s[k].tape);
    free(x), free(W);
}

/* ---- The tape ---- */

Test(variable_plan, what_is_recorded)
{
    scene s[2] = {record(false), record(true)};
    for (int k = 0; k < 2; k++) {
        int64_t size[3] = {ad_tape_size(s[k].tape)};
        for (int again = 1; again < 3; again++) {
            runner_free(runner_new(s[k].out, 3, 0));
            size[again] = ad_tape_size(s[k].tape);
        }
        cr_expect_eq(size[1] > size[0], k, "%s variables", k ? "with" : "no");
        cr_expect_eq(size[2], size[1], "compiling again records nothing");
        ad_tape_free(s[k].tape);
    }
}

/* Outputs that are variables, of a leaf and of a constant; and a pair that is carried. */
Test(variable_plan, outputs_and_carried_pairs)
{
    enum { ROWS = 5 };
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(tape, "data");
    ad_var x = ad_input(data, "x", ad_vec(2)), v = ad_variable(x), g;
    ad_grad(ad_sum(ad_square(v)), &v, 1, &g);
    ad_var out[] = {ad_variable(ad_sub(v, ad_scale(g, 0.25))), ad_variable(ad_constant(tape, 7)), v};
    runner r = runner_with(out, 3, &(ad_plan_options){.carry = &(ad_carry){0, x}, .carries = 1});
    double *start = random_numbers(2 * ROWS, 1);
    bind(r, x, start), set_rows(r, data, ROWS);
    run_with(r, (ad_run_options){.repeat = 3});
    for (int i = 0; i < 2 * ROWS; i++) {
        cr_expect_eq(ad_result_f64(r.w, 0)[i], start[i] / 8);
        cr_expect_eq(ad_result_f64(r.w, 2)[i], start[i] / 4);
    }
    cr_expect_eq(ad_result_scalar(r.w, 1), 7);
    free(start);
    runner_free(r);
    ad_tape_free(tape);
}

/* What is the same for all samples is computed once again. */
Test(variable_plan, hoisting_comes_back)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(tape, "data");
    ad_var w = ad_parameter(tape, "w", ad_vec(4)), x = ad_input(data, "x", ad_vec(4));
    ad_var v = ad_variable(ad_lift(data, w)), y = ad_dot(ad_exp(ad_sin(v)), x);
    cr_expect(!ad_is_shared(ad_sin(v)));
    ad_var erased = y, plain = ad_dot(ad_exp(ad_sin(w)), x);
    gibbs_error error;
    cr_assert_eq(ad_erase_variables(&erased, 1, &error), GIBBS_OK);
    cr_expect_eq(erased.id, plain.id);
    ad_tape_free(tape);
}

/* An overflow that has no weight does no harm, also where it is known only now. */
Test(variable_plan, a_known_overflow_without_weight_is_zero)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var w = ad_parameter(tape, "w", ad_scalar()), v = ad_variable(ad_constant(tape, 1000)), d;
    ad_grad(ad_mul(w, ad_exp(v)), &v, 1, &d);
    runner r = runner_new(&d, 1, 0);
    double zero = 0;
    bind(r, w, &zero);
    run(r);
    cr_expect_eq(ad_result_scalar(r.w, 0), 0);
    runner_free(r);
    ad_tape_free(tape);
}

/* Without memory compiling fails, the tape has no error, and compiling again goes well. */
Test(variable_plan, memory)
{
    int64_t total = 1;
    for (int64_t at = 1; at <= total; at++) {
        counting_alloc count = {0};
        gibbs_allocator allocator = counting_allocator(&count);
        gibbs_error error;
        ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, &allocator);
        ad_var w = ad_parameter(tape, "w", ad_mat(3, 3)), v = ad_variable(ad_sin(w)), d;
        for (int k = 0; k < 60; k++) w = ad_shift(ad_cos(ad_mul(v, w)), k);
        ad_grad(ad_sum(w), &v, 1, &d);
        int64_t before = count.calls;
        ad_plan *plan;
        count.fail_at = at < total || at > 1 ? before + at : 0;
        gibbs_status status = ad_compile(&d, 1, NULL, &plan, &error);
        if (!count.fail_at) total = count.calls - before, at = 0;
        cr_expect_eq(status, count.fail_at ? GIBBS_MEMORY : GIBBS_OK, "allocation %d: %s", (int)at, error.message);
        cr_expect_eq(ad_tape_status(tape), GIBBS_OK);
        ad_plan_free(plan);
        count.fail_at = 0;
        cr_assert_eq(ad_compile(&d, 1, NULL, &plan, &error), GIBBS_OK, "%s", error.message);
        ad_plan_free(plan);
        ad_tape_free(tape);
        cr_expect_eq(count.live, 0);
    }
    cr_expect_gt(total, 10);
}
