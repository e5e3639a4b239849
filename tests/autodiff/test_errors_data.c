/* What is wrong with the numbers: indices out of range, and with `check` the first op, row and element that is not
 * finite. */
#include "plan_helpers.h"

#include <stdio.h>

enum { ROWS = 40, BAD_ROW = 23 };

/* One plan on `data`, with an error that must name its row. */
typedef struct model {
    ad_tape *tape;
    ad_axis data, table, child;
    ad_var at, two, x, rows, out;
    double p_at[ROWS * 2], p_x[ROWS * 4], p_rows[5];
} model;

static void model_new(model *m, gibbs_dtype dtype)
{
    m->tape = ad_tape_new(dtype, NULL);
    m->data = ad_axis_new(m->tape, "data");
    m->table = ad_axis_new(m->tape, "table");
    m->child = ad_axis_child(m->data, 2, "child");
    m->at = ad_input(m->data, "at", ad_scalar());
    m->two = ad_input(m->data, "two", ad_vec(2));
    m->x = ad_input(m->data, "x", ad_vec(4));
    m->rows = ad_input(m->table, "rows", ad_scalar());
    for (int k = 0; k < ROWS * 2; k++) m->p_at[k] = k % 4;
    for (int k = 0; k < ROWS * 4; k++) m->p_x[k] = 1 + k;
    for (int k = 0; k < 5; k++) m->p_rows[k] = k + 10;
}

static runner start(model *m, int64_t block_bytes)
{
    ad_var other = ad_batch_sum(m->data, ad_tanh(ad_scale(ad_tanh(m->x), 0.5))); /* needs memory, so there are blocks */
    runner r = runner_new((ad_var[]){m->out, other}, 2, block_bytes);
    cr_assert(block_bytes > 1 || ad_plan_describe(r.plan).block_rows < BAD_ROW);
    bind(r, m->at, m->p_at), bind(r, m->two, m->p_at), bind(r, m->x, m->p_x), bind(r, m->rows, m->p_rows);
    set_rows(r, m->data, ROWS), set_rows(r, m->table, 4);
    return r;
}

static void expect_error(runner r, ad_run_options options, gibbs_status status, int64_t row, int32_t axis,
                         const char *words)
{
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert_eq(ad_run(r.w, &options, &error), status, "«%s»: status %d", words, error.status);
    cr_assert(strstr(error.message, words) != NULL, "«%s», not «%s»", error.message, words);
    cr_assert_eq(error.status, status);
    cr_assert_eq(error.row, row, "row %lld in «%s»", (long long)error.row, error.message);
    cr_assert_eq(error.axis, axis, "axis %d in «%s»", error.axis, error.message);
    cr_assert_eq(ad_run(r.w, &options, NULL), status);
}

/* ---- Indices ---- */

static void gather(model *m) { m->out = ad_gather(m->x, m->at); }
static void gather_two(model *m) { m->out = ad_gather(m->x, m->two); }
static void scatter(model *m) { m->out = ad_scatter_add(m->at, m->at, 4); }
static void scatter_two(model *m) { m->out = ad_sum(ad_scatter_add(ad_square(m->two), m->two, 4)); }
static void batch_gather(model *m) { m->out = ad_batch_gather(m->rows, m->at); }
static void batch_scatter(model *m) { m->out = ad_batch_scatter_add(m->table, m->x, m->at); }
static void batch_scatter_computed(model *m)
{
    m->out = ad_batch_scatter_add(m->table, ad_exp(m->at), ad_neg(ad_neg(m->at)));
}

static const struct indexed {
    const char *name;
    void (*record)(model *);
    int indices; /* a row */
} indexed[] = {
    {"gather", gather, 1},
    {"gather", gather_two, 2},
    {"scatter_add", scatter, 1},
    {"scatter_add", scatter_two, 2},
    {"batch_gather", batch_gather, 1},
    {"batch_scatter_add", batch_scatter, 1},
    {"batch_scatter_add", batch_scatter_computed, 1},
};

static const struct bad_index {
    double value;
    const char *text;
} bad_index[] = {
    {4, "index 4"},     {-1, "index -1"},   {0.5, "index 0.5"}, {NAN, "index nan"}, {INFINITY, "index inf"},
    {1e300, "1e+300"},  {-0.25, "-0.25"},   {-INFINITY, "-inf"},
};

static void check_index(const struct indexed *op, const struct bad_index *bad)
{
    model m;
    char words[100];
    model_new(&m, GIBBS_FLOAT64);
    op->record(&m);
    runner r = start(&m, 1);
    run(r);
    int64_t numbers = ad_is_shared(m.out) ? 1 : 4;
    double before[4];
    memcpy(before, ad_result(r.w, 0), (size_t)numbers * sizeof *before);
    m.p_at[BAD_ROW * op->indices + op->indices - 1] = bad->value;
    m.p_at[(BAD_ROW + 9) * op->indices] = -7; /* a later one, which is not reached */
    for (int threads = 1; threads <= 2; threads++) {
        snprintf(words, sizeof words, "%s (node", op->name);
        expect_error(r, (ad_run_options){.threads = threads}, GIBBS_DATA, BAD_ROW, m.data.id, words);
        expect_error(r, (ad_run_options){.threads = threads}, GIBBS_DATA, BAD_ROW, m.data.id, bad->text);
        expect_error(r, (ad_run_options){.threads = threads}, GIBBS_DATA, BAD_ROW, m.data.id, "at row 23");
        expect_error(r, (ad_run_options){.threads = threads}, GIBBS_DATA, BAD_ROW, m.data.id,
                     "no whole number from 0 to 3");
    }
    m.p_at[BAD_ROW * op->indices + op->indices - 1] = m.p_at[(BAD_ROW + 9) * op->indices] = 0;
    run(r);
    runner_free(r);
    ad_tape_free(m.tape);
}

