/* hand_denoise.c — denoising score matching, mean ½|y/σ² − ∇E(x + y)|² with y ~ N(0, σ²), and its gradient by reverse
 * over the recorded adjoints: 6F − A flops a sample (docs/design.md). */
#include "hand_adjoints.h"

typedef struct scratch {
    hand_adjoints adjoints;
    REAL *noisy; /* x + y of a block */
} scratch;

static void prepare(hand_training *t, hand_part *p)
{
    scratch *s = p->scratch = NAME(hand_array)(t, sizeof *s);
    if (!s) return;
    *s = (scratch){.noisy = NAME(hand_reals)(t, p->capacity * t->net.dim)};
    NAME(hand_adjoints_prepare)(t, p, &s->adjoints);
}

static void draw(hand_training *t, hand_part *p)
{
    REAL *y = p->points + p->data * t->net.dim, sd = (REAL)t->sd;
    int64_t n = p->noise * t->net.dim;
    NAME(hand_normals)(&p->random, n, y);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] *= sd;
}

static void block(hand_training *t, hand_part *p, hand_job *j, int64_t from)
{
    const REAL *x = p->points + from * t->net.dim, *y = x + p->data * t->net.dim;
    REAL *restrict noisy = ((scratch *)p->scratch)->noisy;
#pragma omp simd
    for (int64_t i = 0; i < j->rows * t->net.dim; i++) noisy[i] = x[i] + y[i];
    j->x = noisy;
    j->y = y;
    NAME(hand_forward)(j->net, j->theta, j->rows, j->x, j->b, NULL);
    p->value += NAME(hand_adjoints_forward)(j);
    NAME(hand_adjoints_backward)(j);
}

static void pass(hand_training *t, hand_part *p)
{
    const scratch *s = p->scratch;
    hand_job j = {.net = &t->net, .theta = t->theta, .pull = (REAL)(1 / (t->sd * t->sd)), .b = &p->activations,
                  .s = &s->adjoints, .gradient = p->gradient};
    for (int64_t from = 0; from < p->data; from += j.rows) {
        j.rows = p->block < p->data - from ? p->block : p->data - from;
        block(t, p, &j, from);
    }
    NAME(hand_mean)(t, p);
}

static const hand_recipe denoise = {.noise = 1, .adam = 1, .draw = draw, .pass = pass, .prepare = prepare};
HAND_TRAINING(denoise, "denoise", denoise)
