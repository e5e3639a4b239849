/* hand_adjoints.h — losses of ∇E, and back through it: what exact and denoising score matching share. With layers
 * counted from 0, and a_{−1} = x:
 *
 *     z_l = a_{l−1} W_l + b_l,   s = σ(z),   c = s(1−s)
 *     p_l = ∂E/∂a_l,   q = p∘s,   p_{l−1} = q_l W_lᵀ,   ∇E = p_{−1} + x/(base sd)²
 *
 * and a bar for the derivative of the loss. Forwards, p, back through p and back through z: 6F − A flops a sample. */
#ifndef HAND_ADJOINTS_H
#define HAND_ADJOINTS_H

#include "hand_training.h"

/* Of a block: rows × width each, `score` rows × dim. */
typedef struct hand_adjoints {
    REAL *p[HAND_MOST_LAYERS], *q[HAND_MOST_LAYERS];
    REAL *bar[HAND_MOST_LAYERS]; /* of s, then of z */
    REAL *r[HAND_MOST_LAYERS];   /* the loss has a term −Σ c p r, and bar has its part of s̄; NULL: it has not */
    REAL *score, *below, *other;
} hand_adjoints;

/* What is worked on: `rows` rows of one part. The loss is Σ ½|∇E(x) − pull y|², and the term of r. */
typedef struct hand_job {
    const hand_network *net;
    const REAL *theta, *x, *y;
    REAL pull;
    int64_t rows;
    const hand_block *b;
    const hand_adjoints *s;
    REAL *gradient;
} hand_job;

void NAME(hand_adjoints_prepare)(hand_training *t, const hand_part *p, hand_adjoints *s);

/* p and q of all layers, and ∇E − pull y as the score; returns Σ ½|score|². */
double NAME(hand_adjoints_forward)(const hand_job *j);

/* Back through the adjoints, and through z: adds to the gradient. */
void NAME(hand_adjoints_backward)(const hand_job *j);

static inline const REAL *NAME(weights)(const hand_job *j, int l) { return j->theta + NAME(at_weights)(j->net, l); }
static inline REAL *NAME(weights_bar)(const hand_job *j, int l) { return j->gradient + NAME(at_weights)(j->net, l); }

#endif
