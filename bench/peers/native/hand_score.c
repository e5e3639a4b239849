/* hand_score.c — exact implicit score matching, mean(½|∇E|² − tr ∇²E), and its gradient, by tangents × adjoint
 * curvature: 6F − A + 3dB flops a sample (docs/design.md). With layers counted from 0, and a_{−1} = x:
 *
 *     z_l = a_{l−1} W_l + b_l,   s = σ(z),   c = s(1−s)
 *     p_l = ∂E/∂a_l,   q = p∘s,   p_{l−1} = q_l W_lᵀ,   ∇E = p_{−1} + x/(base sd)²
 *     T_0 = W_0,   T_l = (s∘T)_{l−1} W_l = ∂z_l/∂x,   r = Σᵢ Tᵢ²,   tr ∇²E = d/(base sd)² + Σ c p r
 *
 * and a bar for the derivative of the loss. */
#include "hand_training.h"

#include <string.h>

enum { MOST = HAND_MOST_LAYERS };

/* Of a block: rows × width, and rows × dim × width for tangents (T[0] is W_0 and has none). */
typedef struct scratch {
    REAL *p[MOST], *q[MOST], *r[MOST], *bar[MOST]; /* bar: of s, then of z */
    REAL *tangent[MOST], *scaled[MOST];            /* T, then its bar; s∘T */
    REAL *back;                                    /* bar of s∘T */
    REAL *score, *below, *other, *weights;
} scratch;

static void prepare(hand_training *t, hand_part *p)
{
    int64_t flat = p->capacity * t->net.width, tall = flat * t->net.dim;
    scratch *s = p->scratch = NAME(hand_array)(t, sizeof *s);
    if (!s) return;
    *s = (scratch){.back = NAME(hand_reals)(t, t->net.layers > 1 ? tall : 0)};
    s->score = NAME(hand_reals)(t, p->capacity * t->net.dim);
    s->below = NAME(hand_reals)(t, flat);
    s->other = NAME(hand_reals)(t, flat);
    s->weights = NAME(hand_reals)(t, t->net.width);
    for (int l = 0; l < t->net.layers; l++) {
        s->p[l] = NAME(hand_reals)(t, flat);
        s->q[l] = NAME(hand_reals)(t, flat);
        s->r[l] = NAME(hand_reals)(t, flat);
        s->bar[l] = NAME(hand_reals)(t, flat);
        s->tangent[l] = l ? NAME(hand_reals)(t, tall) : NULL;
        s->scaled[l] = l + 1 < t->net.layers ? NAME(hand_reals)(t, tall) : NULL;
    }
}

/* What is worked on: `rows` rows of one part. */
typedef struct job {
    const hand_network *net;
    const REAL *theta, *x;
    int64_t rows;
    const hand_block *b;
    scratch *s;
    REAL *gradient;
} job;

static const REAL *weights(const job *j, int l) { return j->theta + NAME(at_weights)(j->net, l); }
static REAL *weights_bar(const job *j, int l) { return j->gradient + NAME(at_weights)(j->net, l); }

/* ---- The value ---- */

/* p and q of all layers, and the score; returns Σ ½|score|². */
static double adjoints(const job *j)
{
    int64_t h = j->net->width, n = j->rows * h;
    double sum = 0;
    for (int l = j->net->layers - 1; l >= 0; l--) {
        REAL *restrict p = j->s->p[l], *restrict q = j->s->q[l];
        const REAL *slope = j->b->slope[l];
        if (l + 1 < j->net->layers) NAME(hand_times_t)(j->rows, h, h, j->s->q[l + 1], weights(j, l + 1), p);
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
        score[i] += j->net->base * j->x[i];
        sum += (double)score[i] * (double)score[i];
    }
    return 0.5 * sum;
}

