#include "hand_adjoints.h"

#include <string.h>

void NAME(hand_adjoints_prepare)(hand_training *t, const hand_part *p, hand_adjoints *s)
{
    int64_t flat = p->capacity * t->net.width;
    s->score = NAME(hand_reals)(t, p->capacity * t->net.dim);
    s->below = NAME(hand_reals)(t, flat);
    s->other = NAME(hand_reals)(t, flat);
    for (int l = 0; l < t->net.layers; l++) {
        s->p[l] = NAME(hand_reals)(t, flat);
        s->q[l] = NAME(hand_reals)(t, flat);
        s->bar[l] = NAME(hand_reals)(t, flat);
    }
}

double NAME(hand_adjoints_forward)(const hand_job *j)
{
    int64_t h = j->net->width, n = j->rows * h;
    double sum = 0;
    for (int l = j->net->layers - 1; l >= 0; l--) {
        REAL *restrict p = j->s->p[l], *restrict q = j->s->q[l];
        const REAL *slope = j->b->slope[l];
        if (l + 1 < j->net->layers) NAME(hand_times_t)(j->rows, h, h, j->s->q[l + 1], NAME(weights)(j, l + 1), p);
        else
            for (int64_t r = 0; r < j->rows; r++)
                memcpy(p + r * h, j->theta + NAME(at_v)(j->net), sizeof(REAL) * (size_t)h);
#pragma omp simd
        for (int64_t i = 0; i < n; i++) q[i] = p[i] * slope[i];
    }
    REAL *score = j->s->score;
    NAME(hand_times_t)(j->rows, j->net->dim, h, j->s->q[0], j->theta, score);
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < j->rows * j->net->dim; i++) {
        score[i] += j->net->base * j->x[i] - j->pull * j->y[i];
        sum += (double)score[i] * (double)score[i];
    }
    return 0.5 * sum;
}

/* From the bar of q, in `next`, to that of z, in `bar`, and that of p, in `next`; the bar of z lacks what the layers
 * above add to it. */
static void through_product(int64_t n, const REAL *slope, const REAL *p, const REAL *r, REAL *restrict bar,
                            REAL *restrict next)
{
    if (r)
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            REAL s = slope[i], c = s * (1 - s), q_bar = next[i];
            bar[i] = c * (bar[i] + q_bar * p[i] - p[i] * r[i] * (1 - 2 * s));
            next[i] = q_bar * s - c * r[i];
        }
    else
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            REAL s = slope[i], q_bar = next[i];
            bar[i] = s * (1 - s) * q_bar * p[i];
            next[i] = q_bar * s;
        }
}

/* `below` is the bar of p_{l−1}: the score for the first layer. */
static void through_adjoints(const hand_job *j)
{
    int64_t h = j->net->width;
    const REAL *below = j->s->score;
    for (int l = 0; l < j->net->layers; l++) {
        REAL *next = l % 2 ? j->s->other : j->s->below;
        int64_t from = NAME(fan_in)(j->net, l);
        NAME(hand_times)(j->rows, from, h, below, NAME(weights)(j, l), next);
        NAME(hand_add_outer)(j->rows, from, h, below, j->s->q[l], NAME(weights_bar)(j, l));
        through_product(j->rows * h, j->b->slope[l], j->s->p[l], j->s->r[l], j->s->bar[l], next);
        below = next;
    }
    NAME(hand_add_rows)(j->rows, h, below, j->gradient + NAME(at_v)(j->net));
}

static void through_layers(const hand_job *j)
{
    int64_t h = j->net->width;
    for (int l = j->net->layers - 1; l >= 0; l--) {
        REAL *restrict bar = j->s->bar[l], *restrict from = j->s->below;
        const REAL *slope = j->b->slope[l], *a = l ? j->b->a[l - 1] : j->x;
        if (l + 1 < j->net->layers) {
            NAME(hand_times_t)(j->rows, h, h, j->s->bar[l + 1], NAME(weights)(j, l + 1), from);
#pragma omp simd
            for (int64_t i = 0; i < j->rows * h; i++) bar[i] += slope[i] * from[i];
        }
        NAME(hand_add_outer)(j->rows, NAME(fan_in)(j->net, l), h, a, bar, NAME(weights_bar)(j, l));
        NAME(hand_add_rows)(j->rows, h, bar, j->gradient + NAME(at_bias)(j->net, l));
    }
}

void NAME(hand_adjoints_backward)(const hand_job *j)
{
    through_adjoints(j);
    through_layers(j);
}
