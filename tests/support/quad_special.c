/* quad_special.c — what special.h computes, in quadruple precision and otherwise: sums of many terms, and erfc itself,
 * which does not underflow before 106. What cancels has digits to spare. */
#define _GNU_SOURCE
#include "quad.h"

#include <math.h>

#define LIBRARY(f) quad quad_##f(quad x) { return f##f128(x); }
LIBRARY(expm1) LIBRARY(log1p) LIBRARY(sqrt) LIBRARY(lgamma)
LIBRARY(atan) LIBRARY(asin) LIBRARY(acos) LIBRARY(sinh) LIBRARY(cosh)
quad quad_atan2(quad a, quad b) { return atan2f128(a, b); }
quad quad_hypot(quad a, quad b) { return hypotf128(a, b); }

/* ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁾(x + N) minus the terms before, and ψ⁽ⁿ⁾ far out by its asymptotic series, of Bernoulli
 * numbers. */
quad quad_polygamma(int n, quad x)
{
    enum { TERMS = 14 };
    static const quad bernoulli[TERMS] = {
        1.f128 / 6, -1.f128 / 30, 1.f128 / 42, -1.f128 / 30, 5.f128 / 66, -691.f128 / 2730, 7.f128 / 6,
        -3617.f128 / 510, 43867.f128 / 798, -174611.f128 / 330, 854513.f128 / 138, -236364091.f128 / 2730,
        8553103.f128 / 6, -23749461029.f128 / 870};
    quad sign = n % 2 ? 1 : -1, factorial = tgammaf128(n + 1), sum = 0;
    if (!(x > 0)) return NAN;
    for (; x < 60; x++) sum += 1 / powf128(x, n + 1);
    sum *= factorial;
    sum += n ? factorial / n / powf128(x, n) : -logf128(x);
    sum += factorial / (2 * powf128(x, n + 1));
    for (int k = 1; k <= TERMS; k++)
        sum += bernoulli[k - 1] * tgammaf128(2 * k + n) / tgammaf128(2 * k + 1) / powf128(x, 2 * k + n);
    return sign * sum;
}

quad quad_log_erfc(quad x) { return x < 0.5 ? log1pf128(-erff128(x)) : logf128(erfcf128(x)); }

quad quad_log_ndtr(quad x)
{
    quad tail = erfcf128((x < 0 ? -x : x) * M_SQRT1_2f128) / 2;
    return x < 0 ? logf128(tail) : log1pf128(-tail);
}

/* The nth derivative of h = φ/(1 − Φ), by Leibniz from h′ = h (h − z). */
static quad hazard(int n, quad z)
{
    quad h[32], g[32];
    h[0] = expf128(-z * z / 2) * M_2_SQRTPIf128 * M_SQRT1_2f128 / erfcf128(z * M_SQRT1_2f128);
    g[0] = h[0] - z;
    for (int m = 0; m < n; m++) {
        quad binomial = 1;
        h[m + 1] = 0;
        for (int k = 0; k <= m; k++) {
            h[m + 1] += binomial * h[k] * g[m - k];
            binomial = binomial * (m - k) / (k + 1);
        }
        g[m + 1] = h[m + 1] - (m == 0);
    }
    return h[n];
}

quad quad_log_ndtr_slope(int n, quad x) { return (n % 2 ? -1 : 1) * hazard(n, -x); }
quad quad_log_erfc_slope(int n, quad x) { return -powf128(M_SQRT2f128, n + 1) * hazard(n, x * M_SQRT2f128); }
