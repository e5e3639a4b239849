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

static void NAME(k_spread)(int64_t rows, int64_t n, void *to, const void *from, int64_t step, int64_t stride)
{
    REAL *restrict y = to;
    const REAL *restrict x = from;
    for (int64_t r = 0; r < rows; r++, y += n, x += step) {
        const REAL first = *x;
        if (stride == 0)
            for (int64_t j = 0; j < n; j++) y[j] = first;
        else
            for (int64_t j = 0; j < n; j++) y[j] = x[j * stride];
    }
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

#include "reductions.inc.h"
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
    .select = NAME(k_select), .softplus_sigmoid = NAME(k_softplus_sigmoid), .copy = NAME(k_copy), .spread = NAME(k_spread), .from_double = NAME(k_from_double),
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
