/* unit_math.inc.h — exp(x), tanh(x), and log1p(x) for 0 ≤ x ≤ 1, which is what networks need: plain arithmetic,
 * which every compiler vectorises and which no argument makes slow (libmvec's falls back to scalar calls where results
 * are subnormal, 0 or infinite: common in a softmax). Errors stay below 1.4 (exp), 2.3 (log1p) and
 * 2.8 (tanh) units in the last place; NaN comes out as NaN, −∞ as 0, large arguments as ∞, and
 * small results become subnormal.
 *
 * Included for each number type, after its constants (kernels.simd.c): INT, MANTISSA, BIAS, MAGIC, LN2_HIGH, LN2_LOW,
 * EXP_LOWEST, EXP_HIGHEST, EXPM1_LOWEST, EXPM1_POLYNOMIAL, LOG1P_POLYNOMIAL. Polynomials are near-minimax (Chebyshev),
 * lowest coefficient first. */

static inline INT NAME(to_bits)(REAL x)
{
    INT bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline REAL NAME(power_of_two)(INT n)
{
    REAL x;
    INT bits = (INT)((uint64_t)(n + BIAS) << MANTISSA); /* unsigned: a NaN brings any n */
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2ⁿ exp(r) with |r| ≤ ln 2 / 2. Adding MAGIC rounds to a whole number and leaves it in the low bits. 2ⁿ is applied in
 * halves, so that each of them is normal. */
static inline REAL NAME(exp_to_zero)(REAL x) /* x ≤ 0 */
{
    const REAL z = x < EXP_LOWEST ? EXP_LOWEST : x;
    const REAL t = z * (REAL)1.442695040888963407 + MAGIC, n = t - MAGIC, half = n * (REAL)0.5 + MAGIC;
    const REAL r = (z - n * LN2_HIGH) - n * LN2_LOW;
    const INT a = NAME(to_bits)(half) - NAME(to_bits)(MAGIC), b = NAME(to_bits)(t) - NAME(to_bits)(MAGIC) - a;
    return (1 + r * EXPM1_POLYNOMIAL(r)) * NAME(power_of_two)(a) * NAME(power_of_two)(b);
}

static inline REAL NAME(exp_of)(REAL x) { return NAME(exp_to_zero)(x > EXP_HIGHEST ? EXP_HIGHEST : x); }

/* From m = exp(−2|x|) − 1 = 2ⁿ(exp(r) − 1) + (2ⁿ − 1), where nothing cancels: −m/(2 + m). */
static inline REAL NAME(tanh_of)(REAL x)
{
    const REAL y = x < 0 ? 2 * x : -2 * x, z = y < EXPM1_LOWEST ? EXPM1_LOWEST : y;
    const REAL t = z * (REAL)1.442695040888963407 + MAGIC, n = t - MAGIC, r = (z - n * LN2_HIGH) - n * LN2_LOW;
    const REAL scale = NAME(power_of_two)(NAME(to_bits)(t) - NAME(to_bits)(MAGIC));
    const REAL m = scale * (r * EXPM1_POLYNOMIAL(r)) + (scale - 1);
    return FN(copysign)(m / (2 + m), x);
}

static inline REAL NAME(log1p_in_unit)(REAL x) { return x * LOG1P_POLYNOMIAL(x); }

#undef EXP
#undef TANH
#undef EXP_MINUS_ABS
#define EXP_MINUS_ABS(x) NAME(exp_to_zero)((x) < 0 ? (x) : -(x))
#undef LOG1P_IN_UNIT
#define TANH(x) NAME(tanh_of)(x)
#define EXP(x) NAME(exp_of)(x)
#define LOG1P_IN_UNIT(x) NAME(log1p_in_unit)(x)
