/* kernels.simd.c — kernels.inc.h for float and double. The build compiles this file once for each instruction set,
 * with GIBBS_ISA naming it.
 *
 * gcc turns a loop over logf into calls of glibc's vector functions when the declaration says that they exist: no
 * -ffast-math, so NaN and infinities stay right. Elsewhere the same loops call the scalar functions. */
#include "base/isa.h"
#include "kernels.h"
#include "vectors.h"

#include <Random123/philox.h>
#include <float.h>
#include <math.h>
#include <string.h>
#if USES_BLAS
#include <cblas.h>
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define VECTOR __attribute__((simd("notinbranch")))
#define DECLARE(name)            \
    VECTOR double name(double);  \
    VECTOR float name##f(float);
DECLARE(expm1)
DECLARE(log)
DECLARE(log1p)
DECLARE(erf)
DECLARE(erfc)
DECLARE(sin)
DECLARE(cos)
DECLARE(sinh)
DECLARE(cosh)
DECLARE(asin)
DECLARE(acos)
DECLARE(atan)
VECTOR double pow(double, double), atan2(double, double), hypot(double, double);
VECTOR float powf(float, float), atan2f(float, float), hypotf(float, float);
#endif
#endif

#ifdef __clang__
#define ONE_BODY __attribute__((noinline))
#else
#define ONE_BODY __attribute__((noinline, noclone))
#endif

/* Philox 4×32-10 (Salmon et al. 2011), many counters at once: at[word][counter]; results replace the counters.
 * Random123's own function, of which gcc makes no vector code, gives the same (test_random.c). Here a word has 64 bits,
 * of which the upper half may be anything: so nothing is moved between products. Two vectors at a time, as each
 * product waits for the one before. */
enum { CHUNKS = 64, WORDS = VECTOR_BYTES / 8, PAIR = 2 * WORDS };
typedef struct random_words {
    uint32_t at[4][CHUNKS];
} random_words;
typedef uint64_t words __attribute__((vector_size(VECTOR_BYTES)));
#ifndef WORD_PRODUCTS
#define WORD_PRODUCTS(a, b) (((a) & UINT32_MAX) * (b))
#endif

static void philox_rounds(const uint32_t key[2], words x[4][2])
{
    const words zero = {0}, first = zero + 0xD2511F53, second = zero + 0xCD9E8D57;
    uint64_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < 10; round++, key0 += 0x9E3779B9, key1 += 0xBB67AE85)
        for (int i = 0; i < 2; i++) {
            words p = WORD_PRODUCTS(x[0][i], first), q = WORD_PRODUCTS(x[2][i], second);
            x[0][i] = q >> 32 ^ x[1][i] ^ (zero + key0), x[2][i] = p >> 32 ^ x[3][i] ^ (zero + key1);
            x[1][i] = q, x[3][i] = p;
        }
}

static void philox(const uint32_t key[2], random_words *w)
{
    for (int c = 0; c < CHUNKS; c += PAIR) {
        words x[4][2];
        uint64_t wide[4][PAIR];
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < PAIR; i++) wide[k][i] = w->at[k][c + i];
        memcpy(x, wide, sizeof x);
        philox_rounds(key, x);
        memcpy(wide, x, sizeof x);
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < PAIR; i++) w->at[k][c + i] = (uint32_t)wide[k][i];
    }
}

/* The counters c … of n chunks of a row, from the chunk `at` on. */
static void counters(uint64_t row, uint64_t at, int64_t n, int64_t c, random_words *w)
{
    for (int64_t k = 0; k < n; k++) {
        w->at[0][c + k] = (uint32_t)row, w->at[1][c + k] = (uint32_t)(row >> 32);
        w->at[2][c + k] = (uint32_t)(at + (uint64_t)k), w->at[3][c + k] = (uint32_t)((at + (uint64_t)k) >> 32);
    }
}

/* A key of its own for each step of each stream under each seed. */
static void key_of_step(const uint64_t key[2], uint64_t step, uint32_t out[2])
{
    philox4x64_ctr_t counter = {{step, 0, 0, 0}};
    philox4x64_key_t whole = {{key[0], key[1]}};
    philox4x64_ctr_t bits = philox4x64(counter, whole);
    out[0] = (uint32_t)bits.v[0];
    out[1] = (uint32_t)(bits.v[0] >> 32);
}

