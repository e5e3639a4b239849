/* The elementwise kernels of every instruction set that this machine has, in both number types: special values,
 * accuracy, and the same bits wherever an element lies. */
#include "kernel_tables.h"

#include <float.h>

/* ---- Special values ---- */

#define NONE 777 /* any value, as long as it is no NaN */

/* op, x, what must come out: exactly for infinities, zeros (with sign) and NaN, to a part in 10⁶ otherwise. */
static const struct special {
    ad_op op;
    double x, y;
} special[] = {
    {OP_exp, 0, 1},          {OP_exp, -0.0, 1},          {OP_exp, INFINITY, INFINITY},  {OP_exp, -INFINITY, 0},
    {OP_exp, 1000, INFINITY}, {OP_exp, -1000, 0},        {OP_expm1, 0, 0},              {OP_expm1, -INFINITY, -1},
    {OP_expm1, INFINITY, INFINITY}, {OP_expm1, -1000, -1}, {OP_log, 1, 0},              {OP_log, 0, -INFINITY},
    {OP_log, -0.0, -INFINITY}, {OP_log, -1, NAN},        {OP_log, INFINITY, INFINITY},  {OP_log, -INFINITY, NAN},
    {OP_log1p, 0, 0},        {OP_log1p, -1, -INFINITY},  {OP_log1p, -2, NAN},           {OP_log1p, INFINITY, INFINITY},
    {OP_sqrt, 0, 0},         {OP_sqrt, -0.0, -0.0},      {OP_sqrt, -1, NAN},            {OP_sqrt, INFINITY, INFINITY},
    {OP_recip, 0, INFINITY}, {OP_recip, -0.0, -INFINITY}, {OP_recip, INFINITY, 0},      {OP_recip, -INFINITY, -0.0},
    {OP_tanh, 0, 0},         {OP_tanh, INFINITY, 1},     {OP_tanh, -INFINITY, -1},      {OP_tanh, 500, 1},
    {OP_tanh, -1e30, -1},    {OP_sigmoid, 0, 0.5},       {OP_sigmoid, -0.0, 0.5},       {OP_sigmoid, INFINITY, 1},
    {OP_sigmoid, -INFINITY, 0}, {OP_sigmoid, 1e30, 1},   {OP_sigmoid, -1e30, 0},        {OP_sigmoid, -5000, 0},
    {OP_softplus, 0, 0.69314718055994531}, {OP_softplus, INFINITY, INFINITY},           {OP_softplus, -INFINITY, 0},
    {OP_softplus, 1e30, 1e30}, {OP_softplus, 5000, 5000}, {OP_softplus, -5000, 0},      {OP_erf, 0, 0},
    {OP_erf, INFINITY, 1},   {OP_erf, -INFINITY, -1},    {OP_erf, 50, 1},               {OP_erf, -50, -1},
    {OP_sin, 0, 0},          {OP_sin, INFINITY, NAN},    {OP_sin, -INFINITY, NAN},      {OP_cos, 0, 1},
    {OP_cos, INFINITY, NAN}, {OP_cos, 1e30, NONE},       {OP_sin, 1e30, NONE},          {OP_abs, -INFINITY, INFINITY},
    {OP_abs, -3, 3},         {OP_sign, 0, 0},            {OP_sign, -INFINITY, -1},      {OP_sign, 1e-30, 1},
    {OP_step, 0, 0},         {OP_step, -0.0, 0},         {OP_step, 1e-30, 1},           {OP_step, -INFINITY, 0},
    {OP_neg, 0, -0.0},       {OP_neg, INFINITY, -INFINITY}, {OP_stop_gradient, -INFINITY, -INFINITY},
    {OP_erfc, 0, 1},         {OP_erfc, INFINITY, 0},     {OP_erfc, -INFINITY, 2},       {OP_erfc, 50, 0},
    {OP_logcosh, 0, 0},      {OP_logcosh, -0.0, 0},      {OP_logcosh, INFINITY, INFINITY},
    {OP_logcosh, -INFINITY, INFINITY}, {OP_logcosh, 1e30, 1e30}, {OP_logcosh, -5000, 4999.3068528194400547},
};

static double unary_at(const table *t, ad_op op, double x)
{
    char in[8], out[8];
    put(t, in, 0, x);
    t->kernels->unary[op](1, out, in);
    return t->kernels->get(out, 0);
}

static void check_special(const table *t)
{
    for (int k = 0; k < LENGTH(special); k++) {
        const struct special *s = &special[k];
        double y = unary_at(t, s->op, s->x);
        bool right = isnan(s->y)    ? isnan(y)
                     : s->y == NONE ? fabs(y) <= 1
                     : isinf(s->y)  ? y == s->y
                                    : fabs(y - s->y) <= 1e-6 * fabs(s->y);
        if (s->y == 0)
            right = right && (s->x != 0 || signbit(y) == signbit(s->y) || s->op == OP_step || s->op == OP_log);
        cr_expect(right, "%s of %g is %.9g, not %.9g (%s)", ad_ops[s->op].name, s->x, y, s->y, t->name);
    }
}

