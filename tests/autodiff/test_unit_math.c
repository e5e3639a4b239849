/* Softplus and sigmoid, alone and together, of every instruction set here: errors over the whole line in units in the
 * last place of the exact value, special values, and bits that do not depend on an element's place. */
#include "kernel_tables.h"
#include "last_places.h"

/* ---- Softplus and sigmoid by the tables ---- */

typedef enum function { SOFTPLUS_ALONE, SIGMOID_ALONE, SOFTPLUS_OF_PAIR, SIGMOID_OF_PAIR, FUNCTIONS } function;
static const char *const function_name[] = {"softplus", "sigmoid", "softplus of the pair", "sigmoid of the pair"};

typedef struct results {
    double of[FUNCTIONS][PART];
} results;

static void evaluate(const table *t, const double *x, int n, results *r)
{
    static double in[PART], out[FUNCTIONS][PART];
    t->kernels->from_double(n, in, x);
    t->kernels->unary[OP_softplus](n, out[SOFTPLUS_ALONE], in);
    t->kernels->unary[OP_sigmoid](n, out[SIGMOID_ALONE], in);
    t->kernels->logistic(n, (void *[]){out[SOFTPLUS_OF_PAIR], out[SIGMOID_OF_PAIR], NULL}, in);
    for (int f = 0; f < FUNCTIONS; f++)
        for (int i = 0; i < n; i++) r->of[f][i] = t->kernels->get(out[f], i);
}

/* Of x and −x: one exponential and one logarithm serve four values. */
typedef struct exact {
    long double softplus[2], sigmoid[2]; /* at −x and at x */
} exact;

static exact exact_at(double x)
{
    long double e = expl(-(long double)x), l = log1pl(e);
    return (exact){{l, x + l}, {e / (1 + e), 1 / (1 + e)}};
}

typedef worst table_errors[TABLES][FUNCTIONS];

static void measure(void *context, size_t size, const double *x, int n)
{
    static exact reference[PART];
    static double signed_x[PART];
    static results r;
    table_errors *errors = context;
    for (int i = 0; i < n; i++) reference[i] = exact_at(x[i]);
    for (int k = 0; k < 2 * TABLES; k++) {
        const table *t = &tables[k / 2];
        int sign = k % 2;
        if (!t->kernels || t->kernels->size != size) continue;
        for (int i = 0; i < n; i++) signed_x[i] = sign ? x[i] : -x[i];
        evaluate(t, signed_x, n, &r);
        for (int f = 0; f < FUNCTIONS; f++)
            for (int i = 0; i < n; i++) {
                const long double *y = f % 2 ? reference[i].sigmoid : reference[i].softplus;
                compare(&(*errors)[k / 2][f], size, signed_x[i], r.of[f][i], y[sign]);
            }
    }
}

/* Where something happens, densely; and the whole line, thinly. Far from 0 both are the exponential itself. Bounds are
 * in units in the last place, for softplus and sigmoid; the first row's worst are 2.51 and 2.36, the second's 1.37. */
static const struct {
    const char *where;
    size_t size;
    sweep sweep;
    double bound[2];
} swept[] = {
    {"near 0", 4, {0x1p-12, 18, 600000}, {2.7, 2.9}}, {"far from 0", 4, {18, 103, 150000}, {1.5, 1.5}},
    {"at the end", 4, {80, 110, 100000}, {1.5, 1.5}},  {"anywhere", 4, {0x1p-149, FLT_MAX, 100000}, {2.7, 2.9}},
    {"near 0", 8, {0x1p-30, 38, 150000}, {2.7, 2.9}},  {"far from 0", 8, {38, 745, 30000}, {1.5, 1.5}},
    {"at the end", 8, {700, 750, 30000}, {1.5, 1.5}},  {"anywhere", 8, {0x1p-1074, DBL_MAX, 30000}, {2.7, 2.9}},
};

static void check_errors(int row)
{
    table_errors errors = {{{0}}};
    if (!reference_is_finer(swept[row].size)) return;
    visit(&swept[row].sweep, swept[row].size, measure, &errors);
    for (int k = 0; k < TABLES; k++)
        for (int f = 0; f < FUNCTIONS; f++) {
            const worst *w = &errors[k][f];
            cr_expect(w->error <= swept[row].bound[f % 2], "%s %s (%s): %.3Lf units in the last place at %a",
                      function_name[f], swept[row].where, tables[k].name, w->error, w->at);
            if (tables[k].kernels && tables[k].kernels->size == swept[row].size)
                cr_expect(w->error > 0.25, "%s %s (%s): nothing was compared", function_name[f], swept[row].where,
                          tables[k].name);
        }
}

Test(unit_math, errors_over_the_line, .timeout = 120)
{
    for (int row = 0; row < LENGTH(swept); row++) check_errors(row);
}

