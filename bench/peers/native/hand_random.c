#include "hand_random.h"

#include <string.h>

/* At most PAIRS pairs of uniforms are turned into normals together: always whole vectors. */
enum { PAIRS = 256, WHOLE = 16, WORDS = 2 * PAIRS * sizeof(REAL) / sizeof(uint64_t) };

/* splitmix64, as its authors tell one to seed with. */
void NAME(hand_random_start)(hand_random *g, uint64_t seed)
{
    for (int lane = 0; lane < HAND_LANES; lane++)
        for (int i = 0; i < 4; i++) {
            uint64_t z = seed += 0x9e3779b97f4a7c15u;
            z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
            z = (z ^ z >> 27) * 0x94d049bb133111ebu;
            g->state[i][lane] = z ^ z >> 31;
        }
}

static inline uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void fill(hand_random *g, int64_t count, uint64_t *words)
{
    hand_random now = *g; /* in registers: the compiler cannot know that words is not g */
    for (int64_t at = 0; at < count; at += HAND_LANES) {
#pragma omp simd
        for (int i = 0; i < HAND_LANES; i++) {
            uint64_t a = now.state[0][i], b = now.state[1][i], c = now.state[2][i], d = now.state[3][i];
            words[at + i] = rotate(a + d, 23) + a;
            uint64_t t = b << 17;
            c ^= a, d ^= b, b ^= c, a ^= d, c ^= t, d = rotate(d, 45);
            now.state[0][i] = a, now.state[1][i] = b, now.state[2][i] = c, now.state[3][i] = d;
        }
    }
    *g = now;
}

/* In (0, 1): as many bits as the type holds, and a half. */
#if HAND_FLOAT
static inline float unit(const uint64_t *words, int i)
{
    return ((float)(int32_t)((uint32_t)(words[i / 2] >> 32 * (i % 2)) >> 9) + 0.5f) * 0x1p-23f;
}
#else
static inline double unit(const uint64_t *words, int i) { return ((double)(int64_t)(words[i] >> 12) + 0.5) * 0x1p-52; }
#endif

static void pairs_of_normals(hand_random *g, int pairs, REAL *out)
{
    uint64_t words[WORDS];
    REAL radius[PAIRS], angle[PAIRS];
    fill(g, 2 * pairs * (int64_t)sizeof(REAL) / (int64_t)sizeof *words, words);
#pragma omp simd
    for (int i = 0; i < pairs; i++) radius[i] = FN(sqrt)(-2 * FN(log)(unit(words, i)));
    for (int i = 0; i < pairs; i++) angle[i] = (REAL)6.283185307179586476925 * unit(words, pairs + i);
#pragma omp simd
    for (int i = 0; i < pairs; i++) out[i] = radius[i] * FN(cos)(angle[i]);
#pragma omp simd
    for (int i = 0; i < pairs; i++) out[pairs + i] = radius[i] * FN(sin)(angle[i]);
}

void NAME(hand_normals)(hand_random *g, int64_t n, REAL *out)
{
    for (; n >= 2 * PAIRS; n -= 2 * PAIRS, out += 2 * PAIRS) pairs_of_normals(g, PAIRS, out);
    if (!n) return;
    REAL rest[2 * PAIRS];
    pairs_of_normals(g, (int)((n + 2 * WHOLE - 1) / (2 * WHOLE) * WHOLE), rest);
    memcpy(out, rest, (size_t)n * sizeof *out);
}
