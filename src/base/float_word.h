/* float_word.h — the floating-point word of the calling thread: rounding, traps, and what becomes of subnormal numbers.
 *
 * Arithmetic on subnormals is microcoded on many processors, and a hundred times slower. So whatever computes with many
 * numbers of a model does it between
 *
 *     gibbs_float_word host = gibbs_float_enter();
 *     …
 *     gibbs_float_leave(host);
 *
 * where the word is ours as a whole: subnormal arguments and results of arithmetic are 0, rounding is to nearest, and
 * nothing traps; so the same bits come out whatever the host has set. Leaving restores every bit, also of the flags
 * that exceptions leave behind: a run raises none. Code of the host that is called from within leaves and enters again.
 *
 * The compiler knows nothing of the word, and may move arithmetic across a change of it. What the memory clobbers hold
 * in place are loads, stores and calls: so between the two call kernels by their pointers, whose numbers come from memory
 * and go there. */
#ifndef GIBBS_FLOAT_WORD_H
#define GIBBS_FLOAT_WORD_H

#include <stdint.h>

#if defined(__x86_64__)

/* Long double has a word of its own, which fesetround changes and fegetround reads. */
typedef struct gibbs_float_word {
    uint32_t sse;
    uint16_t x87;
} gibbs_float_word;

/* Bits 15 and 6: subnormal results and arguments are 0; 7 to 12: no traps. x87 as a process has it at first. */
#define GIBBS_FLOAT_OURS {0x9fc0, 0x037f}

static inline gibbs_float_word gibbs_float_get(void)
{
    gibbs_float_word word;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(word.sse), "=m"(word.x87) : : "memory");
    return word;
}

static inline void gibbs_float_set(gibbs_float_word word)
{
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(word.sse), "m"(word.x87) : "memory");
}

#elif defined(__aarch64__)

typedef struct gibbs_float_word {
    uint64_t control, status;
} gibbs_float_word;

/* Bit 24: subnormal results and arguments are 0; 22 and 23: rounding; 8 to 15: traps. */
#define GIBBS_FLOAT_OURS {UINT64_C(1) << 24, 0}

static inline gibbs_float_word gibbs_float_get(void)
{
    gibbs_float_word word;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(word.control), "=r"(word.status) : : "memory");
    return word;
}

static inline void gibbs_float_set(gibbs_float_word word)
{
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(word.control), "r"(word.status) : "memory");
}

#else /* subnormals stay, and the host's rounding */

typedef struct gibbs_float_word {
    char none;
} gibbs_float_word;

#define GIBBS_FLOAT_OURS {0}

static inline gibbs_float_word gibbs_float_get(void) { return (gibbs_float_word)GIBBS_FLOAT_OURS; }
static inline void gibbs_float_set(gibbs_float_word word) { (void)word; }

#endif

/* The word becomes ours; what it was. */
static inline gibbs_float_word gibbs_float_enter(void)
{
    gibbs_float_word host = gibbs_float_get();
    gibbs_float_set((gibbs_float_word)GIBBS_FLOAT_OURS);
    return host;
}

static inline void gibbs_float_leave(gibbs_float_word host) { gibbs_float_set(host); }

#endif
