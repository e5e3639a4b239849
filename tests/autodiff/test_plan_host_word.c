/* A run leaves the host's floating-point word as it was, however it ends; and a user's kernel sees the host's word in
 * every thread, whatever it makes of it. */
#include "autodiff/run/workspace.h"
#include "plan_helpers.h"
#include "support/host_words.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { D = 4, ROWS = 2000, TABLE = 5 };

/* ---- However a run ends ---- */

typedef struct model {
    ad_tape *tape;
    ad_axis data;
    ad_var x, index, out[2];
    void *px, *pindex;
    runner r;
} model;

static model model_new(gibbs_dtype dtype)
{
    model m = {.tape = ad_tape_new(dtype, NULL)};
    double *x = random_numbers(ROWS * D, 1), index[ROWS] = {0};
    ad_var table = ad_constant_array(m.tape, ad_vec(TABLE), (const double[TABLE]){1, 2, 3, 4, 5});
    m.data = ad_axis_new(m.tape, "data");
    m.x = ad_input(m.data, "x", ad_vec(D));
    m.index = ad_input(m.data, "index", ad_vec(1));
    m.out[0] = ad_batch_sum(m.data, ad_sum(ad_exp(ad_log(ad_square(m.x)))));
    m.out[1] = ad_gather(table, m.index);
    m.px = in_type(dtype, x, ROWS * D);
    m.pindex = in_type(dtype, index, ROWS);
    m.r = runner_new(m.out, 2, 0);
    free(x);
    return m;
}

static void model_free(model m)
{
    runner_free(m.r);
    ad_tape_free(m.tape);
    free(m.px), free(m.pindex);
}

static void set_first(gibbs_dtype dtype, void *at, double v)
{
    if (dtype == GIBBS_FLOAT32) *(float *)at = (float)v;
    else *(double *)at = v;
}

static gibbs_dtype dtype_of(const model *m) { return ad_tape_dtype(m->tape); }
static void nothing(model *m) { (void)m; }
static void all_bound(model *m)
{
    bind(m->r, m->x, m->px), bind(m->r, m->index, m->pindex);
    set_rows(m->r, m->data, ROWS);
}
static void one_nan(model *m) { all_bound(m), set_first(dtype_of(m), m->px, NAN); }
static void one_zero(model *m) { all_bound(m), set_first(dtype_of(m), m->px, 0); }
static void bad_index(model *m) { all_bound(m), set_first(dtype_of(m), m->pindex, TABLE); }

static const struct ending {
    const char *name;
    void (*prepare)(model *);
    ad_run_options options;
    gibbs_status status;
} endings[] = {
    {"success", all_bound, {0}, GIBBS_OK},
    {"success with checks", all_bound, {.check = 1}, GIBBS_OK},
    {"no rows", nothing, {0}, GIBBS_UNBOUND},
    {"a bad option", all_bound, {.repeat = -1}, GIBBS_ARGUMENT},
    {"an input that is NaN", one_nan, {.check = 1}, GIBBS_NUMERIC},
    {"log 0", one_zero, {.check = 1}, GIBBS_NUMERIC},
    {"a bad index", bad_index, {0}, GIBBS_DATA},
};

static void check_ending(const struct ending *e, gibbs_dtype dtype, int threads, const struct host_word *host)
{
    model m = model_new(dtype);
    gibbs_error error = {0};
    ad_run_options options = e->options;
    options.threads = threads;
    e->prepare(&m);
    gibbs_float_word first = gibbs_float_get();
    gibbs_float_set(host->word);
    gibbs_status status = ad_run(m.r.w, &options, &error);
    gibbs_float_word after = gibbs_float_get();
    gibbs_float_set(first);
    cr_expect_eq(status, e->status, "%s: status %d, %s", e->name, status, error.message);
    cr_expect(same_word(after, host->word), "%s, %d threads, %s: another word afterwards", e->name, threads,
              host->name);
    model_free(m);
}

