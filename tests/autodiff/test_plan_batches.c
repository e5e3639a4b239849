/* One plan, any number of rows, any block: against a plain C loop over samples. */
#include "plan_helpers.h"

enum { D = 5, H = 7, MOST = 5000 };

/* E(x) = Σⱼ vⱼ softplus(bⱼ + (xW)ⱼ) and what a training step takes of it. */
typedef struct model {
    ad_tape *tape;
    ad_axis data;
    ad_var x, W, b, v, out[7];
} model;

static model record(gibbs_dtype dtype)
{
    model m = {.tape = ad_tape_new(dtype, NULL)};
    m.data = ad_axis_new(m.tape, "data");
    m.x = ad_input(m.data, "x", ad_vec(D));
    m.W = ad_parameter(m.tape, "W", ad_mat(D, H));
    m.b = ad_parameter(m.tape, "b", ad_vec(H));
    m.v = ad_parameter(m.tape, "v", ad_vec(H));
    ad_var E = ad_dot(m.v, ad_softplus(ad_add(ad_matmul(m.x, m.W), m.b)));
    m.out[0] = E;
    ad_grad(E, &m.x, 1, &m.out[1]);
    m.out[2] = ad_batch_mean(m.data, E);
    ad_grad(m.out[2], &m.W, 1, &m.out[3]);
    m.out[4] = ad_batch_logsumexp(m.data, E);
    m.out[5] = ad_batch_max(m.data, E);
    m.out[6] = ad_batch_count(m.data);
    cr_assert_eq(ad_tape_status(m.tape), GIBBS_OK, "%s", ad_tape_message(m.tape));
    return m;
}

typedef struct data {
    double *x, *W, *b, *v;
    void *typed[4];
} data;

static data make_data(gibbs_dtype dtype)
{
    data d = {random_numbers(MOST * D, 1), random_numbers(D * H, 2), random_numbers(H, 3), random_numbers(H, 4), {0}};
    const double *from[4] = {d.x, d.W, d.b, d.v};
    int64_t count[4] = {MOST * D, D * H, H, H};
    for (int k = 0; k < 4; k++) d.typed[k] = in_type(dtype, from[k], count[k]);
    return d;
}

static void free_data(data d)
{
    void *all[] = {d.x, d.W, d.b, d.v, d.typed[0], d.typed[1], d.typed[2], d.typed[3]};
    for (int k = 0; k < LENGTH(all); k++) free(all[k]);
}

typedef struct reference {
    double *E, *dx, mean, dW[D * H], logsumexp, max, count;
} reference;

static void add_sample(reference *r, const data *d, int64_t n)
{
    const double *x = d->x + n * D;
    r->E[n] = 0;
    for (int i = 0; i < D; i++) r->dx[n * D + i] = 0;
    for (int j = 0; j < H; j++) {
        double s = d->b[j];
        for (int i = 0; i < D; i++) s += x[i] * d->W[i * H + j];
        r->E[n] += d->v[j] * log1p(exp(s));
        double slope = d->v[j] / (1 + exp(-s));
        for (int i = 0; i < D; i++) r->dx[n * D + i] += slope * d->W[i * H + j];
        for (int i = 0; i < D; i++) r->dW[i * H + j] += slope * x[i];
    }
}

static reference compute(const data *d, int64_t rows)
{
    reference r = {.E = malloc((size_t)rows * sizeof(double)), .dx = malloc((size_t)rows * D * sizeof(double)),
                   .max = -INFINITY, .count = (double)rows};
    double total = 0, weights = 0;
    for (int64_t n = 0; n < rows; n++) {
        add_sample(&r, d, n);
        total += r.E[n];
        weights += exp(r.E[n]);
        r.max = fmax(r.max, r.E[n]);
    }
    r.mean = total / (double)rows;
    r.logsumexp = log(weights);
    for (int i = 0; i < D * H; i++) r.dW[i] /= (double)rows;
    return r;
}

