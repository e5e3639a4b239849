/* vectors.inc.h — the vector V of the instruction set and its loads and stores. Included by kernels.inc.h where tiles.h
 * defines VECTOR_BYTES. */

typedef REAL NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef REAL NAME(loose) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
typedef INT NAME(places) __attribute__((vector_size(VECTOR_BYTES)));
#define V NAME(vector)
#define LOOSE NAME(loose)
enum { NAME(LANES) = VECTOR_BYTES / sizeof(REAL) };
#define LANES NAME(LANES)

/* Of a vector at x only the first `count` numbers exist. */
static inline V NAME(load)(const REAL *x, int64_t count)
{
    if (count == LANES) return *(const LOOSE *)x;
    return NAME(LOAD_FIRST)(x, count);
}

static inline void NAME(store)(REAL *x, V v, int64_t count)
{
    if (count == LANES) *(LOOSE *)x = v;
    else NAME(STORE_FIRST)(x, v, count);
}
