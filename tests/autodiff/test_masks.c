/* Branches that are not taken. Every elementwise op f is recorded at arguments where its value or a slope is no number,
 * and is not picked there, below all that derivatives are handed down through. All derivatives of three orders must be
 * those of the same function with a harmless argument put in the place of the bad one, which no mask is needed for. */
#include "autodiff/op/op.h"

#include "plan_helpers.h"

#include <criterion/criterion.h>
#include <math.h>

enum { N = 3, BAD = 1, MOST = 16 };

static ad_var at(ad_var x, double c) { return ad_constant(x.tape, c); }

/* f of a vector: the op, by each of its arguments and by both. */
static ad_var apply(ad_op op, int form, ad_var x)
{
    ad_var in[3] = {x, x, x};
    if (ad_ops[op].kind == KIND_BINARY && form < 2) in[1 - form] = at(x, 0.6);
    return ad_elementwise(op, in, ad_ops[op].arguments);
}

/* ---- How f is not picked: f where `good` is 1, a sine where it is 0 ---- */

static ad_var other(ad_var x) { return ad_sin(ad_scale(x, 0.3)); }
static ad_var by_select(ad_var good, ad_var f, ad_var x) { return ad_select(good, f, other(x)); }
static ad_var by_else(ad_var good, ad_var f, ad_var x) { return ad_select(ad_less(good, at(x, 1)), other(x), f); }
static ad_var twice(ad_var good, ad_var f, ad_var x)
{
    return ad_select(good, ad_select(good, f, ad_exp(f)), other(x));
}
static ad_var beside(ad_var good, ad_var f, ad_var x)
{
    return ad_add(by_select(good, ad_mul(f, ad_sin(x)), x), by_select(good, ad_tanh(f), x));
}

/* The control: a factor 0 picks nothing, and 0·NaN is NaN. */
static ad_var weighed(ad_var good, ad_var f, ad_var x) { return ad_add(ad_mul(good, f), other(x)); }

enum { PICKS = 4, WEIGHED = PICKS };
static ad_var (*const picks[])(ad_var good, ad_var f, ad_var x) = {by_select, by_else, twice, beside, weighed};

/* ---- What lies above it ---- */

static ad_var matrix(ad_var like)
{
    return ad_constant_array(like.tape, ad_mat(N, 2), (double[]){0.3, -0.2, 0.5, 0.1, -0.4, 0.7});
}

static ad_var plain(ad_var y) { return ad_sum(y); }
static ad_var curved(ad_var y) { return ad_sum(ad_sin(y)); }
static ad_var product(ad_var y) { return ad_sum(ad_sin(ad_matmul(y, matrix(y)))); }
static ad_var squared_product(ad_var y) { return ad_square(ad_dot(y, ad_tanh(y))); }
static ad_var soft(ad_var y) { return ad_logsumexp(y); }
static ad_var joined(ad_var y) { return ad_sum(ad_sin(ad_concat(ad_slice(y, 0, 0, 2), ad_slice(y, 0, 1, 2), 0))); }
static ad_var turned(ad_var y) { return ad_sum(ad_cos(ad_transpose(ad_reshape(y, ad_mat(1, N))))); }
static ad_var repeated(ad_var y) { return ad_sum(ad_sin(ad_expand(y, ad_mat(2, N)))); }
static ad_var gathered(ad_var y)
{
    return ad_sum(ad_sin(ad_gather(y, ad_constant_array(y.tape, ad_vec(4), (double[]){2, 0, 1, 2}))));
}

static ad_var (*const above[])(ad_var y) = {plain,  curved, product, squared_product, soft,
                                            joined, turned, repeated, gathered};

/* ---- The derivatives ---- */

/* Of y by x, for orders one to three, backward, forward, and curvature. */
static int derivatives(ad_var y, ad_var x, ad_var *out)
{
    ad_var u = ad_constant_array(x.tape, ad_vec(N), (double[]){0.7, -1.1, 0.4}), g, second, third;
    ad_grad(y, &x, 1, &g);
    ad_var along = ad_dot(g, u);
    ad_grad(along, &x, 1, &second);
    ad_var again = ad_dot(second, u);
    ad_grad(again, &x, 1, &third);
    ad_var all[] = {g, second, third, ad_hvp(y, x, u), ad_hess_diag_almost_everywhere(y, x),
                    ad_reshape(ad_jvp(y, &x, &u, 1), ad_vec(1))};
    for (int i = 0; i < LENGTH(all); i++) out[i] = all[i];
    return LENGTH(all);
}