Test(errors_data, indices)
{
    for (int k = 0; k < LENGTH(indexed); k++)
        for (int b = 0; b < LENGTH(bad_index); b++) check_index(&indexed[k], &bad_index[b]);
}

/* Zero with a sign is a zero, and the last row is a row. */
Test(errors_data, good_indices_at_the_ends)
{
    model m;
    for (int k = 0; k < LENGTH(indexed); k++) {
        model_new(&m, GIBBS_FLOAT64);
        indexed[k].record(&m);
        for (int i = 0; i < ROWS; i++) m.p_at[i] = i % 2 ? -0.0 : 3;
        runner r = start(&m, 1);
        run(r);
        runner_free(r);
        ad_tape_free(m.tape);
    }
}

/* In shared code there is no row to name. */
Test(errors_data, an_index_that_all_share)
{
    model m;
    model_new(&m, GIBBS_FLOAT32);
    ad_var w = ad_parameter(m.tape, "w", ad_vec(3)), i = ad_parameter(m.tape, "i", ad_vec(2));
    float pw[3] = {1, 2, 3}, pi[2] = {2, 3};
    m.out = ad_sum(ad_gather(w, i));
    runner r = runner_new(&m.out, 1, 0);
    bind(r, w, pw), bind(r, i, pi);
    expect_error(r, (ad_run_options){0}, GIBBS_DATA, -1, -1, "index 3");
    pi[1] = 1;
    run(r);
    cr_assert_eq(ad_result_scalar(r.w, 0), 5);
    runner_free(r);
    ad_tape_free(m.tape);
}

/* ---- The check for NaN and infinity ---- */

static const ad_run_options CHECK = {.check = 1};

static void record_log(model *m) { m->out = ad_log(m->x); }
static void record_sum_of_log(model *m) { m->out = ad_batch_sum(m->data, ad_sum(ad_log(ad_shift(m->x, 0.0)))); }
static void record_slice(model *m) { m->out = ad_sum(ad_sqrt(ad_slice(m->x, 0, 2, 2))); }

Test(errors_data, the_log_of_a_negative_number)
{
    static void (*const record[])(model *) = {record_log, record_sum_of_log};
    for (int k = 0; k < LENGTH(record); k++) {
        model m;
        model_new(&m, GIBBS_FLOAT64);
        record[k](&m);
        runner r = start(&m, 1);
        run_with(r, CHECK);
        m.p_x[3 * 4 + 1] = -1;
        m.p_x[9 * 4] = -1;
        run(r); /* it is a NaN, and no error, when nobody asks */
        expect_error(r, CHECK, GIBBS_NUMERIC, 3, m.data.id, "log (node");
        expect_error(r, CHECK, GIBBS_NUMERIC, 3, m.data.id, "nan at row 3 of «data», element 1");
        m.p_x[3 * 4 + 1] = 0;
        expect_error(r, CHECK, GIBBS_NUMERIC, 3, m.data.id, "-inf at row 3 of «data», element 1");
        runner_free(r);
        ad_tape_free(m.tape);
    }
}

/* Of several ops the first that goes wrong, though another one does so in an earlier row. */
Test(errors_data, the_first_op)
{
    model m;
    model_new(&m, GIBBS_FLOAT64);
    ad_var first = ad_sqrt(m.x), second = ad_recip(ad_shift(first, -1));
    m.out = ad_sum(second);
    runner r = start(&m, 1 << 20);
    m.p_x[7 * 4 + 2] = -1;
    expect_error(r, CHECK, GIBBS_NUMERIC, 7, m.data.id, "sqrt (node");
    m.p_x[7 * 4 + 2] = 1;
    expect_error(r, CHECK, GIBBS_NUMERIC, 0, m.data.id, "recip (node");
    runner_free(r);
    ad_tape_free(m.tape);
}

