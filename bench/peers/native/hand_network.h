/* hand_network.h — E(x) = v·a_L + |x|²/(2 s²), a_l = softplus(a_{l−1} W_l + b_l), a_0 = x: forwards and backwards over
 * a block of rows. */
#ifndef HAND_NETWORK_H
#define HAND_NETWORK_H

#include "hand.h"

enum { HAND_MOST_LAYERS = 4 };

/* The parameters lie in one array of `size` numbers, in the reference's order: W1, b1, …, v, and log Z for NCE. */
typedef struct hand_network {
    int64_t dim, width, size;
    int layers;
    REAL base; /* 1/s² */
} hand_network;

/* Activations of some rows, layer by layer; a[l] and slope[l] = σ(z_l) are of layer l + 1. */
typedef struct hand_block {
    REAL *a[HAND_MOST_LAYERS], *slope[HAND_MOST_LAYERS];
} hand_block;

/* False, with a reason, when the file does not have the parameters. *theta is a new array. */
int NAME(hand_network_open)(peer_request *r, int learns_log_z, hand_network *net, REAL **theta);

static inline int64_t NAME(fan_in)(const hand_network *net, int layer) { return layer ? net->width : net->dim; }

/* Offsets in the parameters. */
static inline int64_t NAME(at_weights)(const hand_network *net, int layer)
{
    return !layer ? 0 : (net->dim + 1 + (layer - 1) * (net->width + 1)) * net->width;
}
static inline int64_t NAME(at_bias)(const hand_network *net, int layer)
{
    return NAME(at_weights)(net, layer) + NAME(fan_in)(net, layer) * net->width;
}
static inline int64_t NAME(at_v)(const hand_network *net) { return NAME(at_weights)(net, net->layers); }

/* Fills the block from x[rows, dim]; without `energy` the last layer's slopes alone. */
void NAME(hand_forward)(const hand_network *net, const REAL *theta, int64_t rows, const REAL *x, const hand_block *b,
                        REAL *energy);

/* gradient += Σₙ weight[n] ∇θE(xₙ). `delta` and `other` have room for rows × width numbers each. */
void NAME(hand_backward_theta)(const hand_network *net, const REAL *theta, int64_t rows, const REAL *x,
                               const hand_block *b, const REAL *weight, REAL *delta, REAL *other, REAL *gradient);

/* out[rows, dim] = ∇xE. */
void NAME(hand_backward_x)(const hand_network *net, const REAL *theta, int64_t rows, const REAL *x,
                           const hand_block *b, REAL *delta, REAL *other, REAL *out);

/* sum[width] += the sum of the rows */
void NAME(hand_add_rows)(int64_t rows, int64_t width, const REAL *from, REAL *sum);

/* The three products. */
void NAME(hand_times)(int64_t rows, int64_t from, int64_t to, const REAL *a, const REAL *w, REAL *out);    /* a·W */
void NAME(hand_times_t)(int64_t rows, int64_t from, int64_t to, const REAL *g, const REAL *w, REAL *out);  /* g·Wᵀ */
void NAME(hand_add_outer)(int64_t rows, int64_t from, int64_t to, const REAL *a, const REAL *g, REAL *w);  /* += aᵀ·g */

#endif
