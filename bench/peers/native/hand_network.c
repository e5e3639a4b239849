#include "hand_network.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The parameters ---- */

static int append(peer_request *r, const char *name, int64_t count, REAL *to)
{
    ad_shape shape;
    const double *from = peer_tensor(r, name, &shape);
    if (!from) return 0;
    if (ad_shape_count(&shape) != count) return snprintf(r->reason, sizeof r->reason, "%s: wrong size", name), 0;
    for (int64_t i = 0; i < count; i++) to[i] = (REAL)from[i];
    return 1;
}

static int append_all(peer_request *r, const hand_network *net, REAL *theta)
{
    static const char *const names[HAND_MOST_LAYERS][2] = {{"W1", "b1"}, {"W2", "b2"}, {"W3", "b3"}, {"W4", "b4"}};
    for (int l = 0; l < net->layers; l++)
        if (!append(r, names[l][0], NAME(fan_in)(net, l) * net->width, theta + NAME(at_weights)(net, l)) ||
            !append(r, names[l][1], net->width, theta + NAME(at_bias)(net, l)))
            return 0;
    int64_t at = NAME(at_v)(net);
    if (!append(r, "v", net->width, theta + at)) return 0;
    return net->size == at + net->width || append(r, "log_z", 1, theta + at + net->width);
}

int NAME(hand_network_open)(peer_request *r, int learns_log_z, hand_network *net, REAL **theta)
{
    double sd = peer_number(r, "base_sd");
    *net = (hand_network){.dim = (int64_t)peer_number(r, "dim"), .width = (int64_t)peer_number(r, "width")};
    net->layers = (int)peer_number(r, "layers");
    net->base = (REAL)(1 / (sd * sd));
    if (*r->reason) return 0;
    if (net->layers < 1 || net->layers > HAND_MOST_LAYERS)
        return snprintf(r->reason, sizeof r->reason, "1 to %d layers, please", HAND_MOST_LAYERS), 0;
    net->size = NAME(at_v)(net) + net->width + learns_log_z;
    *theta = aligned_alloc(64, (sizeof **theta * (size_t)net->size + 63) / 64 * 64);
    return *theta && append_all(r, net, *theta);
}

/* ---- Products ---- */

void NAME(hand_times)(int64_t rows, int64_t from, int64_t to, const REAL *a, const REAL *w, REAL *out)
{
    BLAS(gemm)(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)to, (int)from, 1, a, (int)from, w, (int)to,
               0, out, (int)to);
}

void NAME(hand_times_t)(int64_t rows, int64_t from, int64_t to, const REAL *g, const REAL *w, REAL *out)
{
    BLAS(gemm)(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)from, (int)to, 1, g, (int)to, w, (int)to, 0,
               out, (int)from);
}

void NAME(hand_add_outer)(int64_t rows, int64_t from, int64_t to, const REAL *a, const REAL *g, REAL *w)
{
    BLAS(gemm)(CblasRowMajor, CblasTrans, CblasNoTrans, (int)from, (int)to, (int)rows, 1, a, (int)from, g, (int)to, 1,
               w, (int)to);
}

void NAME(hand_add_rows)(int64_t rows, int64_t width, const REAL *from, REAL *restrict sum)
{
    for (int64_t r = 0; r < rows; r++, from += width)
#pragma omp simd
        for (int64_t j = 0; j < width; j++) sum[j] += from[j];
}

/* ---- Forwards ---- */

/* From z = a + bias: softplus to a, unless `slopes_only`, and σ to slope; e = exp(−|z|) cannot overflow. */
static void activate(int64_t rows, int64_t width, const REAL *bias, int slopes_only, REAL *restrict a,
                     REAL *restrict slope)
{
    for (int64_t r = 0; r < rows; r++, a += width, slope += width) {
        if (slopes_only)
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                REAL z = a[j] + bias[j], e = FN(exp)(z < 0 ? z : -z);
                slope[j] = (z < 0 ? e : (REAL)1) / (1 + e);
            }
        else
#pragma omp simd
            for (int64_t j = 0; j < width; j++) {
                REAL z = a[j] + bias[j], e = FN(exp)(z < 0 ? z : -z);
                slope[j] = (z < 0 ? e : (REAL)1) / (1 + e);
                a[j] = (z < 0 ? (REAL)0 : z) + FN(log1p)(e);
            }
    }
}

