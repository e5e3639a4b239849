/* special.h — functions that no C library has, of one number in double precision (float32 kernels round the result):
 * derivatives of log Γ, and log erfc and log Φ where erfc and Φ underflow, with their derivatives. These take the
 * order n, so that in ops.def the derivative of one is the next. Sums have terms of one sign as far as can be. */
#ifndef GIBBS_SPECIAL_H
#define GIBBS_SPECIAL_H

#include <math.h>

/* One copy in each instruction set's kernels, not one in each loop. */
#define SPECIAL __attribute__((noinline, unused)) static

enum { AD_SPECIAL_ORDERS = 24 }; /* of the normal's tail; n! and memory bound it, and nobody gets there */

/* ---- ψ⁽ⁿ⁾, n ≥ 0, of x > 0 ---- */

static inline double ad_horner(const double *c, int n, double x)
{
    double y = c[n - 1];
    for (int k = n - 2; k >= 0; k--) y = c[k] + x * y;
    return y;
}

/* Between 1 and 2 by its zero, which is two doubles long, and (Chebyshev) what is left; up to 10 by
 * ψ(x + 1) = ψ(x) + 1/x; then log x − 1/2x − Σ B₂ₖ/(2k x²ᵏ). */
SPECIAL double ad_digamma_of(double x)
{
    static const double between[] = {
        0.9510558760318328797, -0.4236274212814605998, 0.240542484240786983, -0.1484049230538809149,
        0.09498872445289038164, -0.06192213327548831202, 0.0407608339408460828, -0.02697579665978705506,
        0.01790724831731329583, -0.01190822010595971618, 0.007927021796868153981, -0.005279937255532708254,
        0.003518106563802472341, -0.002345494739738083518, 0.001563369631365350513, -0.001036458481731283792,
        0.0006909255761282986363, -0.0004859503922003625621, 0.0003239594540134519833, -0.0001448064336806161305,
        0.00009653646261410061678, -0.0001782188548855923189, 0.00011881232908510335};
    static const double beyond[] = {1. / 12, -1. / 120, 1. / 252, -1. / 240, 1. / 132, -691. / 32760, 1. / 12,
                                    -3617. / 8160};
    double w = 1 / x, sum = 0;
    if (x >= 10) return log(x) - (0.5 * w + w * w * ad_horner(beyond, 8, w * w));
    if (x < 1) sum = -w, x += 1;
    for (; x > 2; sum += 1 / x) x -= 1;
    return sum + ((x - 0x1.762d86356be3fp+0) - 0x1.b86a722197829p-54) * ad_horner(between, 23, x - 1.5);
}

static inline double ad_power(double x, int n)
{
    double y = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}

/* (−1)ⁿ⁺¹ n! Σ (x + k)⁻ⁿ⁻¹, from where it is large by Euler and Maclaurin: with B₂ₖ/(2k)!. NaN at x ≤ 0, where the
 * poles are. */
SPECIAL double ad_polygamma_of(double order, double x)
{
    static const double bernoulli[] = {
        1. / 12, -1. / 720, 1. / 30240, -1. / 1209600, 1. / 47900160, -691. / 1307674368000., 1. / 74724249600.,
        -3617. / 10670622842880000., 43867. / 5109094217170944000.};
    if (!(x > 0) || !(order >= 0) || order > 170) return NAN;
    int n = (int)order, terms = x < 15 + n ? (int)(16 + n - x) : 0;
    if (n == 0) return ad_digamma_of(x);
    double w = 1 / (x + terms), sum = 0, rising = n + 1, factorial = 1;
    double rest = 1. / n + 0.5 * w, square = 1;
    for (int k = 0; k < 9; rising *= (double)(n + 2 * k + 2) * (n + 2 * k + 3), k++)
        rest += bernoulli[k] * rising * (square *= w * w);
    sum = rest * ad_power(w, n);
    for (int k = terms - 1; k >= 0; k--) sum += ad_power(1 / (x + k), n + 1);
    for (int k = 2; k <= n; k++) factorial *= k;
    return (n % 2 ? factorial : -factorial) * sum;
}

/* ---- The normal's tail ---- */

/* exp(−c x²), c ½ or 1, to the last digits: x² as that of 24 bits of x, which is exact, and the rest. */
SPECIAL double ad_bell(double c, double x)
{
    if (fabs(x) > 40) return 0;
    double head = (double)(float)x;
    return exp(-c * head * head) * exp(-c * (x - head) * (x + head));
}

/* With Rₙ = ∫ tⁿ exp(−zt − t²/2) dt over t > 0: r[k] = Rₖ/Rₖ₋₁ = k/(z + r[k+1]) for k = 1 … n (Laplace's continued
 * fraction), z ≥ 1, begun where r is what it tends to. */