static void check_rows(runner p, const model *m, const data *d, gibbs_dtype dtype, int64_t rows)
{
    static const char *const name[7] = {"E", "dE/dx", "mean", "dW", "logsumexp", "max", "count"};
    reference r = compute(d, rows);
    const double *expected[7] = {r.E, r.dx, &r.mean, r.dW, &r.logsumexp, &r.max, &r.count};
    int64_t count[7] = {rows, rows * D, 1, D * H, 1, 1, 1};
    set_rows(p, m->data, rows);
    run(p);
    for (int k = 0; k < 7; k++)
        expect_close(p, k, dtype, expected[k], count[k], dtype == GIBBS_FLOAT32 ? 3e-6 : 1e-13, name[k]);
    cr_assert_eq(ad_result_scalar(p.w, 6), (double)rows);
    free(r.E);
    free(r.dx);
}

/* The sizes go up and down on one workspace, so that leftovers of a larger run would show. */
static void check_all_sizes(gibbs_dtype dtype, int64_t block_bytes)
{
    static const int64_t sizes[] = {1, 2, 15, 16, 17, 1000, 5000, 1, 17, 3};
    model m = record(dtype);
    data d = make_data(dtype);
    runner p = runner_new(m.out, 7, block_bytes);
    ad_tape_free(m.tape); /* a plan does not refer to its tape */
    const ad_var leaf[4] = {m.x, m.W, m.b, m.v};
    for (int k = 0; k < 4; k++) bind(p, leaf[k], d.typed[k]);
    for (int k = 0; k < LENGTH(sizes); k++) check_rows(p, &m, &d, dtype, sizes[k]);
    runner_free(p);
    free_data(d);
}

Test(plan_batches, float64) { check_all_sizes(GIBBS_FLOAT64, 0); }
Test(plan_batches, float32) { check_all_sizes(GIBBS_FLOAT32, 0); }

/* From blocks of 4 rows, the least there are, to one block for all. */
Test(plan_batches, ragged_blocks)
{
    static const int64_t bytes[] = {1, 300, 1000, 5000, 20000, 1 << 28};
    for (int k = 0; k < LENGTH(bytes); k++) {
        check_all_sizes(GIBBS_FLOAT64, bytes[k]);
        check_all_sizes(GIBBS_FLOAT32, bytes[k]);
    }
}

Test(plan_batches, block_bytes_decide_the_rows_of_a_block)
{
    model m = record(GIBBS_FLOAT64);
    int64_t last = 0;
    for (int64_t bytes = 1; bytes <= 1 << 20; bytes *= 16) {
        ad_plan_options options = {.block_bytes = bytes};
        ad_plan *plan;
        cr_assert_eq(ad_compile(m.out, 7, &options, &plan, NULL), GIBBS_OK);
        ad_plan_info info = ad_plan_describe(plan);
        cr_assert_geq(info.block_rows, last);
        cr_assert(info.block_rows == 4 || info.block_rows * info.bytes_per_row <= bytes);
        last = info.block_rows;
        ad_plan_free(plan);
    }
    cr_assert_gt(last, 16);
    ad_tape_free(m.tape);
}

/* A rebound input is read from its new place, and a result is the last run's. */
Test(plan_batches, binding_anew)
{
    model m = record(GIBBS_FLOAT64);
    data d = make_data(GIBBS_FLOAT64);
    runner p = runner_new(m.out, 1, 0);
    const ad_var leaf[4] = {m.x, m.W, m.b, m.v};
    cr_assert_null(ad_result(p.w, 0));
    cr_assert(isnan(ad_result_scalar(p.w, 0)));
    for (int k = 0; k < 4; k++) bind(p, leaf[k], d.typed[k]);
    set_rows(p, m.data, 10);
    run(p);
    double before = ad_result_scalar(p.w, 0), tenth = ad_result_f64(p.w, 0)[9];
    bind(p, m.x, (const double *)d.typed[0] + 9 * D);
    set_rows(p, m.data, 1);
    run(p);
    cr_assert_neq(before, tenth);
    cr_assert_float_eq(ad_result_scalar(p.w, 0), tenth, 1e-13);
    cr_assert_null(ad_result_f32(p.w, 0));
    cr_assert_null(ad_result(p.w, 1));
    cr_assert_null(ad_result(p.w, -1));
    runner_free(p);
    free_data(d);
    ad_tape_free(m.tape);
}
