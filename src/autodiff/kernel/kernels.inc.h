/* kernels.inc.h — the loops, for the number type REAL. Included by kernels.simd.c once for each. */
#include "formulas.h"
#include "unit_math.inc.h"
#include "vectors.inc.h"

enum { NAME(WIDTH) = 64 / sizeof(REAL) }; /* numbers in the widest vector */
#define W NAME(WIDTH)

/* ---- Elementwise ---- */

typedef void NAME(unary_body)(int64_t, REAL *, const REAL *);

/* The last partial vector runs in a full one, and through the same machine code (ONE_BODY): vector and scalar functions
 * differ in the last bit, and so may copies of a loop. */
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
    ONE_BODY static void NAME(body_##name)(int64_t n, REAL *y, const REAL *from) \
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
/* Some have vector and scalar functions that differ in the last bit: their last partial vector runs in a full one. */
#define IN_FULL_VECTORS(op) ((op) == OP_pow || (op) == OP_pow_slope || (op) == OP_atan2 || (op) == OP_hypot)
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
        int64_t rest = IN_FULL_VECTORS(OP_##name) ? n & (W - 1) : 0, whole = n - rest;                                \
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
#include "autodiff/tape/ops.def"
#undef IN_FULL_VECTORS
#undef LOOP

#define TERNARY(name, value, da, db, dc, smooth, low, high)                                                    \
    static void NAME(ternary_##name)(int64_t n, void *to, const void *pa, int64_t sa, const void *pb, int64_t sb, \
                                     const void *pc, int64_t sc)                                               \
    {                                                                                                          \
        REAL *y = to;                                                                                          \
        const REAL *p = pa, *q = pb, *r = pc;                                                                  \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++)                                                    \
        {                                                                                                      \
            const REAL a = p[i * sa], b = q[i * sb], c = r[i * sc];                                            \
            y[i] = value;                                                                                      \
        }                                                                                                      \
    }
#include "autodiff/tape/ops.def"

/* softplus, sigmoid and the sigmoid's slope share e = exp(−|x|) and 1/(1 + e). Inlined for each choice of results. */
static inline void NAME(logistic_body)(int64_t n, REAL *const *to, const REAL *from, bool plus, bool sigmoid,
                                       bool slope)
{
    REAL *y = to[0], *s = to[1], *d = to[2];
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const REAL x = from[i], e = EXP_MINUS_ABS(x), r = 1 / (1 + e);
        if (plus) y[i] = (x < 0 ? (REAL)0 : x) + LOG1P_IN_UNIT(e);
        if (sigmoid) s[i] = (x < 0 ? e : (REAL)1) * r;
        if (slope) d[i] = e * r * r;
    }
}

ONE_BODY static void NAME(logistic_some)(int64_t n, REAL *const *to, const REAL *x)
{
    switch ((to[0] ? 1 : 0) + (to[1] ? 2 : 0) + (to[2] ? 4 : 0)) {
    case 3: NAME(logistic_body)(n, to, x, true, true, false); break;
    case 5: NAME(logistic_body)(n, to, x, true, false, true); break;
    case 6: NAME(logistic_body)(n, to, x, false, true, true); break;
    default: NAME(logistic_body)(n, to, x, true, true, true); break;
    }
}

static void NAME(k_logistic)(int64_t n, void *const *to, const void *from)
{
    const REAL *x = from;
    REAL *all[3] = {to[0], to[1], to[2]}, in[W] = {0}, out[3][W], *last[3];
    int64_t whole = n & ~(int64_t)(W - 1), rest = n - whole;
    if (rest) memcpy(in, x + whole, (size_t)rest * sizeof(REAL));
    if (whole) NAME(logistic_some)(whole, all, x);
    if (!rest) return;
    for (int k = 0; k < 3; k++) last[k] = all[k] ? out[k] : NULL;
    NAME(logistic_some)(W, last, in);
    for (int k = 0; k < 3; k++)
        if (all[k]) memcpy(all[k] + whole, out[k], (size_t)rest * sizeof(REAL));
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

#include "moves.inc.h"
#include "windows.inc.h"
#include "sums.inc.h"
#include "reductions.inc.h"
#include "softmax.inc.h"
#include "products.inc.h"
#include "draws.inc.h"
#include "factor.inc.h"
#include "lu.inc.h"
#include "eigen.inc.h"

const ad_kernels TABLE = {
    .size = sizeof(REAL),
    .uses_blas = USES_BLAS,
    .room = sizeof(NAME(room)),
    .unary = {
#define UNARY(name, value, dx, smooth, low, high) [OP_##name] = NAME(unary_##name),
#include "autodiff/tape/ops.def"
    },
    .binary = {
#define BINARY(name, value, da, db, smooth, commutes, low, high) [OP_##name] = NAME(binary_##name),
#include "autodiff/tape/ops.def"
    },
    .ternary = {
#define TERNARY(name, value, da, db, dc, smooth, low, high) [OP_##name] = NAME(ternary_##name),
#include "autodiff/tape/ops.def"
    },
    .logistic = NAME(k_logistic), .copy = NAME(k_copy), .spread = NAME(k_spread),
    .place = NAME(k_place), .transpose = NAME(k_transpose), .gather = NAME(k_gather), .scatter = NAME(k_scatter),
    .patches = NAME(k_patches), .overlap = NAME(k_overlap), .strips = NAME(k_strips), .add_strips = NAME(k_add_strips),
    .from_double = NAME(k_from_double),
    .first_bad = NAME(k_first_bad), .get = NAME(k_get),
    .cumsum = NAME(k_cumsum),
    .sum = NAME(k_sum), .max = NAME(k_max), .logsumexp = NAME(k_logsumexp), .norm = NAME(k_norm),
    .softmax = NAME(k_softmax),
    .batch_sum = NAME(k_batch_sum), .batch_max = NAME(k_batch_max), .batch_logsumexp = NAME(k_batch_logsumexp),
    .matmul = NAME(k_matmul), .normal = NAME(k_normal), .uniform = NAME(k_uniform),
    .factor_room = NAME(k_factor_room), .cholesky = NAME(k_cholesky), .triangular_solve = NAME(k_triangular_solve),
    .solve = NAME(k_solve), .log_abs_det = NAME(k_log_abs_det), .eigen = NAME(k_eigen),
    .first_pivot = NAME(k_first_pivot),
};

#undef SIDES

#undef V
#undef LOOSE
#undef LANES
#undef SIDE
#undef WIDE
#undef DOUBLES
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
#undef LIFT
#undef LN2_HIGH
#undef LN2_LOW
#undef EXP_LOWEST
#undef EXP_HIGHEST
#undef EXPM1_LOWEST
#undef EXPM1_POLYNOMIAL
#undef LOG1P_POLYNOMIAL
