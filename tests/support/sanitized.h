/* sanitized.h — what the sanitized build runs of a test. Sanitizers look at what a path does to memory, not at its
 * numbers: each path once is enough, and it takes ten times as long. Nothing is left out of the other builds. */
#ifndef TESTS_SANITIZED_H
#define TESTS_SANITIZED_H

#include <stdbool.h>
#include <stdint.h>

/* A test of figures alone, on paths that others take: `.disabled = SANITIZED`. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* Whether case k of a sweep over sizes, kinds or seeds is taken: all are; sanitized, every nth. Where cases are digits
 * of k, an n that has no factor in common with their bases meets each value of each digit, and in time each pair. */
static inline bool in_sweep(int64_t k, int64_t n) { return !SANITIZED || k % n == 0; }

#endif
