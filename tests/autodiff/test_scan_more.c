/* Scans: draws that differ by step, lengths, values computed again, branches that are not taken. */
#include "scan_bodies.h"

/* ---- Draws ---- */

typedef struct walk {
    ad_axis data;
    ad_var scale;
} walk;

/* A random walk whose steps are written. */
static void random_step(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const walk *w = context;
    out[0] = ad_normal(w->data, ad_vec(2), 3);
    out[1] = ad_uniform(w->data, ad_scalar(), 4);
    next[0] = ad_add(ad_scale(s[0], 0.5), ad_mul(ad_mul(out[0], out[1]), w->scale));
    (void)x;
}

enum { STEPS = 7, ROWS = 4000 }; /* in segments two of three steps, and one more */

typedef struct walked {
    ad_tape *tape;
    ad_axis data;
    ad_var scale, last, out[2], slope;
} walked;

static walked walk_new(int64_t store_bytes, int reverse)
{
    walked w = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    w.data = ad_axis_new(w.tape, "data");
    w.scale = ad_parameter(w.tape, "scale", ad_scalar());
    walk c = {w.data, w.scale};
    ad_var zero = ad_expand(ad_constant(w.tape, 0), ad_vec(2));
    ad_scan_spec spec = {.steps = STEPS, .state = &zero, .states = 1, .outputs = 2, .reverse = reverse,
                         .store_bytes = store_bytes, .body = random_step, .context = &c};
    record_scan(&spec, &w.last, w.out);
    ad_grad(ad_batch_sum(w.data, ad_sum(ad_square(w.last))), &w.scale, 1, &w.slope);
    return w;
}

static runner walk_run(const walked *w, int threads, const double *scale)
{
    ad_var y[4] = {w->last, w->out[0], w->out[1], w->slope};
    runner r = runner_new(y, 4, 0);
    bind(r, w->scale, scale);
    set_rows(r, w->data, ROWS);
    run_with(r, (ad_run_options){.seed = 8, .threads = threads});
    return r;
}

Test(scan_more, draws_differ_by_step_and_are_those_of_their_law)
{
    double scale = 1;
    walked w = walk_new(0, 0);
    runner r = walk_run(&w, 1, &scale);
    const double *z = ad_result_f64(r.w, 1), *u = ad_result_f64(r.w, 2);
    for (int s = 0; s < STEPS; s++)
        for (int t = 0; t <= s; t++) {
            double zz = 0, uu = 0;
            for (int64_t n = 0; n < ROWS; n++) {
                for (int e = 0; e < 2; e++) zz += z[(n * STEPS + s) * 2 + e] * z[(n * STEPS + t) * 2 + e] / (2 * ROWS);
                uu += (u[n * STEPS + s] - 0.5) * (u[n * STEPS + t] - 0.5) * 12 / ROWS;
            }
            cr_expect_float_eq(zz, s == t, 0.08, "normal, steps %d and %d: %g", s, t, zz);
            cr_expect_float_eq(uu, s == t, 0.08, "uniform, steps %d and %d: %g", s, t, uu);
        }
    runner_free(r);
    ad_tape_free(w.tape);
}

/* By any number of threads; and the backward loop sees what the forward one drew, be it drawn again. */
static void compare_draws(int reverse)
{
    double scale = 1.25, total = 0;
    walked w = walk_new(0, reverse), again = walk_new(1, reverse);
    runner one = walk_run(&w, 1, &scale), three = walk_run(&w, 3, &scale), drawn = walk_run(&again, 2, &scale);
    const double *last = ad_result_f64(one.w, 0);
    for (int k = 0; k < 3; k++) {
        int64_t n = ROWS * (int64_t[]){2, 2 * STEPS, STEPS}[k];
        cr_expect(!memcmp(ad_result(one.w, k), ad_result(three.w, k), (size_t)n * sizeof(double)));
        cr_expect(!memcmp(ad_result(one.w, k), ad_result(drawn.w, k), (size_t)n * sizeof(double)));
    }
    for (int64_t i = 0; i < 2 * ROWS; i++) total += 2 * last[i] * last[i] / scale; /* last is linear in scale */
    cr_expect_float_eq(ad_result_scalar(one.w, 3), total, 1e-9 * total);
    cr_expect_float_eq(ad_result_scalar(drawn.w, 3), total, 1e-9 * total);
    runner_free(one), runner_free(three), runner_free(drawn);
    ad_tape_free(w.tape), ad_tape_free(again.tape);
}

Test(scan_more, draws_are_the_same_for_threads_and_derivatives)
{
    compare_draws(0);
    compare_draws(1);
}

