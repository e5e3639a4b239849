/* hand_gmm.c — the log posterior of a Gaussian mixture (bench/gmm.h) and its gradient, in one pass over the rows: plain
 * loops over rows, components and the columns of the triangular factors, no BLAS. Both ∂/∂L and ∂/∂q come from
 * Σₙ r z (x − μ)ᵀ, with z = Q(x − μ) and r the responsibility; ∂/∂μ = QᵀΣₙ r z is left for the end. */
#include "hand.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 8 };

/* Numbers of each component, one component after the other; alpha [K], mu and q [K, d], l [K, d(d−1)/2]. */
typedef struct parameters {
    REAL *all, *alpha, *mu, *q, *l;
} parameters;

/* What one thread works on: sums of the gradient (Σ r z for that by μ), and a row's values for each component. */
typedef struct part {
    parameters sum;
    REAL *centred, *z, *weight;
    double value;
} part;

typedef struct mixture {
    int64_t d, K, below, rows, size;
    double gamma, m;
    int threads;
    REAL *x, *diagonal, *log_weight;
    parameters theta;
    part part[MOST_THREADS];
    double value;
} mixture;

/* ---- One row ---- */

/* w ← softmax(w); returns logsumexp. */
static REAL softmax(int64_t n, REAL *w)
{
    REAL top = w[0], total = 0;
    for (int64_t k = 1; k < n; k++) top = w[k] > top ? w[k] : top;
#pragma omp simd reduction(+ : total)
    for (int64_t k = 0; k < n; k++) {
        w[k] = FN(exp)(w[k] - top);
        total += w[k];
    }
    for (int64_t k = 0; k < n; k++) w[k] /= total;
    return top + FN(log)(total);
}

/* z = Q(x − μ); returns |z|². */
static REAL distance(int64_t d, const REAL *x, const REAL *mu, const REAL *diagonal, const REAL *l,
                     REAL *restrict centred, REAL *restrict z)
{
    REAL square = 0;
    for (int64_t i = 0; i < d; i++) {
        centred[i] = x[i] - mu[i];
        z[i] = diagonal[i] * centred[i];
    }
    for (int64_t j = 0; j < d; l += d - 1 - j, j++)
        for (int64_t i = j + 1; i < d; i++) z[i] += l[i - j - 1] * centred[j];
#pragma omp simd reduction(+ : square)
    for (int64_t i = 0; i < d; i++) square += z[i] * z[i];
    return square;
}

/* Adds a component's r z, and −r z (x − μ)ᵀ on and below the diagonal. */
static void add_gradient(int64_t d, REAL r, const REAL *centred, REAL *restrict z, REAL *restrict mu, REAL *restrict q,
                         REAL *restrict l)
{
    for (int64_t i = 0; i < d; i++) {
        z[i] *= r;
        mu[i] += z[i];
        q[i] -= z[i] * centred[i];
    }
    for (int64_t j = 0; j < d; l += d - 1 - j, j++)
        for (int64_t i = j + 1; i < d; i++) l[i - j - 1] -= z[i] * centred[j];
}

static void run_row(const mixture *g, part *p, const REAL *x)
{
    int64_t d = g->d, K = g->K;
    for (int64_t k = 0; k < K; k++)
        p->weight[k] =
            g->log_weight[k] - (REAL)0.5 * distance(d, x, g->theta.mu + k * d, g->diagonal + k * d,
                                                    g->theta.l + k * g->below, p->centred + k * d, p->z + k * d);
    p->value += softmax(K, p->weight);
    for (int64_t k = 0; k < K; k++) {
        p->sum.alpha[k] += p->weight[k];
        add_gradient(d, p->weight[k], p->centred + k * d, p->z + k * d, p->sum.mu + k * d, p->sum.q + k * d,
                     p->sum.l + k * g->below);
    }
}

/* ---- All of it ---- */

static void run_part(mixture *g, int t)
{
    part *p = &g->part[t];
    int64_t end = g->rows * (t + 1) / g->threads;
    memset(p->sum.all, 0, (size_t)g->size * sizeof(REAL));
    p->value = 0;
    for (int64_t n = g->rows * t / g->threads; n < end; n++) run_row(g, p, g->x + n * g->d);
}

/* ∂/∂μ = QᵀΣ r z, in place: element j needs those from j on. */
static void finish_mean(const mixture *g, int64_t k, REAL *restrict s)
{
    const REAL *l = g->theta.l + k * g->below, *diagonal = g->diagonal + k * g->d;
    for (int64_t j = 0; j < g->d; l += g->d - 1 - j, j++) {
        REAL total = diagonal[j] * s[j];
#pragma omp simd reduction(+ : total)
        for (int64_t i = j + 1; i < g->d; i++) total += l[i - j - 1] * s[i];
        s[j] = total;
    }
}

