/* The elementwise kernels of every instruction set under the word of a run: what they give elsewhere, with 0 for a
 * result that is subnormal, and of a subnormal argument what they give of 0. */
#include "kernel_tables.h"
#include "last_places.h"
#include "support/host_words.h"

/* Only choose one of their arguments, or change its sign. */
static bool only_moves(int op)
{
    return op == OP_neg || op == OP_abs || op == OP_stop_gradient || op == OP_max || op == OP_min ||
           op == OP_masked;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* Near the least normal number a subnormal intermediate may cost its neighbour, or the least number itself. */
static bool right(size_t size, double got, double elsewhere)
{
    double least = size == 4 ? (double)FLT_MIN : DBL_MIN;
    if (fabs(elsewhere) < least) return got == 0 || fabs(got) == least;
    return same(got, elsewhere) || fabs(got - elsewhere) <= (double)unit(size, elsewhere);
}

typedef struct tally {
    const table *t;
    int op;
    int flushed; /* results that are subnormal elsewhere */
} tally;

/* Results of one op under the host's word and under ours, and under ours with 0 for subnormal arguments. */
typedef struct results {
    double host[PART], ours[PART], of_zero[PART];
} results;

static void evaluate(const table *t, int op, const double *const *x, int n, bool as_in_a_run, double *y)
{
    static double in[2][PART], out[PART];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n; i++) put(t, in[k], i, x[k][i]);
    gibbs_float_word host = gibbs_float_get();
    if (as_in_a_run) gibbs_float_enter();
    if (t->kernels->unary[op]) t->kernels->unary[op](n, out, in[0]);
    else t->kernels->binary[op](n, out, in[0], 1, in[1], 1);
    gibbs_float_leave(host);
    for (int i = 0; i < n; i++) y[i] = t->kernels->get(out, i);
}

static void check(tally *c, const double *const *x, int n)
{
    static double zeroed[2][PART];
    static results r;
    size_t size = c->t->kernels->size;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < n; i++) zeroed[k][i] = is_subnormal(size, x[k][i]) ? copysign(0, x[k][i]) : x[k][i];
    evaluate(c->t, c->op, x, n, false, r.host);
    evaluate(c->t, c->op, x, n, true, r.ours);
    evaluate(c->t, c->op, (const double *const[]){zeroed[0], zeroed[1]}, n, true, r.of_zero);
    for (int i = 0; i < n; i++) {
        bool given = is_subnormal(size, x[0][i]) || is_subnormal(size, x[1][i]);
        bool good = given ? same(r.ours[i], r.of_zero[i]) : right(size, r.ours[i], r.host[i]);
        c->flushed += !given && is_subnormal(size, r.host[i]);
        cr_assert(good && !is_subnormal(size, r.ours[i]), "%s of %a, %a is %a, elsewhere %a, of 0 %a (%s)",
                  ad_ops[c->op].name, x[0][i], x[1][i], r.ours[i], r.host[i], r.of_zero[i], c->t->name);
    }
}

/* ---- One argument: numbers of all sizes, and where exponentials end ---- */

static void check_both_signs(void *context, size_t size, const double *x, int n)
{
    double negative[PART];
    (void)size;
    for (int i = 0; i < n; i++) negative[i] = -x[i];
    check(context, (const double *const[]){x, x}, n);
    check(context, (const double *const[]){negative, x}, n);
}

static int check_unary(const table *t, int op)
{
    bool single = t->kernels->size == 4;
    double least = single ? (double)FLT_MIN : DBL_MIN;
    const sweep swept[] = {{single ? 0x1p-149 : 0x1p-1074, single ? FLT_MAX : DBL_MAX, 30000},
                           {single ? 70 : 650, single ? 110 : 760, 20000},
                           {least / 8, least * 8, 5000},
                           {4, 40, 10000}};
    tally c = {t, op, 0};
    for (int k = 0; k < LENGTH(swept); k++) visit(&swept[k], t->kernels->size, check_both_signs, &c);
    return c.flushed;
}

Test(kernel_underflow, one_argument, .timeout = 120)
{
    static const int shrinking[] = {OP_exp, OP_sigmoid, OP_sigmoid_slope, OP_softplus, OP_erfc, OP_recip, OP_logcosh};
    NEEDS_A_WORD();
    for (int k = 0; k < TABLES; k++) {
        int flushed[OP_COUNT] = {0};
        for (int op = 0; tables[k].kernels && op < OP_COUNT; op++)
            if (tables[k].kernels->unary[op] && !only_moves(op)) flushed[op] = check_unary(&tables[k], op);
        for (int i = 0; tables[k].kernels && i < LENGTH(shrinking); i++)
            cr_expect_gt(flushed[shrinking[i]], 10, "%s: nothing was flushed (%s)", ad_ops[shrinking[i]].name,
                         tables[k].name);
    }
}

/* ---- Two arguments: all pairs of what is special ---- */

/* Of these numbers, at least. */
static bool never_subnormal(int op)
{
    return op == OP_less || op == OP_hypot || op == OP_log_erfc_slope || op == OP_log_ndtr_slope;
}

static void check_binary(const table *t, int op)
{
    enum { NUMBERS = 42 };
    bool single = t->kernels->size == 4;
    double least = single ? (double)FLT_MIN : DBL_MIN, most = single ? (double)FLT_MAX : DBL_MAX,
           epsilon = single ? (double)FLT_EPSILON : DBL_EPSILON, root = sqrt(least);
    const double at[NUMBERS / 2] = {0, least * epsilon, least / 7, least * (1 - epsilon), least, least * 1.5, least * 3,
                                    root * 0.9, root * 1.1, 0.3, 0.5, 1, 1.5, 2, 3, 1 / least, 2 / least, most / 3,
                                    most, INFINITY, NAN};
    double a[NUMBERS * NUMBERS], b[NUMBERS * NUMBERS];
    for (int i = 0; i < NUMBERS * NUMBERS; i++) {
        a[i] = at[i / NUMBERS / 2] * (i / NUMBERS % 2 ? -1 : 1);
        b[i] = at[i % NUMBERS / 2] * (i % 2 ? -1 : 1);
    }
    tally c = {t, op, 0};
    check(&c, (const double *const[]){a, b}, NUMBERS * NUMBERS);
    if (!never_subnormal(op)) cr_expect_gt(c.flushed, 2, "%s: nothing was flushed (%s)", ad_ops[op].name, t->name);
}

Test(kernel_underflow, two_arguments)
{
    NEEDS_A_WORD();
    for (int k = 0; k < TABLES; k++)
        for (int op = 0; tables[k].kernels && op < OP_COUNT; op++)
            if (tables[k].kernels->binary[op] && !only_moves(op)) check_binary(&tables[k], op);
}
