/* optim_helpers.h — numbers of either type, and the sizes that try every tail of a vector loop. */
#ifndef TEST_OPTIM_HELPERS_H
#define TEST_OPTIM_HELPERS_H

#include <gibbs/status.h>

enum { LARGEST = 257 };
static const int sizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 100, LARGEST};
static const gibbs_dtype dtypes[] = {GIBBS_FLOAT32, GIBBS_FLOAT64};
#define EACH(type, x, table) \
    for (const type *x = table; x < table + sizeof table / sizeof table[0]; x++)

static inline double random_number(uint64_t *state) /* uniform on (−1, 1): splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-52 - 1;
}

static inline double get(gibbs_dtype dtype, const void *x, int64_t i)
{
    return dtype == GIBBS_FLOAT32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static inline void put(gibbs_dtype dtype, void *x, int64_t i, double value)
{
    if (dtype == GIBBS_FLOAT32) ((float *)x)[i] = (float)value;
    else ((double *)x)[i] = value;
}

#endif
