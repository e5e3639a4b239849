/* unit_math.inc.h — exp(x), tanh(x), exp(x) − 1 for x ≤ 0, and log1p(x) for 0 ≤ x ≤ 1, which is what networks need:
 * plain arithmetic, which every compiler vectorises and which no argument makes slow (libmvec's falls back to scalar
 * calls where results are subnormal, 0 or infinite: common in a softmax). Errors stay below 1.4 (exp), 2.3 (log1p) and
 * 2.8 (tanh) units in the last place; NaN comes out as NaN, −∞ as 0, large arguments as ∞, and small results become
 * subnormal: in a run, where there are none, 0. Only the last multiplication can underflow.
 *
 * Included for each number type, after its constants (kernels.simd.c): INT, MANTISSA, BIAS, MAGIC, LIFT, LN2_HIGH,
 * LN2_LOW, EXP_LOWEST, EXP_HIGHEST, EXPM1_LOWEST, EXPM1_POLYNOMIAL, LOG1P_POLYNOMIAL. Polynomials are near-minimax
 * (Chebyshev), lowest coefficient first. */

/* The whole number n of n + MAGIC. */
static inline INT NAME(low_bits)(REAL x)
{
    const REAL magic = MAGIC;
    INT bits, none;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&none, &magic, sizeof none);
    return bits - none;
}

static inline REAL NAME(power_of_two)(INT n)
{
    REAL x;
    INT bits = (INT)((uint64_t)(n + BIAS) << MANTISSA); /* unsigned: a NaN brings any n */
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* exp(x) = 2ⁿ exp(r) with |r| ≤ ln 2 / 2: returns exp(r), and n in the low bits of *t, where adding MAGIC puts it. */
static inline REAL NAME(exp_of_rest)(REAL x, REAL *t)
{
    const REAL sum = x * (REAL)1.442695040888963407 + MAGIC, n = sum - MAGIC;
    const REAL r = (x - n * LN2_HIGH) - n * LN2_LOW;
    *t = sum;
    return 1 + r * EXPM1_POLYNOMIAL(r);
}

/* For x ≤ 0: 2ⁿ may be too small for a number; 2ⁿ⁺ᴸ, L = LIFT, is not. */
static inline REAL NAME(exp_to_zero)(REAL x)
{
    REAL t;
    const REAL rest = NAME(exp_of_rest)(x < EXP_LOWEST ? EXP_LOWEST : x, &t);
    return rest * NAME(power_of_two)(NAME(low_bits)(t) + LIFT) * NAME(power_of_two)(-LIFT);
}

/* For every x: 2ⁿ in halves. */
static inline REAL NAME(exp_of)(REAL x)
{
    REAL t;
    const REAL z = x < EXP_LOWEST ? EXP_LOWEST : x > EXP_HIGHEST ? EXP_HIGHEST : x, rest = NAME(exp_of_rest)(z, &t);
    const INT a = NAME(low_bits)((t - MAGIC) * (REAL)0.5 + MAGIC);
    return rest * NAME(power_of_two)(a) * NAME(power_of_two)(NAME(low_bits)(t) - a);
}

/* For x ≤ 0: exp(x) − 1 = 2ⁿ(exp(r) − 1) + (2ⁿ − 1), where nothing cancels. */
static inline REAL NAME(expm1_to_zero)(REAL x)
{
    const REAL z = x < EXPM1_LOWEST ? EXPM1_LOWEST : x;
    const REAL t = z * (REAL)1.442695040888963407 + MAGIC, n = t - MAGIC, r = (z - n * LN2_HIGH) - n * LN2_LOW;
    const REAL scale = NAME(power_of_two)(NAME(low_bits)(t));
    return scale * (r * EXPM1_POLYNOMIAL(r)) + (scale - 1);
}

/* −m/(2 + m) of m = exp(−2|x|) − 1 */
static inline REAL NAME(tanh_of)(REAL x)
{
    const REAL m = NAME(expm1_to_zero)(x < 0 ? 2 * x : -2 * x);
    return FN(copysign)(m / (2 + m), x);
}

static inline REAL NAME(log1p_in_unit)(REAL x) { return x * LOG1P_POLYNOMIAL(x); }

#undef EXP
#undef TANH
#undef EXP_MINUS_ABS
#define EXP_MINUS_ABS(x) NAME(exp_to_zero)((x) < 0 ? (x) : -(x))
#undef EXPM1_MINUS_ABS
#define EXPM1_MINUS_ABS(x) NAME(expm1_to_zero)((x) < 0 ? (x) : -(x))
#undef LOG1P_IN_UNIT
#define TANH(x) NAME(tanh_of)(x)
#define EXP(x) NAME(exp_of)(x)
#define LOG1P_IN_UNIT(x) NAME(log1p_in_unit)(x)