/* The least normal number is no zero to a function with f(x) ≈ x; and no huge or denormal one gives a NaN. */
static void check_tiny_and_huge(const table *t)
{
    static const ad_op odd[] = {OP_expm1, OP_log1p, OP_tanh, OP_erf, OP_sin, OP_abs, OP_stop_gradient};
    static const ad_op total[] = {OP_exp, OP_expm1, OP_tanh, OP_sigmoid, OP_softplus,
                                  OP_erf, OP_abs,   OP_sign, OP_step,    OP_neg};
    bool single = t->kernels->size == 4;
    double tiny = single ? FLT_MIN : DBL_MIN, huge = single ? FLT_MAX : DBL_MAX;
    for (int k = 0; k < LENGTH(odd); k++) {
        double y = unary_at(t, odd[k], tiny);
        cr_expect(fabs(y - tiny * (odd[k] == OP_erf ? 1.1283791670955126 : 1)) <= 1e-6 * tiny, "%s(%g) is %g (%s)",
                  ad_ops[odd[k]].name, tiny, y, t->name);
    }
    for (int k = 0; k < LENGTH(total); k++)
        for (int sign = -1; sign <= 1; sign += 2) {
            cr_expect(!isnan(unary_at(t, total[k], sign * huge)), "%s(%g) (%s)", ad_ops[total[k]].name, sign * huge,
                      t->name);
            cr_expect(!isnan(unary_at(t, total[k], sign * tiny / 4)), "%s(%g) (%s)", ad_ops[total[k]].name, tiny / 4,
                      t->name);
        }
}

Test(plan_kernel_values, special)
{
    for (int k = 0; k < TABLES; k++)
        if (tables[k].kernels) check_special(&tables[k]), check_tiny_and_huge(&tables[k]);
}

/* A NaN stays a NaN through every op, in every argument, of a chain by zero, too: only what is not picked is not taken. */
static void check_nan(const table *t)
{
    char nan[8], one[8], zero[8], out[8];
    put(t, nan, 0, NAN), put(t, one, 0, 1), put(t, zero, 0, 0);
    for (int op = 0; op < OP_COUNT; op++) {
        if (t->kernels->unary[op]) cr_expect(isnan(unary_at(t, (ad_op)op, NAN)), "%s (%s)", ad_ops[op].name, t->name);
        if (!t->kernels->binary[op] || op == OP_less) continue;
        for (int side = 0; side < 2; side++) {
            t->kernels->binary[op](1, out, side ? one : nan, 1, side ? nan : one, 1);
            double y = t->kernels->get(out, 0);
            bool one_to_nan = (op == OP_pow || op == OP_pow_slope) && side && y == 1;
            cr_expect(isnan(y) || one_to_nan || (op == OP_masked && side == 0 && y == 1), "%s, side %d, is %g (%s)", ad_ops[op].name, side, y,
                      t->name);
        }
    }
    t->kernels->binary[OP_chain](1, out, zero, 1, nan, 1);
    cr_expect(isnan(t->kernels->get(out, 0)), "0·NaN in a chain (%s)", t->name);
    t->kernels->binary[OP_masked](1, out, zero, 1, nan, 1);
    cr_expect_eq(t->kernels->get(out, 0), 0, "a NaN that is masked (%s)", t->name);
    t->kernels->ternary[OP_select](1, out, zero, 1, nan, 1, one, 1);
    cr_expect_eq(t->kernels->get(out, 0), 1, "a NaN that is not selected (%s)", t->name);
}

Test(plan_kernel_values, nan)
{
    for (int k = 0; k < TABLES; k++)
        if (tables[k].kernels) check_nan(&tables[k]);
}

/* ---- Accuracy ---- */

#define EXACT(name, value)                       \
    static long double exact_##name(long double x) { return value; }
EXACT(exp, expl(x))
EXACT(expm1, expm1l(x))
EXACT(log, logl(x))
EXACT(log1p, log1pl(x))
EXACT(sqrt, sqrtl(x))
EXACT(recip, 1 / x)
EXACT(tanh, tanhl(x))
EXACT(sigmoid, 1 / (1 + expl(-x)))
EXACT(softplus, x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)))
EXACT(erf, erfl(x))
EXACT(sin, sinl(x))
EXACT(cos, cosl(x))

static const struct accurate {
    ad_op op;
    long double (*exact)(long double);
    double low, high;
} accurate[] = {
    {OP_exp, exact_exp, -80, 80},         {OP_expm1, exact_expm1, -3, 3},  {OP_log, exact_log, 1e-30, 10},
    {OP_log, exact_log, 0, 1e30},         {OP_log1p, exact_log1p, -0.9, 9}, {OP_sqrt, exact_sqrt, 0, 1e6},
    {OP_recip, exact_recip, -5, 5},       {OP_tanh, exact_tanh, -4, 4},    {OP_sigmoid, exact_sigmoid, -60, 60},
    {OP_softplus, exact_softplus, -60, 60}, {OP_erf, exact_erf, -3, 3},    {OP_sin, exact_sin, -3, 3},
    {OP_cos, exact_cos, -3, 3},           {OP_tanh, exact_tanh, -1e-3, 1e-3}, {OP_expm1, exact_expm1, -1e-6, 1e-6},
};

