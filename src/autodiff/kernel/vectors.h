/* vectors.h — what the kernels need of the instruction set. Where it has no fused multiply-add, BLAS does the products,
 * if there is one (GIBBS_BLAS); elsewhere they are our own, unless all shall be BLAS's (GIBBS_PRODUCTS_BLAS). */
#ifndef GIBBS_VECTORS_H
#define GIBBS_VECTORS_H

enum {
    DOWN = 6,             /* rows of a tile */
    FEW_ROWS = 8 * DOWN,  /* rows of A, DEPTH long and in place, between two visits of a strip: more share cache sets */
    BLOCK = 128 * DOWN,   /* rows of C that are done before others, so that they and their rows of A take few pages */
    AHEAD = 4,            /* how many rows ahead of packing are fetched; as many share a set of the first cache */
    DEEP = 8,             /* how much longer than they are many dot products are to be; the same of swapped factors */
    PANEL_BYTES = 1024,   /* of a row of B that is packed: DEPTH of them stay in the second cache */
    ROWS_BYTES = 32 * 8 * DOWN, /* the same of A transposed; so long as memory likes to be read in a row */
    SET_BYTES = 4096,     /* what is so far apart is in one set of the first cache, which has as few as 8 places */
    SMALL_BYTES = 1 << 15, /* a C of less: its factors are not packed */
    STAYS_BYTES = 1 << 14, /* half of the smallest first cache */
    SHALLOW = 32,         /* a k of no more: stores to C hold up loads of a B that is a multiple of SET_BYTES away */
    NEAR_BYTES = 1 << 18, /* a C of no more is in cache, */
    NEAR_B_BYTES = 1 << 21 /* and a B of no more, be it in the second */
};

/* ACROSS vectors a row of a tile: DOWN·ACROSS sums, ACROSS numbers of B and one of A fill the registers. ENOUGH rows of
 * A pay for packing: fewer where a packed strip fits the first cache; of a B whose rows share a set of it ENOUGH_DEEP,
 * and ENOUGH_SHALLOW where k is SHALLOW; and a B of LIES_BYTES is read where it lies, if its rows are whole lines of the
 * cache. DEPTH of k is done at a time; a row of C of WIDE_BYTES is wide. …_FIRST: of a vector's numbers only the first
 * n exist; …_FEW: the same of as many numbers as a vector has doubles, which WIDEN makes doubles (gcc 12 would convert
 * them in two halves). WORD_PRODUCTS are those of the low halves of 64-bit numbers. LOW and HIGH interleave halves of two
 * vectors, in each of HALVES by itself; FRONT and BACK are all that two vectors have in the one and in the other. */
#if defined(__AVX512F__)
#include <immintrin.h>
#define FUSED 1
#define VECTOR_BYTES 64
#define ENOUGH (16 * DOWN)
#define LIES_BYTES (1 << 19)
#define ENOUGH_DEEP (8 * DOWN)
#define ENOUGH_SHALLOW ENOUGH
#define ACROSS 4
#define WIDE_BYTES (1 << 11)
#define DEPTH 512 /* such processors have a second cache of 1 MB or more */
#define WIDTHS(X) X(1) X(2) X(3) X(4)
#define NARROW_WIDTHS(X) X(1) X(2)
#define FIRST_MASK(n) ((1u << (n)) - 1)
#define MASKS 1 /* a load or store under a mask costs what a whole one does */
#define LOAD_FIRST_f32(x, n) _mm512_maskz_loadu_ps((__mmask16)FIRST_MASK(n), x)
#define LOAD_FIRST_f64(x, n) _mm512_maskz_loadu_pd((__mmask8)FIRST_MASK(n), x)
#define STORE_FIRST_f32(x, v, n) _mm512_mask_storeu_ps(x, (__mmask16)FIRST_MASK(n), v)
#define STORE_FIRST_f64(x, v, n) _mm512_mask_storeu_pd(x, (__mmask8)FIRST_MASK(n), v)
#define LOAD_FEW_f32(x, n) _mm256_maskz_loadu_ps((__mmask8)FIRST_MASK(n), x)
#define LOAD_FEW_f64 LOAD_FIRST_f64
#define STORE_FEW_f32(x, v, n) _mm256_mask_storeu_ps(x, (__mmask8)FIRST_MASK(n), v)
#define STORE_FEW_f64 STORE_FIRST_f64
#define WORD_PRODUCTS(a, b) ((words)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))
#define WIDEN_f32 _mm512_cvtps_pd
#define NARROW_f32 _mm512_cvtpd_ps
#define LOW_f32(a, b) MIX(f32, a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH_f32(a, b) MIX(f32, a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define LOW_f64(a, b) MIX(f64, a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH_f64(a, b) MIX(f64, a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#include <stdint.h>
#define FUSED 1
#define VECTOR_BYTES 32
#define ENOUGH (4 * DOWN)
#define LIES_BYTES 0
#define ENOUGH_DEEP ENOUGH
#define ENOUGH_SHALLOW (2 * DOWN)
#define ACROSS 2
#define WIDE_BYTES (1 << 9)
#define DEPTH 256
#define WIDTHS(X) X(1) X(2)
#define NARROW_WIDTHS(X) X(1)
#define HALVES 2
static const int32_t first_mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
#define FIRST_MASK(words) _mm256_loadu_si256((const __m256i *)(first_mask + 8 - (words)))
#define LOAD_FIRST_f32(x, n) _mm256_maskload_ps(x, FIRST_MASK(n))
#define LOAD_FIRST_f64(x, n) _mm256_maskload_pd(x, FIRST_MASK(2 * (n)))
#define LOAD_FEW_f32(x, n) _mm_maskload_ps(x, _mm256_castsi256_si128(FIRST_MASK(n)))
#define LOAD_FEW_f64 LOAD_FIRST_f64
#define STORE_FIRST_f32(x, v, n) store_words(x, v, n)
#define STORE_FIRST_f64(x, v, n) store_words(x, _mm256_castpd_ps(v), 2 * (n))
#define STORE_FEW_f32(x, v, n) store_words(x, _mm256_castps128_ps256(v), n)
#define STORE_FEW_f64 STORE_FIRST_f64
#define WORD_PRODUCTS(a, b) ((words)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#define WIDEN_f32 _mm256_cvtps_pd
#define NARROW_f32 _mm256_cvtpd_ps
#define LOW_f32(a, b) MIX(f32, a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH_f32(a, b) MIX(f32, a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW_f64(a, b) MIX(f64, a, b, 0, 4, 2, 6)
#define HIGH_f64(a, b) MIX(f64, a, b, 1, 5, 3, 7)
#define FRONT_f32(a, b) MIX(f32, a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define BACK_f32(a, b) MIX(f32, a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#define FRONT_f64(a, b) MIX(f64, a, b, 0, 1, 4, 5)
#define BACK_f64(a, b) MIX(f64, a, b, 2, 3, 6, 7)

