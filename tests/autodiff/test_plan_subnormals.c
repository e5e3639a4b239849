/* No arithmetic of a plan gives a subnormal number: what is below the least normal one is 0, for every instruction set
 * and both number types, with the same bits for any number of threads and whatever the host has set. */
#include "plan_helpers.h"
#include "support/host_words.h"

enum { D = 3, ROWS = 1035, MOST = 32 };

/* Inputs are normal numbers: `tiny` are the least ones, `root` their square roots, `low` their logarithms; and the sums
 * of `cancel`, over a sample or over the batch, are a quarter of the least. */
typedef struct model {
    gibbs_dtype dtype;
    ad_tape *tape;
    ad_axis data;
    ad_var tiny, root, low, cancel, theta;
    int outputs;
    ad_var out[MOST];
    const char *name[MOST];
} model;

static void add(model *m, const char *name, ad_var v)
{
    cr_assert_lt(m->outputs, MOST);
    m->name[m->outputs] = name;
    m->out[m->outputs++] = v;
}

static void add_elementwise(model *m)
{
    add(m, "scale", ad_scale(m->tiny, 0.3));
    add(m, "product", ad_mul(m->root, ad_scale(m->root, 0.5)));
    add(m, "difference", ad_sub(m->tiny, ad_scale(m->tiny, 1.25)));
    add(m, "quotient", ad_div(m->tiny, ad_constant(m->tape, 3)));
    add(m, "power", ad_pow(m->root, ad_constant(m->tape, 2.03)));
    add(m, "exp", ad_exp(m->low));
    add(m, "sigmoid", ad_sigmoid(m->low));
    add(m, "sigmoid_slope", ad_sigmoid_slope(m->low));
    add(m, "softplus", ad_softplus(m->low));
    add(m, "derivative of a square", ad_jvp(ad_square(m->root), &m->root, &m->root, 1));
}

static void add_structure(model *m)
{
    ad_var both = ad_concat(m->cancel, m->cancel, 0);
    ad_var zero = ad_constant_array(m->tape, ad_vec(2 * D), (double[2 * D]){0});
    add(m, "sum", ad_sum(m->cancel));
    add(m, "column sums", ad_sum_dims(ad_reshape(both, ad_mat(D, 2)), 1));
    add(m, "dot", ad_dot(m->root, ad_scale(m->root, 0.1)));
    add(m, "matmul", ad_matmul(m->tiny, ad_scale(m->theta, 0.1)));
    add(m, "softmax", ad_softmax(ad_pad(m->low, 0, 1, 0)));
    add(m, "scatter", ad_scatter_add(both, zero, 1));
}

static void add_batches(model *m)
{
    ad_var g;
    add(m, "batch sum", ad_batch_sum(m->data, m->cancel));
    add(m, "batch mean", ad_batch_mean(m->data, ad_scale(m->tiny, 0.5)));
    add(m, "batch product", ad_batch_matmul(m->data, ad_scale(m->root, 0.01), ad_scale(m->root, 0.01)));
    ad_grad(ad_sum(ad_batch_logsumexp(m->data, ad_scale(m->low, 300))), &m->low, 1, &g);
    add(m, "gradient of log Σ exp", g);
    ad_grad(ad_batch_sum(m->data, ad_sum(ad_exp(ad_matmul(m->low, m->theta)))), &m->theta, 1, &g);
    add(m, "gradient by a parameter", g);
}

static model record(gibbs_dtype dtype)
{
    model m = {.dtype = dtype, .tape = ad_tape_new(dtype, NULL)};
    m.data = ad_axis_new(m.tape, "data");
    m.tiny = ad_input(m.data, "tiny", ad_vec(D));
    m.root = ad_input(m.data, "root", ad_vec(D));
    m.low = ad_input(m.data, "low", ad_vec(D));
    m.cancel = ad_input(m.data, "cancel", ad_vec(D));
    m.theta = ad_parameter(m.tape, "theta", ad_mat(D, D));
    add_elementwise(&m), add_structure(&m), add_batches(&m);
    cr_assert_eq(ad_tape_status(m.tape), GIBBS_OK, "%s", ad_tape_message(m.tape));
    return m;
}

/* ---- Running ---- */

typedef struct numbers {
    void *tiny, *root, *low, *cancel, *theta;
} numbers;