/* Relative to the exact value; near a zero of sin and cos, and of log at 1, to the size of the argument's rounding. */
static void check_accuracy(const table *t)
{
    enum { POINTS = 4096 };
    static double in[POINTS], out[POINTS];
    double bound = t->kernels->size == 4 ? 1e-6 : 1e-14;
    for (int k = 0; k < LENGTH(accurate); k++) {
        const struct accurate *a = &accurate[k];
        uint64_t seed = 17;
        for (int i = 0; i < POINTS; i++) put(t, in, i, next_number(&seed, a->low, a->high));
        t->kernels->unary[a->op](POINTS, out, in);
        for (int i = 0; i < POINTS; i++) {
            long double y = a->exact((long double)t->kernels->get(in, i)), got = (long double)t->kernels->get(out, i);
            long double scale = fabsl(y) > 0.01L || a->op == OP_exp || a->op == OP_sigmoid || a->op == OP_softplus ||
                                        fabs(a->high) < 0.1 ? fabsl(y) : 0.01L;
            cr_assert(fabsl(got - y) <= bound * scale, "%s(%.9g) is %.17Lg, not %.17Lg (%s)", ad_ops[a->op].name,
                      t->kernels->get(in, i), got, y, t->name);
        }
    }
}

Test(plan_kernel_values, accuracy)
{
    for (int k = 0; k < TABLES; k++)
        if (tables[k].kernels) check_accuracy(&tables[k]);
}

/* ---- Tails ---- */

enum { MOST = 40, GUARD = 8 };

/* The same bits for an element alone and for the same element at any place of any length; nothing written beyond. */
static void compare_places(const table *t, bool pow, const char *name,
                           void (*call)(const table *, int, int64_t, void *, int64_t))
{
    static double alone[MOST], all[MOST + GUARD];
    size_t size = t->kernels->size;
    for (int op = 0; op < OP_COUNT; op++) {
        if ((!t->kernels->unary[op] && !t->kernels->binary[op]) || (op == OP_pow) != pow) continue;
        for (int64_t i = 0; i < MOST; i++) call(t, op, 1, (char *)alone + (size_t)i * size, i);
        for (int64_t n = 1; n <= MOST; n++) {
            memset(all, 0x5a, sizeof all);
            call(t, op, n, all, 0);
            cr_expect_eq(memcmp(alone, all, (size_t)n * size), 0, "%s of %lld numbers, %s (%s)", ad_ops[op].name,
                         (long long)n, name, t->name);
            for (size_t b = (size_t)n * size; b < sizeof all; b++)
                cr_assert_eq(((unsigned char *)all)[b], 0x5a, "written beyond");
        }
    }
}

static double left[MOST], right[MOST];

static void in_general(const table *t, int op, int64_t n, void *y, int64_t from)
{
    const char *a = (const char *)left + (size_t)from * t->kernels->size,
               *b = (const char *)right + (size_t)from * t->kernels->size;
    if (t->kernels->unary[op]) t->kernels->unary[op](n, y, a);
    else t->kernels->binary[op](n, y, a, 1, b, 1);
}

static void in_place(const table *t, int op, int64_t n, void *y, int64_t from)
{
    const char *a = (const char *)left + (size_t)from * t->kernels->size,
               *b = (const char *)right + (size_t)from * t->kernels->size;
    memcpy(y, a, (size_t)n * t->kernels->size);
    if (t->kernels->unary[op]) t->kernels->unary[op](n, y, y);
    else t->kernels->binary[op](n, y, y, 1, b, 1);
}

static void one_right(const table *t, int op, int64_t n, void *y, int64_t from)
{
    const char *a = (const char *)left + (size_t)from * t->kernels->size;
    if (t->kernels->unary[op]) t->kernels->unary[op](n, y, a);
    else t->kernels->binary[op](n, y, a, 1, right, 0);
}

static void one_left(const table *t, int op, int64_t n, void *y, int64_t from)
{
    const char *b = (const char *)right + (size_t)from * t->kernels->size;
    if (t->kernels->unary[op]) t->kernels->unary[op](n, y, b);
    else t->kernels->binary[op](n, y, left, 0, b, 1);
}

static void check_places(bool pow)
{
    for (int k = 0; k < TABLES; k++) {
        if (!tables[k].kernels) continue;
        uint64_t seed = 5;
        for (int i = 0; i < MOST; i++) put(&tables[k], left, i, next_number(&seed, 0.2, 3));
        for (int i = 0; i < MOST; i++) put(&tables[k], right, i, next_number(&seed, 0.2, 3));
        compare_places(&tables[k], pow, "in general", in_general);
        compare_places(&tables[k], pow, "in place", in_place);
        compare_places(&tables[k], pow, "with one number right", one_right);
        compare_places(&tables[k], pow, "with one number left", one_left);
    }
}

Test(plan_kernel_values, tails_equal_bodies) { check_places(false); }
Test(plan_kernel_values, tails_of_pow_equal_bodies) { check_places(true); }
