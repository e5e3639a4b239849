/* The special functions and the slopes that would cancel, in units in the last place of quadruple precision, by the
 * kernels of every instruction set here: near 0, where they bend, and far out. */
#include "kernel_tables.h"
#include "last_places.h"
#include "support/quad.h"

typedef quad exact_function(quad x);

static quad tanh_slope(quad x)
{
    quad e = quad_exp(x < 0 ? 2 * x : -2 * x);
    return 4 * e / ((1 + e) * (1 + e));
}
static quad sigmoid_slope(quad x) { return tanh_slope(x / 2) / 4; }
static quad log1mexp(quad x) { return x < 1 ? quad_log(-quad_expm1(-x)) : quad_log1p(-quad_exp(-x)); }
static quad log1mexp_slope(quad x) { return 1 / quad_expm1(x); }
static quad asin_slope(quad x) { return 1 / quad_sqrt((1 - x) * (1 + x)); }
static quad atan_slope(quad x) { return 1 / (1 + x * x); }
static quad digamma(quad x) { return quad_polygamma(0, x); }
static quad trigamma(quad x) { return quad_polygamma(1, x); }
static quad tetragamma(quad x) { return quad_polygamma(2, x); }
static quad ndtr_first(quad x) { return quad_log_ndtr_slope(0, x); }
static quad ndtr_second(quad x) { return quad_log_ndtr_slope(1, x); }
static quad ndtr_third(quad x) { return quad_log_ndtr_slope(2, x); }
static quad erfc_first(quad x) { return quad_log_erfc_slope(0, x); }
static quad erfc_second(quad x) { return quad_log_erfc_slope(1, x); }

/* Points of one sign or both, from … to; bounds in units in the last place, of float32 and float64. Of two arguments
 * the first is `order`. */
static const struct swept {
    const char *name;
    ad_op op;
    exact_function *exact;
    int order, signs; /* 1: x > 0; −1: x < 0; 0: both */
    double from, to, bound[2];
} swept[] = {
    {"atan", OP_atan, quad_atan, 0, 0, 1e-30, 1e30, {4, 4}},
    {"atan'", OP_atan_slope, atan_slope, 0, 0, 1e-30, 1e15, {2, 2}},
    {"asin", OP_asin, quad_asin, 0, 0, 1e-30, 1, {4, 4}},
    {"acos", OP_acos, quad_acos, 0, 0, 1e-3, 1, {4, 4}},
    {"asin'", OP_asin_slope, asin_slope, 0, 0, 1e-30, 0.9999999, {3, 3}},
    {"sinh", OP_sinh, quad_sinh, 0, 0, 1e-30, 88, {4, 4}},
    {"cosh", OP_cosh, quad_cosh, 0, 0, 1e-30, 88, {4, 4}},
    {"tanh'", OP_tanh_slope, tanh_slope, 0, 0, 1e-30, 43, {8, 8}},
    {"sigmoid'", OP_sigmoid_slope, sigmoid_slope, 0, 0, 1e-30, 87, {5, 5}},
    {"log1mexp", OP_log1mexp, log1mexp, 0, 1, 1e-30, 87, {4, 4}},
    {"log1mexp'", OP_log1mexp_slope, log1mexp_slope, 0, 1, 1e-30, 87, {4, 4}},
    {"lgamma", OP_lgamma, quad_lgamma, 0, 1, 1e-30, 1e30, {8, 8}},
    {"lgamma", OP_lgamma, quad_lgamma, 0, 1, 0.3, 12, {8, 8}},
    {"digamma", OP_polygamma, digamma, 0, 1, 1e-30, 1e30, {1, 4}},
    {"digamma", OP_polygamma, digamma, 0, 1, 1.2, 1.7, {1, 4}},
    {"digamma'", OP_polygamma, trigamma, 1, 1, 1e-15, 1e30, {1, 8}},
    {"digamma''", OP_polygamma, tetragamma, 2, 1, 1e-10, 1e15, {1, 8}},
    {"log_ndtr", OP_log_ndtr, quad_log_ndtr, 0, 0, 1e-30, 37, {1, 6}},
    {"log_ndtr", OP_log_ndtr, quad_log_ndtr, 0, -1, 1, 120, {1, 4}},
    {"log_ndtr'", OP_log_ndtr_slope, ndtr_first, 0, 0, 1e-30, 37, {1, 6}},
    {"log_ndtr''", OP_log_ndtr_slope, ndtr_second, 1, 0, 1e-30, 37, {1, 20}},
    {"log_ndtr'''", OP_log_ndtr_slope, ndtr_third, 2, 0, 1e-30, 37, {1, 300}},
    {"log_erfc", OP_log_erfc, quad_log_erfc, 0, 0, 1e-30, 100, {1, 4}},
    {"log_erfc'", OP_log_erfc_slope, erfc_first, 0, 0, 1e-30, 26, {1, 6}},
    {"log_erfc''", OP_log_erfc_slope, erfc_second, 1, 0, 1e-30, 26, {1, 20}},
};

