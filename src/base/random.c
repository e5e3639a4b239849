#include "random.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

gibbs_words gibbs_words_start(uint64_t seed, uint64_t purpose, uint64_t part)
{
    return (gibbs_words){.seed = seed, .purpose = purpose, .part = part, .used = 4};
}

uint64_t gibbs_words_next(gibbs_words *s)
{
    if (s->used == 4) {
        philox4x64_ctr_t counter = {{s->block++, s->part, 0, 0}};
        philox4x64_key_t key = {{s->seed, s->purpose}};
        counter = philox4x64(counter, key);
        memcpy(s->word, counter.v, sizeof s->word);
        s->used = 0;
    }
    return s->word[s->used++];
}

/* Of the 2⁶⁴ words the lowest 2⁶⁴ mod n are drawn again. */
uint64_t gibbs_words_below(gibbs_words *s, uint64_t n)
{
    uint64_t refused = (0 - n) % n, word;
    do word = gibbs_words_next(s);
    while (word < refused);
    return word % n;
}

double gibbs_words_unit(gibbs_words *s) { return ((double)(gibbs_words_next(s) >> 12) + 0.5) * 0x1p-52; }

double gibbs_words_normal(gibbs_words *s)
{
    double u = gibbs_words_unit(s), v = gibbs_words_unit(s);
    return sqrt(-2 * log(u)) * cos(6.283185307179586476925 * v);
}
