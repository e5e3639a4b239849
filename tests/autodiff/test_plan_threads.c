/* The same bits for any number of threads: shards and blocks depend on sizes alone. */
#include "autodiff/run/workspace.h"
#include "plan_helpers.h"

enum { D = 4, H = 6, K = 3, ROWS = 60011, OUTPUTS = 9, MOST_THREADS = SANITIZED ? 2 : 4 };

typedef struct model {
    ad_tape *tape;
    ad_axis data, child;
    ad_var x, W, out[OUTPUTS];
} model;

/* Every kind of accumulator, random leaves, stored values and a second phase. */
static model record(gibbs_dtype dtype)
{
    model m = {.tape = ad_tape_new(dtype, NULL)};
    m.data = ad_axis_new(m.tape, "data");
    m.child = ad_axis_child(m.data, K, "child");
    m.x = ad_input(m.data, "x", ad_vec(D));
    m.W = ad_parameter(m.tape, "W", ad_mat(D, H));
    ad_var noise = ad_normal(m.data, ad_vec(D), 1), h = ad_tanh(ad_matmul(ad_add(m.x, noise), m.W)), E = ad_sum(h);
    ad_var weight = ad_exp(ad_sub(E, ad_batch_logsumexp(m.data, E)));
    ad_var negative = ad_mul(ad_uniform(m.child, ad_vec(D), 2), ad_normal(m.child, ad_vec(D), 1));
    m.out[0] = E;
    m.out[1] = ad_batch_mean(m.data, E);
    ad_grad(m.out[1], &m.W, 1, &m.out[2]);
    m.out[3] = ad_batch_logsumexp(m.data, h);
    m.out[4] = ad_batch_max(m.data, h);
    m.out[5] = ad_batch_matmul(m.data, h, m.x);
    m.out[6] = ad_batch_sum(m.data, ad_mul(weight, m.x));
    m.out[7] = ad_batch_sum(m.child, negative);
    m.out[8] = negative;
    cr_assert_eq(ad_tape_status(m.tape), GIBBS_OK, "%s", ad_tape_message(m.tape));
    return m;
}

static size_t bytes_of(const model *m, int k)
{
    ad_shape shape = ad_shape_of(m->out[k]);
    int64_t rows = ad_is_shared(m->out[k]) ? 1 : ad_axis_of(m->out[k]).id == m->child.id ? ROWS * K : ROWS;
    return (size_t)(rows * ad_shape_count(&shape)) * gibbs_dtype_size(ad_tape_dtype(m->tape));
}

/* Results of every output on one thread, then compared with those on more. */
static void check_threads(gibbs_dtype dtype, int64_t block_bytes)
{
    model m = record(dtype);
    runner r = runner_new(m.out, OUTPUTS, block_bytes);
    double *x = random_numbers(ROWS * D, 1), *W = random_numbers(D * H, 2);
    void *fx = in_type(dtype, x, ROWS * D), *fW = in_type(dtype, W, D * H), *first[OUTPUTS];
    bind(r, m.x, fx), bind(r, m.W, fW), set_rows(r, m.data, ROWS);
    cr_assert_gt(ad_split_rows(&r.plan->stage[0], ROWS).shards, 4, "the test needs several shards");
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        run_with(r, (ad_run_options){.seed = 7, .step = 3, .threads = threads});
        for (int k = 0; k < OUTPUTS; k++) {
            if (threads == 1) memcpy(first[k] = malloc(bytes_of(&m, k)), ad_result(r.w, k), bytes_of(&m, k));
            else
                cr_assert_eq(memcmp(first[k], ad_result(r.w, k), bytes_of(&m, k)), 0, "output %d with %d threads", k,
                             threads);
        }
    }
    for (int k = 0; k < OUTPUTS; k++) free(first[k]);
    free(x), free(W), free(fx), free(fW);
    runner_free(r);
    ad_tape_free(m.tape);
}

Test(plan_threads, float64) { check_threads(GIBBS_FLOAT64, 0); }
Test(plan_threads, float32) { check_threads(GIBBS_FLOAT32, 0); }
Test(plan_threads, small_blocks) { check_threads(GIBBS_FLOAT64, 1), check_threads(GIBBS_FLOAT32, 3000); }

/* Accumulators of many shards against plain loops. */
Test(plan_threads, shards_add_up)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), scalar = ad_sum(x);
    ad_var out[] = {ad_batch_matmul(data, x, x), ad_batch_sum(data, scalar), ad_batch_max(data, scalar),
                    ad_batch_logsumexp(data, scalar)};
    double *px = random_numbers(ROWS * D, 1), product[D * D] = {0}, sum = 0, max = -INFINITY, exps = 0;
    for (int64_t r = 0; r < ROWS; r++) {
        const double *row = px + r * D;
        double s = row[0] + row[1] + row[2] + row[3];
        for (int k = 0; k < D * D; k++) product[k] += row[k / D] * row[k % D];
        sum += s, exps += exp(s), max = fmax(max, s);
    }
    runner r = runner_new(out, LENGTH(out), 0);
    bind(r, x, px), set_rows(r, data, ROWS);
    cr_assert_gt(ad_split_rows(&r.plan->stage[0], ROWS).shards, 4, "the test needs several shards");
    run(r);
    for (int k = 0; k < D * D; k++) cr_assert_float_eq(((const double *)ad_result(r.w, 0))[k], product[k], 1e-8);
    cr_assert_float_eq(ad_result_scalar(r.w, 1), sum, 1e-8);
    cr_assert_eq(ad_result_scalar(r.w, 2), max);
    cr_assert_float_eq(ad_result_scalar(r.w, 3), log(exps), 1e-10);
    runner_free(r);
    ad_tape_free(t);
    free(px);
}