/* ---- Lengths ---- */

/* Values and gradients by all leaves, of a loop of LONG steps that runs `length`, or of one that has so many. */
enum { LONG = 7 };

static void record_length(program *p, const body_row *row, int kinds, int64_t steps, ad_var *length, bool reverse,
                          ad_var *y)
{
    program_begin(p, GIBBS_FLOAT64, LONG, kinds);
    ad_var used[4] = {p->leaf[0], p->leaf[1]};
    for (int k = 2; k < 4; k++) used[k] = ad_slice(p->leaf[k], 0, 0, steps);
    p->spec = (ad_scan_spec){.steps = steps, .state = used, .states = 2, .input = used + 2, .inputs = 2, .outputs = 2,
                             .reverse = reverse, .body = row->body, .context = p};
    if (length) p->spec.length = *length = ad_parameter(p->tape, "length", ad_scalar());
    record_scan(&p->spec, p->last, p->out);
    ad_var sum = ad_constant(p->tape, 0);
    for (int k = 0; k < 2; k++) sum = ad_add(sum, ad_add(ad_sum(ad_sin(p->last[k])), ad_sum(ad_square(p->out[k]))));
    if (!ad_is_shared(sum)) sum = ad_batch_sum(p->data, sum);
    ad_grad(sum, p->leaf, p->leaves, y);
    y[p->leaves] = sum;
}

static void check_length(const body_row *row, int kinds, int64_t length, bool reverse)
{
    program p, fixed;
    ad_var y[MOST + 1], want[MOST + 1], var;
    double number = (double)length;
    record_length(&p, row, kinds, LONG, &var, reverse, y);
    record_length(&fixed, row, kinds, length < LONG ? length : LONG, NULL, reverse, want);
    int k = p.leaves++;
    p.leaf[k] = var;
    runner r = runner_new(y, k + 1, 0), f = runner_new(want, k + 1, 0);
    for (int i = 0; i < k; i++) {
        double *x = random_numbers(numbers_of(&p, p.leaf[i], 3), 40 + (uint64_t)i);
        bind(r, p.leaf[i], x);
        bind(f, fixed.leaf[i], x);
    }
    bind(r, var, &number);
    set_rows(r, p.data, 3), set_rows(f, fixed.data, 3);
    run(r), run(f);
    for (int i = 0; i <= k; i++)
        expect_close(r, i, GIBBS_FLOAT64, ad_result_f64(f.w, i), numbers_of(&fixed, want[i], 3), 1e-11, row->name);
    runner_free(r), runner_free(f);
    ad_tape_free(p.tape), ad_tape_free(fixed.tape);
}

Test(scan_more, a_length_takes_no_new_plan)
{
    for (int b = 0; b < LENGTH(bodies); b++)
        for (int kinds = 0; kinds < 128; kinds += 127)
            for (int64_t length = 1; length <= LONG + 1; length += 2) {
                check_length(&bodies[b], kinds, length, false);
                check_length(&bodies[b], kinds, length, true);
            }
}

/* What is wide is written where it is stored, each sample's steps together. */
static void wide_step(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)x, (void)context;
    next[0] = ad_shift(s[0], 1);
    out[0] = ad_scale(next[0], 2);
}

Test(scan_more, wide_results_of_steps_that_are_not_run_are_0)
{
    enum { WIDTH = 40, R = 5 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var s = ad_input(data, "s", ad_vec(WIDTH)), n = ad_parameter(t, "n", ad_scalar()), y[2];
    double first[R * WIDTH] = {0}, length = 4;
    ad_scan_spec spec = {.steps = LONG, .state = &s, .states = 1, .outputs = 1, .length = n, .body = wide_step};
    record_scan(&spec, &y[0], &y[1]);
    runner r = runner_new(y, 2, 0);
    bind(r, s, first), bind(r, n, &length);
    set_rows(r, data, R);
    for (int again = 0; again < 2; again++, length = 2) {
        run(r);
        for (int i = 0; i < R * LONG * WIDTH; i++) {
            int t_of = i / WIDTH % LONG;
            cr_assert_eq(ad_result_f64(r.w, 1)[i], t_of < length ? 2 * (t_of + 1) : 0, "number %d", i);
        }
    }
    runner_free(r);
    ad_tape_free(t);
}

static void grow(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)context;
    next[0] = ad_add(s[0], x[0]);
    out[0] = next[0];
}