typedef struct measured {
    const struct swept *row;
    worst of[TABLES];
} measured;

static void note(worst *w, size_t size, double x, double got, quad exact)
{
    long double tiny = size == 4 ? FLT_MIN : DBL_MIN, whole = (long double)exact;
    quad error = ((quad)got - exact) / unit(size, whole);
    if (fabsl(whole) < tiny || fabsl(whole) > (size == 4 ? FLT_MAX : DBL_MAX)) return;
    error = error < 0 ? -error : error;
    if (!(error <= w->error)) *w = (worst){error == error ? (long double)error : INFINITY, x};
}

static void measure_sign(measured *m, int k, double sign, const double *x, int n)
{
    static double in[PART], out[PART], order[1];
    const table *t = &tables[k];
    const struct swept *row = m->row;
    put(t, order, 0, row->order);
    for (int i = 0; i < n; i++) put(t, in, i, sign * x[i]);
    if (t->kernels->unary[row->op]) t->kernels->unary[row->op](n, out, in);
    else t->kernels->binary[row->op](n, out, order, 0, in, 1);
    for (int i = 0; i < n; i++) {
        double at = t->kernels->get(in, i);
        note(&m->of[k], t->kernels->size, at, t->kernels->get(out, i), row->exact(at));
    }
}

static void measure(void *context, size_t size, const double *x, int n)
{
    measured *m = context;
    for (int k = 0; k < TABLES; k++) {
        if (!tables[k].kernels || tables[k].kernels->size != size) continue;
        if (m->row->signs >= 0) measure_sign(m, k, 1, x, n);
        if (m->row->signs <= 0) measure_sign(m, k, -1, x, n);
    }
}

static void check_row(const struct swept *row, size_t size)
{
    measured m = {.row = row};
    visit(&(sweep){row->from, row->to, 1500}, size, measure, &m);
    for (int k = 0; k < TABLES; k++) {
        if (!tables[k].kernels || tables[k].kernels->size != size) continue;
        cr_expect(m.of[k].error <= row->bound[size == 8], "%s (%s): %.3Lf units in the last place at %.17g", row->name,
                  tables[k].name, m.of[k].error, m.of[k].at);
        cr_expect(m.of[k].error > 0.25, "%s (%s): nothing was compared", row->name, tables[k].name);
    }
}

Test(special, errors_in_last_places, .timeout = 600)
{
    for (int r = 0; r < LENGTH(swept); r++) {
        check_row(&swept[r], 4);
        check_row(&swept[r], 8);
    }
}

/* ---- Two arguments ---- */

Test(special, atan2_and_hypot)
{
    static const double at[] = {0, 1e-30, 1e-3, 0.5, 1, 3, 1e10, 1e30};
    enum { N = LENGTH(at) };
    for (int k = 0; k < TABLES; k++) {
        double out[2];
        worst angle = {0}, size = {0};
        for (int i = 0; tables[k].kernels && i < 4 * N * N; i++) {
            double a = at[i / 4 / N] * (i & 1 ? -1 : 1), b = at[i / 4 % N] * (i & 2 ? -1 : 1), in[2][1];
            put(&tables[k], in[0], 0, a), put(&tables[k], in[1], 0, b);
            a = tables[k].kernels->get(in[0], 0), b = tables[k].kernels->get(in[1], 0);
            tables[k].kernels->binary[OP_atan2](1, out, in[0], 1, in[1], 1);
            note(&angle, tables[k].kernels->size, a, tables[k].kernels->get(out, 0), quad_atan2(a, b));
            tables[k].kernels->binary[OP_hypot](1, out, in[0], 1, in[1], 1);
            note(&size, tables[k].kernels->size, a, tables[k].kernels->get(out, 0), quad_hypot(a, b));
        }
        cr_expect(angle.error <= 4 && size.error <= 4, "%s: %Lg and %Lg units", tables[k].name,
                  angle.error, size.error);
        cr_expect(!tables[k].kernels || (angle.error > 0.1 && size.error > 0.1), "nothing was compared");
    }
}