static void *in_range(gibbs_dtype dtype, double unit, double low, double high, uint64_t seed)
{
    double x[ROWS * D];
    for (int i = 0; i < ROWS * D; i++) x[i] = unit * next_number(&seed, low, high);
    return in_type(dtype, x, ROWS * D);
}

static numbers numbers_new(gibbs_dtype dtype)
{
    static const double part[D] = {3, -1.5, -1.25};
    double least = dtype == GIBBS_FLOAT32 ? (double)FLT_MIN : DBL_MIN, end = log(least), cancel[ROWS * D];
    for (int r = 0; r < ROWS; r++) /* an odd number of blocks of D rows, of alternating sign */
        for (int j = 0; j < D; j++) cancel[r * D + j] = (r / D % 2 ? -least : least) * part[(r + j) % D];
    return (numbers){in_range(dtype, least, 1, 4, 1), in_range(dtype, sqrt(least), 0.5, 1.5, 2),
                     in_range(dtype, 1, end - 3, end + 3, 3), in_type(dtype, cancel, ROWS * D),
                     in_range(dtype, 1, 0.3, 0.4, 4)};
}

static void numbers_free(numbers n) { free(n.tiny), free(n.root), free(n.low), free(n.cancel), free(n.theta); }

static runner runner_of(const model *m, numbers n)
{
    runner r = runner_new(m->out, m->outputs, 0);
    bind(r, m->tiny, n.tiny), bind(r, m->root, n.root), bind(r, m->low, n.low), bind(r, m->cancel, n.cancel);
    bind(r, m->theta, n.theta), set_rows(r, m->data, ROWS);
    return r;
}

static int64_t count_of(const model *m, int k)
{
    ad_shape shape = ad_shape_of(m->out[k]);
    return ad_shape_count(&shape) * (ad_is_shared(m->out[k]) ? 1 : ROWS);
}

/* Each output has numbers that were flushed: zeros, which none of them is in exact arithmetic. */
static void check_flushed(const model *m, runner r)
{
    for (int k = 0; k < m->outputs; k++) {
        int64_t zeros = 0;
        for (int64_t i = 0; i < count_of(m, k); i++) {
            double v = number_at(m->dtype, ad_result(r.w, k), i);
            zeros += v == 0;
            cr_expect(!is_subnormal(gibbs_dtype_size(m->dtype), v), "%s: number %lld is %g", m->name[k], (long long)i,
                      v);
        }
        cr_expect_gt(zeros, 0, "%s: nothing was flushed", m->name[k]);
    }
}

static void check_type(gibbs_dtype dtype)
{
    model m = record(dtype);
    numbers n = numbers_new(dtype);
    runner r = runner_of(&m, n);
    run_with(r, (ad_run_options){.threads = 1});
    check_flushed(&m, r);
    void *first[MOST];
    for (int k = 0; k < m.outputs; k++) {
        size_t bytes = (size_t)count_of(&m, k) * gibbs_dtype_size(dtype);
        first[k] = memcpy(malloc(bytes), ad_result(r.w, k), bytes);
    }
    gibbs_float_word word = gibbs_float_get();
    for (int again = 0; again < 3 * HOST_WORDS; again++) {
        ad_run_options options = {.threads = 1 + again % 3};
        gibbs_float_set(host_words[again / 3].word);
        gibbs_status status = ad_run(r.w, &options, NULL);
        gibbs_float_set(word);
        cr_assert_eq(status, GIBBS_OK);
        for (int k = 0; k < m.outputs; k++)
            cr_expect_eq(memcmp(first[k], ad_result(r.w, k), (size_t)count_of(&m, k) * gibbs_dtype_size(dtype)), 0,
                         "%s: other bits with %d threads, %s", m.name[k], options.threads, host_words[again / 3].name);
    }
    for (int k = 0; k < m.outputs; k++) free(first[k]);
    runner_free(r), numbers_free(n);
    ad_tape_free(m.tape);
}

/* Each test is a process of its own, in which the first plan decides on the instructions. */
static void check_isa(const char *isa)
{
    NEEDS_A_WORD();
    setenv("GIBBS_ISA", isa, 1);
    check_type(GIBBS_FLOAT32);
    check_type(GIBBS_FLOAT64);
}

Test(plan_subnormals, base) { check_isa("base"); }
Test(plan_subnormals, v3) { check_isa("v3"); }
Test(plan_subnormals, v4) { check_isa("v4"); }