Test(scan_more, what_is_no_length_is_told)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    double x[3] = {1, 2, 4}, length = 2;
    ad_var in = ad_parameter(t, "x", ad_vec(3)), zero = ad_constant(t, 0), n = ad_parameter(t, "n", ad_scalar()), y[2];
    ad_scan_spec spec = {.steps = 3, .state = &zero, .states = 1, .input = &in, .inputs = 1, .outputs = 1, .length = n,
                         .body = grow};
    record_scan(&spec, &y[0], &y[1]);
    runner r = runner_new(y, 2, 0);
    bind(r, in, x), bind(r, n, &length);
    run(r);
    cr_expect_eq(ad_result_f64(r.w, 0)[0], 3);
    cr_expect(ad_result_f64(r.w, 1)[0] == 1 && ad_result_f64(r.w, 1)[1] == 3 && ad_result_f64(r.w, 1)[2] == 0);
    static const double bad[] = {0, -1, 1.5, NAN, -INFINITY};
    for (int k = 0; k < LENGTH(bad); k++) {
        gibbs_error error;
        length = bad[k];
        cr_expect_eq(ad_run(r.w, NULL, &error), GIBBS_DATA);
        cr_expect(strstr(error.message, "no whole number from 1"), "%s", error.message);
    }
    runner_free(r);
    ad_tape_free(t);
}

/* Hamiltonian dynamics of a double well, whose slope is taken in the body: by leapfrog steps, of any number. */
static void leapfrog(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    double h = *(double *)context;
    ad_var g[2], half;
    (void)x, (void)out;
    for (int k = 0; k < 2; k++) {
        ad_var q = k ? ad_variable(next[0]) : s[0];
        ad_grad(ad_square(ad_shift(ad_square(q), -1)), &q, 1, &g[k]);
        if (k == 0) half = ad_sub(s[1], ad_scale(g[0], h / 2)), next[0] = ad_add(s[0], ad_scale(half, h));
    }
    next[1] = ad_sub(half, ad_scale(g[1], h / 2));
}