/* ---- Poles, ends, and numbers that are none ---- */

static const struct special {
    ad_op op;
    double order, x, y;
} specials[] = {
    {OP_lgamma, 0, 0, INFINITY}, {OP_lgamma, 0, -1.5, NAN}, {OP_lgamma, 0, INFINITY, INFINITY},
    {OP_lgamma, 0, NAN, NAN}, {OP_lgamma, 0, 1, 0}, {OP_lgamma, 0, 2, 0},
    {OP_polygamma, 0, 0, NAN}, {OP_polygamma, 1, 0, NAN}, {OP_polygamma, 1, -0.5, NAN}, {OP_polygamma, 0, NAN, NAN},
    {OP_polygamma, -1, 1, NAN}, {OP_polygamma, NAN, 1, NAN}, {OP_polygamma, 0, INFINITY, INFINITY},
    {OP_polygamma, 1, INFINITY, 0},
    {OP_log1mexp, 0, 0, -INFINITY}, {OP_log1mexp, 0, -1, NAN}, {OP_log1mexp, 0, INFINITY, 0},
    {OP_log1mexp, 0, NAN, NAN}, {OP_log1mexp_slope, 0, 0, NAN}, {OP_log1mexp_slope, 0, INFINITY, 0},
    {OP_log1mexp_slope, 0, NAN, NAN},
    {OP_asin, 0, 1.5, NAN}, {OP_asin_slope, 0, 1, NAN}, {OP_asin_slope, 0, -1, NAN}, {OP_asin_slope, 0, NAN, NAN},
    {OP_tanh_slope, 0, 0, 1}, {OP_tanh_slope, 0, INFINITY, 0}, {OP_tanh_slope, 0, -INFINITY, 0},
    {OP_tanh_slope, 0, NAN, NAN},
    {OP_log_ndtr, 0, -INFINITY, -INFINITY}, {OP_log_ndtr, 0, INFINITY, 0}, {OP_log_ndtr, 0, NAN, NAN},
    {OP_log_ndtr_slope, 0, -INFINITY, INFINITY}, {OP_log_ndtr_slope, 0, INFINITY, 0}, {OP_log_ndtr_slope, 0, NAN, NAN},
    {OP_log_ndtr_slope, 1, -INFINITY, -1}, {OP_log_ndtr_slope, 2, -INFINITY, 0}, {OP_log_ndtr_slope, 1, INFINITY, 0},
    {OP_log_erfc, 0, INFINITY, -INFINITY}, {OP_log_erfc, 0, NAN, NAN}, {OP_log_erfc, 0, 0, 0},
    {OP_log_erfc_slope, 0, INFINITY, -INFINITY}, {OP_log_erfc_slope, 0, -INFINITY, 0}, {OP_log_erfc_slope, 0, NAN, NAN},
};

Test(special, poles_and_ends)
{
    for (int k = 0; k < TABLES; k++)
        for (int i = 0; tables[k].kernels && i < LENGTH(specials); i++) {
            const struct special *s = &specials[i];
            const ad_kernels *kernels = tables[k].kernels;
            double in[1], order[1], out[1];
            put(&tables[k], in, 0, s->x), put(&tables[k], order, 0, s->order);
            if (kernels->unary[s->op]) kernels->unary[s->op](1, out, in);
            else kernels->binary[s->op](1, out, order, 1, in, 1);
            double y = kernels->get(out, 0);
            cr_expect(isnan(s->y) ? isnan(y) : y == s->y, "%s of %g (order %g) is %g, not %g (%s)", ad_ops[s->op].name,
                      s->x, s->order, y, s->y, tables[k].name);
        }
}

