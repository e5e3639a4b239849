/* hand_sampling.c — unadjusted Langevin moves, x ← x − h ∇E + √(2h) normal: all moves of a block before the next one,
 * so that its rows stay in cache. */
#include "hand_training.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void move(hand_training *t, hand_part *p, int64_t rows, REAL *restrict x, REAL *restrict slope,
                 REAL *restrict normal)
{
    REAL h = (REAL)t->chain_step, spread = (REAL)sqrt(2 * t->chain_step);
    int64_t n = rows * t->net.dim;
    NAME(hand_forward)(&t->net, t->theta, rows, x, &p->activations, NULL);
    NAME(hand_backward_x)(&t->net, t->theta, rows, x, &p->activations, p->delta, p->other, slope);
    NAME(hand_normals)(&p->random, n, normal);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) x[i] += spread * normal[i] - h * slope[i];
}

void NAME(hand_moves)(hand_training *t, hand_part *p, int64_t rows, REAL *x)
{
    REAL *slope = p->scratch, *normal = slope + p->capacity * t->net.dim;
    for (int64_t from = 0; from < rows; from += p->block)
        for (int k = 0; k < t->chain_steps; k++)
            move(t, p, least(p->block, rows - from), x + from * t->net.dim, slope, normal);
}

void NAME(hand_moves_prepare)(hand_training *t, hand_part *p)
{
    p->scratch = NAME(hand_reals)(t, 2 * p->capacity * t->net.dim);
}

/* ---- Sampling alone ---- */

static void move_data(hand_training *t, hand_part *p) { NAME(hand_moves)(t, p, p->data, p->points); }

static const hand_recipe langevin = {.draw = move_data, .prepare = NAME(hand_moves_prepare)};

/* The mean energy, and ∇xE of all rows in their order. */
static double answer(void *problem, double *gradient)
{
    hand_training *t = problem;
    double sum = 0;
    for (hand_part *p = t->part; p < t->part + t->threads; p++)
        for (int64_t from = 0, rows; from < p->data; from += rows) {
            rows = least(p->capacity, p->data - from);
            REAL *x = p->points + from * t->net.dim, *slope = p->scratch;
            NAME(hand_forward)(&t->net, t->theta, rows, x, &p->activations, p->energy);
            NAME(hand_backward_x)(&t->net, t->theta, rows, x, &p->activations, p->delta, p->other, slope);
            for (int64_t r = 0; r < rows; r++) sum += (double)p->energy[r];
            for (int64_t i = 0; i < rows * t->net.dim; i++) *gradient++ = (double)slope[i];
        }
    return sum / (double)t->rows;
}

static void *open_langevin(peer_request *r) { return NAME(hand_training_open)(r, &langevin); }

const peer_method NAME(hand_langevin) = {
    "langevin", "unfused", HAND_DTYPE, open_langevin, answer, NAME(hand_training_step), NAME(hand_training_close)};