/* Row n: r = Σᵢ Tᵢ² and, unless it is the last layer, s∘T for the next one's tangents. */
static void squares(int64_t dim, int64_t h, const REAL *tangent, const REAL *restrict slope, REAL *restrict r,
                    REAL *restrict scaled)
{
    memset(r, 0, sizeof(REAL) * (size_t)h);
    for (int64_t i = 0; i < dim; i++, tangent += h)
#pragma omp simd
        for (int64_t k = 0; k < h; k++) r[k] += tangent[k] * tangent[k];
    tangent -= dim * h;
    for (int64_t i = 0; scaled && i < dim; i++, tangent += h, scaled += h)
#pragma omp simd
        for (int64_t k = 0; k < h; k++) scaled[k] = slope[k] * tangent[k];
}

/* T, s∘T and r of all layers; returns the sum of the Hessians' traces. */
static double traces(const job *j)
{
    int64_t dim = j->net->dim, h = j->net->width, tall = dim * h;
    double sum = (double)(j->rows * dim) * (double)j->net->base;
    for (int l = 0; l < j->net->layers; l++) {
        REAL *scaled = j->s->scaled[l], *r = j->s->r[l];
        const REAL *slope = j->b->slope[l], *p = j->s->p[l];
        if (l) NAME(hand_times)(j->rows * dim, h, h, j->s->scaled[l - 1], weights(j, l), j->s->tangent[l]);
        for (int64_t n = 0; n < j->rows; n++)
            squares(dim, h, l ? j->s->tangent[l] + n * tall : j->theta, slope + n * h, r + n * h,
                    scaled ? scaled + n * tall : NULL);
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < j->rows * h; i++) sum += slope[i] * (1 - slope[i]) * p[i] * r[i];
    }
    return sum;
}

/* ---- Back through the tangents ---- */

/* Row n of a layer l > 0: T̄ = s∘back − 2 c p T in T's place, and s̄ = Σᵢ T∘back; `back` is NULL for the last layer. */
static void tangent_row(int64_t dim, int64_t h, const REAL *slope, const REAL *p, const REAL *back,
                        REAL *restrict tangent, REAL *restrict bar)
{
    memset(bar, 0, sizeof(REAL) * (size_t)h);
    for (int64_t i = 0; i < dim; i++, tangent += h) {
        if (!back)
#pragma omp simd
            for (int64_t k = 0; k < h; k++) tangent[k] *= -2 * slope[k] * (1 - slope[k]) * p[k];
        else {
#pragma omp simd
            for (int64_t k = 0; k < h; k++) {
                REAL at = tangent[k], curve = slope[k] * (1 - slope[k]);
                bar[k] += at * back[k];
                tangent[k] = slope[k] * back[k] - 2 * curve * p[k] * at;
            }
            back += h;
        }
    }
}

/* The first layer: its tangent is W_0 in every row, and its bar is added to the gradient. */
static void first_row(int64_t dim, int64_t h, const REAL *slope, const REAL *back, const REAL *w, REAL *restrict w_bar,
                      REAL *restrict bar)
{
    memset(bar, 0, sizeof(REAL) * (size_t)h);
    for (int64_t i = 0; back && i < dim; i++, w += h, w_bar += h, back += h)
#pragma omp simd
        for (int64_t k = 0; k < h; k++) {
            bar[k] += w[k] * back[k];
            w_bar[k] += slope[k] * back[k];
        }
}

/* W̄_0 −= 2 W_0 Σₙ c p */
static void first_curvature(const job *j)
{
    int64_t h = j->net->width;
    REAL *restrict sum = j->s->weights, *restrict w_bar = weights_bar(j, 0);
    const REAL *slope = j->b->slope[0], *p = j->s->p[0];
    memset(sum, 0, sizeof(REAL) * (size_t)h);
    for (int64_t n = 0; n < j->rows; n++, slope += h, p += h)
#pragma omp simd
        for (int64_t k = 0; k < h; k++) sum[k] += slope[k] * (1 - slope[k]) * p[k];
    for (int64_t i = 0; i < j->net->dim; i++)
#pragma omp simd
        for (int64_t k = 0; k < h; k++) w_bar[i * h + k] -= 2 * j->theta[i * h + k] * sum[k];
}