Test(scan_more, trajectories_of_any_length_are_of_one_plan)
{
    enum { R = 4, MOST_STEPS = 50 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var first[2] = {ad_input(data, "q", ad_scalar()), ad_input(data, "p", ad_scalar())}, last[2];
    ad_var n = ad_parameter(t, "n", ad_scalar());
    double h = 0.05, q0[R] = {0.3, -1.2, 1, 2}, p0[R] = {1, -0.5, 0, 0.25}, length;
    ad_scan_spec spec = {.steps = MOST_STEPS, .state = first, .states = 2, .length = n,
                         .body = leapfrog, .context = &h};
    record_scan(&spec, last, NULL);
    runner r = runner_new(last, 2, 0);
    bind(r, first[0], q0), bind(r, first[1], p0), bind(r, n, &length);
    set_rows(r, data, R);
    for (length = 1; length <= MOST_STEPS; length += 16) {
        run(r);
        for (int i = 0; i < R; i++) {
            double q = q0[i], p = p0[i];
            for (int k = 0; k < length; k++) {
                p -= h / 2 * 4 * q * (q * q - 1), q += h * p;
                p -= h / 2 * 4 * q * (q * q - 1);
            }
            cr_expect_float_eq(ad_result_f64(r.w, 0)[i], q, 1e-12, "%g steps", length);
            cr_expect_float_eq(ad_result_f64(r.w, 1)[i], p, 1e-12, "%g steps", length);
        }
    }
    runner_free(r);
    ad_tape_free(t);
}

/* ---- Computed again ---- */

/* 401 steps are 19 segments of 21, and two more. */
enum { TURNS = 401, KEPT = 0, AGAIN = TURNS * 2 * N * 8, SEGMENTS = 1, SAMPLES = 3 };

/* By the first states, and by what is captured; of the last states, or of what each step wrote as well. */
static double *gradients(const body_row *row, int ways, int64_t store_bytes, int64_t *bytes_per_row, int64_t *total)
{
    program p;
    ad_var y[MOST], sum;
    program_begin(&p, GIBBS_FLOAT64, TURNS, 15);
    p.spec = (ad_scan_spec){.steps = TURNS, .state = p.leaf, .states = 2, .input = p.leaf + 2, .inputs = 2,
                            .outputs = 2, .reverse = ways % 2, .store_bytes = store_bytes, .body = row->body,
                            .context = &p};
    record_scan(&p.spec, p.last, p.out);
    sum = ad_add(ad_sum(ad_sin(p.last[0])), ad_sum(p.last[1]));
    sum = ad_batch_sum(p.data, ways < 2 ? sum : ad_add(sum, ad_sum(ad_square(p.out[1]))));
    ad_grad(sum, p.leaf, p.leaves, y);
    y[2] = y[p.leaves - 1], y[3] = y[p.leaves - 2]; /* those by the inputs are as long whatever is kept */
    y[4] = sum;
    runner r = runner_new(y, 5, 0);
    *bytes_per_row = ad_plan_describe(r.plan).bytes_per_row;
    runner_free(r);
    *total = 0;
    for (int k = 0; k < 5; k++) *total += numbers_of(&p, y[k], SAMPLES);
    double *values = values_of(&p, y, 5, SAMPLES, 3, (ad_run_options){0}, NULL);
    ad_tape_free(p.tape);
    return values;
}

/* What is computed again from states, of segments or not, has the same bits; what is added up over all steps is added
 * up in another order. */
static void compare_kept(const body_row *row, int ways)
{
    int64_t bytes[3], total, same = 2 * N * SAMPLES;
    double *got[3];
    for (int k = 0; k < 3; k++)
        got[k] = gradients(row, ways, k == 0 ? KEPT : k == 1 ? AGAIN : SEGMENTS, &bytes[k], &total);
    for (int64_t i = 0; i < total; i++)
        for (int k = 1; k < 3; k++) {
            bool close = fabs(got[k][i] - got[0][i]) <= 1e-11 * (1 + fabs(got[0][i]));
            cr_expect(k == 2 && (i < same || i == total - 1) ? got[2][i] == got[1][i] : close, "%s, %d: number %lld is %.17g, not %.17g",
                      row->name, k, (long long)i, got[k][i], got[0][i]);
        }
    if (ways < 2) /* what each step wrote has an adjoint of as many numbers */
        cr_expect(bytes[1] <= bytes[0] + 64 && 4 * bytes[2] <= bytes[1], "%s: %lld bytes a row, %lld, in segments %lld",
                  row->name, (long long)bytes[0], (long long)bytes[1], (long long)bytes[2]);
    for (int k = 0; k < 3; k++) free(got[k]);
}

Test(scan_more, what_takes_too_many_bytes_is_computed_again)
{
    for (int b = 0; b < LENGTH(bodies); b++)
        for (int ways = 0; ways < 4; ways++) compare_kept(&bodies[b], ways);
}

/* ---- What is not taken ---- */

/* √s where x > 0, else s: below 0 the root has no value, and no slope. */
static void root_step(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const ad_var *scale = context;
    next[0] = ad_select(ad_less(ad_constant(s[0].tape, 0), x[0]), ad_sqrt(s[0]), ad_mul(s[0], *scale));
    out[0] = s[0];
}

Test(scan_more, branches_that_are_not_taken_spoil_nothing)
{
    enum { T = 4, R = 3 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var s = ad_input(data, "s", ad_scalar()), x = ad_input(data, "x", ad_vec(T));
    ad_var c = ad_parameter(t, "c", ad_scalar());
    ad_var start = ad_sqrt(s), last, out, d[3], e[2];
    ad_scan_spec spec = {.steps = T, .state = &start, .states = 1, .input = &x, .inputs = 1, .outputs = 1,
                         .body = root_step,
                         .context = &c};
    record_scan(&spec, &last, &out);
    /* of the second sample nothing is taken: its first state is NaN; of the third, only what was written at first */
    ad_var first = ad_slice(out, 0, 0, 1);
    ad_var y = ad_select(ad_less(s, ad_constant(t, 0)), ad_constant(t, 3), ad_sum(last));
    ad_var z = ad_select(ad_less(ad_constant(t, 8), s), ad_sum(first), y);
    ad_grad(z, &s, 1, &d[0]);
    ad_grad(ad_batch_sum(data, z), &c, 1, &d[1]);
    ad_grad(d[0], &s, 1, &d[2]);
    (void)e;
    runner r = runner_new(d, 3, 0);
    const double sv[R] = {4, -1, 16}, xv[R * T] = {1, -1, 1, -1, 1, 1, 1, 1, -1, 1, 1, 1}, cv = -2;
    bind(r, s, sv), bind(r, x, xv), bind(r, c, &cv);
    set_rows(r, data, R);
    run(r);
    const double *g = ad_result_f64(r.w, 0);
    cr_expect(isnan(g[0]), "√ of what is negative, and taken");
    cr_expect_eq(g[1], 0);
    cr_expect_float_eq(g[2], 0.125, 1e-15);
    cr_expect_eq(ad_result_f64(r.w, 2)[1], 0);
    runner_free(r);
    ad_tape_free(t);
}