Test(plan_host_word, is_left_as_it_was)
{
    for (int e = 0; e < LENGTH(endings); e++)
        for (int threads = 1; threads <= 2; threads++)
            for (int k = 0; k < HOST_WORDS; k++)
                for (int dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++)
                    check_ending(&endings[e], (gibbs_dtype)dtype, threads, &host_words[k]);
}

/* ---- The allocator ---- */

typedef struct watched {
    gibbs_float_word word; /* what it ought to see */
    int watching, calls, wrong, refuse;
} watched;

static void *watched_allocate(void *context, size_t size)
{
    watched *w = context;
    if (w->watching) w->calls++, w->wrong += !same_word(gibbs_float_get(), w->word);
    return w->watching && w->refuse ? NULL : malloc(size);
}

static void watched_release(void *context, void *memory)
{
    watched *w = context;
    if (w->watching) w->calls++, w->wrong += !same_word(gibbs_float_get(), w->word);
    free(memory);
}

static gibbs_status run_watched(watched *w, ad_workspace *workspace, int refuse)
{
    gibbs_float_word first = gibbs_float_get();
    w->watching = 1, w->refuse = refuse;
    gibbs_float_set(w->word);
    gibbs_status status = ad_run(workspace, NULL, NULL);
    gibbs_float_word after = gibbs_float_get();
    gibbs_float_set(first);
    w->watching = 0;
    cr_expect(same_word(after, w->word));
    return status;
}

Test(plan_host_word, allocators_see_it)
{
    watched w = {.word = host_words[1 % HOST_WORDS].word};
    const gibbs_allocator allocator = {watched_allocate, watched_release, &w};
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, &allocator);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), y[2] = {ad_exp(x), ad_batch_sum(data, ad_exp(x))};
    double *px = random_numbers(ROWS * D, 1);
    runner r = runner_new(y, 2, 0);
    bind(r, x, px);
    set_rows(r, data, ROWS / 2);
    cr_expect_eq(run_watched(&w, r.w, 1), GIBBS_MEMORY);
    cr_expect_eq(run_watched(&w, r.w, 0), GIBBS_OK);
    set_rows(r, data, ROWS);
    cr_expect_eq(run_watched(&w, r.w, 0), GIBBS_OK);
    cr_expect_gt(w.calls, 4, "the allocator was hardly called");
    cr_expect_eq(w.wrong, 0, "%d of %d calls saw another word", w.wrong, w.calls);
    runner_free(r);
    ad_tape_free(t);
    free(px);
}

/* ---- A user's kernel ---- */

/* What the kernel's calls saw. A thread's first call of a run waits until as many have come as are wanted. */
static struct {
    gibbs_float_word word; /* what they ought to see */
    int run, wanted;
    _Atomic int threads, calls, wrong;
} seen;

static void wait_for_threads(void)
{
    static _Thread_local int last_run;
    if (last_run == seen.run) return;
    last_run = seen.run;
    atomic_fetch_add(&seen.threads, 1);
    for (time_t end = time(NULL) + 20; atomic_load(&seen.threads) < seen.wanted && time(NULL) < end;) sched_yield();
}

static int shape_of_argument(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    (void)context, (void)error;
    *out = in[0];
    return 0;
}

/* Copies, and leaves another word behind. */
static void copy_and_meddle(void *context, gibbs_dtype dtype, int64_t rows, const void *const *in, const int *shared,
                            void *out)
{
    (void)context;
    wait_for_threads();
    int call = atomic_fetch_add(&seen.calls, 1);
    if (!same_word(gibbs_float_get(), seen.word)) atomic_fetch_add(&seen.wrong, 1);
    memcpy(out, in[0], (size_t)(shared[0] ? 1 : rows) * D * gibbs_dtype_size(dtype));
    gibbs_float_set(host_words[call % HOST_WORDS].word);
}

static const ad_user_op meddler = {
    .name = "meddler", .arguments = 1, .shape = shape_of_argument, .kernel = copy_and_meddle};

