/* Scans: what is refused, and what they look like as text. */
#include "scan_bodies.h"

static void no_next(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)s, (void)x, (void)next, (void)out, (void)context;
}

static void other_shape(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)x, (void)out, (void)context;
    next[0] = ad_sum(s[0]);
}

static void mixing(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)x, (void)out;
    next[0] = ad_sub(s[0], ad_batch_mean(*(ad_axis *)context, s[0]));
}

static void leaking(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)x, (void)out;
    next[0] = ad_tanh(s[0]);
    *(ad_var *)context = next[0];
}

static void kinked(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)x, (void)out, (void)context;
    next[0] = ad_relu(s[0]);
}

static ad_tape *tape;
static ad_axis rows;
static ad_var state, last;

static ad_scan_spec spec_of(ad_scan_body *body, void *context)
{
    tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    rows = ad_axis_new(tape, "rows");
    state = ad_input(rows, "s", ad_vec(2));
    return (ad_scan_spec){.steps = 3, .state = &state, .states = 1, .body = body, .context = context};
}

static void expect_refused(const ad_scan_spec *spec, gibbs_status status, const char *words)
{
    cr_expect_eq(ad_scan(spec, &last, NULL), status, "%s: %d", words, (int)ad_tape_status(tape));
    cr_expect(ad_is_null(last));
    cr_expect(strstr(ad_tape_message(tape), words), "«%s» lacks «%s»", ad_tape_message(tape), words);
    ad_tape_free(tape);
}

Test(scan_more, misuse_is_told)
{
    ad_scan_spec s = spec_of(NULL, NULL);
    expect_refused(&s, GIBBS_ARGUMENT, "no body");
    s = spec_of(no_next, NULL);
    expect_refused(&s, GIBBS_ARGUMENT, "did not write next[0]");
    s = spec_of(other_shape, NULL);
    expect_refused(&s, GIBBS_SHAPE, "the body makes []");
    s = spec_of(mixing, &rows);
    expect_refused(&s, GIBBS_AXIS, "mixes samples");
    s = spec_of(kinked, NULL), s.steps = 0;
    expect_refused(&s, GIBBS_ARGUMENT, "0 steps");
    s = spec_of(kinked, NULL), s.states = -1;
    cr_expect_eq(ad_scan(&s, &last, NULL), GIBBS_ARGUMENT);
    ad_tape_free(tape);
    s = spec_of(kinked, NULL), s.input = &state, s.inputs = 1;
    expect_refused(&s, GIBBS_SHAPE, "must be the 3 steps");
    s = spec_of(kinked, NULL), s.length = state;
    expect_refused(&s, GIBBS_SHAPE, "shared scalar");
    cr_expect_eq(ad_scan(NULL, NULL, NULL), GIBBS_ARGUMENT);
}

static int collect(void *context, const char *piece, size_t length)
{
    strncat(context, piece, length);
    return 0;
}

/* A tape's text has the body, a plan's says how many instructions a loop repeats. */
Test(scan_more, loops_are_printed)
{
    char text[4000] = "", what[4000] = "";
    ad_var inside;
    ad_scan_spec s = spec_of(leaking, &inside);
    s.reverse = 1;
    cr_assert_eq(ad_scan(&s, &last, NULL), GIBBS_OK);
    runner r = runner_new(&last, 1, 0);
    cr_assert_eq(ad_print(&last, 1, collect, text, NULL), GIBBS_OK);
    cr_assert_eq(ad_plan_print(r.plan, collect, what, NULL), GIBBS_OK);
    cr_expect(strstr(text, "tanh") && strstr(text, "scan (3 steps, the last one first)"), "%s", text);
    cr_expect(strstr(what, "loop of 3 steps, the last one first: the next 1 instructions"), "%s", what);
    cr_expect(strstr(what, "slice of arena"), "%s", what);
    runner_free(r);
    ad_tape_free(tape);
}

Test(scan_more, kinks_and_leaks_are_seen)
{
    ad_var inside, g;
    ad_plan *plan;
    gibbs_error error;
    ad_scan_spec s = spec_of(leaking, &inside);
    cr_assert_eq(ad_scan(&s, &last, NULL), GIBBS_OK);
    cr_expect_eq(ad_compile(&inside, 1, NULL, &plan, &error), GIBBS_ARGUMENT);
    cr_expect(strstr(error.message, "body of a scan"), "%s", error.message);
    ad_tape_free(tape);
    s = spec_of(kinked, NULL);
    cr_assert_eq(ad_scan(&s, &last, NULL), GIBBS_OK);
    cr_expect_eq(ad_grad(ad_sum(last), &state, 1, &g), GIBBS_OK);
    cr_expect(ad_is_null(ad_hess_diag(ad_sum(last), state)));
    cr_expect(strstr(ad_tape_message(tape), "max or relu"), "%s", ad_tape_message(tape));
    ad_tape_free(tape);
}
