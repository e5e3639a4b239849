/* unit_math.inc.h — exp(x), and log1p(x) for 0 ≤ x ≤ 1, which is all that softplus and sigmoid need: plain arithmetic,
 * which every compiler vectorises and which no argument makes slow (libmvec's falls back to scalar calls where results
 * are subnormal, 0 or infinite: common in a softmax). Errors stay below 1.4 (exp) and 2.3 (log1p) units in the last
 * place, 1.1 and 1.8 where the machine fuses products and sums; NaN comes out as NaN, −∞ as 0, large arguments as ∞, and
 * small results become subnormal.
 *
 * Included for each number type, after its constants (kernels.simd.c): INT, MANTISSA, BIAS, MAGIC, LN2_HIGH, LN2_LOW,
 * EXP_LOWEST, EXP_HIGHEST, EXP_POLYNOMIAL, LOG1P_POLYNOMIAL. Polynomials are near-minimax (Chebyshev), lowest coefficient first. */

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
static inline REAL NAME(exp_of)(REAL x)
{
    const REAL z = x < EXP_LOWEST ? EXP_LOWEST : x > EXP_HIGHEST ? EXP_HIGHEST : x;
    const REAL t = z * (REAL)1.442695040888963407 + MAGIC, n = t - MAGIC, half = n * (REAL)0.5 + MAGIC;
    const REAL r = (z - n * LN2_HIGH) - n * LN2_LOW;
    const INT a = NAME(to_bits)(half) - NAME(to_bits)(MAGIC), b = NAME(to_bits)(t) - NAME(to_bits)(MAGIC) - a;
    return EXP_POLYNOMIAL(r) * NAME(power_of_two)(a) * NAME(power_of_two)(b);
}

static inline REAL NAME(log1p_in_unit)(REAL x) { return x * LOG1P_POLYNOMIAL(x); }

#undef EXP
#undef LOG1P_IN_UNIT
#define EXP(x) NAME(exp_of)(x)
#define LOG1P_IN_UNIT(x) NAME(log1p_in_unit)(x)
