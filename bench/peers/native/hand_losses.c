/* hand_losses.c — NCE, maximum likelihood by importance sampling, contrastive divergence. A loss gives each row the
 * weight ∂J/∂E; the rest is the network's. */
#include "hand_training.h"

#include <string.h>

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void forward(const hand_training *t, hand_part *p, int64_t from, int64_t rows)
{
    hand_block b = NAME(hand_rows_from)(t, p, from);
    NAME(hand_forward)(&t->net, t->theta, rows, p->points + from * t->net.dim, &b, p->energy + from);
}

static void backward(const hand_training *t, hand_part *p, int64_t from, int64_t rows)
{
    hand_block b = NAME(hand_rows_from)(t, p, from);
    NAME(hand_backward_theta)(&t->net, t->theta, rows, p->points + from * t->net.dim, &b, p->weight + from, p->delta,
                              p->other, p->gradient);
}

hand_block NAME(hand_rows_from)(const hand_training *t, const hand_part *p, int64_t from)
{
    hand_block b = p->activations;
    for (int l = 0; l < t->net.layers && t->recipe->keep; l++) {
        b.a[l] += from * t->net.width;
        b.slope[l] += from * t->net.width;
    }
    return b;
}

typedef void weigh(const hand_training *t, hand_part *p, int64_t from, int64_t rows, REAL sign);

/* Data have the sign 1, artificial points −1. */
static void in_blocks(const hand_training *t, hand_part *p, weigh *weigh_rows)
{
    for (int64_t from = 0, rows; from < p->data + p->noise; from += rows) {
        rows = least(p->block, p->data + p->noise - from);
        int64_t data = from < p->data ? least(rows, p->data - from) : 0;
        forward(t, p, from, rows);
        if (data) weigh_rows(t, p, from, data, 1);
        if (data < rows) weigh_rows(t, p, from + data, rows - data, -1);
        backward(t, p, from, rows);
    }
}

/* ---- Noise contrastive estimation ---- */

static double log_norm(const hand_training *t) { return (double)t->net.dim * (log(t->sd) + 0.9189385332046727418); }

/* log q of rows of points. */
static void log_density(const hand_training *t, int64_t rows, const REAL *x, REAL *out)
{
    REAL mean = (REAL)t->mean, scale = (REAL)(1 / t->sd), norm = (REAL)log_norm(t);
    for (int64_t r = 0; r < rows; r++, x += t->net.dim) {
        REAL sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < t->net.dim; i++) {
            REAL z = (x[i] - mean) * scale;
            sum += z * z;
        }
        out[r] = (REAL)-0.5 * sum - norm;
    }
}

static void draw_noise(hand_training *t, hand_part *p)
{
    REAL *y = p->points + p->data * t->net.dim, mean = (REAL)t->mean, sd = (REAL)t->sd;
    int64_t n = p->noise * t->net.dim;
    NAME(hand_normals)(&p->random, n, y);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = mean + sd * y[i];
    log_density(t, p->noise, y, p->log_q + p->data);
}

/* Both terms are softplus(u)/N, u = ±(E + log Z + log q). */
static void weigh_nce(const hand_training *t, hand_part *p, int64_t from, int64_t rows, REAL sign)
{
    REAL log_z = t->theta[t->net.size - 1], each = (REAL)(1 / (double)t->rows);
    const REAL *energy = p->energy + from, *log_q = p->log_q + from;
    REAL *weight = p->weight + from;
    double loss = 0, slope = 0;
#pragma omp simd reduction(+ : loss, slope)
    for (int64_t r = 0; r < rows; r++) {
        REAL u = sign * (energy[r] + log_z + log_q[r]), e = FN(exp)(u < 0 ? u : -u);
        weight[r] = sign * each * (u < 0 ? e : (REAL)1) / (1 + e);
        loss += (u < 0 ? (REAL)0 : u) + FN(log1p)(e);
        slope += weight[r];
    }
    p->value += loss / (double)t->rows;
    p->gradient[t->net.size - 1] += (REAL)slope;
}