/* x is one value for all samples, whose sum over them is y, or each sample's own. */
typedef struct setting {
    ad_tape *tape;
    ad_axis axis;
    ad_var x, one, inside, good;
} setting;

static setting setting_new(bool shared)
{
    setting s = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    s.axis = ad_axis_new(s.tape, "data");
    s.x = shared ? ad_parameter(s.tape, "x", ad_vec(N)) : ad_input(s.axis, "x", ad_vec(N));
    s.inside = s.x;
    s.one = ad_input(s.axis, "one", ad_vec(1));
    if (shared) s.inside = ad_mul(s.x, s.one);
    double good[N] = {1, 1, 1};
    good[BAD] = 0;
    s.good = ad_constant_array(s.tape, ad_vec(N), good);
    return s;
}

static ad_var summed(const setting *s, ad_var y) { return ad_is_shared(s->x) ? ad_batch_sum(s->axis, y) : y; }

/* Whether the first n outputs are the other n. */
static bool same_numbers(const runner *r, const ad_var *out, int n)
{
    for (int i = 0; i < n; i++) {
        const double *got = ad_result_f64(r->w, i), *right = ad_result_f64(r->w, i + n);
        for (int64_t e = 0; e < ad_shape_of(out[i]).dim[0]; e++)
            if (!(fabs(got[e] - right[e]) <= 1e-9 * (1 + fabs(right[e])))) return false;
    }
    return true;
}

/* At how many bad arguments the derivatives are not those with a harmless one. */
static int differences(ad_op op, int form, int pick, int top, bool shared)
{
    static const double bads[] = {0, -1, 1, -3, 1000, -1000, 1e200};
    setting s = setting_new(shared);
    ad_var harmless = ad_select(s.good, s.inside, at(s.inside, 0.5)), out[MOST];
    ad_var y = above[top](picks[pick](s.good, apply(op, form, s.inside), s.inside));
    ad_var z = above[top](picks[pick](s.good, apply(op, form, harmless), s.inside));
    int n = derivatives(summed(&s, y), s.x, out), different = 0;
    derivatives(summed(&s, z), s.x, out + n);
    cr_assert_eq(ad_tape_status(s.tape), GIBBS_OK, "%s: %s", ad_ops[op].name, ad_tape_message(s.tape));
    runner r = runner_new(out, 2 * n, 0);
    double x[2 * N] = {0.7, 0, 0.4, 0.7, 0, 0.4}, one[2] = {1, 1};
    bind(r, s.x, x);
    if (shared) bind(r, s.one, one);
    set_rows(r, s.axis, 2);
    bool product = op == OP_mul || op == OP_chain; /* which is not masked, and overflows */
    for (int b = 0; b < LENGTH(bads) - product; b++) {
        x[BAD] = x[N + BAD] = bads[b];
        run(r);
        if (same_numbers(&r, out, n)) continue;
        different++;
        if (pick != WEIGHED)
            cr_log_error("%s, form %d, pick %d, below %d, at %g, %s", ad_ops[op].name, form, pick, top, bads[b],
                         shared ? "shared" : "per-sample");
    }
    runner_free(r);
    ad_tape_free(s.tape);
    return different;
}

static int check(ad_op op, bool shared)
{
    int failed = 0, forms = ad_ops[op].kind == KIND_BINARY ? 3 : 1;
    for (int form = 0; form < forms; form++)
        for (int pick = 0; pick < PICKS; pick++)
            for (int top = 0; top < LENGTH(above); top++)
                if (in_sweep((form * PICKS + pick) * LENGTH(above) + top, 5))
                    failed += differences(op, form, pick, top, shared);
    return failed;
}

static void check_all(bool shared)
{
    int failed = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        if (ad_ops[op].kind != KIND_UNARY && ad_ops[op].kind != KIND_BINARY) continue;
        if (op == OP_less || op == OP_masked || op == OP_stop_gradient) continue;
        failed += check(op, shared);
    }
    cr_assert_eq(failed, 0);
}

Test(masks, what_is_not_taken_has_no_part_in_a_derivative) { check_all(false); }
Test(masks, nor_where_it_is_summed_over_the_samples) { check_all(true); }

Test(masks, a_factor_of_zero_is_no_mask)
{
    cr_assert_gt(differences(OP_log, 0, WEIGHED, 0, false), 0);
    cr_assert_gt(differences(OP_log, 0, WEIGHED, 0, true), 0);
}