/* A masked store is a routine of 42 micro-operations on AMD's processors. */
static inline void store_words(void *to, __m256 v, int64_t count)
{
    float *x = to;
    __m128 part = _mm256_castps256_ps128(v);
    if (count & 4) {
        _mm_storeu_ps(x, part);
        part = _mm256_extractf128_ps(v, 1);
        x += 4;
    }
    if (count & 2) {
        _mm_storel_pi((__m64 *)x, part);
        part = _mm_movehl_ps(part, part);
        x += 2;
    }
    if (count & 1) _mm_store_ss(x, part);
}
#else
#define FUSED 0
#define VECTOR_BYTES 16
#define ENOUGH (4 * DOWN)
#define LIES_BYTES 0
#define ENOUGH_DEEP ENOUGH
#define ENOUGH_SHALLOW (2 * DOWN)
#define ACROSS 2
#define WIDE_BYTES (1 << 9)
#define DEPTH 256
#define WIDTHS(X) X(1) X(2)
#define NARROW_WIDTHS(X) X(1)
#ifdef __SSE2__
#include <emmintrin.h>
#define WORD_PRODUCTS(a, b) ((words)_mm_mul_epu32((__m128i)(a), (__m128i)(b)))
#endif
#define WIDEN_f32(v) __builtin_convertvector(v, double_vector_f32)
#define NARROW_f32(v) __builtin_convertvector(v, few_f32)
#define LOW_f32(a, b) MIX(f32, a, b, 0, 4, 1, 5)
#define HIGH_f32(a, b) MIX(f32, a, b, 2, 6, 3, 7)
#define LOW_f64(a, b) MIX(f64, a, b, 0, 2)
#define HIGH_f64(a, b) MIX(f64, a, b, 1, 3)
#endif

#ifndef MASKS
#define MASKS 0
#endif

#ifndef HALVES
#define HALVES 1
#define FRONT_f32(a, b) (a)
#define BACK_f32(a, b) (b)
#define FRONT_f64(a, b) (a)
#define BACK_f64(a, b) (b)
#endif

#if defined(GIBBS_PRODUCTS_BLAS) || (defined(GIBBS_BLAS) && !FUSED)
#define USES_BLAS 1
#else
#define USES_BLAS 0
#endif

#define WIDEN_f64
#define NARROW_f64

/* Once for each constant argument: then arrays of vectors are registers. */
#define INLINED static inline __attribute__((always_inline))

/* A vector of chosen numbers of a, then of b. */
#ifdef __clang__
#define MIX(type, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MIX(type, a, b, ...) __builtin_shuffle(a, b, (places_##type){__VA_ARGS__})
#endif

#endif
