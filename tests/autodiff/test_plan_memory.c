/* What a workspace allocates, seen through the allocator: nothing after the first run at a size, and nothing that
 * grows with the batch but what is asked for as an output. */
#include "plan_helpers.h"
#include "support/alloc.h"

enum { D = 8, H = 16, MILLION = 1000000 };

typedef struct model {
    counting_alloc count;
    ad_tape *tape;
    ad_axis data;
    ad_var x, W, out[2];
    runner r;
} model;

/* A loss and its gradient; `whole` asks for the energy of each sample, too. */
static model *model_new(gibbs_dtype dtype, int whole)
{
    model *m = calloc(1, sizeof *m);
    gibbs_allocator allocator = counting_allocator(&m->count);
    m->tape = ad_tape_new(dtype, &allocator);
    m->data = ad_axis_new(m->tape, "data");
    m->x = ad_input(m->data, "x", ad_vec(D));
    m->W = ad_parameter(m->tape, "W", ad_mat(D, H));
    ad_var E = ad_sum(ad_softplus(ad_matmul(m->x, m->W))), loss = ad_batch_mean(m->data, ad_square(E));
    ad_grad(loss, &m->W, 1, &m->out[0]);
    m->out[1] = E;
    m->r = runner_new(m->out, 1 + whole, 0);
    return m;
}

static void model_free(model *m)
{
    runner_free(m->r);
    ad_tape_free(m->tape);
    cr_assert_eq(m->count.live, 0, "%lld blocks leaked", (long long)m->count.live);
    cr_assert_eq(m->count.bytes, 0);
    free(m);
}

static void run_rows(model *m, int64_t rows, int threads)
{
    set_rows(m->r, m->data, rows);
    run_with(m->r, (ad_run_options){.threads = threads});
}

Test(plan_memory, nothing_after_the_first_run)
{
    static const int64_t sizes[] = {50000, 50000, 1, 17, 49999, 1000, 50000};
    double *x = random_numbers(50000 * D, 1), *W = random_numbers(D * H, 2);
    model *m = model_new(GIBBS_FLOAT64, 1);
    bind(m->r, m->x, x), bind(m->r, m->W, W);
    run_rows(m, sizes[0], 3);
    int64_t calls = m->count.calls;
    for (int k = 0; k < LENGTH(sizes); k++)
        for (int threads = 1; threads <= 3; threads++) run_rows(m, sizes[k], threads);
    bind(m->r, m->x, x + D), run_rows(m, 49000, 2);
    cr_assert_eq(m->count.calls, calls, "%lld calls more", (long long)(m->count.calls - calls));
    run_rows(m, 50000 - 1, 1);
    bind(m->r, m->x, x), bind(m->r, m->W, W);
    model_free(m);
    free(x), free(W);
}

/* The stored output is what grows: by its own bytes and no more. */
Test(plan_memory, an_output_for_each_sample_costs_its_bytes)
{
    double *x = random_numbers(40000 * D, 1), *W = random_numbers(D * H, 2);
    model *m = model_new(GIBBS_FLOAT64, 1);
    bind(m->r, m->x, x), bind(m->r, m->W, W);
    run_rows(m, 20000, 1);
    int64_t before = m->count.bytes, calls = m->count.calls;
    run_rows(m, 40000, 1);
    cr_assert_gt(m->count.calls, calls, "the allocator is not asked");
    int64_t grown = m->count.bytes - before;
    cr_assert(grown >= 20000 * 8 && grown < 20000 * 8 + 64 * 1024, "%lld bytes", (long long)grown);
    model_free(m);
    free(x), free(W);
}

Test(plan_memory, a_gradient_over_a_million_rows)
{
    float *x = malloc((size_t)MILLION * D * sizeof *x), W[D * H];
    uint64_t seed = 1;
    for (int64_t i = 0; i < (int64_t)MILLION * D; i++) x[i] = (float)next_number(&seed, -1, 1);
    for (int i = 0; i < D * H; i++) W[i] = (float)next_number(&seed, -1, 1);
    model *m = model_new(GIBBS_FLOAT32, 0);
    bind(m->r, m->x, x), bind(m->r, m->W, W);
    run_rows(m, 1000, 2);
    cr_assert_lt(m->count.peak, 4 << 20);
    run_rows(m, MILLION / 4, 2); /* as many shards as there can be */
    int64_t peak = m->count.peak;
    run_rows(m, MILLION, 2);
    cr_assert_eq(m->count.peak, peak, "%lld bytes more for 750000 more rows", (long long)(m->count.peak - peak));
    cr_assert_lt(peak, 4 << 20, "%lld bytes", (long long)peak);
    model_free(m);
    free(x);
}

/* Values of an intermediate's size are reused: the arena is far smaller than the sum of all intermediates. */
Test(plan_memory, intermediates_share_the_arena)
{
    enum { DEPTH = 50 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), y = x, sum;
    for (int k = 0; k < DEPTH; k++) y = ad_shift(ad_tanh(y), k);
    sum = ad_batch_sum(data, y);
    runner r = runner_new(&sum, 1, 0);
    cr_assert_geq(ad_plan_describe(r.plan).instructions, 2 * DEPTH);
    cr_assert_leq(ad_plan_describe(r.plan).bytes_per_row, (int64_t)(2 * D * sizeof(double)));
    runner_free(r);
    ad_tape_free(t);
}

/* A plan of 100,000 instructions is no more than 600 bytes each: the gradient of a sum of functions of one x, a number
 * or a vector. */
Test(plan_memory, bytes_of_an_instruction)
{
    enum { TERMS = 16000, MOST = 600 };
    for (int rank = 0; rank < 2; rank++) {
        counting_alloc count = {0};
        gibbs_allocator allocator = counting_allocator(&count);
        ad_tape *t = ad_tape_new(GIBBS_FLOAT64, &allocator);
        ad_axis data = ad_axis_new(t, "data");
        ad_var x = ad_input(data, "x", rank ? ad_vec(3) : ad_scalar()), y = ad_scale(x, 0), out[2];
        for (int k = 0; k < TERMS; k++) y = ad_add(y, ad_sin(ad_scale(x, 1 + k * 1e-6)));
        out[0] = ad_sum(y);
        ad_grad(out[0], &x, 1, &out[1]);
        int64_t before = count.bytes;
        ad_plan *plan;
        gibbs_error error;
        MUST(ad_compile(out, 2, NULL, &plan, &error), error);
        double instructions = ad_plan_describe(plan).instructions;
        cr_expect(instructions > 5 * TERMS && (double)(count.bytes - before) < MOST * instructions, "%g of %g",
                  (double)(count.bytes - before), instructions);
        ad_plan_free(plan);
        ad_tape_free(t);
        cr_expect_eq(count.bytes, 0);
    }
}