/* Sixteenths of the least numbers, added up from what the kernel has left: 0, but for a word that leaks. */
static double sum_of_sixteenths(const ad_workspace *w, const struct host_word *host, int threads)
{
    gibbs_float_word first = gibbs_float_get();
    ad_run_options options = {.threads = threads};
    seen.word = host->word, seen.wanted = threads, seen.run++;
    seen.threads = seen.calls = seen.wrong = 0;
    gibbs_float_set(host->word);
    gibbs_status status = ad_run((ad_workspace *)w, &options, NULL);
    gibbs_float_word after = gibbs_float_get();
    gibbs_float_set(first);
    cr_expect_eq(status, GIBBS_OK);
    cr_expect(same_word(after, host->word), "%s: another word afterwards", host->name);
    return ad_result_scalar(w, 0);
}

Test(plan_host_word, users_kernels_see_it, .timeout = 120)
{
    enum { MANY = 100000 };
    NEEDS_A_WORD();
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), y = ad_user(&meddler, &x);
    ad_var sum = ad_batch_sum(data, ad_sum(ad_scale(ad_div(y, ad_constant(t, 16)), 16)));
    double *px = malloc(MANY * D * sizeof *px);
    for (int i = 0; i < MANY * D; i++) px[i] = DBL_MIN;
    runner r = runner_new(&sum, 1, 0);
    bind(r, x, px), set_rows(r, data, MANY);
    cr_assert_gt(ad_split_rows(&r.plan->stage[0], MANY).shards, 1, "the test needs two shards");
    for (int k = 0; k < HOST_WORDS; k++)
        for (int threads = 1; threads <= 2; threads++) {
            double total = sum_of_sixteenths(r.w, &host_words[k], threads);
            cr_expect_eq(total, 0, "%s: %g: a kernel's word stayed", host_words[k].name, total);
            cr_expect_eq(seen.threads, threads, "%d threads, not %d", seen.threads, threads);
            cr_expect_eq(seen.wrong, 0, "%s: %d of %d calls saw another word", host_words[k].name, seen.wrong,
                         seen.calls);
        }
    runner_free(r);
    ad_tape_free(t);
    free(px);
}

/* ---- While recording ---- */

/* Numbers that are folded are those that a run gives, whatever the host has set while the tape was recorded. */
static double folded_under(const struct host_word *host, gibbs_dtype dtype, ad_var (*record)(ad_tape *))
{
    gibbs_float_word first = gibbs_float_get();
    ad_tape *t = ad_tape_new(dtype, NULL);
    gibbs_float_set(host->word);
    ad_var y = record(t);
    runner r = runner_new(&y, 1, 0);
    gibbs_float_set(first);
    run(r);
    double value = ad_result_scalar(r.w, 0);
    runner_free(r);
    ad_tape_free(t);
    return value;
}

static ad_var a_third(ad_tape *t) { return ad_div(ad_constant(t, 1), ad_constant(t, 3)); }
static ad_var a_subnormal(ad_tape *t) { return ad_scale(ad_scale(ad_constant(t, 1e-200), 1e-60), 1e-55); }
static ad_var a_small_exp(ad_tape *t) { return ad_exp(ad_constant(t, -90)); }

Test(plan_host_word, folded_numbers_do_not_depend_on_it)
{
    NEEDS_A_WORD();
    double third = folded_under(&host_words[0], GIBBS_FLOAT64, a_third);
    for (int k = 0; k < HOST_WORDS; k++) {
        cr_expect_eq(folded_under(&host_words[k], GIBBS_FLOAT64, a_third), third, "%s", host_words[k].name);
        cr_expect_eq(folded_under(&host_words[k], GIBBS_FLOAT64, a_subnormal), 0, "%s", host_words[k].name);
        cr_expect_eq(folded_under(&host_words[k], GIBBS_FLOAT32, a_small_exp), 0, "%s", host_words[k].name);
        cr_expect_gt(folded_under(&host_words[k], GIBBS_FLOAT64, a_small_exp), 0, "%s", host_words[k].name);
    }
}