/* The factors' own part of ∂/∂q and ∂/∂l, and the prior; r is Σ of the responsibilities. Returns the prior. */
static double finish_factor(const mixture *g, int64_t k, REAL r, REAL *dq, REAL *dl)
{
    const REAL *q = g->theta.q + k * g->d, *l = g->theta.l + k * g->below, *diagonal = g->diagonal + k * g->d;
    REAL precision = (REAL)(g->gamma * g->gamma), m = (REAL)g->m;
    double prior = 0;
    for (int64_t i = 0; i < g->d; i++) {
        dq[i] = dq[i] * diagonal[i] + r + m - precision * diagonal[i] * diagonal[i];
        prior += g->m * q[i] - 0.5 * g->gamma * g->gamma * diagonal[i] * diagonal[i];
    }
    for (int64_t i = 0; i < g->below; i++) {
        dl[i] -= precision * l[i];
        prior -= 0.5 * g->gamma * g->gamma * l[i] * l[i];
    }
    return prior;
}

/* The constants of the normal and the Wishart densities. */
static double constants(const mixture *g)
{
    double d = (double)g->d, degrees = d + g->m + 1, gamma = 0.25 * d * (d - 1) * log(M_PI);
    for (int64_t j = 0; j < g->d; j++) gamma += lgamma(0.5 * (degrees - (double)j));
    double wishart = degrees * d * log(g->gamma * M_SQRT1_2) - gamma;
    return (double)g->K * wishart - 0.5 * (double)g->rows * d * log(2 * M_PI);
}

static void finish(mixture *g)
{
    parameters *sum = &g->part[0].sum;
    REAL *weight = g->part[0].weight;
    g->value = constants(g);
    for (int t = 0; t < g->threads; t++) g->value += g->part[t].value;
    for (int t = 1; t < g->threads; t++)
        for (int64_t i = 0; i < g->size; i++) sum->all[i] += g->part[t].sum.all[i];
    memcpy(weight, g->theta.alpha, (size_t)g->K * sizeof *weight);
    g->value -= (double)g->rows * softmax(g->K, weight);
    for (int64_t k = 0; k < g->K; k++) {
        finish_mean(g, k, sum->mu + k * g->d);
        g->value += finish_factor(g, k, sum->alpha[k], sum->q + k * g->d, sum->l + k * g->below);
        sum->alpha[k] -= (REAL)g->rows * weight[k];
    }
}

static void step(void *problem)
{
    mixture *g = problem;
    for (int64_t i = 0; i < g->K * g->d; i++) g->diagonal[i] = FN(exp)(g->theta.q[i]);
    for (int64_t k = 0; k < g->K; k++) {
        g->log_weight[k] = g->theta.alpha[k];
        for (int64_t i = 0; i < g->d; i++) g->log_weight[k] += g->theta.q[k * g->d + i];
    }
#pragma omp parallel for num_threads(g->threads) if (g->threads > 1)
    for (int t = 0; t < g->threads; t++) run_part(g, t);
    finish(g);
}

static double answer(void *problem, double *gradient)
{
    mixture *g = problem;
    step(g);
    for (int64_t i = 0; i < g->size; i++) gradient[i] = g->part[0].sum.all[i];
    return g->value;
}

/* ---- Opening ---- */

static void close_it(void *problem)
{
    mixture *g = problem;
    REAL *const own[] = {g->x, g->diagonal, g->log_weight, g->theta.alpha, g->theta.mu, g->theta.q, g->theta.l};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) free(own[i]);
    for (int t = 0; t < MOST_THREADS; t++) {
        free(g->part[t].sum.all);
        free(g->part[t].centred);
        free(g->part[t].z);
        free(g->part[t].weight);
    }
    free(g);
}

static int make_part(const mixture *g, part *p)
{
    size_t wide = (size_t)(g->K * g->d) * sizeof(REAL);
    p->sum.all = malloc((size_t)g->size * sizeof(REAL));
    p->centred = malloc(wide);
    p->z = malloc(wide);
    p->weight = malloc((size_t)g->K * sizeof(REAL));
    if (!p->sum.all || !p->centred || !p->z || !p->weight) return 0;
    p->sum.alpha = p->sum.all;
    p->sum.mu = p->sum.alpha + g->K;
    p->sum.q = p->sum.mu + g->K * g->d;
    p->sum.l = p->sum.q + g->K * g->d;
    return 1;
}

static int open_numbers(peer_request *r, mixture *g)
{
    g->d = (int64_t)peer_number(r, "dim");
    g->K = (int64_t)peer_number(r, "width");
    g->rows = (int64_t)peer_number(r, "rows");
    g->gamma = peer_number(r, "gamma");
    g->m = peer_number(r, "m");
    g->x = peer_copy(r, "x");
    g->theta = (parameters){NULL, peer_copy(r, "alpha"), peer_copy(r, "mu"), peer_copy(r, "q"), peer_copy(r, "l")};
    g->diagonal = peer_copy(r, "q"); /* arrays of those sizes */
    g->log_weight = peer_copy(r, "alpha");
    g->below = g->d * (g->d - 1) / 2;
    g->size = g->K * (1 + 2 * g->d + g->below);
    return !*r->reason;
}

static void *open_it(peer_request *r)
{
    mixture *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->threads = r->threads < MOST_THREADS ? r->threads : MOST_THREADS;
    int ready = open_numbers(r, g);
    for (int t = 0; t < g->threads && ready; t++) ready = make_part(g, &g->part[t]);
    if (ready) return g;
    close_it(g);
    return NULL;
}

const peer_method NAME(hand_gmm) = {"gmm", "loops", HAND_DTYPE, open_it, answer, step, close_it};
