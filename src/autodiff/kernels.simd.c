/* kernels.simd.c — kernels.inc.h for float and double. The build compiles this file once for each instruction set,
 * with GIBBS_ISA naming it.
 *
 * gcc turns a loop over expf into calls of glibc's vector functions when the declaration says that they exist: no
 * -ffast-math, so NaN and infinities stay right. Elsewhere the same loops call the scalar functions. */
#include "kernels.h"

#include <Random123/philox.h>
#include <cblas.h>
#include <math.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define VECTOR __attribute__((simd("notinbranch")))
#define DECLARE(name)            \
    VECTOR double name(double);  \
    VECTOR float name##f(float);
DECLARE(exp)
DECLARE(expm1)
DECLARE(log)
DECLARE(log1p)
DECLARE(tanh)
DECLARE(erf)
DECLARE(sin)
DECLARE(cos)
VECTOR double pow(double, double);
VECTOR float powf(float, float);
#endif
#endif

#define JOIN3(a, b, c) a##_##b##_##c
#define SYMBOL(a, b, c) JOIN3(a, b, c)

enum { CHUNKS = 32 }; /* Philox outputs that are turned into numbers together */

#define REAL float
#define FN(name) name##f
#define NAME(x) x##_f32
#define GEMM cblas_sgemm
#define TABLE SYMBOL(ad_kernels, f32, GIBBS_ISA)
#define PER_CHUNK 8
/* 23 bits and a half: never 0, never 1 */
#define UNIT(words, i) (((REAL)((uint32_t)((words)[(i) / 2] >> 32 * ((i) % 2)) >> 9) + 0.5f) * 0x1p-23f)
#include "kernels.inc.h"

#define REAL double
#define FN(name) name
#define NAME(x) x##_f64
#define GEMM cblas_dgemm
#define TABLE SYMBOL(ad_kernels, f64, GIBBS_ISA)
#define PER_CHUNK 4
#define UNIT(words, i) (((REAL)((words)[i] >> 12) + 0.5) * 0x1p-52)
#include "kernels.inc.h"
