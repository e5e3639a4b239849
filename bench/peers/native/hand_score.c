/* hand_score.c — exact implicit score matching, mean(½|∇E|² − tr ∇²E), and its gradient, by tangents × adjoint
 * curvature: 6F − A + 3dB flops a sample (docs/design.md). With the letters of hand_adjoints.h:
 *
 *     T_0 = W_0,   T_l = (s∘T)_{l−1} W_l = ∂z_l/∂x,   r = Σᵢ Tᵢ²,   tr ∇²E = d/(base sd)² + Σ c p r */
#include "hand_adjoints.h"

#include <string.h>

/* Of a block: rows × dim × width (T[0] is W_0 and has none). */
typedef struct scratch {
    hand_adjoints adjoints;
    REAL *tangent[HAND_MOST_LAYERS], *scaled[HAND_MOST_LAYERS]; /* T, then its bar; s∘T */
    REAL *back;                                                 /* bar of s∘T */
    REAL *weights;                                              /* one number a unit */
} scratch;

static void prepare(hand_training *t, hand_part *p)
{
    int64_t flat = p->capacity * t->net.width, tall = flat * t->net.dim;
    scratch *s = p->scratch = NAME(hand_array)(t, sizeof *s);
    if (!s) return;
    *s = (scratch){.back = NAME(hand_reals)(t, t->net.layers > 1 ? tall : 0)};
    NAME(hand_adjoints_prepare)(t, p, &s->adjoints);
    s->weights = NAME(hand_reals)(t, t->net.width);
    for (int l = 0; l < t->net.layers; l++) {
        s->adjoints.r[l] = NAME(hand_reals)(t, flat);
        s->tangent[l] = l ? NAME(hand_reals)(t, tall) : NULL;
        s->scaled[l] = l + 1 < t->net.layers ? NAME(hand_reals)(t, tall) : NULL;
    }
}

/* ---- The value ---- */

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
static double traces(const hand_job *j, const scratch *s)
{
    int64_t dim = j->net->dim, h = j->net->width, tall = dim * h;
    double sum = (double)(j->rows * dim) * (double)j->net->base;
    for (int l = 0; l < j->net->layers; l++) {
        REAL *scaled = s->scaled[l], *r = j->s->r[l];
        const REAL *slope = j->b->slope[l], *p = j->s->p[l];
        if (l) NAME(hand_times)(j->rows * dim, h, h, s->scaled[l - 1], NAME(weights)(j, l), s->tangent[l]);
        for (int64_t n = 0; n < j->rows; n++)
            squares(dim, h, l ? s->tangent[l] + n * tall : j->theta, slope + n * h, r + n * h,
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
static void first_curvature(const hand_job *j, const scratch *s)
{
    int64_t h = j->net->width;
    REAL *restrict sum = s->weights, *restrict w_bar = NAME(weights_bar)(j, 0);
    const REAL *slope = j->b->slope[0], *p = j->s->p[0];
    memset(sum, 0, sizeof(REAL) * (size_t)h);
    for (int64_t n = 0; n < j->rows; n++, slope += h, p += h)
#pragma omp simd
        for (int64_t k = 0; k < h; k++) sum[k] += slope[k] * (1 - slope[k]) * p[k];
    for (int64_t i = 0; i < j->net->dim; i++)
#pragma omp simd
        for (int64_t k = 0; k < h; k++) w_bar[i * h + k] -= 2 * j->theta[i * h + k] * sum[k];
}

static void through_tangents(const hand_job *j, const scratch *s)
{
    int64_t dim = j->net->dim, h = j->net->width, tall = dim * h;
    for (int l = j->net->layers - 1; l >= 0; l--) {
        REAL *back = l + 1 < j->net->layers ? s->back : NULL;
        if (back) {
            NAME(hand_add_outer)(j->rows * dim, h, h, s->scaled[l], s->tangent[l + 1], NAME(weights_bar)(j, l + 1));
            NAME(hand_times_t)(j->rows * dim, h, h, s->tangent[l + 1], NAME(weights)(j, l + 1), back);
        }
        for (int64_t n = 0; n < j->rows; n++) {
            const REAL *slope = j->b->slope[l] + n * h, *row = back ? back + n * tall : NULL;
            REAL *bar = j->s->bar[l] + n * h;
            if (l) tangent_row(dim, h, slope, j->s->p[l] + n * h, row, s->tangent[l] + n * tall, bar);
            else first_row(dim, h, slope, row, j->theta, NAME(weights_bar)(j, 0), bar);
        }
    }
    first_curvature(j, s);
}

/* ---- The method ---- */

static void pass(hand_training *t, hand_part *p)
{
    const scratch *s = p->scratch;
    hand_job j = {.net = &t->net, .theta = t->theta, .b = &p->activations, .s = &s->adjoints, .gradient = p->gradient};
    for (int64_t from = 0; from < p->data; from += j.rows) {
        j.rows = p->block < p->data - from ? p->block : p->data - from;
        j.x = j.y = p->points + from * t->net.dim; /* whose pull is 0 */
        NAME(hand_forward)(j.net, j.theta, j.rows, j.x, j.b, NULL);
        p->value += NAME(hand_adjoints_forward)(&j);
        p->value -= traces(&j, s);
        through_tangents(&j, s);
        NAME(hand_adjoints_backward)(&j);
    }
    NAME(hand_mean)(t, p);
}

static const hand_recipe score = {.tangents = 1, .adam = 1, .pass = pass, .prepare = prepare};
HAND_TRAINING(score, "score", score)