/* ---- Through a plan, where formulas that come to mind underflow: y and its derivatives of three orders ---- */

static const struct far {
    const char *name;
    ad_var (*f)(ad_var);
    double x, y[4];
} fars[] = {
    {"log_ndtr", ad_log_ndtr, -40,
     {-804.60844201375378817, 40.024968847207264, -0.99937733162140861, 3.1017440396486248e-05}},
    {"log_ndtr", ad_log_ndtr, 0,
     {-0.69314718055994531, 0.79788456080286536, -0.63661977236758134, 0.2180136141449902}},
    {"log_erfc", ad_log_erfc, 30,
     {-903.97411711064388, -60.033296398756228, -1.9988925755438381, -7.3583650173823103e-05}},
    {"tanh", ad_tanh, 20,
     {1, 1.6993417021166355e-17, -3.398683404233271e-17, 6.797366808466542e-17}},
    {"logcosh", ad_logcosh, 20,
     {19.306852819440055, 1, 1.6993417021166355e-17, -3.398683404233271e-17}},
    {"log1mexp", ad_log1mexp, 50,
     {-1.9287498479639178e-22, 1.9287498479639178e-22, -1.9287498479639178e-22, 1.9287498479639178e-22}},
    {"digamma", ad_digamma, 1,
     {-0.57721566490153286, 1.6449340668482264, -2.4041138063191886, 6.4939394022668292}},
};

static void check_far(const struct far *f, gibbs_dtype dtype)
{
    ad_tape *tape = ad_tape_new(dtype, NULL);
    ad_var x = ad_parameter(tape, "x", ad_scalar()), y[4] = {f->f(x)};
    for (int k = 1; k < 4; k++) cr_assert_eq(ad_grad(y[k - 1], &x, 1, &y[k]), GIBBS_OK, "%s", ad_tape_message(tape));
    runner r = runner_new(y, 4, 0);
    void *number = in_type(dtype, &f->x, 1);
    bind(r, x, number), run(r);
    for (int k = 0; k < 4; k++) {
        double got = number_at(dtype, ad_result(r.w, k), 0), bound = dtype == GIBBS_FLOAT32 ? 2e-6 : 1e-12;
        cr_expect(fabs(got - f->y[k]) <= bound * fabs(f->y[k]), "%s: derivative %d at %g is %.17g, not %.17g", f->name,
                  k, f->x, got, f->y[k]);
    }
    free(number);
    runner_free(r);
    ad_tape_free(tape);
}

Test(special, derivatives_of_three_orders_in_the_tails)
{
    for (int k = 0; k < LENGTH(fars); k++) {
        check_far(&fars[k], GIBBS_FLOAT32);
        check_far(&fars[k], GIBBS_FLOAT64);
    }
}

Test(special, clamp)
{
    static const double x[] = {-3, -1, 0, 2, 5, NAN, INFINITY}, y[] = {-1, -1, 0, 2, 2, NAN, 2},
                        slope[] = {0, 1, 1, 1, 0, 1, 0};
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var v = ad_parameter(tape, "x", ad_vec(LENGTH(x))), out[2] = {ad_clamp(v, -1, 2)};
    cr_assert_eq(ad_grad(ad_sum(out[0]), &v, 1, &out[1]), GIBBS_OK);
    runner r = runner_new(out, 2, 0);
    bind(r, v, x), run(r);
    for (int i = 0; i < LENGTH(x); i++) {
        double got[2] = {ad_result_f64(r.w, 0)[i], ad_result_f64(r.w, 1)[i]};
        cr_expect(isnan(y[i]) ? isnan(got[0]) : got[0] == y[i], "clamp of %g is %g", x[i], got[0]);
        cr_expect(isnan(x[i]) || got[1] == slope[i], "its slope at %g is %g", x[i], got[1]);
    }
    runner_free(r);
    cr_expect(ad_is_null(ad_clamp(v, 2, -1)));
    cr_expect_eq(ad_tape_status(tape), GIBBS_ARGUMENT);
    ad_tape_free(tape);
}
