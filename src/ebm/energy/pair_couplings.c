/* pair_couplings.c — the energy of a pairwise model as couplings: dense, or a piece for each table's row, or one for
 * each pair of columns. */
#include "edges.h"

static double get(const ebm_couplings *c, const void *numbers, int64_t i)
{
    return c->dtype == GIBBS_FLOAT64 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}

static void put(const ebm_couplings *c, void *numbers, int64_t i, double v)
{
    if (c->dtype == GIBBS_FLOAT64) ((double *)numbers)[i] = v;
    else ((float *)numbers)[i] = (float)v;
}

/* n numbers from J[to] on: scale times θ[from], θ[from + next], … */
static void put_all(const ebm_couplings *c, int64_t to, int64_t n, double scale, const void *theta, int64_t from,
                    int64_t next)
{
    if (c->dtype == GIBBS_FLOAT64)
        for (int64_t b = 0; b < n; b++) ((double *)c->J)[to + b] = scale * ((const double *)theta)[from + b * next];
    else
        for (int64_t b = 0; b < n; b++)
            ((float *)c->J)[to + b] = (float)scale * ((const float *)theta)[from + b * next];
}

static void size(const ebm_pairwise *p, ebm_couplings *c)
{
    bool dense = ebm_pairwise_dense(p) && (!p->tied || p->labels == 1);
    c->width = dense ? c->dim : p->tied ? 1 : p->labels;
    c->pieces = dense ? c->dim : 2 * p->edges * p->labels;
    if (!p->labels) c->pieces = 0;
}

/* Of an edge the rows of one of its variables, between[0]: number (a, b) of the table is at θ[at[0] + a·at[1] +
 * b·at[2]]. With `count` the pieces of each row are counted in start[row], else placed from the row's end backwards. */
static void half(const ebm_pairwise *p, const void *theta, ebm_couplings *c, bool count, double scale,
                 const int64_t between[2], const int64_t at[3])
{
    int64_t K = p->labels, run = p->tied ? 1 : K;
    for (int64_t a = 0; a < K; a++) {
        int64_t row = between[0] * K + a, column = between[1] * K + (p->tied ? a : 0);
        if (count) c->start[row]++;
        if (count) continue;
        int64_t piece = c->start ? --c->start[row] : row, to = piece * c->width + (c->start ? 0 : column);
        if (c->start) c->column[piece] = (int32_t)column;
        put_all(c, to, run, scale, theta, p->tied ? at[0] : at[0] + a * at[1], at[2]);
    }
}

static void walk(const ebm_pairwise *p, const void *theta, ebm_couplings *c, bool count, double scale)
{
    int64_t K = p->labels, table = p->tied ? 1 : K * K;
    ebm_edge e = EBM_FIRST_EDGE;
    while (ebm_next_edge(&p->spec, &e)) {
        half(p, theta, c, count, scale, (int64_t[]){e.i, e.j}, (int64_t[]){e.number * table, K, 1});
        half(p, theta, c, count, scale, (int64_t[]){e.j, e.i}, (int64_t[]){e.number * table, 1, K});
    }
}

static void pair_couplings(const ebm_pairwise *p, const void *theta, double scale, ebm_couplings *c)
{
    if (!c->J) {
        size(p, c);
        return;
    }
    int64_t numbers = c->pieces * c->width;
    for (int64_t k = 0; k < numbers && !c->start; k++) put(c, c->J, k, 0);
    if (c->start) {
        for (int64_t r = 0; r <= c->dim; r++) c->start[r] = 0;
        walk(p, theta, c, true, scale);
        for (int64_t r = 1; r <= c->dim; r++) c->start[r] += c->start[r - 1]; /* where each row ends */
    }
    walk(p, theta, c, false, scale);
}

void ebm_mrf_couplings(const void *theta, void *context, ebm_couplings *c)
{
    const ebm_pairwise *p = context;
    pair_couplings(p, theta, -1, c);
    int64_t unary = p->tied ? p->edges : p->edges * p->labels * p->labels;
    for (int64_t k = 0; k < c->dim && c->J; k++) put(c, c->linear, k, -get(c, theta, unary + k));
}

/* Of spins s = 2x − 1: −J sᵢsⱼ = −J(4xᵢxⱼ − 2xᵢ − 2xⱼ + 1), and −h s = −h(2x − 1). */
void ebm_ising_couplings(const void *theta, void *context, ebm_couplings *c)
{
    const ebm_pairwise *p = context;
    ebm_edge e = EBM_FIRST_EDGE;
    pair_couplings(p, theta, -4, c);
    if (!c->J) return;
    c->constant = 0;
    for (int64_t k = 0; k < c->dim; k++) {
        double h = get(c, theta, p->edges + k);
        put(c, c->linear, k, -2 * h);
        c->constant += h;
    }
    while (ebm_next_edge(&p->spec, &e)) {
        double J = get(c, theta, e.number);
        put(c, c->linear, e.i, get(c, c->linear, e.i) + 2 * J);
        put(c, c->linear, e.j, get(c, c->linear, e.j) + 2 * J);
        c->constant -= J;
    }
}
