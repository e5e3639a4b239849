/* hand_kmeans.c — Σ_n min_k |x_n − c_k|² and its first and second derivatives by each number of the centroids, in one
 * pass over the rows: each goes to its nearest centroid's count and sum, and the derivatives are 2 (count c − sum) and
 * 2 count. */
#include "hand.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 8 };

typedef struct part {
    REAL *sum, *count; /* [K, d], [K] */
    double value;
} part;

typedef struct clusters {
    int64_t d, K, rows;
    int threads;
    REAL *x, *centroids, *gradient, *curvature;
    part part[MOST_THREADS];
    double value;
} clusters;

/* In the order of the dimensions: whether two centroids are equally near must not depend on vectors. */
static REAL square_distance(int64_t d, const REAL *x, const REAL *c)
{
    REAL sum = 0;
    for (int64_t i = 0; i < d; i++) sum += (x[i] - c[i]) * (x[i] - c[i]);
    return sum;
}

static void run_row(const clusters *g, part *p, const REAL *x)
{
    REAL least = (REAL)INFINITY;
    int64_t nearest = 0;
    for (int64_t k = 0; k < g->K; k++) {
        REAL square = square_distance(g->d, x, g->centroids + k * g->d);
        if (square >= least) continue;
        least = square;
        nearest = k;
    }
    p->value += least;
    p->count[nearest]++;
    for (int64_t i = 0; i < g->d; i++) p->sum[nearest * g->d + i] += x[i];
}

static void run_part(clusters *g, int t)
{
    part *p = &g->part[t];
    int64_t end = g->rows * (t + 1) / g->threads;
    memset(p->sum, 0, (size_t)(g->K * g->d) * sizeof(REAL));
    memset(p->count, 0, (size_t)g->K * sizeof(REAL));
    p->value = 0;
    for (int64_t n = g->rows * t / g->threads; n < end; n++) run_row(g, p, g->x + n * g->d);
}

static void add_part(part *to, const part *from, int64_t K, int64_t d)
{
    to->value += from->value;
    for (int64_t k = 0; k < K; k++) to->count[k] += from->count[k];
    for (int64_t i = 0; i < K * d; i++) to->sum[i] += from->sum[i];
}

static void step(void *problem)
{
    clusters *g = problem;
    part *p = &g->part[0];
#pragma omp parallel for num_threads(g->threads) if (g->threads > 1)
    for (int t = 0; t < g->threads; t++) run_part(g, t);
    for (int t = 1; t < g->threads; t++) add_part(p, &g->part[t], g->K, g->d);
    g->value = p->value;
    for (int64_t k = 0; k < g->K; k++)
        for (int64_t i = k * g->d; i < (k + 1) * g->d; i++) {
            g->gradient[i] = 2 * (p->count[k] * g->centroids[i] - p->sum[i]);
            g->curvature[i] = 2 * p->count[k];
        }
}

static double answer(void *problem, double *gradient)
{
    clusters *g = problem;
    int64_t n = g->K * g->d;
    step(g);
    for (int64_t i = 0; i < n; i++) {
        gradient[i] = g->gradient[i];
        gradient[n + i] = g->curvature[i];
    }
    return g->value;
}

static void close_it(void *problem)
{
    clusters *g = problem;
    free(g->x);
    free(g->centroids);
    free(g->gradient);
    free(g->curvature);
    for (int t = 0; t < MOST_THREADS; t++) {
        free(g->part[t].sum);
        free(g->part[t].count);
    }
    free(g);
}

static int make_part(const clusters *g, part *p)
{
    p->sum = malloc((size_t)(g->K * g->d) * sizeof(REAL));
    p->count = malloc((size_t)g->K * sizeof(REAL));
    return p->sum && p->count;
}

static void *open_it(peer_request *r)
{
    clusters *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->threads = r->threads < MOST_THREADS ? r->threads : MOST_THREADS;
    g->d = (int64_t)peer_number(r, "dim");
    g->K = (int64_t)peer_number(r, "width");
    g->rows = (int64_t)peer_number(r, "rows");
    g->x = peer_copy(r, "x");
    g->centroids = peer_copy(r, "centroids");
    g->gradient = peer_copy(r, "centroids"); /* arrays of that size */
    g->curvature = peer_copy(r, "centroids");
    int ready = !*r->reason;
    for (int t = 0; t < g->threads && ready; t++) ready = make_part(g, &g->part[t]);
    if (ready) return g;
    close_it(g);
    return NULL;
}

const peer_method NAME(hand_kmeans) = {"kmeans", "loops", HAND_DTYPE, open_it, answer, step, close_it};