SPECIAL void ad_tail_ratios(double z, int n, double *r)
{
    int from = n + 12 + (int)(300 / (z * z));
    double y = (2. * from - 1) / (z + sqrt(z * z + 4. * from - 2));
    for (int k = from; k > n; k--) y = k / (z + y);
    for (int k = n; k > 0; k--) r[k] = y = k / (z + y);
}

/* log ∫ exp(−t²/2) dt over t > z ≥ 1 */
SPECIAL double ad_log_tail(double z, double half_square)
{
    double r[2];
    ad_tail_ratios(z, 1, r);
    return -half_square - log(z + r[1]);
}

/* C(n, k + 1) of C(n, k) */
static inline double ad_next_binomial(double binomial, int n, int k) { return binomial * (n - k) / (k + 1); }

/* h⁽ⁿ⁾ for z ≥ 1, from −(log Q)′ = h = z + κ₁, Q = 1 − Φ: the moments of the density of t above have cumulants κ, and
 * each is minus the slope of the one before. */
SPECIAL double ad_hazard_far(int n, double z)
{
    double r[AD_SPECIAL_ORDERS + 2], moment[AD_SPECIAL_ORDERS + 2] = {1}, kappa[AD_SPECIAL_ORDERS + 2];
    ad_tail_ratios(z, n + 1, r);
    for (int m = 1; m <= n + 1; m++) {
        double binomial = 1;
        kappa[m] = moment[m] = moment[m - 1] * r[m];
        for (int k = 0; k < m - 1; binomial = ad_next_binomial(binomial, m - 1, k), k++)
            kappa[m] -= binomial * kappa[k + 1] * moment[m - 1 - k];
    }
    return n == 0 ? z + kappa[1] : n == 1 ? 1 - kappa[2] : n % 2 ? -kappa[n + 1] : kappa[n + 1];
}

/* h⁽ⁿ⁾ for z < 1, by h′ = h (h − z). */
SPECIAL double ad_hazard_near(int n, double z, double bell)
{
    double h[AD_SPECIAL_ORDERS + 2], g[AD_SPECIAL_ORDERS + 2];
    h[0] = bell * (M_2_SQRTPI * M_SQRT1_2) / erfc(z * M_SQRT1_2);
    g[0] = h[0] - z;
    for (int m = 0; m < n; m++) {
        double binomial = 1;
        h[m + 1] = 0;
        for (int k = 0; k <= m; binomial = ad_next_binomial(binomial, m, k), k++)
            h[m + 1] += binomial * h[k] * g[m - k];
        g[m + 1] = m ? h[m + 1] : h[1] - 1;
    }
    return h[n];
}

/* The nth derivative of the hazard h = φ/(1 − Φ) at z; `bell` is exp(−z²/2). */
SPECIAL double ad_hazard(int n, double z, double bell)
{
    if (!bell && z < 1) return z == z ? 0 : z;
    return z < 1 ? ad_hazard_near(n, z, bell) : ad_hazard_far(n, z);
}

/* The derivative of order n + 1 of log Φ, whose slope is h(−x). */
SPECIAL double ad_log_ndtr_slope_of(double order, double x)
{
    if (x != x || !(order >= 0) || order >= AD_SPECIAL_ORDERS) return NAN;
    int n = (int)order;
    double slope = ad_hazard(n, -x, ad_bell(0.5, x));
    return n % 2 ? -slope : slope;
}

/* The derivative of order n + 1 of log erfc, whose slope is −√2 h(√2 x). */
SPECIAL double ad_log_erfc_slope_of(double order, double x)
{
    if (x != x || !(order >= 0) || order >= AD_SPECIAL_ORDERS) return NAN;
    int n = (int)order;
    double scale = ad_power(2, (n + 1) / 2) * (n % 2 ? 1 : M_SQRT2);
    return -scale * ad_hazard(n, x * M_SQRT2, ad_bell(1, x));
}

/* log Φ: of what is left of 1 above 0, of the tail below −1. */
SPECIAL double ad_log_ndtr_of(double x)
{
    const double log_root = 0.91893853320467274178; /* log √2π */
    double r[2];
    if (x < -1) return ad_log_tail(-x, 0.5 * x * x) - log_root;
    if (x < 1) return x < 0 ? log(0.5 * erfc(-x * M_SQRT1_2)) : log1p(-0.5 * erfc(x * M_SQRT1_2));
    if (!(x < 1e3)) return x == x ? 0 : x;
    ad_tail_ratios(x, 1, r);
    return log1p(-ad_bell(0.5, x) * (0.5 * M_2_SQRTPI * M_SQRT1_2) / (x + r[1]));
}

/* log erfc */
SPECIAL double ad_log_erfc_of(double x)
{
    const double log_half_root = 0.22579135264472743236; /* log √(π/2) */
    if (x < 0.75) return log1p(-erf(x));
    return x == x ? ad_log_tail(x * M_SQRT2, x * x) - log_half_root : x;
}

#endif