static void pass_nce(hand_training *t, hand_part *p)
{
    log_density(t, p->data, p->points, p->log_q);
    in_blocks(t, p, weigh_nce);
}

/* ---- Contrastive divergence ---- */

static void draw_chains(hand_training *t, hand_part *p)
{
    int64_t n = p->data * t->net.dim;
    memcpy(p->points + n, p->points, sizeof(REAL) * (size_t)n);
    NAME(hand_moves)(t, p, p->noise, p->points + n);
}

static void weigh_cd(const hand_training *t, hand_part *p, int64_t from, int64_t rows, REAL sign)
{
    REAL each = sign / (REAL)t->rows;
    double sum = 0;
    for (int64_t r = from; r < from + rows; r++) {
        p->weight[r] = each;
        sum += p->energy[r];
    }
    p->value += sum * (double)each;
}

static void pass_cd(hand_training *t, hand_part *p) { in_blocks(t, p, weigh_cd); }

/* ---- Maximum likelihood by importance sampling ---- */

/* weight = exp(−E − log q − top) for the part's artificial points. */
static void part_weights(hand_part *p)
{
    const REAL *energy = p->energy + p->data, *log_q = p->log_q + p->data;
    REAL *weight = p->weight + p->data, top = -(REAL)INFINITY;
    double total = 0;
    for (int64_t r = 0; r < p->noise; r++) {
        REAL log_w = -energy[r] - log_q[r];
        top = log_w > top ? log_w : top;
    }
#pragma omp simd reduction(+ : total)
    for (int64_t r = 0; r < p->noise; r++) {
        weight[r] = FN(exp)(-energy[r] - log_q[r] - top);
        total += weight[r];
    }
    p->top = top;
    p->total = total;
}

/* All parts' sums together: the weights of this part, and its share of the value. */
static void finish_weights(const hand_training *t, hand_part *p)
{
    double top = -INFINITY, total = 0, sum = 0;
    for (int k = 0; k < t->threads; k++) top = fmax(top, t->part[k].top);
    for (int k = 0; k < t->threads; k++) total += exp(t->part[k].top - top) * t->part[k].total;
    REAL scale = (REAL)(-exp(p->top - top) / total), each = (REAL)(1 / (double)t->rows);
    for (int64_t r = 0; r < p->data; r++) {
        p->weight[r] = each;
        sum += p->energy[r];
    }
    for (int64_t r = p->data; r < p->data + p->noise; r++) p->weight[r] *= scale;
    p->value = sum / (double)t->rows;
    if (p == t->part) p->value += top + log(total) - log((double)t->rows);
}

static void pass_ml_is(hand_training *t, hand_part *p)
{
    int64_t all = p->data + p->noise;
    for (int64_t from = 0; from < all; from += p->block) forward(t, p, from, least(p->block, all - from));
    part_weights(p);
#pragma omp barrier
    finish_weights(t, p);
    for (int64_t from = 0; from < all; from += p->block) backward(t, p, from, least(p->block, all - from));
}

static const hand_recipe nce = {
    .learns_log_z = 1, .noise = 1, .log_q = 1, .adam = 1, .draw = draw_noise, .pass = pass_nce};
static const hand_recipe full = {.learns_log_z = 1, .noise = 1, .log_q = 1, .pass = pass_nce};
static const hand_recipe cd = {
    .noise = 1, .adam = 1, .draw = draw_chains, .pass = pass_cd, .prepare = NAME(hand_moves_prepare)};
static const hand_recipe ml_is = {.noise = 1, .log_q = 1, .keep = 1, .adam = 1, .pass = pass_ml_is};
HAND_TRAINING(nce, "nce", nce)
HAND_TRAINING(full, "full", full)
HAND_TRAINING(cd, "cd", cd)
HAND_TRAINING(ml_is, "ml-is", ml_is)
