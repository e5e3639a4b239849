/* logcosh, erfc and gelu to their last digits, where the formulas that come to mind cancel or overflow: the kernels of
 * every instruction set here in units in the last place, and values and slopes through a plan. */
#include "kernel_tables.h"
#include "last_places.h"

typedef long double exact_function(long double x);

static long double logcosh_exactly(long double x)
{
    long double a = fabsl(x), s = sinhl(a / 2);
    return a < 1 ? log1pl(2 * s * s) : a + log1pl(expl(-2 * a)) - logl(2);
}

static const struct swept {
    const char *name;
    ad_op op;
    exact_function *exact;
    size_t size;
    double from, to, bound; /* the points, of both signs; units in the last place */
} swept[] = {
    {"logcosh", OP_logcosh, logcosh_exactly, 4, 0x1p-149, FLT_MAX, 6.5},
    {"logcosh", OP_logcosh, logcosh_exactly, 4, 1e-3, 100, 6.5},
    {"logcosh", OP_logcosh, logcosh_exactly, 8, 0x1p-1074, DBL_MAX, 6.5},
    {"logcosh", OP_logcosh, logcosh_exactly, 8, 1e-3, 100, 6.5},
    {"erfc", OP_erfc, erfcl, 4, 0x1p-20, 9, 4},
    {"erfc", OP_erfc, erfcl, 8, 0x1p-40, 26, 4},
};

typedef struct measured {
    const struct swept *row;
    worst of[TABLES];
} measured;

static void measure(void *context, size_t size, const double *x, int n)
{
    static double in[PART], out[PART];
    measured *m = context;
    for (int k = 0; k < 2 * TABLES; k++) {
        const table *t = &tables[k / 2];
        double sign = k % 2 ? 1 : -1;
        if (!t->kernels || t->kernels->size != size) continue;
        for (int i = 0; i < n; i++) put(t, in, i, sign * x[i]);
        t->kernels->unary[m->row->op](n, out, in);
        for (int i = 0; i < n; i++)
            compare(&m->of[k / 2], size, sign * x[i], t->kernels->get(out, i), m->row->exact(sign * x[i]));
    }
}

Test(last_places, kernels, .timeout = 120)
{
    for (int r = 0; r < LENGTH(swept); r++) {
        measured m = {.row = &swept[r]};
        sweep points = {swept[r].from, swept[r].to, 60000};
        if (!reference_is_finer(swept[r].size)) continue;
        visit(&points, swept[r].size, measure, &m);
        for (int k = 0; k < TABLES; k++) {
            if (!tables[k].kernels || tables[k].kernels->size != swept[r].size) continue;
            cr_expect(m.of[k].error <= swept[r].bound, "%s (%s): %.3Lf units in the last place at %a", swept[r].name,
                      tables[k].name, m.of[k].error, m.of[k].at);
            cr_expect(m.of[k].error > 0.25, "%s (%s): nothing was compared", swept[r].name, tables[k].name);
        }
    }
}

/* ---- Through a plan: f and f′ of one input ---- */

static long double gelu_exactly(long double x) { return x * erfcl(-x / sqrtl(2)) / 2; }
static long double gelu_slope(long double x)
{
    return erfcl(-x / sqrtl(2)) / 2 + x * expl(-x * x / 2) / sqrtl(2 * acosl(-1));
}

static const struct activation {
    const char *name;
    ad_var (*record)(ad_var);
    exact_function *value, *slope;
    double tolerance[2]; /* in units of the number type, relative */
    double at[6];
} activations[] = {
    {"logcosh", ad_logcosh, logcosh_exactly, tanhl, {4, 4}, {1e-5, 1e-3, -0.5, 20, -100, 3e38}},
    /* the tail's argument is rounded: x² times that; in the slope the terms nearly cancel */
    {"gelu", ad_gelu, gelu_exactly, gelu_slope, {64, 128}, {1e-5, -1e-3, -5, -6, 6, 1e4}},
};

static void check_activation(const struct activation *a, gibbs_dtype dtype)
{
    double epsilon = dtype == GIBBS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    ad_tape *tape = ad_tape_new(dtype, NULL);
    ad_axis data = ad_axis_new(tape, "data");
    ad_var x = ad_input(data, "x", ad_scalar()), out[2] = {a->record(x)};
    cr_assert_eq(ad_grad(out[0], &x, 1, &out[1]), GIBBS_OK, "%s", ad_tape_message(tape));
    runner r = runner_new(out, 2, 0);
    void *numbers = in_type(dtype, a->at, LENGTH(a->at));
    bind(r, x, numbers), set_rows(r, data, LENGTH(a->at)), run(r);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < LENGTH(a->at); i++) {
            long double at = dtype == GIBBS_FLOAT32 ? (long double)(float)a->at[i] : (long double)a->at[i];
            long double exact = (k ? a->slope : a->value)(at), got = number_at(dtype, ad_result(r.w, k), i);
            cr_expect(fabsl(got - exact) <= a->tolerance[k] * epsilon * fabsl(exact), "%s%s at %Lg is %Lg, not %Lg",
                      a->name, k ? "'" : "", at, got, exact);
        }
    free(numbers);
    runner_free(r);
    ad_tape_free(tape);
}

Test(last_places, values_and_slopes)
{
    for (int k = 0; k < LENGTH(activations); k++) {
        check_activation(&activations[k], GIBBS_FLOAT32);
        check_activation(&activations[k], GIBBS_FLOAT64);
    }
}
