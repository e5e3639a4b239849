/* random.h — streams of random words for the host side (initial values, shuffles, splits, resampling). Philox 4×64-10
 * of a counting block, keyed by seed and purpose: no hidden state, whole numbers only, the same everywhere. */
#ifndef GIBBS_RANDOM_H
#define GIBBS_RANDOM_H

#include <stdint.h>

typedef struct gibbs_words {
    uint64_t seed, purpose, part, block;
    uint64_t word[4];
    int used;
} gibbs_words;

/* Streams of different purpose or part are independent. */
gibbs_words gibbs_words_start(uint64_t seed, uint64_t purpose, uint64_t part);
uint64_t gibbs_words_next(gibbs_words *s);

/* A whole number in [0, n), each equally likely; n >= 1. */
uint64_t gibbs_words_below(gibbs_words *s, uint64_t n);

/* A number in (0, 1), never 0 and never 1. */
double gibbs_words_unit(gibbs_words *s);

/* A standard normal (Box and Muller's first). */
double gibbs_words_normal(gibbs_words *s);

#endif
