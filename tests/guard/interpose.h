/* interpose.h — allocations and matrix products of the whole process, counted: this program's functions of those
 * names come before the C library's and the BLAS's, and pass every call on. Included by one file of a program. */
#ifndef GIBBS_TEST_INTERPOSE_H
#define GIBBS_TEST_INTERPOSE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- Allocations: glibc lets them be replaced, and sanitizers have replaced them already ---- */

#if defined(__has_feature)
#define GUARD_FEATURE(name) __has_feature(name)
#else
#define GUARD_FEATURE(name) 0
#endif

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !GUARD_FEATURE(address_sanitizer) && !GUARD_FEATURE(thread_sanitizer) && !GUARD_FEATURE(memory_sanitizer)
#define GUARD_COUNTS_ALLOCATIONS 1
#else
#define GUARD_COUNTS_ALLOCATIONS 0
#endif

static _Atomic long guard_allocations;

#if GUARD_COUNTS_ALLOCATIONS
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t bytes)
{
    atomic_fetch_add(&guard_allocations, 1);
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(&guard_allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t bytes)
{
    atomic_fetch_add(&guard_allocations, 1);
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    atomic_fetch_add(&guard_allocations, 1);
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    atomic_fetch_add(&guard_allocations, 1);
    void *made = __libc_memalign(alignment, bytes);
    if (!made) return ENOMEM;
    *memory = made;
    return 0;
}
#endif

/* ---- Products: calls, and flops with a multiplication and an addition as two ---- */

static _Atomic long guard_gemm_calls, guard_gemm_added; /* added: to what is there already (beta is 1) */
static _Atomic long long guard_gemm_flops;

/* Declared here rather than by cblas.h, whose words for the enumerations differ from BLAS to BLAS. */
#define GUARD_GEMM(name, real)                                                                                        \
    typedef void guard_##name(int, int, int, int, int, int, real, const real *, int, const real *, int, real, real *, \
                              int);                                                                                   \
    guard_##name name;                                                                                                \
    void name(int order, int ta, int tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b,      \
              int ldb, real beta, real *c, int ldc)                                                                   \
    {                                                                                                                 \
        static guard_##name *_Atomic next;                                                                            \
        if (!next) next = (guard_##name *)dlsym(RTLD_NEXT, #name);                                                    \
        if (!next) abort(); /* a BLAS that is linked statically cannot be guarded in this way */                      \
        atomic_fetch_add(&guard_gemm_calls, 1);                                                                       \
        atomic_fetch_add(&guard_gemm_added, beta != 0);                                                               \
        atomic_fetch_add(&guard_gemm_flops, 2LL * m * n * k);                                                         \
        next(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                            \
    }

GUARD_GEMM(cblas_sgemm, float)
GUARD_GEMM(cblas_dgemm, double)

#endif
