/* host_words.h — floating-point words that a host may have set, and calls made under one. */
#ifndef TESTS_HOST_WORDS_H
#define TESTS_HOST_WORDS_H

#include "base/float_word.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static const struct host_word {
    const char *name;
    gibbs_float_word word;
} host_words[] = {
#if defined(__x86_64__)
    {"as at first", {0x1f80, 0x037f}},
    {"rounding down, subnormals kept", {0x3f80, 0x077f}},
    {"rounding up, results flushed", {0xdf80, 0x0b7f}},
    {"every bit set", {0xffff, 0x0f7f}},
    {"traps for invalid, division by 0 and overflow", {0x1900, 0x0372}},
#elif defined(__aarch64__)
    {"as at first", {0, 0}},
    {"rounding down, subnormals kept", {UINT64_C(2) << 22, 0}},
    {"rounding up, subnormals flushed", {UINT64_C(5) << 22, 0}},
    {"rounding to zero, flags set", {UINT64_C(3) << 22, 0x9f}},
#else
    {"as at first", GIBBS_FLOAT_OURS},
#endif
};
enum { HOST_WORDS = sizeof host_words / sizeof *host_words };

static inline bool same_word(gibbs_float_word a, gibbs_float_word b)
{
#if defined(__x86_64__)
    return a.sse == b.sse && a.x87 == b.x87;
#elif defined(__aarch64__)
    return a.control == b.control && a.status == b.status;
#else
    return a.none == b.none;
#endif
}

/* The same but for the flags that exceptions leave behind. */
static inline bool same_control(gibbs_float_word a, gibbs_float_word b)
{
#if defined(__x86_64__)
    a.sse |= 0x3f, b.sse |= 0x3f;
#elif defined(__aarch64__)
    a.status = b.status;
#endif
    return same_word(a, b);
}

/* Elsewhere there is nothing to test. */
#if defined(__x86_64__) || defined(__aarch64__)
#define NEEDS_A_WORD() (void)0
#else
#define NEEDS_A_WORD() cr_skip_test("the library sets no floating-point word on this processor")
#endif

static inline bool is_subnormal(size_t size, double x)
{
    return x != 0 && fabs(x) < (size == sizeof(float) ? (double)FLT_MIN : DBL_MIN);
}

#endif