static void through_tangents(const job *j)
{
    int64_t dim = j->net->dim, h = j->net->width, tall = dim * h;
    for (int l = j->net->layers - 1; l >= 0; l--) {
        REAL *back = l + 1 < j->net->layers ? j->s->back : NULL;
        if (back) {
            NAME(hand_add_outer)(j->rows * dim, h, h, j->s->scaled[l], j->s->tangent[l + 1], weights_bar(j, l + 1));
            NAME(hand_times_t)(j->rows * dim, h, h, j->s->tangent[l + 1], weights(j, l + 1), back);
        }
        for (int64_t n = 0; n < j->rows; n++) {
            const REAL *slope = j->b->slope[l] + n * h, *row = back ? back + n * tall : NULL;
            REAL *bar = j->s->bar[l] + n * h;
            if (l) tangent_row(dim, h, slope, j->s->p[l] + n * h, row, j->s->tangent[l] + n * tall, bar);
            else first_row(dim, h, slope, row, j->theta, weights_bar(j, 0), bar);
        }
    }
    first_curvature(j);
}

/* ---- Back through the adjoints, and through z ---- */

/* `below` is the bar of p_{l−1}: the score for the first layer. */
static void through_adjoints(const job *j)
{
    int64_t h = j->net->width;
    const REAL *below = j->s->score;
    for (int l = 0; l < j->net->layers; l++) {
        REAL *restrict next = l % 2 ? j->s->other : j->s->below, *restrict bar = j->s->bar[l];
        const REAL *slope = j->b->slope[l], *p = j->s->p[l], *r = j->s->r[l];
        NAME(hand_times)(j->rows, NAME(fan_in)(j->net, l), h, below, weights(j, l), next);
        NAME(hand_add_outer)(j->rows, NAME(fan_in)(j->net, l), h, below, j->s->q[l], weights_bar(j, l));
#pragma omp simd
        for (int64_t i = 0; i < j->rows * h; i++) {
            REAL s = slope[i], c = s * (1 - s), q_bar = next[i];
            bar[i] = c * (bar[i] + q_bar * p[i] - p[i] * r[i] * (1 - 2 * s));
            next[i] = q_bar * s - c * r[i];
        }
        below = next;
    }
    NAME(hand_add_rows)(j->rows, h, below, j->gradient + NAME(at_v)(j->net));
}

static void through_layers(const job *j)
{
    int64_t h = j->net->width;
    for (int l = j->net->layers - 1; l >= 0; l--) {
        REAL *restrict bar = j->s->bar[l], *restrict from = j->s->below;
        const REAL *slope = j->b->slope[l];
        if (l + 1 < j->net->layers) {
            NAME(hand_times_t)(j->rows, h, h, j->s->bar[l + 1], weights(j, l + 1), from);
#pragma omp simd
            for (int64_t i = 0; i < j->rows * h; i++) bar[i] += slope[i] * from[i];
        }
        NAME(hand_add_outer)(j->rows, NAME(fan_in)(j->net, l), h, l ? j->b->a[l - 1] : j->x, bar, weights_bar(j, l));
        NAME(hand_add_rows)(j->rows, h, bar, j->gradient + NAME(at_bias)(j->net, l));
    }
}

/* ---- The method ---- */

static void pass(hand_training *t, hand_part *p)
{
    job j = {.net = &t->net, .theta = t->theta, .b = &p->activations, .s = p->scratch, .gradient = p->gradient};
    for (int64_t from = 0; from < p->data; from += j.rows) {
        j.rows = p->block < p->data - from ? p->block : p->data - from;
        j.x = p->points + from * t->net.dim;
        NAME(hand_forward)(j.net, j.theta, j.rows, j.x, j.b, NULL);
        p->value += adjoints(&j) - traces(&j);
        through_tangents(&j);
        through_adjoints(&j);
        through_layers(&j);
    }
    REAL each = (REAL)(1 / (double)t->rows);
    p->value /= (double)t->rows;
#pragma omp simd
    for (int64_t i = 0; i < t->net.size; i++) p->gradient[i] *= each;
}

static const hand_recipe score = {.tangents = 1, .adam = 1, .pass = pass, .prepare = prepare};
HAND_TRAINING(score, "score", score)
