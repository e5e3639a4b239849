/* interpose.h — allocations of the whole process, counted: this program's functions of those names come before the C
 * library's, and pass every call on. Included by one file of a program. */
#ifndef GIBBS_TEST_INTERPOSE_H
#define GIBBS_TEST_INTERPOSE_H

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

#endif
