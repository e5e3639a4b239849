/* last_places.h — errors in units in the last place of the exact value, and points that visit all sizes of numbers. */
#ifndef GIBBS_TEST_LAST_PLACES_H
#define GIBBS_TEST_LAST_PLACES_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "support/sanitized.h"

enum { PART = 4096 }; /* numbers given to a kernel at once */

/* Twice as many bits as double would be too slow: long double has eleven more, where it is not double itself. */
static inline bool reference_is_finer(size_t size) { return size == 4 || LDBL_MANT_DIG >= DBL_MANT_DIG + 8; }

/* ---- Errors in units in the last place ---- */

/* The distance of neighbours at `exact` in the number type. */
static inline long double unit(size_t size, long double exact)
{
    int exponent, digits = size == 4 ? FLT_MANT_DIG : DBL_MANT_DIG, least = size == 4 ? FLT_MIN_EXP : DBL_MIN_EXP;
    frexpl(exact, &exponent);
    return ldexpl(1, (exponent < least ? least : exponent) - digits);
}

typedef struct worst {
    long double error;
    double at;
} worst;

static inline void compare(worst *w, size_t size, double x, double got, long double exact)
{
    long double error = fabsl((long double)got - exact) / unit(size, exact);
    if (!(error <= w->error)) *w = (worst){error == error ? error : INFINITY, x};
}

/* ---- The points: every number is a bit pattern, and patterns in steps visit all sizes alike ---- */

typedef struct sweep {
    double from, to; /* 0 < from < to; the signs are added by whoever visits */
    int64_t points;
} sweep;

static inline int64_t bits_of(size_t size, double x)
{
    int32_t narrow;
    int64_t wide;
    float f = (float)x;
    memcpy(&narrow, &f, sizeof narrow);
    memcpy(&wide, &x, sizeof wide);
    return size == 4 ? narrow : wide;
}

static inline double from_bits(size_t size, int64_t bits)
{
    int32_t narrow = (int32_t)bits;
    float f;
    double x;
    memcpy(&f, &narrow, sizeof f);
    memcpy(&x, &bits, sizeof x);
    return size == 4 ? (double)f : x;
}

typedef void visitor(void *context, size_t size, const double *x, int n);

static inline void visit(const sweep *s, size_t size, visitor *visitor, void *context)
{
    double x[PART];
    int64_t low = bits_of(size, s->from), high = bits_of(size, s->to), n = 0;
    int64_t step = (high - low) / (SANITIZED ? s->points / 4 : s->points) + 1;
    for (int64_t bits = low; bits <= high; bits += step) {
        x[n++] = from_bits(size, bits);
        if (n == PART) visitor(context, size, x, PART), n = 0;
    }
    x[n++] = from_bits(size, high);
    visitor(context, size, x, (int)n);
}

#endif
