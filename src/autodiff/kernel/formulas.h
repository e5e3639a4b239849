/* formulas.h — the words that the value column of ops.def is written in, for the number type REAL. FN(f) is the
 * libm function of that type. No include guard: it is included once for each type and removes the last one's. */
#include "special.h"
#undef AS_IT_COUNTS
#undef EXP
#undef EXPM1
#undef LOG
#undef LOG1P
#undef SQRT
#undef TANH
#undef ERF
#undef ERFC
#undef SIN
#undef COS
#undef ATAN
#undef ATAN2
#undef HYPOT
#undef ASIN
#undef ACOS
#undef ASIN_SLOPE
#undef SINH
#undef COSH
#undef LGAMMA
#undef POLYGAMMA
#undef LOG_ERFC
#undef LOG_ERFC_SLOPE
#undef LOG_NDTR
#undef LOG_NDTR_SLOPE
#undef LOG1MEXP
#undef LOG1MEXP_SLOPE
#undef POW
#undef ABS
#undef ELU
#undef SIGN
#undef STEP
#undef SECH
#undef TANH_SLOPE
#undef SIGMOID
#undef SIGMOID_SLOPE
#undef SOFTPLUS
#undef LOG1P_IN_UNIT
#undef EXP_MINUS_ABS
#undef EXPM1_MINUS_ABS
#undef COSH_IS_BELOW_2
#undef LOGCOSH_FROM
#undef LOGCOSH
/* In a run a subnormal counts as 0 (base/float_word.h). Libraries look at its bits: log and pow go wrong, and functions
 * that are x near 0 hand it back. So they are given the 0. No other number changes. */
#define AS_IT_COUNTS(x) ((x) == 0 ? (x) * 0 : (x))
#define EXP(x) FN(exp)(x)
#define EXPM1(x) FN(expm1)(AS_IT_COUNTS(x))
#define LOG(x) FN(log)(AS_IT_COUNTS(x))
#define LOG1P(x) FN(log1p)(AS_IT_COUNTS(x))
#define SQRT(x) FN(sqrt)(x)
#define TANH(x) FN(tanh)(AS_IT_COUNTS(x))
#define ERF(x) FN(erf)(AS_IT_COUNTS(x))
#define ERFC(x) FN(erfc)(x)
#define SIN(x) FN(sin)(AS_IT_COUNTS(x))
#define COS(x) FN(cos)(x)
#define ATAN(x) FN(atan)(AS_IT_COUNTS(x))
#define ATAN2(a, b) FN(atan2)(AS_IT_COUNTS(a), AS_IT_COUNTS(b))
#define HYPOT(a, b) FN(hypot)(AS_IT_COUNTS(a), AS_IT_COUNTS(b))
#define ASIN(x) FN(asin)(AS_IT_COUNTS(x))
#define ACOS(x) FN(acos)(x)
#define SINH(x) FN(sinh)(AS_IT_COUNTS(x))
#define COSH(x) FN(cosh)(x)
#define POW(a, b) FN(pow)(AS_IT_COUNTS(a), AS_IT_COUNTS(b))
#define ABS(x) ((x) < 0 ? -(x) : (x))
/* Where a slope has a pole it is NaN, so that nobody takes it for a number. */
#define ASIN_SLOPE(x) (ABS(x) < 1 ? 1 / SQRT((1 - (x)) * (1 + (x))) : (REAL)NAN)
#define LGAMMA(x) ((x) > 0 ? FN(lgamma)(x) : (x) == 0 ? (REAL)INFINITY : (REAL)NAN)
#define POLYGAMMA(n, x) (REAL)ad_polygamma_of((double)(n), (double)(x))
#define LOG_ERFC(x) (REAL)ad_log_erfc_of((double)(x))
#define LOG_ERFC_SLOPE(n, x) (REAL)ad_log_erfc_slope_of((double)(n), (double)(x))
#define LOG_NDTR(x) (REAL)ad_log_ndtr_of((double)(x))
#define LOG_NDTR_SLOPE(n, x) (REAL)ad_log_ndtr_slope_of((double)(n), (double)(x))
/* log(1 − exp(−x)), of what is exact: of −expm1(−x) where that is below ½, else by log1p (Mächler 2012). The other one
 * is given the argument whose logarithm is 0. */
#define LOG1MEXP(x) \
    (LOG((x) < (REAL)M_LN2 ? -EXPM1(-(x)) : (REAL)1) + LOG1P((x) < (REAL)M_LN2 ? (REAL)0 : -EXP(-(x))))
#define LOG1MEXP_SLOPE(x) ((x) > 0 ? 1 / EXPM1(x) : (REAL)NAN)
/* expm1 sees min(x, 0), so that the branch that is not taken cannot overflow. */
#define ELU(x) ((x) > 0 ? (x) : EXPM1((x) > 0 ? (REAL)0 : (x)))
/* A NaN compares false everywhere and must come out as NaN; x + x of the others, which count as 0, is 0. */
#define SIGN(x) ((x) < 0 ? -1 : (x) > 0 ? 1 : (x) + (x))
#define STEP(x) ((x) > 0 ? 1 : (x) <= 0 ? 0 : (x))
/* From e = exp(−|x|), which cannot overflow: 1/(1+e) for x ≥ 0 and e/(1+e) below. */
#define LOG1P_IN_UNIT(x) LOG1P(x)
#define EXP_MINUS_ABS(x) EXP((x) < 0 ? (x) : -(x))
#define SIGMOID(x) (((x) < 0 ? EXP_MINUS_ABS(x) : (REAL)1) * (1 / (1 + EXP_MINUS_ABS(x))))
#define SIGMOID_SLOPE(x) (EXP_MINUS_ABS(x) * (1 / (1 + EXP_MINUS_ABS(x))) * (1 / (1 + EXP_MINUS_ABS(x))))
/* 1 − tanh² would cancel. */
#define SECH(e) (2 * (e) * (1 / (1 + (e) * (e))))
#define TANH_SLOPE(x) (SECH(EXP_MINUS_ABS(x)) * SECH(EXP_MINUS_ABS(x)))
#define SOFTPLUS(x) (((x) < 0 ? (REAL)0 : (x)) + LOG1P_IN_UNIT(EXP_MINUS_ABS(x)))
/* From m = exp(−|x|) − 1: log(1 + m²/(2 + 2m)) near 0, where nothing cancels, and beyond it
 * |x| − log 2 + log(1 + (1 + m)²). */
#define EXPM1_MINUS_ABS(x) EXPM1((x) < 0 ? (x) : -(x))
#define COSH_IS_BELOW_2(x) (ABS(x) < (REAL)1.3)
#define LOGCOSH_FROM(x, m)                                                 \
    ((COSH_IS_BELOW_2(x) ? (REAL)0 : ABS(x) - LOG((REAL)2)) +              \
     LOG1P_IN_UNIT(COSH_IS_BELOW_2(x) ? (m) * (m) / (2 + 2 * (m)) : (1 + (m)) * (1 + (m))))
#define LOGCOSH(x) LOGCOSH_FROM(x, EXPM1_MINUS_ABS(x))
