/* Random leaves: the counter layout against Random123 itself, independence of threads and blocks, and the
 * distributions. */
#include "autodiff/kernel/kernels.h"
#include "plan_helpers.h"

#include <Random123/philox.h>

/* A plan of the leaf and of something that needs memory of a block, so that block_bytes decides the blocks. */
static runner leaf_runner(ad_axis axis, ad_var leaf, int64_t block_bytes)
{
    return runner_new((ad_var[]){leaf, ad_batch_sum(axis, ad_tanh(ad_exp(leaf)))}, 2, block_bytes);
}

/* The draws of one leaf as doubles. */
static double *draw(gibbs_dtype dtype, int normal, int64_t rows, int64_t n, uint64_t stream, int64_t block_bytes,
                    ad_run_options options)
{
    ad_tape *t = ad_tape_new(dtype, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var leaf = normal ? ad_normal(data, ad_vec(n), stream) : ad_uniform(data, ad_vec(n), stream);
    runner r = leaf_runner(data, leaf, block_bytes);
    set_rows(r, data, rows);
    run_with(r, options);
    double *x = malloc((size_t)(rows * n) * sizeof *x);
    for (int64_t i = 0; i < rows * n; i++) x[i] = number_at(dtype, ad_result(r.w, 0), i);
    runner_free(r);
    ad_tape_free(t);
    return x;
}

/* ---- The numbers themselves ---- */

/* Known answers of philox4x64-10, from Random123's own kat_vectors: counter, key, result. */
static const uint64_t known[3][10] = {
    {0, 0, 0, 0, 0, 0, 0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b},
    {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x87b092c3013fe90b, 0x438c3c67be8d0224,
     0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0},
    {0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377,
     0xbe5466cf34e90c6c, 0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6},
};

Test(random, the_generator_is_philox)
{
    for (int k = 0; k < 3; k++) {
        const uint64_t *v = known[k];
        philox4x64_ctr_t counter = {{v[0], v[1], v[2], v[3]}};
        philox4x64_key_t key = {{v[4], v[5]}};
        philox4x64_ctr_t bits = philox4x64(counter, key);
        for (int i = 0; i < 4; i++) cr_assert_eq(bits.v[i], v[6 + i]);
    }
}

/* Number `element` of row `row` as documented: chunk c of row r is Philox 4×32 of (r, c), under the first word of
 * Philox 4×64 of the step under (seed, stream). */
static double uniform_number(gibbs_dtype dtype, uint64_t row, uint64_t element, uint64_t seed, uint64_t stream,
                             uint64_t step)
{
    uint64_t per_chunk = dtype == GIBBS_FLOAT32 ? 4 : 2, chunk = element / per_chunk, at = element % per_chunk;
    philox4x64_ctr_t steps = {{step, 0, 0, 0}};
    philox4x64_key_t whole = {{seed, stream}};
    uint64_t short_key = philox4x64(steps, whole).v[0];
    philox4x32_ctr_t counter = {{(uint32_t)row, (uint32_t)(row >> 32), (uint32_t)chunk, (uint32_t)(chunk >> 32)}};
    philox4x32_key_t key = {{(uint32_t)short_key, (uint32_t)(short_key >> 32)}};
    philox4x32_ctr_t bits = philox4x32(counter, key);
    if (dtype == GIBBS_FLOAT32) return ((double)(bits.v[at] >> 9) + 0.5) * 0x1p-23;
    uint64_t both = bits.v[2 * at] | (uint64_t)bits.v[2 * at + 1] << 32;
    return ((double)(both >> 12) + 0.5) * 0x1p-52;
}

enum { ROWS = 333, N = 13 };
static const uint64_t SEED = 0x123456789abcdef0, STREAM = 77, STEP = 12345678901;

Test(random, uniforms_follow_the_counter_layout)
{
    for (int k = 0; k < 2; k++) {
        gibbs_dtype dtype = k ? GIBBS_FLOAT64 : GIBBS_FLOAT32;
        double *x = draw(dtype, 0, ROWS, N, STREAM, 1, (ad_run_options){.seed = SEED, .step = STEP});
        for (int i = 0; i < ROWS * N; i++)
            cr_assert_eq(x[i], uniform_number(dtype, (uint64_t)(i / N), (uint64_t)(i % N), SEED, STREAM, STEP), "%d",
                         i);
        free(x);
    }
}

/* Box and Muller of elements 2i and 2i+1 of the uniforms. */
Test(random, normals_follow_the_counter_layout)
{
    for (int k = 0; k < 2; k++) {
        gibbs_dtype dtype = k ? GIBBS_FLOAT64 : GIBBS_FLOAT32;
        double *x = draw(dtype, 1, ROWS, N, STREAM, 1, (ad_run_options){.seed = SEED, .step = STEP});
        for (int i = 0; i < ROWS * N; i++) {
            uint64_t row = (uint64_t)(i / N), pair = (uint64_t)(i % N) & ~1ull;
            double u = uniform_number(dtype, row, pair, SEED, STREAM, STEP);
            double angle = 2 * 3.14159265358979323846 * uniform_number(dtype, row, pair + 1, SEED, STREAM, STEP);
            double expected = sqrt(-2 * log(u)) * ((i % N) & 1 ? sin(angle) : cos(angle));
            cr_assert_float_eq(x[i], expected, k ? 1e-13 : 4e-6, "%d: %.9g, not %.9g", i, x[i], expected);
        }
        free(x);
    }
}

/* The rows of a child axis are numbered through, over all parents, shards and blocks. */
Test(random, rows_of_a_child_axis)
{
    enum { CHILDREN = 3 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data"), child = ad_axis_child(data, CHILDREN, "child");
    ad_var leaf = ad_uniform(child, ad_vec(N), STREAM);
    runner r = leaf_runner(child, leaf, 1);
    cr_assert_lt(ad_plan_describe(r.plan).block_rows, ROWS / 4, "the test needs several blocks");
    set_rows(r, data, ROWS);
    run_with(r, (ad_run_options){.seed = SEED, .step = STEP});
    for (uint64_t i = 0; i < ROWS * CHILDREN * N; i++)
        cr_assert_eq(ad_result_f64(r.w, 0)[i], uniform_number(GIBBS_FLOAT64, i / N, i % N, SEED, STREAM, STEP));
    runner_free(r);
    ad_tape_free(t);
}

/* A row's numbers are a prefix: they depend neither on how many elements nor on how many rows there are. */
Test(random, a_row_does_not_see_the_rest)
{
    double *all = draw(GIBBS_FLOAT64, 1, 50, 40, 1, 0, (ad_run_options){.seed = 1});
    double *few = draw(GIBBS_FLOAT64, 1, 7, 11, 1, 0, (ad_run_options){.seed = 1});
    for (int i = 0; i < 7 * 11; i++) cr_assert_eq(few[i], all[i / 11 * 40 + i % 11]);
    free(all), free(few);
}

Test(random, threads_and_blocks_do_not_matter)
{
    enum { MANY = 40000, M = 5 };
    static const int64_t bytes[] = {0, 1, 1000, 30000};
    for (int k = 0; k < 4; k++) {
        gibbs_dtype dtype = k % 2 ? GIBBS_FLOAT64 : GIBBS_FLOAT32;
        double *first = draw(dtype, k / 2, MANY, M, 3, 0, (ad_run_options){.seed = 1, .threads = 1});
        for (int b = 0; b < LENGTH(bytes); b++) {
            double *x = draw(dtype, k / 2, MANY, M, 3, bytes[b], (ad_run_options){.seed = 1, .threads = 1 + b % 3});
            cr_assert_eq(memcmp(first, x, MANY * M * sizeof *x), 0, "blocks of %lld bytes", (long long)bytes[b]);
            free(x);
        }
        free(first);
    }
}

static double correlation(const double *a, const double *b, int64_t n)
{
    double ab = 0, aa = 0, bb = 0, ma = 0, mb = 0;
    for (int64_t i = 0; i < n; i++) ma += a[i] / (double)n, mb += b[i] / (double)n;
    for (int64_t i = 0; i < n; i++) ab += (a[i] - ma) * (b[i] - mb), aa += pow(a[i] - ma, 2), bb += pow(b[i] - mb, 2);
    return ab / sqrt(aa * bb);
}

/* Another stream, step or seed gives other numbers, uncorrelated with these: 5 standard errors. */
Test(random, streams_steps_and_seeds_differ)
{
    enum { MANY = 20000 };
    double *x[4];
    for (int normal = 0; normal < 2; normal++) {
        x[0] = draw(GIBBS_FLOAT64, normal, MANY, 1, 1, 0, (ad_run_options){.seed = 1, .step = 1});
        x[1] = draw(GIBBS_FLOAT64, normal, MANY, 1, 2, 0, (ad_run_options){.seed = 1, .step = 1});
        x[2] = draw(GIBBS_FLOAT64, normal, MANY, 1, 1, 0, (ad_run_options){.seed = 2, .step = 1});
        x[3] = draw(GIBBS_FLOAT64, normal, MANY, 1, 1, 0, (ad_run_options){.seed = 1, .step = 2});
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < i; j++)
                cr_assert_lt(fabs(correlation(x[i], x[j], MANY)), 5 / sqrt(MANY), "%d and %d", i, j);
        cr_assert_lt(fabs(correlation(x[0], x[0] + 1, MANY - 1)), 5 / sqrt(MANY), "neighbouring rows");
        for (int i = 0; i < 4; i++) free(x[i]);
    }
}

/* Two leaves of one stream, axis and shape are one variable; another shape or kind is another node. */
Test(random, one_stream_is_one_variable)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis a = ad_axis_new(t, "a"), b = ad_axis_new(t, "b");
    int32_t id = ad_normal(a, ad_vec(3), 1).id;
    cr_assert_eq(ad_normal(a, ad_vec(3), 1).id, id);
    cr_assert_neq(ad_normal(a, ad_vec(3), 2).id, id);
    cr_assert_neq(ad_normal(a, ad_vec(4), 1).id, id);
    cr_assert_neq(ad_normal(b, ad_vec(3), 1).id, id);
    cr_assert_neq(ad_uniform(a, ad_vec(3), 1).id, id);
    ad_tape_free(t);
}

