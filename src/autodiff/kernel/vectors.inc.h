/* vectors.inc.h — the vector V of the instruction set, the vector WIDE of as many bytes of doubles, and loads and
 * stores of the first numbers of one. Included by kernels.inc.h. */

typedef REAL NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef REAL NAME(loose) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
typedef INT NAME(places) __attribute__((vector_size(VECTOR_BYTES)));
#define V NAME(vector)
#define LOOSE NAME(loose)
enum { NAME(LANES) = VECTOR_BYTES / sizeof(REAL) };
#define LANES NAME(LANES)
#define SIDE (LANES / HALVES) /* of the square that LOW and HIGH transpose in each half */

typedef double NAME(double_vector) __attribute__((vector_size(VECTOR_BYTES)));
enum { NAME(DOUBLES) = VECTOR_BYTES / sizeof(double) };
#define WIDE NAME(double_vector)
#define DOUBLES NAME(DOUBLES)
typedef REAL NAME(few) __attribute__((vector_size(DOUBLES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

#ifndef FIRST_MASK
#define FIRST(type, name)                                               \
    static inline type NAME(LOAD_##name)(const REAL *x, int64_t count)  \
    {                                                                   \
        type v = {0};                                                   \
        for (int64_t i = 0; i < count; i++) v[i] = x[i];                \
        return v;                                                       \
    }                                                                   \
    static inline void NAME(STORE_##name)(REAL *x, type v, int64_t count) \
    {                                                                   \
        for (int64_t i = 0; i < count; i++) x[i] = v[i];                \
    }
FIRST(V, FIRST)
FIRST(NAME(few), FEW)
#undef FIRST
#endif

/* Of a vector at x only the first `count` numbers exist. */
static inline V NAME(load)(const REAL *x, int64_t count)
{
    if (count == LANES) return *(const LOOSE *)x;
    return NAME(LOAD_FIRST)(x, count);
}

/* The same, where a mask costs nothing: without a branch. */
static inline V NAME(load_last)(const REAL *x, int64_t count)
{
#if MASKS
    return NAME(LOAD_FIRST)(x, count);
#else
    return NAME(load)(x, count);
#endif
}

static inline NAME(few) NAME(load_few)(const REAL *x, int64_t count)
{
    if (count == DOUBLES) return *(const NAME(few) *)x;
    return (NAME(few))NAME(LOAD_FEW)(x, count);
}

static inline void NAME(store)(REAL *x, V v, int64_t count)
{
    if (count == LANES) *(LOOSE *)x = v;
    else NAME(STORE_FIRST)(x, v, count);
}

static inline void NAME(store_last)(REAL *x, V v, int64_t count)
{
#if MASKS
    NAME(STORE_FIRST)(x, v, count);
#else
    NAME(store)(x, v, count);
#endif
}

static inline WIDE NAME(load_wide)(const REAL *x, int64_t count)
{
    return NAME(WIDEN)(NAME(load_few)(x, count));
}

static inline void NAME(store_wide)(REAL *x, WIDE v, int64_t count)
{
    NAME(few) few = NAME(NARROW)(v);
    if (count == DOUBLES) *(NAME(few) *)x = few;
    else NAME(STORE_FEW)(x, few, count);
}
