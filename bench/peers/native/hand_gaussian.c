/* hand_gaussian.c — E = x²/(2θ²) by ML-IS: J = mean E(x) + log mean exp(−E(y) − log q(y)), and dJ/dθ. On one thread
 * always: the larger case takes some microseconds, a second thread would take as long to wake. */
#include "hand.h"

#include <stdlib.h>

typedef struct gaussian {
    REAL *theta, *x, *y, *log_q, *log_w;
    int64_t rows;
    double value, gradient;
} gaussian;

/* The mean over the artificial points by their normalised weights of −dE/dθ · θ³ = y²; *lse = log Σ w. */
static double weighted_square(gaussian *g, REAL half, double *lse)
{
    REAL *restrict log_w = g->log_w, top = -(REAL)INFINITY;
    const REAL *restrict y = g->y, *restrict log_q = g->log_q;
#pragma omp simd reduction(max : top)
    for (int64_t i = 0; i < g->rows; i++) {
        log_w[i] = -half * y[i] * y[i] - log_q[i];
        top = log_w[i] > top ? log_w[i] : top;
    }
    double total = 0, square = 0;
#pragma omp simd reduction(+ : total, square)
    for (int64_t i = 0; i < g->rows; i++) {
        REAL w = FN(exp)(log_w[i] - top);
        total += w;
        square += w * y[i] * y[i];
    }
    *lse = top + log(total);
    return square / total;
}

static void step(void *problem)
{
    gaussian *g = problem;
    double theta = *g->theta, n = (double)g->rows, square = 0, lse;
    const REAL *x = g->x;
#pragma omp simd reduction(+ : square)
    for (int64_t i = 0; i < g->rows; i++) square += x[i] * x[i];
    double mean_y = weighted_square(g, (REAL)(0.5 / (theta * theta)), &lse), mean_x = square / n;
    g->value = 0.5 * mean_x / (theta * theta) + lse - log(n);
    g->gradient = (mean_y - mean_x) / (theta * theta * theta);
}

static double answer(void *problem, double *gradient)
{
    gaussian *g = problem;
    step(g);
    *gradient = g->gradient;
    return g->value;
}

static void close_it(void *problem)
{
    gaussian *g = problem;
    free(g->theta);
    free(g->x);
    free(g->y);
    free(g->log_q);
    free(g->log_w);
    free(g);
}

static void *open_it(peer_request *r)
{
    gaussian *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->rows = (int64_t)peer_number(r, "rows");
    g->theta = peer_copy(r, "theta");
    g->x = peer_copy(r, "x");
    g->y = peer_copy(r, "y");
    g->log_q = peer_copy(r, "log_q");
    g->log_w = peer_copy(r, "log_q"); /* an array of that size */
    if (!*r->reason) return g;
    close_it(g);
    return NULL;
}

const peer_method NAME(hand_gaussian) = {"gaussian", "unfused", HAND_DTYPE, open_it, answer, step, close_it};