/* Rows of 17000 numbers, more than one task adds up, in several shards. Column j is of kind j % KINDS: some have one
 * number that is not finite, in the first shard or the last, and one has nothing but −∞. */
enum { WIDE = 17000, TALL = 64, KINDS = 6 };

static double wide_number(int64_t row, int64_t column)
{
    switch (column % KINDS) {
    case 1: return row == 0 ? NAN : sin((double)(row + column));
    case 2: return row == TALL - 1 ? NAN : -INFINITY;
    case 3: return -INFINITY;
    case 4: return row == TALL - 1 ? INFINITY : row == 0 ? -INFINITY : 1;
    case 5: return row == TALL / 2 ? 0.25 : -INFINITY;
    default: return sin((double)(row + 3 * column));
    }
}

/* 0: the sum, 1: the maximum, 2: log Σ exp */
static double by_hand(int k, int64_t column)
{
    double sum = 0, max = -INFINITY;
    for (int64_t r = 0; r < TALL; r++) {
        double v = wide_number(r, column);
        sum += k == 2 ? exp(v) : v;
        max = v > max || v != v ? v : max;
    }
    return k == 0 ? sum : k == 1 ? max : log(sum);
}

Test(plan_threads, many_numbers_and_what_is_not_finite)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(WIDE)), y = ad_neg(x);
    ad_var out[] = {ad_batch_sum(data, y), ad_batch_max(data, y), ad_batch_logsumexp(data, y)};
    double *px = malloc(TALL * WIDE * sizeof *px);
    for (int64_t k = 0; k < TALL * WIDE; k++) px[k] = -wide_number(k / WIDE, k % WIDE);
    runner r = runner_new(out, LENGTH(out), 0);
    bind(r, x, px), set_rows(r, data, TALL);
    cr_assert_gt(ad_split_rows(&r.plan->stage[0], TALL).shards, 1, "the test needs several shards");
    run_with(r, (ad_run_options){.threads = 2});
    for (int k = 0; k < LENGTH(out); k++)
        for (int64_t j = 0; j < WIDE; j++) {
            double want = by_hand(k, j), got = ad_result_f64(r.w, k)[j];
            bool same = isfinite(want) ? fabs(got - want) < 1e-11 : isnan(want) ? isnan(got) : got == want;
            cr_assert(same, "output %d, column %lld: %g, not %g", k, (long long)j, got, want);
        }
    runner_free(r);
    ad_tape_free(t);
    free(px);
}

/* Elementwise results do not depend on the block that a row falls into, nor on what came before in the workspace. */
Test(plan_threads, a_row_is_the_same_in_any_block)
{
    enum { N = 1003 };
    static const int64_t bytes[] = {1, 400, 2000, 100000};
    ad_tape *t = ad_tape_new(GIBBS_FLOAT32, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), noise = ad_normal(data, ad_vec(D), 1);
    ad_var y = ad_mul(ad_softplus(ad_exp(ad_sin(x))), ad_erf(ad_add(noise, ad_log1p(ad_square(x))))), first = y;
    double *px = random_numbers(N * D, 1);
    void *fx = in_type(GIBBS_FLOAT32, px, N * D);
    float *kept = malloc(N * D * sizeof *kept);
    for (int k = 0; k < LENGTH(bytes); k++) {
        runner r = runner_new(&first, 1, bytes[k]);
        bind(r, x, fx), set_rows(r, data, N);
        run_with(r, (ad_run_options){.seed = 5});
        if (k == 0) memcpy(kept, ad_result(r.w, 0), N * D * sizeof *kept);
        cr_assert_eq(memcmp(kept, ad_result(r.w, 0), N * D * sizeof *kept), 0, "blocks of %lld bytes",
                     (long long)bytes[k]);
        set_rows(r, data, 17), bind(r, x, (float *)fx);
        run_with(r, (ad_run_options){.seed = 5});
        cr_assert_eq(memcmp(kept, ad_result(r.w, 0), 17 * D * sizeof *kept), 0, "17 rows");
        runner_free(r);
    }
    ad_tape_free(t);
    free(px), free(fx), free(kept);
}

/* Shards cover all rows once, in order, for any size. */
Test(plan_threads, shards_cover_the_rows)
{
    model m = record(GIBBS_FLOAT64);
    runner r = runner_new(m.out, OUTPUTS, 0);
    for (int64_t rows = 1; rows < (int64_t)1 << 44; rows = rows * 3 + 1) {
        ad_split split = ad_split_rows(&r.plan->stage[0], rows);
        cr_assert(split.shards >= 1 && split.shards <= rows && split.shards <= 16);
        cr_assert_eq(ad_shard_start(split, 0), 0);
        cr_assert_eq(ad_shard_start(split, split.shards), rows);
        for (int64_t s = 0; s < split.shards; s++) cr_assert_lt(ad_shard_start(split, s), ad_shard_start(split, s + 1));
    }
    runner_free(r);
    ad_tape_free(m.tape);
}
