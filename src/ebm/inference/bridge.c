/* bridge.c — the ratio of two normalising constants from draws of both densities (Meng & Wong 1996; Bennett 1976). With
 * l = log φ₁/φ₀ and σ the logistic function the best bridge makes r = Z₁/Z₀ the root c = log r − log N₁/N₀ of
 *
 *     F(c) = Σ_{x ~ p₀} σ(l − c) − Σ_{x ~ p₁} σ(c − l),   −F′ = D = Σ σ(l − c)σ(c − l) over all draws,
 *
 * which falls from N₀ to −N₁. A draw of p₀ moves c by (σ(l − c) − its mean)/D, one of p₁ by −(σ(c − l) − mean)/D. */
#include "bridge.h"

#include <math.h>
#include <string.h>

typedef struct side {
    const double *l;
    int64_t rows;
    double sign; /* the share is σ(sign·(l − c)) */
} side;

static double logistic(double v) { return v > 0 ? 1 / (1 + exp(-v)) : exp(v) / (1 + exp(v)); }

static double share(const side *s, int64_t i, double c) { return logistic(s->sign * (s->l[i] - c)); }

static double sum_of_shares(const side *s, double c)
{
    double sum = 0;
    for (int64_t i = 0; i < s->rows; i++) sum += share(s, i, c);
    return sum;
}

static double sum_of_products(const side *s, double c)
{
    double sum = 0;
    for (int64_t i = 0; i < s->rows; i++) sum += share(s, i, c) * logistic(-s->sign * (s->l[i] - c));
    return sum;
}

/* Finite numbers, ±∞ where a draw of one density is none of the other's. */
static gibbs_status range(const side *s, double *low, double *high, gibbs_error *error)
{
    for (int64_t i = 0; i < s->rows; i++) {
        if (isnan(s->l[i]) || s->l[i] == s->sign * INFINITY)
            return gibbs_fail_row(error, GIBBS_NUMERIC, i, "bridge: log φ₁/φ₀ is %g at draw %lld of the %s density",
                                  s->l[i], (long long)i + 1, s->sign > 0 ? "first" : "second");
        if (isinf(s->l[i])) continue;
        *low = fmin(*low, s->l[i]);
        *high = fmax(*high, s->l[i]);
    }
    return GIBBS_OK;
}

/* Newton's steps within a bracket that halves where they leave it. */
static double find_root(const side *s0, const side *s1, double low, double high)
{
    double c = 0.5 * (low + high);
    for (int k = 0; k < 200; k++) {
        double f = sum_of_shares(s0, c) - sum_of_shares(s1, c);
        double slope = sum_of_products(s0, c) + sum_of_products(s1, c);
        *(f > 0 ? &low : &high) = c;
        double next = c + f / slope;
        if (!(next > low && next < high)) next = 0.5 * (low + high);
        if (fabs(next - c) <= 1e-13 * fmax(1, fabs(c))) break;
        c = next;
    }
    return c;
}

static void influences(const side *s, double c, double slope, double *influence)
{
    double mean = sum_of_shares(s, c) / (double)s->rows;
    for (int64_t i = 0; i < s->rows; i++) influence[i] = s->sign * (share(s, i, c) - mean) / slope;
}

gibbs_status ebm_bridge(const double *l0, int64_t rows0, const double *l1, int64_t rows1, double *log_ratio,
                        double *influence, double *overlap, gibbs_error *error)
{
    const side s0 = {l0, rows0, 1}, s1 = {l1, rows1, -1};
    double low = INFINITY, high = -INFINITY, n0 = (double)rows0, n1 = (double)rows1, shift = log(n1) - log(n0);
    gibbs_status status = range(&s0, &low, &high, error);
    if (!status) status = range(&s1, &low, &high, error);
    if (status) return status;
    double margin = fabs(shift) + 50, c = find_root(&s0, &s1, low - margin, high + margin);
    double slope = sum_of_products(&s0, c) + sum_of_products(&s1, c);
    if (!(slope > 0) || !isfinite(c))
        return gibbs_fail(error, GIBBS_NUMERIC,
                          "bridge: the two densities have no draw in common: put others between them");
    influences(&s0, c, slope, influence);
    influences(&s1, c, slope, influence + rows0);
    *log_ratio = c + shift;
    *overlap = slope * (n0 + n1) / (n0 * n1);
    return GIBBS_OK;
}

gibbs_status ebm_bridge_sampling(const double *l0, int64_t rows0, const double *l1, int64_t rows1,
                                 const gibbs_allocator *allocator, ebm_bridge_estimate *result, gibbs_error *error)
{
    GIBBS_REQUIRE("bridge", l0 && l1 && result, error);
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    if (rows0 < 2 || rows1 < 2)
        return gibbs_fail(error, GIBBS_ARGUMENT, "bridge: %lld and %lld draws; at least 2 of each are needed",
                          (long long)rows0, (long long)rows1);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    double variance = 0, log_ratio, overlap;
    double *influence = gibbs_alloc(&a, (size_t)rows0 + (size_t)rows1, sizeof *influence);
    if (!influence) return gibbs_fail(error, GIBBS_MEMORY, "bridge: out of memory");
    gibbs_status status = ebm_bridge(l0, rows0, l1, rows1, &log_ratio, influence, &overlap, error);
    for (int64_t i = 0; !status && i < rows0 + rows1; i++) variance += influence[i] * influence[i];
    if (!status) *result = (ebm_bridge_estimate){log_ratio, sqrt(variance), overlap};
    gibbs_release(&a, influence);
    return status;
}
