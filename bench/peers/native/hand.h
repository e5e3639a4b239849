/* hand.h — the methods of the hand-written peer. Every hand_*.c is compiled twice, for float (HAND_FLOAT) and for
 * double, and defines its methods as `const peer_method NAME(hand_nce) = {"nce", "unfused", HAND_DTYPE, …}`. */
#ifndef HAND_H
#define HAND_H

#include "peer.h"

#include <math.h>

#if HAND_FLOAT
#define REAL float
#define HAND_DTYPE GIBBS_FLOAT32
#define NAME(name) name##_f32
#define FN(name) name##f
#define BLAS(name) cblas_s##name
#else
#define REAL double
#define HAND_DTYPE GIBBS_FLOAT64
#define NAME(name) name##_f64
#define FN(name) name
#define BLAS(name) cblas_d##name
#endif

/* The list: adding a method is a line here and a struct. */
#define HAND_METHODS(METHOD) \
    METHOD(nce)              \
    METHOD(ml_is)            \
    METHOD(cd)               \
    METHOD(score)            \
    METHOD(denoise)          \
    METHOD(langevin)         \
    METHOD(gaussian)         \
    METHOD(full)             \
    METHOD(gmm)              \
    METHOD(kmeans)

#define HAND_DECLARE(name) extern const peer_method hand_##name##_f32, hand_##name##_f64;
HAND_METHODS(HAND_DECLARE)

/* gcc turns loops over these into calls of glibc's vector functions, without -ffast-math. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define HAND_VECTOR(name)                                      \
    __attribute__((simd("notinbranch"))) double name(double);  \
    __attribute__((simd("notinbranch"))) float name##f(float);
HAND_VECTOR(exp)
HAND_VECTOR(log)
HAND_VECTOR(log1p)
HAND_VECTOR(sin)
HAND_VECTOR(cos)
#endif
#endif

#endif