Test(errors_data, inputs_and_parameters)
{
    model m;
    model_new(&m, GIBBS_FLOAT64);
    record_slice(&m);
    runner r = start(&m, 1);
    m.p_x[5 * 4 + 3] = NAN;
    expect_error(r, CHECK, GIBBS_NUMERIC, 5, m.data.id, "input «x»");
    expect_error(r, CHECK, GIBBS_NUMERIC, 5, m.data.id, "nan at row 5 of «data», element 3");
    m.p_x[5 * 4 + 3] = -2;
    expect_error(r, CHECK, GIBBS_NUMERIC, 5, m.data.id, "sqrt (node");
    runner_free(r);
    ad_tape_free(m.tape);

    model_new(&m, GIBBS_FLOAT32);
    ad_var w = ad_parameter(m.tape, "weight", ad_vec(3));
    float pw[3] = {1, -2, INFINITY};
    m.out = ad_sum(ad_exp(w));
    r = runner_new(&m.out, 1, 0);
    bind(r, w, pw);
    expect_error(r, CHECK, GIBBS_NUMERIC, -1, -1, "parameter «weight»");
    expect_error(r, CHECK, GIBBS_NUMERIC, -1, -1, "inf at element 2");
    pw[2] = 1e3f;
    expect_error(r, CHECK, GIBBS_NUMERIC, -1, -1, "exp (node");
    expect_error(r, CHECK, GIBBS_NUMERIC, -1, -1, "inf at element 2");
    runner_free(r);
    ad_tape_free(m.tape);
}

/* The row of a child is its own, on its own axis. */
Test(errors_data, rows_of_children)
{
    model m;
    model_new(&m, GIBBS_FLOAT64);
    ad_var c = ad_input(m.child, "c", ad_vec(3)), pc = ad_sqrt(c);
    double numbers[ROWS * 2 * 3];
    for (int k = 0; k < ROWS * 2 * 3; k++) numbers[k] = k;
    m.out = ad_sum(ad_regroup(pc));
    runner r = start(&m, 1);
    bind(r, c, numbers);
    run_with(r, CHECK);
    numbers[31 * 3 + 1] = -1;
    expect_error(r, CHECK, GIBBS_NUMERIC, 31, m.child.id, "nan at row 31 of «child», element 1");
    runner_free(r);
    ad_tape_free(m.tape);
}

/* A sum may overflow where no term does. */
Test(errors_data, reductions_over_the_batch)
{
    static ad_var (*const reduce[])(ad_axis, ad_var) = {ad_batch_sum, ad_batch_logsumexp};
    static const char *const name[] = {"batch_sum", "batch_logsumexp"};
    float x[ROWS * 4];
    for (int k = 0; k < ROWS * 4; k++) x[k] = 3e38f;
    for (int k = 0; k < 2; k++) {
        model m;
        model_new(&m, GIBBS_FLOAT32);
        m.out = reduce[k](m.data, m.x);
        runner r = start(&m, 1);
        bind(r, m.x, x);
        if (k == 0) expect_error(r, CHECK, GIBBS_NUMERIC, -1, -1, name[k]);
        else run_with(r, CHECK);
        runner_free(r);
        ad_tape_free(m.tape);
    }
}

/* A random leaf and a product are checked as well as elementwise ops; what is finite passes everywhere. */
Test(errors_data, products)
{
    model m;
    model_new(&m, GIBBS_FLOAT64);
    ad_var W = ad_parameter(m.tape, "W", ad_mat(4, 3));
    double pW[12] = {1e200, 1e200, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    m.out = ad_sum(ad_mul(ad_matmul(m.x, W), ad_normal(m.data, ad_vec(3), 1)));
    runner r = start(&m, 1);
    bind(r, W, pW);
    run_with(r, CHECK);
    m.p_x[17 * 4] = 1e200;
    expect_error(r, CHECK, GIBBS_NUMERIC, 17, m.data.id, "matmul (node");
    expect_error(r, CHECK, GIBBS_NUMERIC, 17, m.data.id, "inf at row 17 of «data», element 0");
    runner_free(r);
    ad_tape_free(m.tape);
}

/* Ops are called by what the user wrote: a derivative's product is none that he did, and his own op has a name. */
static int one_number(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    (void)context, (void)in, (void)error;
    return *out = ad_scalar(), 0;
}

static void infinite(void *c, gibbs_dtype d, int64_t rows, const void *const *in, const int *shared, void *out)
{
    (void)c, (void)d, (void)in, (void)shared;
    for (int64_t r = 0; r < rows; r++) ((double *)out)[r] = INFINITY;
}

static ad_var steep(model *m)
{
    ad_var huge = ad_constant(m->tape, 1e200), u = ad_mul(m->x, ad_add(m->x, huge)), d;
    ad_grad(ad_sum(ad_mul(ad_sin(u), ad_add(m->x, huge))), &m->x, 1, &d);
    return d;
}
static ad_var own(model *m)
{
    static const ad_user_op op = {.name = "boundless", .arguments = 1, .shape = one_number, .kernel = infinite};
    return ad_user(&op, &m->x);
}

Test(errors_data, ops_are_called_by_what_was_written)
{
    static const struct {
        ad_var (*record)(model *m);
        const char *words;
    } cases[] = {{steep, "a product of the chain rule (node"}, {own, "boundless (node"}};
    for (int k = 0; k < LENGTH(cases); k++) {
        model m;
        model_new(&m, GIBBS_FLOAT64);
        m.out = cases[k].record(&m);
        runner r = start(&m, 1);
        expect_error(r, CHECK, GIBBS_NUMERIC, 0, m.data.id, cases[k].words);
        runner_free(r);
        ad_tape_free(m.tape);
    }
}