static void add_base(const hand_network *net, int64_t rows, const REAL *x, REAL *energy)
{
    for (int64_t r = 0; r < rows; r++, x += net->dim) {
        REAL sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < net->dim; i++) sum += x[i] * x[i];
        energy[r] += (REAL)0.5 * net->base * sum;
    }
}

void NAME(hand_forward)(const hand_network *net, const REAL *theta, int64_t rows, const REAL *x, const hand_block *b,
                        REAL *energy)
{
    for (int l = 0; l < net->layers; l++) {
        NAME(hand_times)(rows, NAME(fan_in)(net, l), net->width, l ? b->a[l - 1] : x,
                         theta + NAME(at_weights)(net, l), b->a[l]);
        activate(rows, net->width, theta + NAME(at_bias)(net, l), !energy && l + 1 == net->layers, b->a[l],
                 b->slope[l]);
    }
    if (!energy) return;
    BLAS(gemv)(CblasRowMajor, CblasNoTrans, (int)rows, (int)net->width, 1, b->a[net->layers - 1], (int)net->width,
               theta + NAME(at_v)(net), 1, 0, energy, 1);
    add_base(net, rows, x, energy);
}

/* ---- Backwards ---- */

/* delta = weight[n] v ∘ slope of the last layer; without weights they are 1. */
static void start(const hand_network *net, const REAL *v, int64_t rows, const REAL *slope, const REAL *weight,
                  REAL *restrict delta)
{
    for (int64_t r = 0; r < rows; r++, slope += net->width, delta += net->width) {
        REAL w = weight ? weight[r] : 1;
#pragma omp simd
        for (int64_t j = 0; j < net->width; j++) delta[j] = w * v[j] * slope[j];
    }
}

/* From delta of layer l (∂/∂z) to that of the layer below, in `below`. */
static void descend(const hand_network *net, const REAL *theta, int64_t rows, int l, const hand_block *b,
                    const REAL *delta, REAL *restrict below)
{
    NAME(hand_times_t)(rows, net->width, net->width, delta, theta + NAME(at_weights)(net, l), below);
    const REAL *slope = b->slope[l - 1];
#pragma omp simd
    for (int64_t i = 0; i < rows * net->width; i++) below[i] *= slope[i];
}

void NAME(hand_backward_theta)(const hand_network *net, const REAL *theta, int64_t rows, const REAL *x,
                               const hand_block *b, const REAL *weight, REAL *delta, REAL *other, REAL *gradient)
{
    int last = net->layers - 1;
    BLAS(gemv)(CblasRowMajor, CblasTrans, (int)rows, (int)net->width, 1, b->a[last], (int)net->width, weight, 1, 1,
               gradient + NAME(at_v)(net), 1);
    start(net, theta + NAME(at_v)(net), rows, b->slope[last], weight, delta);
    for (int l = last; l >= 0; l--) {
        NAME(hand_add_rows)(rows, net->width, delta, gradient + NAME(at_bias)(net, l));
        NAME(hand_add_outer)(rows, NAME(fan_in)(net, l), net->width, l ? b->a[l - 1] : x, delta,
                             gradient + NAME(at_weights)(net, l));
        if (!l) break;
        descend(net, theta, rows, l, b, delta, other);
        REAL *swap = delta;
        delta = other;
        other = swap;
    }
}

void NAME(hand_backward_x)(const hand_network *net, const REAL *theta, int64_t rows, const REAL *x,
                           const hand_block *b, REAL *delta, REAL *other, REAL *out)
{
    start(net, theta + NAME(at_v)(net), rows, b->slope[net->layers - 1], NULL, delta);
    for (int l = net->layers - 1; l > 0; l--) {
        descend(net, theta, rows, l, b, delta, other);
        REAL *swap = delta;
        delta = other;
        other = swap;
    }
    NAME(hand_times_t)(rows, net->dim, net->width, delta, theta, out);
#pragma omp simd
    for (int64_t i = 0; i < rows * net->dim; i++) out[i] += net->base * x[i];
}
