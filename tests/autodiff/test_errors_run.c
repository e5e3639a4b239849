/* What goes wrong while compiling, binding and running: status and sentence of each, and that nothing is lost. */
#include "plan_helpers.h"
#include "support/alloc.h"

enum { D = 2, ROWS = 40 };

/* y = log(x·w) for each sample, and its sum. */
typedef struct model {
    ad_tape *tape;
    ad_axis data, unused;
    ad_var x, w, out[2];
    runner r;
    double px[ROWS * D], pw[D];
} model;

static void model_new(model *m, gibbs_dtype dtype)
{
    m->tape = ad_tape_new(dtype, NULL);
    m->data = ad_axis_new(m->tape, "data");
    m->unused = ad_axis_new(m->tape, "unused");
    m->x = ad_input(m->data, "x", ad_vec(D));
    m->w = ad_parameter(m->tape, "w", ad_vec(D));
    m->out[0] = ad_log(ad_dot(m->x, m->w));
    m->out[1] = ad_batch_sum(m->data, m->out[0]);
    m->r = runner_new(m->out, 2, 1);
    for (int k = 0; k < ROWS * D; k++) m->px[k] = 1 + k;
    m->pw[0] = 1, m->pw[1] = 2;
}

static void model_free(model *m)
{
    runner_free(m->r);
    ad_tape_free(m->tape);
}

static void ready(model *m)
{
    bind(m->r, m->x, m->px), bind(m->r, m->w, m->pw), set_rows(m->r, m->data, ROWS);
}

