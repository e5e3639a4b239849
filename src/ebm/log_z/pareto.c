/* pareto.c — the tail of importance weights (Vehtari et al. 2024). The largest t of them lie above the next one by x₁ ≤
 * … ≤ x_t, which for almost any weights tend to a generalised Pareto density, 1 − F(x) = (1 + kx/σ)^(−1/k): moments
 * below 1/k exist. k and σ by Zhang & Stephens (2009): with b = −k/σ the likelihood is largest at k(b) = mean
 * log(1 − bx), and b̂ is its mean by that profile, as a sum over points that the data suggest. */
#include "weights.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST = 5 };           /* weights that a tail is fitted to */
static const double FAR = 700; /* a tail that spans more than exp of this is as heavy as any */

/* ---- Which they are ---- */

static void swap(ebm_ranked *a, ebm_ranked *b)
{
    ebm_ranked kept = *a;
    *a = *b;
    *b = kept;
}

/* Moves the largest n − first to the end (Hoare 1961). */
static void select_last(ebm_ranked *w, int64_t n, int64_t first)
{
    for (int64_t low = 0, high = n - 1; low < high;) {
        double pivot = w[low + (high - low) / 2].log_weight;
        int64_t i = low, j = high;
        while (i <= j) {
            while (w[i].log_weight < pivot) i++;
            while (w[j].log_weight > pivot) j--;
            if (i <= j) swap(&w[i++], &w[j--]);
        }
        if (first <= j) high = j;
        else if (first >= i) low = i;
        else return;
    }
}

static int by_weight(const void *a, const void *b)
{
    double x = ((const ebm_ranked *)a)->log_weight, y = ((const ebm_ranked *)b)->log_weight;
    return (x > y) - (x < y);
}

/* ---- The density that fits them ---- */

static double shape(const double *x, int64_t n, double b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += log1p(-b * x[i]);
    return sum / (double)n;
}

/* k̂ of x₁ ≤ … ≤ xₙ, all positive; and σ̂ = −k̂/b̂. The prior of Vehtari et al., ten weights with k = ½, keeps few from
 * saying much. */
static double fit(const double *x, int64_t n, double *sigma)
{
    int64_t points = 20 + (int64_t)sqrt((double)n);
    double quarter = x[(int64_t)((double)n / 4 + 0.5) - 1], top = -INFINITY, sum = 0, weighted = 0;
    for (int64_t j = 0; j < points; j++) {
        double b = 1 / x[n - 1] + (1 - sqrt((double)points / ((double)j + 0.5))) / (3 * quarter), k = shape(x, n, b);
        double likelihood = k == 0 ? -INFINITY : (double)n * (log(-b / k) - k - 1);
        if (likelihood > top) {
            sum *= exp(top - likelihood), weighted *= exp(top - likelihood);
            top = likelihood;
        }
        sum += exp(likelihood - top);
        weighted += exp(likelihood - top) * b;
    }
    double b = weighted / sum, k = shape(x, n, b);
    *sigma = -k / b;
    return (k * (double)n + 5) / ((double)n + 10);
}

/* The largest weights become the quantiles at (z − ½)/n, none more than the largest was. */
static void replace(ebm_ranked *tail, int64_t n, double cut, double k, double sigma)
{
    for (int64_t z = 0; z < n; z++) {
        double tail_log = log1p(-((double)z + 0.5) / (double)n);
        double above = k == 0 ? -sigma * tail_log : sigma * expm1(-k * tail_log) / k;
        tail[z].log_weight = fmin(log(cut + above), 0);
    }
}

double ebm_pareto(ebm_ranked *w, int64_t rows, double slack, bool smooth, double *x)
{
    int64_t n = 0, length = 0;
    for (int64_t r = 0; r < rows; r++) /* a weight of 0 says nothing of the largest */
        if (w[r].log_weight > -INFINITY) swap(&w[n++], &w[r]);
    int64_t most = (int64_t)fmin((double)n / 5, ceil(3 * sqrt((double)n)));
    if (most < LEAST) return NAN;
    ebm_ranked *tail = w + n - most;
    select_last(w, n, n - most - 1);
    qsort(tail - 1, (size_t)most + 1, sizeof *w, by_weight);
    double low = tail[-1].log_weight, cut = exp(low);
    if (tail[most - 1].log_weight - tail[0].log_weight <= slack) return -INFINITY;
    if (-low > FAR) return INFINITY;
    while (tail->log_weight - low <= slack) tail++, most--;
    if (tail[most - 1].log_weight - tail[0].log_weight <= slack) return most < LEAST ? NAN : -INFINITY;
    if (most < LEAST) return NAN;
    for (; length < most; length++) x[length] = exp(tail[length].log_weight) - cut;
    double sigma, k = fit(x, most, &sigma);
    if (smooth) replace(tail, most, cut, k, sigma);
    return k;
}