/* The control: neighbours are one unit apart, also below the normal numbers, and a NaN is as wrong as can be. */
Test(unit_math, errors_are_seen)
{
    static const double at[] = {1.5, 0x1p-100, 0x1p-126, 0x1p-140, 0x1.8p-1022, 0x1p-1060, 1e300};
    for (int k = 0; k < LENGTH(at); k++) {
        worst narrow = {0}, wide = {0};
        compare(&wide, 8, 0, nextafter(at[k], INFINITY), (long double)at[k]);
        cr_expect(wide.error == 1, "%Lg units at %g", wide.error, at[k]);
        if (at[k] < 0x1p-149 || at[k] > FLT_MAX) continue;
        compare(&narrow, 4, 0, (double)nextafterf((float)at[k], INFINITY), (long double)(float)at[k]);
        cr_expect(narrow.error == 1, "%Lg units of float at %g", narrow.error, at[k]);
    }
    worst w = {0};
    compare(&w, 4, 0, NAN, 1), compare(&w, 4, 0, 1, 1);
    cr_expect(isinf(w.error));
}

/* ---- Special values ---- */

static void expect_value(const table *t, function f, double x, double got, double expected)
{
    bool same = isnan(expected) ? isnan(got) : got == expected && signbit(got) == signbit(expected);
    cr_expect(same, "%s of %g is %g, not %g (%s)", function_name[f], x, got, expected, t->name);
}

/* Beyond `last` the exponential is 0. */
static void check_special(const table *t)
{
    double last = t->kernels->size == 4 ? 104 : 746, most = t->kernels->size == 4 ? FLT_MAX : DBL_MAX;
    const double x[] = {-last, -2 * last, -most, -INFINITY, last, 2 * last, most, INFINITY, 0, -0.0, NAN, -NAN};
    results r;
    evaluate(t, x, LENGTH(x), &r);
    for (int f = 0; f < FUNCTIONS; f++)
        for (int i = 0; i < LENGTH(x); i++) {
            worst at_zero = {0};
            double expected = x[i] != x[i] ? NAN : x[i] < 0 ? 0 : f % 2 ? (x[i] > 0 ? 1 : 0.5) : x[i];
            if (f % 2 || x[i]) expect_value(t, (function)f, x[i], r.of[f][i], expected);
            else compare(&at_zero, t->kernels->size, 0, r.of[f][i], logl(2));
            cr_expect(at_zero.error <= 2.7, "%s of 0 (%s): %.3Lf units", function_name[f], t->name, at_zero.error);
        }
}

Test(unit_math, special_values)
{
    for (int k = 0; k < TABLES; k++)
        if (tables[k].kernels) check_special(&tables[k]);
}

/* ---- Places of the pair (those of one function alone: test_plan_kernel_values.c) ---- */

enum { MOST = 40, GUARD = 8 };

/* Where the results of the pair go, and where its argument lies: elsewhere, or in the place of either result. */
enum { APART, IN_SOFTPLUS, IN_SIGMOID, PLACES };

static void pair_of(const table *t, int place, int64_t n, const char *x, char *softplus, char *sigmoid)
{
    const char *from = place == IN_SOFTPLUS ? softplus : place == IN_SIGMOID ? sigmoid : x;
    if (place != APART) memcpy(place == IN_SOFTPLUS ? softplus : sigmoid, x, (size_t)n * t->kernels->size);
    t->kernels->logistic(n, (void *[]){softplus, sigmoid, NULL}, from);
}

static void check_places(const table *t, const char *x, const char *alone[2])
{
    _Alignas(64) char out[2][(MOST + GUARD) * sizeof(double)];
    size_t size = t->kernels->size;
    for (int place = 0; place < PLACES; place++)
        for (int64_t from = 0; from < MOST; from++)
            for (int64_t n = 1; from + n <= MOST; n++) {
                memset(out, 0x5a, sizeof out);
                pair_of(t, place, n, x + (size_t)from * size, out[0], out[1]);
                for (int f = 0; f < 2; f++) {
                    cr_assert_eq(memcmp(out[f], alone[f] + (size_t)from * size, (size_t)n * size), 0,
                                 "%lld numbers from the %lldth (%s)", (long long)n, (long long)from, t->name);
                    for (size_t b = (size_t)n * size; b < sizeof out[f]; b++)
                        cr_assert_eq(out[f][b], 0x5a, "written beyond (%s)", t->name);
                }
            }
}

static void check_places_of(const table *t)
{
    _Alignas(64) char x[MOST * sizeof(double)], softplus[sizeof x], sigmoid[sizeof x];
    size_t size = t->kernels->size;
    uint64_t seed = 3;
    for (size_t i = 0; i < MOST; i++) {
        put(t, x, (int64_t)i, ldexp(next_number(&seed, -1, 1), (int)next_below(&seed, 150) - 140));
        pair_of(t, APART, 1, x + i * size, softplus + i * size, sigmoid + i * size);
    }
    check_places(t, x, (const char *[]){softplus, sigmoid});
}

Test(unit_math, an_elements_place_does_not_matter)
{
    for (int k = 0; k < TABLES; k++)
        if (tables[k].kernels) check_places_of(&tables[k]);
}