/* c₀ + x(c₁ + x(…)), each coefficient in the number type */
#define POLYNOMIAL1(x, c) (REAL)c
#define POLYNOMIAL2(x, c, ...) ((REAL)c + (x) * POLYNOMIAL1(x, __VA_ARGS__))
#define POLYNOMIAL3(x, c, ...) ((REAL)c + (x) * POLYNOMIAL2(x, __VA_ARGS__))
#define POLYNOMIAL4(x, c, ...) ((REAL)c + (x) * POLYNOMIAL3(x, __VA_ARGS__))
#define POLYNOMIAL5(x, c, ...) ((REAL)c + (x) * POLYNOMIAL4(x, __VA_ARGS__))
#define POLYNOMIAL6(x, c, ...) ((REAL)c + (x) * POLYNOMIAL5(x, __VA_ARGS__))
#define POLYNOMIAL7(x, c, ...) ((REAL)c + (x) * POLYNOMIAL6(x, __VA_ARGS__))
#define POLYNOMIAL8(x, c, ...) ((REAL)c + (x) * POLYNOMIAL7(x, __VA_ARGS__))
#define POLYNOMIAL9(x, c, ...) ((REAL)c + (x) * POLYNOMIAL8(x, __VA_ARGS__))
#define POLYNOMIAL10(x, c, ...) ((REAL)c + (x) * POLYNOMIAL9(x, __VA_ARGS__))
#define POLYNOMIAL11(x, c, ...) ((REAL)c + (x) * POLYNOMIAL10(x, __VA_ARGS__))
#define POLYNOMIAL12(x, c, ...) ((REAL)c + (x) * POLYNOMIAL11(x, __VA_ARGS__))
#define POLYNOMIAL13(x, c, ...) ((REAL)c + (x) * POLYNOMIAL12(x, __VA_ARGS__))
#define POLYNOMIAL14(x, c, ...) ((REAL)c + (x) * POLYNOMIAL13(x, __VA_ARGS__))
#define POLYNOMIAL15(x, c, ...) ((REAL)c + (x) * POLYNOMIAL14(x, __VA_ARGS__))
#define POLYNOMIAL16(x, c, ...) ((REAL)c + (x) * POLYNOMIAL15(x, __VA_ARGS__))
#define POLYNOMIAL17(x, c, ...) ((REAL)c + (x) * POLYNOMIAL16(x, __VA_ARGS__))
#define POLYNOMIAL18(x, c, ...) ((REAL)c + (x) * POLYNOMIAL17(x, __VA_ARGS__))
#define POLYNOMIAL19(x, c, ...) ((REAL)c + (x) * POLYNOMIAL18(x, __VA_ARGS__))
#define POLYNOMIAL20(x, c, ...) ((REAL)c + (x) * POLYNOMIAL19(x, __VA_ARGS__))
#define POLYNOMIAL21(x, c, ...) ((REAL)c + (x) * POLYNOMIAL20(x, __VA_ARGS__))

/* Numbers that a reduction copies to the stack; rows that are reduced as columns. TILE is a multiple of every
 * vector. */
enum { TILE = 512, SHORT = 32 };

/* Rows of a matrix of which several are factored side by side, and of their right sides. */
enum { SMALL_SIDE = 32, FEW_SIDES = 16 };

#define REAL float
#define FN(name) name##f
#define NAME(x) x##_f32
#define GEMM cblas_sgemm
#define TABLE GIBBS_ISA_NAME(ad_kernels_f32)
#define PER_CHUNK 4
#define INT int32_t
#define MANTISSA 23
#define BIAS 127
#define MAGIC 0x1.8p23f
#define LIFT 64
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cp-20f
#define EXP_LOWEST -104.0f
#define EXP_HIGHEST 89.0f
#define EXPM1_LOWEST -20.0f
#define EXPM1_POLYNOMIAL(x) POLYNOMIAL6(x, \
    1.000000011, 0.5000000013, 0.166665052, 0.04166646493, 0.008369155668, 0.001393365)
#define LOG1P_POLYNOMIAL(x) POLYNOMIAL10(x, \
    0.9999999947, -0.4999989265, 0.333297105, -0.2495161626, 0.1966327426, -0.1526966707, 0.105436238, \
    -0.05637361283, 0.01954252726, -0.003176057018)
/* 23 bits and a half: never 0, never 1 */
#define UNIT(w, i, j) (((REAL)(int32_t)((w)->at[j][i] >> 9) + 0.5f) * 0x1p-23f)
#include "kernels.inc.h"

#define REAL double
#define FN(name) name
#define NAME(x) x##_f64
#define GEMM cblas_dgemm
#define TABLE GIBBS_ISA_NAME(ad_kernels_f64)
#define PER_CHUNK 2
#define INT int64_t
#define MANTISSA 52
#define BIAS 1023
#define MAGIC 0x1.8p52
#define LIFT 512
#define LN2_HIGH 0x1.62e42fefa38p-1
#define LN2_LOW 0x1.ef35793c7673p-45
#define EXP_LOWEST -746.0
#define EXP_HIGHEST 710.0
#define EXPM1_LOWEST -40.0
#define EXPM1_POLYNOMIAL(x) POLYNOMIAL11(x, \
    1.0, 0.500000000000000562, 0.16666666666666671, 0.0416666666665730677, 0.00833333333332613513, \
    0.00138888889325147794, 0.000198412698748206253, 0.0000248015043137855402, 2.75572554002064244e-6, \
    2.76263710656963561e-7, 2.51052170047207452e-8)
#define LOG1P_POLYNOMIAL(x) POLYNOMIAL21(x, \
    0.99999999999999999, -0.49999999999999079, 0.333333333331975252, -0.249999999920095234, \
    0.199999997498565228, -0.166666618482485386, 0.142856519752759262, -0.124994270635143811, \
    0.111072115852995379, -0.0997976809658656833, 0.0900909581519863245, -0.0807095457843020583, \
    0.0701529623652647141, -0.0571897853419390586, 0.0419257098539041573, -0.0263987794807432172, \
    0.0135987780906172537, -0.00542173399100160966, 0.00155352440343343336, -0.000282742113937410716, \
    0.0000244379739485809471)
/* 52 bits and a half, of two words */
#define UNIT(w, i, j) \
    (((REAL)(int64_t)(((w)->at[2 * (j)][i] | (uint64_t)(w)->at[2 * (j) + 1][i] << 32) >> 12) + 0.5) * 0x1p-52)
#include "kernels.inc.h"
