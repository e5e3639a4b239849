/* base.h — what every layer stands on: error sentences and checked allocation. */
#ifndef GIBBS_BASE_H
#define GIBBS_BASE_H

#include <gibbs/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GIBBS_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Writes status and sentence to `error` (which may be NULL) and returns `status`, so that callers can write
 * `return gibbs_fail(error, GIBBS_SHAPE, "…", …);`. */
gibbs_status gibbs_fail(gibbs_error *error, gibbs_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a sentence about a sample, which is also noted in the error. `row` counts from 0. */
gibbs_status gibbs_fail_row(gibbs_error *error, gibbs_status status, int64_t row, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Bytes of the well-formed UTF-8 character at p, before `end`, and its code; 0 when it is none: cut short, too long a
 * form, a surrogate. */
int gibbs_utf8(const char *p, const char *end, uint32_t *code);

/* Makes a text that came from files, names or system calls fit for a terminal, in place: each control character (those
 * of C1 and of writing direction, too) and each byte that is no UTF-8 becomes a question mark. Every sentence of a
 * gibbs_error has been through this. */
void gibbs_safe_text(char *text);

/* What a counted noun of a sentence ends with: «1 row», «2 rows». */
static inline const char *gibbs_plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

/* Ends a public function when a pointer that it cannot do without is NULL. */
#define GIBBS_REQUIRE(function, pointers, error)                                                             \
    do {                                                                                                     \
        if (!(pointers)) return gibbs_fail(error, GIBBS_ARGUMENT, function ": a required pointer is NULL");  \
    } while (0)

/* ARGUMENT for an allocator that lacks a function; NULL is none. */
gibbs_status gibbs_allocator_check(const gibbs_allocator *allocator, gibbs_error *error);

/* The allocator to use when the caller passed `allocator`, NULL included. */
gibbs_allocator gibbs_allocator_or_default(const gibbs_allocator *allocator);

/* count × size bytes, or NULL when that overflows, memory is out or the allocator lacks a function. Zero bytes give a
 * valid block. */
void *gibbs_alloc(const gibbs_allocator *a, size_t count, size_t size);
void *gibbs_alloc_zero(const gibbs_allocator *a, size_t count, size_t size);
void gibbs_release(const gibbs_allocator *a, void *memory);

/* The same, aligned to 64 bytes (a cache line, an AVX-512 vector) and rounded up to whole lines. Released by
 * gibbs_release_aligned only. */
void *gibbs_alloc_aligned(const gibbs_allocator *a, size_t count, size_t size);
void gibbs_release_aligned(const gibbs_allocator *a, void *memory);

/* Makes *array hold at least `need` items of `size` bytes, growing by half again; keeps the first `used`.
 * False, with everything as it was, when memory is out. */
bool gibbs_grow(const gibbs_allocator *a, void *array, int64_t *capacity, int64_t used, int64_t need, size_t size);

/* A copy of a string, or NULL when memory is out. */
char *gibbs_strdup(const gibbs_allocator *a, const char *text);

/* *out = a·b; false when the product does not fit. Arguments are not negative. */
static inline bool gibbs_mul_size(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

#endif
