/* formulas.h — the words that the value column of ops.def is written in, for the number type REAL. FN(f) is the
 * libm function of that type. No include guard: it is included once for each type and removes the last one's. */
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
#undef POW
#undef ABS
#undef ELU
#undef SIGN
#undef STEP
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
#define POW(a, b) FN(pow)(AS_IT_COUNTS(a), AS_IT_COUNTS(b))
#define ABS(x) ((x) < 0 ? -(x) : (x))
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
#define SOFTPLUS(x) (((x) < 0 ? (REAL)0 : (x)) + LOG1P_IN_UNIT(EXP_MINUS_ABS(x)))
/* From m = exp(−|x|) − 1: log(1 + m²/(2 + 2m)) near 0, where nothing cancels, and beyond it
 * |x| − log 2 + log(1 + (1 + m)²). */
#define EXPM1_MINUS_ABS(x) EXPM1((x) < 0 ? (x) : -(x))
#define COSH_IS_BELOW_2(x) (ABS(x) < (REAL)1.3)
#define LOGCOSH_FROM(x, m)                                                 \
    ((COSH_IS_BELOW_2(x) ? (REAL)0 : ABS(x) - LOG((REAL)2)) +              \
     LOG1P_IN_UNIT(COSH_IS_BELOW_2(x) ? (m) * (m) / (2 + 2 * (m)) : (1 + (m)) * (1 + (m))))
#define LOGCOSH(x) LOGCOSH_FROM(x, EXPM1_MINUS_ABS(x))
