/* The floating-point word: ours between entering and leaving, the host's afterwards, and the caller's in every thread
 * of the pool. */
#include "support/host_words.h"

#include "base/parallel.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>

static const gibbs_float_word ours = GIBBS_FLOAT_OURS;

/* Numbers of which the compiler knows nothing; results are volatile as well, so that they are not computed later. */
static volatile double least = DBL_MIN, half = 0.5, third = 3, below = DBL_MIN / 4, large = 0x1p60;
static volatile float least_float = FLT_MIN, half_float = 0.5f;

Test(float_word, leaving_restores_every_bit)
{
    gibbs_float_word first = gibbs_float_get();
    for (int k = 0; k < HOST_WORDS; k++) {
        gibbs_float_set(host_words[k].word);
        gibbs_float_word host = gibbs_float_enter(), inside = gibbs_float_get();
        volatile double raises_flags = 1 / third / (half - 0.5);
        gibbs_float_leave(host);
        gibbs_float_word after = gibbs_float_get();
        gibbs_float_set(first);
        cr_expect(same_word(inside, ours), "%s: the word inside is not ours", host_words[k].name);
        cr_expect(same_word(after, host_words[k].word), "%s: another word afterwards", host_words[k].name);
        cr_expect(isinf(raises_flags));
    }
}

/* What arithmetic does: 0 instead of a subnormal in both number types, as argument and result, and one rounding. */
Test(float_word, subnormals_and_rounding_inside)
{
    NEEDS_A_WORD();
    gibbs_float_word first = gibbs_float_get();
    double third_at_first = 1 / third, sum_at_first = large + third;
    cr_assert_neq(least * half, 0, "the control: outside, subnormals are numbers");
    cr_assert_neq(below * large, 0);
    cr_assert_neq(least_float * half_float, 0);
    for (int k = 0; k < HOST_WORDS; k++) {
        gibbs_float_set(host_words[k].word);
        gibbs_float_word host = gibbs_float_enter();
        volatile double result = least * half, argument = below * large, rounded = 1 / third, sum = large + third;
        volatile float narrow = least_float * half_float;
        gibbs_float_leave(host);
        gibbs_float_set(first);
        cr_expect(result == 0 && argument == 0 && narrow == 0, "%s: %g, %g, %g", host_words[k].name, result, argument,
                  (double)narrow);
        cr_expect(rounded == third_at_first && sum == sum_at_first, "%s: rounded otherwise", host_words[k].name);
    }
}

/* ---- Threads ---- */

enum { THREADS = 3 };

typedef struct meeting {
    gibbs_float_word seen[THREADS];
    _Atomic int arrived;
} meeting;

/* Each task waits for the others, so that each thread has one. What a task makes of the word is its own affair. */
static void look(void *context, int64_t index, int worker)
{
    meeting *m = context;
    m->seen[worker] = gibbs_float_get();
    atomic_fetch_add(&m->arrived, 1);
    while (atomic_load(&m->arrived) < THREADS) sched_yield();
    if (worker) gibbs_float_set(host_words[index % HOST_WORDS].word);
}

static void expect_word_in_all(gibbs_float_word word, const char *name)
{
    meeting m = {.arrived = 0};
    gibbs_float_word first = gibbs_float_get();
    gibbs_float_set(word);
    gibbs_parallel(THREADS, THREADS, look, &m);
    gibbs_float_word after = gibbs_float_get();
    gibbs_float_set(first);
    for (int t = 0; t < THREADS; t++) cr_expect(same_word(m.seen[t], word), "%s: another word in thread %d", name, t);
    cr_expect(same_word(after, word), "%s: another word afterwards", name);
}

Test(float_word, threads_have_the_callers, .timeout = 60)
{
    for (int again = 0; again < 3; again++) {
        for (int k = 0; k < HOST_WORDS; k++) expect_word_in_all(host_words[k].word, host_words[k].name);
        expect_word_in_all(ours, "ours");
    }
}
