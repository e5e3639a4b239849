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

/* acc: n maxima, then n sums of exp(x − maximum); the sums are rescaled when a maximum grows. */
static void NAME(k_batch_logsumexp)(int64_t rows, int64_t n, const void *from, double *acc, bool first)
{
    const REAL *x = from;
    double *top = acc, *total = acc + n;
    for (int64_t j = 0; j < n; j++) {
        double old = first ? -INFINITY : top[j], now = old, sum = 0;
        for (int64_t r = 0; r < rows; r++) {
            double v = x[r * n + j];
            now = v > now || v != v ? v : now;
        }
        double shift = now - now == 0 ? now : 0;
        for (int64_t r = 0; r < rows; r += W) {
            REAL v[W], out[W];
            for (int64_t i = 0; i < W; i++)
                v[i] = r + i < rows ? (REAL)(x[(r + i) * n + j] - shift) : -(REAL)INFINITY;
            NAME(body_exp)(W, out, v);
            for (int64_t i = 0; i < W; i++) sum += out[i];
        }
        total[j] = (first || old == -INFINITY ? 0 : total[j] * exp(old - shift)) + sum;
        top[j] = now;
    }
}

/* ---- Products ---- */

static double NAME(dot)(int64_t k, const REAL *a, const REAL *b)
{
    REAL total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < k; i++) total += a[i] * b[i];
    return total;
}

/* y[n] (+)= v[k]·B[k,n] */
static void NAME(row_times)(int64_t n, int64_t k, const REAL *v, const REAL *b, int beta, REAL *restrict y)
{
    if (!beta) memset(y, 0, (size_t)n * sizeof(REAL));
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) {
        REAL p = v[i], q = v[i + 1], r = v[i + 2], s = v[i + 3];
        const REAL *c = b + i * n;
#pragma omp simd
        for (int64_t j = 0; j < n; j++) y[j] += p * c[j] + q * c[n + j] + r * c[2 * n + j] + s * c[3 * n + j];
    }
    for (; i < k; i++)
#pragma omp simd
        for (int64_t j = 0; j < n; j++) y[j] += v[i] * b[i * n + j];
}

/* y[m] (+)= A[m,k]·v[k] */
static void NAME(times_column)(int64_t m, int64_t k, const REAL *a, const REAL *v, int beta, REAL *y)
{
    for (int64_t i = 0; i < m; i++) {
        REAL total = (REAL)NAME(dot)(k, a + i * k, v);
        y[i] = beta ? y[i] + total : total;
    }
}

/* C[m,n] (+)= a[m]·b[n]ᵀ */
static void NAME(outer)(int64_t m, int64_t n, const REAL *a, const REAL *b, int beta, REAL *restrict c)
{
    for (int64_t i = 0; i < m; i++, c += n) {
        REAL s = a[i];
        if (beta)
#pragma omp simd
            for (int64_t j = 0; j < n; j++) c[j] += s * b[j];
        else
#pragma omp simd
            for (int64_t j = 0; j < n; j++) c[j] = s * b[j];
    }
}

static void NAME(k_matmul)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const void *pa, const void *pb, int beta,
                           void *pc)
{
    const REAL *a = pa, *b = pb;
    REAL *c = pc;
    if (k == 1) NAME(outer)(m, n, a, b, beta, c);
    else if (n == 1 && !(ta && m > 1)) NAME(times_column)(m, k, a, b, beta, c);
    else if (n == 1) NAME(row_times)(m, k, b, a, beta, c);
    else if (m == 1 && !tb) NAME(row_times)(n, k, a, b, beta, c);
    else if (m == 1) NAME(times_column)(n, k, b, a, beta, c);
    else
        GEMM(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1,
             a, (int)(ta ? m : k), b, (int)(tb ? k : n), (REAL)beta, c, (int)n);
}

/* ---- Random numbers ---- */

typedef void NAME(transform)(int64_t chunks, const uint64_t *words, REAL *out);

static void NAME(to_uniform)(int64_t chunks, const uint64_t *words, REAL *out)
{
    for (int64_t i = 0; i < chunks * PER_CHUNK; i++) out[i] = UNIT(words, i);
}

/* Box and Muller: two uniforms give two independent normals. Always a full buffer, so that the vector functions
 * serve every element. */
static void NAME(to_normal)(int64_t chunks, const uint64_t *words, REAL *out)
{
    enum { PAIRS = CHUNKS * PER_CHUNK / 2 };
    REAL u[PAIRS] = {0}, v[PAIRS] = {0}, r[PAIRS], c[PAIRS], s[PAIRS];
    int64_t pairs = chunks * PER_CHUNK / 2, full = (pairs + W - 1) / W * W;
    for (int64_t i = 0; i < full; i++) {
        u[i] = i < pairs ? UNIT(words, 2 * i) : (REAL)0.5;
        v[i] = i < pairs ? (REAL)6.283185307179586476925 * UNIT(words, 2 * i + 1) : 0;
    }
    NAME(body_log)(full, r, u);
    for (int64_t i = 0; i < full; i++) r[i] = FN(sqrt)(-2 * r[i]);
    NAME(body_cos)(full, c, v);
    NAME(body_sin)(full, s, v);
    for (int64_t i = 0; i < pairs; i++) {
        out[2 * i] = r[i] * c[i];
        out[2 * i + 1] = r[i] * s[i];
    }
}

/* Chunk c of row r is Philox of the counter (r, c, step, 0). */
static void NAME(draw)(NAME(transform) *transform, int64_t rows, int64_t n, REAL *y, uint64_t row0,
                       const uint64_t key[2], uint64_t step)
{
    uint64_t words[4 * CHUNKS];
    REAL out[CHUNKS * PER_CHUNK];
    int64_t per_row = (n + PER_CHUNK - 1) / PER_CHUNK, total = rows * per_row;
    philox4x64_key_t k = {{key[0], key[1]}};
    for (int64_t done = 0; done < total; done += CHUNKS) {
        int64_t chunks = total - done < CHUNKS ? total - done : CHUNKS;
        for (int64_t c = 0; c < chunks; c++) {
            philox4x64_ctr_t counter = {
                {row0 + (uint64_t)((done + c) / per_row), (uint64_t)((done + c) % per_row), step, 0}};
            philox4x64_ctr_t bits = philox4x64(counter, k);
            memcpy(words + 4 * c, bits.v, sizeof bits.v);
        }
        transform(chunks, words, out);
        for (int64_t c = 0; c < chunks; c++) {
            int64_t row = (done + c) / per_row, at = (done + c) % per_row * PER_CHUNK;
            int64_t count = n - at < PER_CHUNK ? n - at : PER_CHUNK;
            memcpy(y + row * n + at, out + c * PER_CHUNK, (size_t)count * sizeof(REAL));
        }
    }
}

static void NAME(k_normal)(int64_t rows, int64_t n, void *y, uint64_t row0, const uint64_t key[2], uint64_t step)
{
    NAME(draw)(NAME(to_normal), rows, n, y, row0, key, step);
}

static void NAME(k_uniform)(int64_t rows, int64_t n, void *y, uint64_t row0, const uint64_t key[2], uint64_t step)
{
    NAME(draw)(NAME(to_uniform), rows, n, y, row0, key, step);
}

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