/* ---- The distributions ---- */

static double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2)); }
static double uniform_cdf(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* √n times the largest distance of the empirical distribution; above 1.95 once in a thousand seeds. */
static double kolmogorov(double *x, int64_t n, double (*cdf)(double))
{
    double worst = 0;
    qsort(x, (size_t)n, sizeof *x, by_value);
    for (int64_t i = 0; i < n; i++) {
        double p = cdf(x[i]);
        worst = fmax(worst, fmax(p - (double)i / (double)n, (double)(i + 1) / (double)n - p));
    }
    return worst * sqrt((double)n);
}

/* Raw moments 1 … 4 within 5 standard errors of what they must be. */
static void check_moments(const double *x, int64_t n, const double *expected, const double *variance)
{
    for (int k = 1; k <= 4; k++) {
        double mean = 0;
        for (int64_t i = 0; i < n; i++) mean += pow(x[i], k) / (double)n;
        cr_assert_lt(fabs(mean - expected[k - 1]), 5 * sqrt(variance[k - 1] / (double)n), "moment %d is %g", k, mean);
    }
}

static void check_distribution(gibbs_dtype dtype, uint64_t seed)
{
    enum { MANY = 50000, M = 4 };
    static const double normal[] = {0, 1, 0, 3}, normal_variance[] = {1, 2, 15, 96};
    static const double uniform[] = {0.5, 1 / 3.0, 0.25, 0.2},
                        uniform_variance[] = {1 / 12.0, 4 / 45.0, 9 / 112.0, 16 / 225.0};
    double *z = draw(dtype, 1, MANY, M, 5, 0, (ad_run_options){.seed = seed});
    double *u = draw(dtype, 0, MANY, M, 5, 0, (ad_run_options){.seed = seed});
    check_moments(z, MANY * M, normal, normal_variance);
    check_moments(u, MANY * M, uniform, uniform_variance);
    for (int i = 0; i < MANY * M; i++) cr_assert(u[i] > 0 && u[i] < 1 && isfinite(z[i]));
    cr_assert_lt(kolmogorov(z, MANY * M, normal_cdf), 1.95);
    cr_assert_lt(kolmogorov(u, MANY * M, uniform_cdf), 1.95);
    cr_assert_gt(kolmogorov(u, MANY * M, normal_cdf), 100, "the test sees what is no normal");
    free(z), free(u);
}

Test(random, distributions, .disabled = SANITIZED)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        check_distribution(GIBBS_FLOAT32, seed);
        check_distribution(GIBBS_FLOAT64, seed);
    }
}

/* Of 40 million 23-bit numbers some are the least and the greatest there are: half a step inside (0, 1). */
Test(random, uniforms_never_reach_their_ends)
{
    enum { AT_ONCE = 1000000 };
    static float x[AT_ONCE];
    const uint64_t key[2] = {1, 1};
    float least = 1, greatest = 0;
    for (uint64_t step = 0; step < 40; step++) {
        ad_kernels_for(GIBBS_FLOAT32)->uniform(1, AT_ONCE, x, 0, key, step);
        for (int i = 0; i < AT_ONCE; i++) {
            least = x[i] < least ? x[i] : least;
            greatest = x[i] > greatest ? x[i] : greatest;
        }
    }
    cr_assert_eq(least, 0x1p-24f, "%a", least);
    cr_assert_eq(greatest, 1 - 0x1p-24f, "%a", greatest);
}
