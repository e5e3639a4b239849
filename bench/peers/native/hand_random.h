/* hand_random.h — normals by Box and Muller from xoshiro256++ (Blackman & Vigna 2021), eight generators side by side
 * so that the compiler makes vectors of them. */
#ifndef HAND_RANDOM_H
#define HAND_RANDOM_H

#include "hand.h"

enum { HAND_LANES = 8 };

typedef struct hand_random {
    uint64_t state[4][HAND_LANES];
} hand_random;

void NAME(hand_random_start)(hand_random *g, uint64_t seed);

/* n independent standard normals. */
void NAME(hand_normals)(hand_random *g, int64_t n, REAL *out);

#endif