/* The call fails with this status and a sentence that has these words. */
#define REFUSED(call, wanted, words)                                                                       \
    do {                                                                                                   \
        gibbs_error error = {.status = GIBBS_OK};                                                          \
        gibbs_status status = (call);                                                                      \
        cr_assert_eq(status, GIBBS_##wanted, "status %d for «%s»", status, words);                         \
        cr_assert_eq(error.status, GIBBS_##wanted);                                                        \
        cr_assert(strstr(error.message, words) != NULL, "«%s», not «%s»", error.message, words);           \
    } while (0)

static gibbs_status run_it(const model *m, ad_run_options options, gibbs_error *error)
{
    return ad_run(m->r.w, &options, error);
}

/* ---- Compiling ---- */

Test(errors_run, compile)
{
    model m, n;
    model_new(&m, GIBBS_FLOAT64), model_new(&n, GIBBS_FLOAT64);
    ad_plan *plan = m.r.plan;
    ad_workspace *w = m.r.w;
    REFUSED(ad_compile(NULL, 1, NULL, &plan, &error), ARGUMENT, "no outputs");
    cr_assert_null(plan);
    REFUSED(ad_compile(m.out, 0, NULL, &plan, &error), ARGUMENT, "no outputs");
    REFUSED(ad_compile(m.out, -1, NULL, &plan, &error), ARGUMENT, "no outputs");
    REFUSED(ad_compile((ad_var[]){m.out[0], {m.tape, -1}}, 2, NULL, &plan, &error), TAPE, "output 2 is the null var");
    REFUSED(ad_compile((ad_var[]){{NULL, -1}}, 1, NULL, &plan, &error), TAPE, "output 1 is the null var");
    REFUSED(ad_compile((ad_var[]){m.out[0], n.out[0]}, 2, NULL, &plan, &error), TAPE,
            "output 2 belongs to another tape");
    cr_assert_eq(ad_compile(NULL, 1, NULL, &plan, NULL), GIBBS_ARGUMENT);
    REFUSED(ad_workspace_new(NULL, &w, &error), ARGUMENT, "workspace: a required pointer is NULL");
    cr_assert_null(w);
    ad_plan_free(NULL), ad_workspace_free(NULL);
    model_free(&m), model_free(&n);
}

/* ---- Binding ---- */

Test(errors_run, bind)
{
    model m, n;
    float f[D] = {0};
    model_new(&m, GIBBS_FLOAT64), model_new(&n, GIBBS_FLOAT32);
    REFUSED(ad_bind(m.r.w, m.x, NULL, &error), ARGUMENT, "bind: no memory");
    REFUSED(ad_bind(m.r.w, n.x, m.px, &error), TAPE, "not of the plan's tape");
    REFUSED(ad_bind(m.r.w, (ad_var){m.tape, -1}, m.px, &error), TAPE, "null or not of the plan's tape");
    REFUSED(ad_bind_f32(m.r.w, m.x, f, &error), DTYPE, "float64, not float32");
    REFUSED(ad_bind_f64(n.r.w, n.x, m.px, &error), DTYPE, "float32, not float64");
    gibbs_error untouched = {.status = GIBBS_IO, .message = "as it was"};
    cr_assert_eq(ad_bind_f64(m.r.w, m.x, m.px, &untouched), GIBBS_OK);
    cr_assert_eq(ad_bind_f32(n.r.w, n.w, f, &untouched), GIBBS_OK);
    cr_assert(untouched.status == GIBBS_IO && !strcmp(untouched.message, "as it was"));
    model_free(&m), model_free(&n);
}

/* An input that the plan does not need may be bound, and does nothing. */
Test(errors_run, binding_what_is_not_needed)
{
    model m;
    model_new(&m, GIBBS_FLOAT64);
    ad_var spare = ad_input(m.data, "spare", ad_vec(1)), out = ad_batch_sum(m.data, ad_exp(m.x));
    runner r = runner_new(&out, 1, 0);
    bind(r, spare, m.px), bind(r, m.w, m.pw), bind(r, m.x, m.px), set_rows(r, m.data, 3), set_rows(r, m.unused, 9);
    run(r);
    cr_assert_float_eq(ad_result_scalar(r.w, 0), exp(1) + exp(3) + exp(5), 1e-9);
    runner_free(r);
    model_free(&m);
}

Test(errors_run, set_rows)
{
    model m, n;
    model_new(&m, GIBBS_FLOAT64), model_new(&n, GIBBS_FLOAT64);
    ad_axis child = ad_axis_child(m.data, 3, "child");
    ad_var out = ad_sum(ad_input(child, "c", ad_vec(2)));
    runner r = runner_new(&out, 1, 0);
    REFUSED(ad_set_rows(r.w, m.data, 0, &error), ARGUMENT, "set_rows: 0 rows on «data»; at least 1 is needed");
    REFUSED(ad_set_rows(r.w, m.data, -5, &error), ARGUMENT, "-5 rows on «data»");
    REFUSED(ad_set_rows(r.w, m.data, INT64_MAX, &error), SIZE, "rows on «data» are too many");
    REFUSED(ad_set_rows(r.w, n.data, 5, &error), TAPE, "null, not of the plan's tape, or made after the plan");
    REFUSED(ad_set_rows(r.w, ad_axis_of(m.w), 5, &error), TAPE, "set_rows: the axis is null");
    REFUSED(ad_set_rows(r.w, ad_axis_new(m.tape, "late"), 5, &error), TAPE, "or made after the plan");
    REFUSED(ad_set_rows(r.w, child, 5, &error), AXIS, "«child» is a child axis; its size follows from «data»");
    cr_assert_eq(ad_set_rows(r.w, m.data, 4, NULL), GIBBS_OK);
    cr_assert_eq(ad_set_rows(r.w, m.data, 0, NULL), GIBBS_ARGUMENT);
    runner_free(r);
    model_free(&m), model_free(&n);
}

/* ---- Running ---- */

Test(errors_run, what_was_never_given)
{
    model m;
    model_new(&m, GIBBS_FLOAT64);
    REFUSED(ad_run(NULL, NULL, &error), ARGUMENT, "no workspace");
    REFUSED(ad_run(m.r.w, NULL, &error), UNBOUND, "the number of rows on axis «data» was never set");
    set_rows(m.r, m.data, 3);
    REFUSED(ad_run(m.r.w, NULL, &error), UNBOUND, "is not bound");
    bind(m.r, m.w, m.pw);
    REFUSED(ad_run(m.r.w, NULL, &error), UNBOUND, "the input «x» is not bound");
    cr_assert_null(ad_result(m.r.w, 0));
    bind(m.r, m.x, m.px);
    run(m.r);
    model_free(&m);
    model_new(&m, GIBBS_FLOAT64);
    set_rows(m.r, m.data, 3), bind(m.r, m.x, m.px);
    REFUSED(ad_run(m.r.w, NULL, &error), UNBOUND, "the parameter «w» is not bound");
    model_free(&m);
}

/* An axis that is only counted, read by index or scattered into needs its rows as well. */
Test(errors_run, rows_of_axes_without_a_pass)
{
    model m;
    model_new(&m, GIBBS_FLOAT64);
    ad_var at = ad_input(m.data, "at", ad_scalar()), table = ad_input(m.unused, "table", ad_vec(2));
    ad_var out[3] = {ad_batch_count(m.unused), ad_batch_gather(table, at), ad_batch_scatter_add(m.unused, m.x, at)};
    for (int k = 0; k < 3; k++) {
        runner r = runner_new(&out[k], 1, 0);
        bind(r, at, m.px), bind(r, table, m.px), bind(r, m.x, m.px);
        set_rows(r, m.data, 3);
        REFUSED(ad_run(r.w, NULL, &error), UNBOUND, "the number of rows on axis «unused» was never set");
        set_rows(r, m.unused, 10);
        run(r);
        runner_free(r);
    }
    model_free(&m);
}

Test(errors_run, options)
{
    model m;
    model_new(&m, GIBBS_FLOAT64), ready(&m);
    REFUSED(run_it(&m, (ad_run_options){.repeat = -1}, &error), ARGUMENT, "repeat -1");
    REFUSED(run_it(&m, (ad_run_options){.threads = -2}, &error), ARGUMENT, "threads -2");
    REFUSED(run_it(&m, (ad_run_options){.repeat = 2}, &error), ARGUMENT, "repeat 2 without a carry");
    gibbs_error untouched = {.status = GIBBS_IO, .message = "as it was"};
    cr_assert_eq(run_it(&m, (ad_run_options){.repeat = 1}, &untouched), GIBBS_OK);
    cr_assert(untouched.status == GIBBS_IO && !strcmp(untouched.message, "as it was"));
    model_free(&m);
}

/* ---- Sizes ---- */

/* 2³⁰ children of 2³⁰ numbers each: no product of sizes may wrap around into a small block. */
Test(errors_run, sizes_that_overflow)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data"), child = ad_axis_child(data, 1 << 30, "child");
    ad_var y = ad_exp(ad_input(child, "x", ad_vec(1 << 30))), s = ad_input(child, "s", ad_vec(2)), exp_s = ad_exp(s);
    ad_var sum = ad_batch_sum(child, ad_sum(ad_tanh(y)));
    ad_plan *plan;
    REFUSED(ad_compile(&y, 1, NULL, &plan, &error), SIZE, "more than 2^40 numbers for one sample");
    REFUSED(ad_compile(&sum, 1, NULL, &plan, &error), SIZE, "more than 2^40 numbers for one sample");
    runner r = runner_new(&exp_s, 1, 0);
    double number = 0;
    bind(r, s, &number), set_rows(r, data, (int64_t)1 << 40);
    REFUSED(ad_run(r.w, NULL, &error), SIZE, "1099511627776 rows on «data» are too many");
    runner_free(r);
    ad_tape_free(t);
}

Test(errors_run, more_rows_than_memory)
{
    counting_alloc count = {.fail_above = 1 << 20};
    gibbs_allocator allocator = counting_allocator(&count);
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, &allocator);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), out[2] = {ad_exp(x), ad_batch_sum(data, x)};
    double px[10 * D] = {1, 2, 3};
    runner r = runner_new(out, 2, 1);
    bind(r, x, px), set_rows(r, data, 10);
    run(r);
    double first[10 * D];
    memcpy(first, ad_result(r.w, 0), sizeof first);
    set_rows(r, data, (int64_t)1 << 48);
    REFUSED(ad_run(r.w, NULL, &error), MEMORY, "out of memory");
    cr_assert_eq(memcmp(first, ad_result(r.w, 0), sizeof first), 0, "the last run's results are kept");
    set_rows(r, data, 10);
    run(r);
    cr_assert_eq(memcmp(first, ad_result(r.w, 0), sizeof first), 0);
    runner_free(r);
    ad_tape_free(t);
    cr_assert_eq(count.live, 0);
}
