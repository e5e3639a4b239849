/* kernels.inc.h — the loops, for the number type REAL. Included by kernels.simd.c once for each. */
#include "formulas.h"
#include "unit_math.inc.h"

enum { NAME(WIDTH) = 64 / sizeof(REAL) }; /* numbers in the widest vector */
#define W NAME(WIDTH)

/* ---- Elementwise ---- */

typedef void NAME(unary_body)(int64_t, REAL *, const REAL *);

/* The last partial vector runs in a full one: vector and scalar functions differ in the last bit. */
static inline void NAME(run_unary)(NAME(unary_body) *body, int64_t n, REAL *y, const REAL *x)
{
    int64_t whole = n & ~(int64_t)(W - 1), rest = n - whole;
    if (whole) body(whole, y, x);
    if (!rest) return;
    REAL in[W] = {0}, out[W];
    memcpy(in, x + whole, (size_t)rest * sizeof(REAL));
    body(W, out, in);
    memcpy(y + whole, out, (size_t)rest * sizeof(REAL));
}

#define UNARY(name, value, dx, smooth, low, high)                                \
    static void NAME(body_##name)(int64_t n, REAL *y, const REAL *from)          \
    {                                                                            \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                      \
        {                                                                        \
            const REAL x = from[i];                                              \
            y[i] = value;                                                        \
        }                                                                        \
    }                                                                            \
    static void NAME(unary_##name)(int64_t n, void *y, const void *x)            \
    {                                                                            \
        NAME(run_unary)(NAME(body_##name), n, y, x);                             \
    }

#define LOOP(left, right, value)                            \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++)     \
    {                                                       \
        const REAL a = left, b = right;                     \
        y[i] = value;                                       \
    }
/* pow alone has vector and scalar functions that differ in the last bit: its last partial vector runs in a full one. */
#define BINARY(name, value, da, db, smooth, commutes, low, high)                                                      \
    static inline void NAME(both_##name)(int64_t n, REAL *y, const REAL *p, int64_t sa, const REAL *q, int64_t sb)    \
    {                                                                                                                 \
        const REAL first = *p, second = *q;                                                                           \
        if (sa && sb) LOOP(p[i], q[i], value)                                                                         \
        else if (sa) LOOP(p[i], second, value)                                                                        \
        else if (sb) LOOP(first, q[i], value)                                                                         \
        else LOOP(first, second, value)                                                                               \
    }                                                                                                                 \
    static void NAME(binary_##name)(int64_t n, void *y, const void *pa, int64_t sa, const void *pb, int64_t sb)       \
    {                                                                                                                 \
        const REAL *p = pa, *q = pb;                                                                                  \
        int64_t rest = OP_##name == OP_pow ? n & (W - 1) : 0, whole = n - rest;                                       \
        REAL in[2][W] = {{0}, {0}}, out[W];                                                                           \
        if (rest) { /* before y, which may be p or q, is written */                                                   \
            memcpy(in[0], p + sa * whole, (size_t)(sa ? rest : 1) * sizeof(REAL));                                    \
            memcpy(in[1], q + sb * whole, (size_t)(sb ? rest : 1) * sizeof(REAL));                                    \
        }                                                                                                             \
        if (whole) NAME(both_##name)(whole, y, p, sa, q, sb);                                                         \
        if (!rest) return;                                                                                            \
        NAME(both_##name)(W, out, in[0], sa, in[1], sb);                                                              \
        memcpy((REAL *)y + whole, out, (size_t)rest * sizeof(REAL));                                                  \
    }
#include "ops.def"
#undef LOOP

static void NAME(k_select)(int64_t n, void *to, const void *pc, int64_t sc, const void *pa, int64_t sa, const void *pb,
                           int64_t sb)
{
    REAL *y = to;
    const REAL *c = pc, *a = pa, *b = pb;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        REAL p = a[i * sa], q = b[i * sb];
        y[i] = c[i * sc] != 0 ? p : q;
    }
}

static void NAME(pair_body)(int64_t n, REAL *y, REAL *s, const REAL *from)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const REAL x = from[i], e = EXP_MINUS_ABS(x);
        y[i] = (x < 0 ? (REAL)0 : x) + LOG1P_IN_UNIT(e);
        s[i] = (x < 0 ? e : (REAL)1) / (1 + e);
    }
}

static void NAME(k_softplus_sigmoid)(int64_t n, void *to, void *second, const void *from)
{
    REAL *y = to, *s = second, in[W] = {0}, out[2][W];
    const REAL *x = from;
    int64_t whole = n & ~(int64_t)(W - 1), rest = n - whole;
    if (rest) memcpy(in, x + whole, (size_t)rest * sizeof(REAL));
    if (whole) NAME(pair_body)(whole, y, s, x);
    if (!rest) return;
    NAME(pair_body)(W, out[0], out[1], in);
    memcpy(y + whole, out[0], (size_t)rest * sizeof(REAL));
    memcpy(s + whole, out[1], (size_t)rest * sizeof(REAL));
}

static void NAME(k_copy)(int64_t n, void *to, const void *from, int64_t stride)
{
    REAL *restrict y = to;
    const REAL *restrict x = from;
    if (stride == 1) memcpy(y, x, (size_t)n * sizeof(REAL));
    else if (stride == 0) for (int64_t i = 0; i < n; i++) y[i] = *x;
    else for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];
}

static void NAME(k_from_double)(int64_t n, void *to, const double *x)
{
    REAL *y = to;
    for (int64_t i = 0; i < n; i++) y[i] = (REAL)x[i];
}

static int64_t NAME(k_first_bad)(int64_t n, const void *from)
{
    const REAL *x = from;
    for (int64_t i = 0; i < n; i++)
        if (!(x[i] - x[i] == 0)) return i;
    return n;
}

static double NAME(k_get)(const void *x, int64_t i) { return ((const REAL *)x)[i]; }

/* ---- Reductions within a sample ---- */

static void NAME(k_sum)(int64_t outer, int64_t red, int64_t inner, void *to, const void *from)
{
    const REAL *x = from;
    REAL *restrict y = to;
    for (int64_t o = 0; o < outer; o++, x += red * inner, y += inner) {
        if (inner == 1) {
            double total = 0;
#pragma omp simd reduction(+ : total)
            for (int64_t r = 0; r < red; r++) total += x[r];
            *y = (REAL)total;
            continue;
        }
        memcpy(y, x, (size_t)inner * sizeof(REAL));
        for (int64_t r = 1; r < red; r++)
            for (int64_t j = 0; j < inner; j++) y[j] += x[r * inner + j];
    }
}

/* The larger, and a NaN if there is one. */
static inline REAL NAME(larger)(REAL a, REAL b) { return b > a || b != b ? b : a; }

static void NAME(k_max)(int64_t outer, int64_t red, int64_t inner, void *to, const void *from)
{
    const REAL *x = from;
    REAL *restrict y = to;
    for (int64_t o = 0; o < outer; o++, x += red * inner, y += inner) {
        memcpy(y, x, (size_t)inner * sizeof(REAL));
        for (int64_t r = 1; r < red; r++)
            for (int64_t j = 0; j < inner; j++) y[j] = NAME(larger)(y[j], x[r * inner + j]);
    }
}

/* log Σ exp of W columns at once; where the maximum is infinite, it is the answer. */
static void NAME(lse_columns)(int64_t red, int64_t inner, int64_t width, REAL *y, const REAL *x)
{
    REAL top[W], v[W] = {0}, out[W];
    double total[W] = {0};
    for (int i = 0; i < W; i++) top[i] = -(REAL)INFINITY;
    for (int64_t r = 0; r < red; r++)
        for (int64_t j = 0; j < width; j++) top[j] = NAME(larger)(top[j], x[r * inner + j]);
    for (int64_t r = 0; r < red; r++) {
        for (int64_t j = 0; j < width; j++) v[j] = x[r * inner + j] - top[j];
        NAME(body_exp)(W, out, v);
        for (int64_t j = 0; j < width; j++) total[j] += out[j];
    }
    for (int64_t j = 0; j < width; j++) y[j] = top[j] - top[j] == 0 ? (REAL)(top[j] + log(total[j])) : top[j];
}

static REAL NAME(lse_row)(int64_t n, const REAL *x)
{
    REAL top = x[0];
    double total = 0;
    for (int64_t i = 1; i < n; i++) top = NAME(larger)(top, x[i]);
    if (!(top - top == 0)) return top;
    for (int64_t i = 0; i < n; i += W) {
        REAL v[W], out[W];
        int64_t width = n - i < W ? n - i : W;
        for (int64_t j = 0; j < W; j++) v[j] = j < width ? x[i + j] - top : -(REAL)INFINITY;
        NAME(body_exp)(W, out, v);
        for (int64_t j = 0; j < W; j++) total += out[j];
    }
    return (REAL)(top + log(total));
}

static void NAME(k_logsumexp)(int64_t outer, int64_t red, int64_t inner, void *to, const void *from)
{
    const REAL *x = from;
    REAL *y = to;
    for (int64_t o = 0; o < outer; o++, x += red * inner, y += inner) {
        if (inner == 1) *y = NAME(lse_row)(red, x);
        else
            for (int64_t j = 0; j < inner; j += W)
                NAME(lse_columns)(red, inner, inner - j < W ? inner - j : W, y + j, x + j);
    }
}

/* ---- Reductions over a batch ---- */

static void NAME(k_batch_sum)(int64_t rows, int64_t n, const void *from, double *acc, bool first)
{
    const REAL *x = from;
    if (n == 1) {
        double total = 0;
#pragma omp simd reduction(+ : total)
        for (int64_t r = 0; r < rows; r++) total += x[r];
        *acc = first ? total : *acc + total;
        return;
    }
    for (int64_t j0 = 0; j0 < n; j0 += 32) {
        double part[32] = {0};
        int64_t width = n - j0 < 32 ? n - j0 : 32;
        if (width == 32)
            for (int64_t r = 0; r < rows; r++)
                for (int64_t j = 0; j < 32; j++) part[j] += x[r * n + j0 + j];
        else
            for (int64_t r = 0; r < rows; r++)
                for (int64_t j = 0; j < width; j++) part[j] += x[r * n + j0 + j];
        for (int64_t j = 0; j < width; j++) acc[j0 + j] = first ? part[j] : acc[j0 + j] + part[j];
    }
}

static void NAME(k_batch_max)(int64_t rows, int64_t n, const void *from, double *acc, bool first)
{
    const REAL *x = from;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < n; j++) {
            double v = x[r * n + j];
            acc[j] = (first && r == 0) || v > acc[j] || v != v ? v : acc[j];
        }
}

/* A maximum in every lane; a NaN stays. */
static REAL NAME(peak)(int64_t n, const REAL *x)
{
    REAL lane[W], top = -(REAL)INFINITY;
    int64_t i = 0;
    for (int k = 0; k < W; k++) lane[k] = top;
    for (; i + W <= n; i += W)
        for (int k = 0; k < W; k++) lane[k] = NAME(larger)(lane[k], x[i + k]);
    for (int k = 0; k < W; k++) top = NAME(larger)(top, lane[k]);
    for (; i < n; i++) top = NAME(larger)(top, x[i]);
    return top;
}

/* Σ exp(x − shift); the last, partial vector is filled up with exp(−∞). */
static double NAME(sum_exp)(int64_t n, const REAL *x, REAL shift)
{
    REAL v[TILE];
    double total = 0;
    int64_t full = (n + W - 1) / W * W;
    for (int64_t i = 0; i < n; i++) v[i] = x[i] - shift;
    for (int64_t i = n; i < full; i++) v[i] = -(REAL)INFINITY;
    NAME(body_exp)(full, v, v);
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < full; i++) total += v[i];
    return total;
}

/* acc: n maxima, then n sums of exp(x − maximum); the sum is rescaled when the maximum grows. */
static void NAME(k_batch_logsumexp)(int64_t rows, int64_t n, const void *from, double *acc, bool first)
{
    const REAL *x = from;
    for (int64_t j = 0; j < n; j++) {
        double top = first ? -INFINITY : acc[j], total = first ? 0 : acc[n + j];
        for (int64_t r = 0; r < rows; r += TILE) {
            REAL column[TILE];
            int64_t width = rows - r < TILE ? rows - r : TILE;
            NAME(k_copy)(width, column, x + r * n + j, n);
            double peak = NAME(peak)(width, column);
            if (peak > top || peak != peak) {
                total = top == -INFINITY ? 0 : total * exp(top - peak);
                top = peak;
            }
            total += NAME(sum_exp)(width, column, (REAL)(top - top == 0 ? top : 0));
        }
        acc[j] = top;
        acc[n + j] = total;
    }
}

#include "products.inc.h"
#include "draws.inc.h"

const ad_kernels TABLE = {
    .size = sizeof(REAL),
    .unary = {
#define UNARY(name, value, dx, smooth, low, high) [OP_##name] = NAME(unary_##name),
#include "ops.def"
    },
    .binary = {
#define BINARY(name, value, da, db, smooth, commutes, low, high) [OP_##name] = NAME(binary_##name),
#include "ops.def"
    },
    .select = NAME(k_select), .softplus_sigmoid = NAME(k_softplus_sigmoid), .copy = NAME(k_copy), .from_double = NAME(k_from_double),
    .first_bad = NAME(k_first_bad), .get = NAME(k_get),
    .sum = NAME(k_sum), .max = NAME(k_max), .logsumexp = NAME(k_logsumexp),
    .batch_sum = NAME(k_batch_sum), .batch_max = NAME(k_batch_max), .batch_logsumexp = NAME(k_batch_logsumexp),
    .matmul = NAME(k_matmul), .normal = NAME(k_normal), .uniform = NAME(k_uniform),
};

#undef W
#undef REAL
#undef FN
#undef NAME
#undef GEMM
#undef TABLE
#undef PER_CHUNK
#undef UNIT
#undef INT
#undef MANTISSA
#undef BIAS
#undef MAGIC
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_LOWEST
#undef EXP_POLYNOMIAL
#undef LOG1P_POLYNOMIAL
