/* conditionals_helpers.h — energies of degree 0 to 2 with terms of a variable's own columns, and their twins: the same
 * function with a term added that is 0 and no polynomial, so that the library takes the way that is for any energy. */
#ifndef TEST_CONDITIONALS_HELPERS_H
#define TEST_CONDITIONALS_HELPERS_H

#include "ebm/objective_helpers.h"

enum { QUAD_DIM = 6, QUAD_SIZE = 1 + QUAD_DIM + QUAD_DIM * QUAD_DIM };

typedef struct quad {
    int degree;
    int twin;    /* no polynomial, as far as anyone can tell */
    int no_own;  /* blocks of so many columns have no terms of their own; 0: they have */
} quad;

/* c + b·x + xᵀWx, as far as its degree goes. */
static inline ad_var quad_energy(ad_var x, const ad_var *theta, void *context)
{
    const quad *q = (const quad *)context;
    ad_var E = theta[0], W = theta[2];
    if (q->no_own) {
        double keep[QUAD_DIM * QUAD_DIM];
        for (int k = 0; k < QUAD_DIM * QUAD_DIM; k++)
            keep[k] = k / QUAD_DIM / q->no_own != k % QUAD_DIM / q->no_own;
        W = ad_mul(W, ad_constant_array(x.tape, ad_mat(QUAD_DIM, QUAD_DIM), keep));
    }
    if (q->degree > 0) E = ad_add(E, ad_dot(theta[1], x));
    if (q->degree > 1) E = ad_add(E, ad_quadratic_form(x, W));
    return q->twin ? ad_add(E, ad_mul(theta[3], ad_exp(ad_sum(x)))) : E;
}

static inline ebm_model *quad_model(const quad *q, const ebm_energy *kind, gibbs_dtype dtype)
{
    const ebm_parameter p[] = {{"c", {0, {0}}, EBM_INIT_CONSTANT, 0.3},
                               {"b", {1, {QUAD_DIM}}, EBM_INIT_CONSTANT, 0},
                               {"W", {2, {QUAD_DIM, QUAD_DIM}}, EBM_INIT_CONSTANT, 0},
                               {"zero", {0, {0}}, EBM_INIT_CONSTANT, 0}};
    ebm_model_spec spec = {.dtype = dtype, .dim = QUAD_DIM, .parameters = p, .parameter_count = 4,
                           .kind = kind, .context = (void *)q};
    ebm_model *model;
    double theta[QUAD_SIZE + 1] = {0.3};
    if (!kind) spec.energy = quad_energy;
    for (int k = 1; k < QUAD_SIZE; k++) theta[k] = 0.6 * sin(1 + 2.3 * k);
    OK(ebm_model_new(&spec, &model, ERROR));
    ebm_model_set(model, theta);
    return model;
}

/* ---- Spaces of six columns ---- */

typedef struct columns {
    double value[2];
    int labels; /* of one-hot blocks; 0: two-valued columns */
} columns;

static const columns quad_spaces[] = {{{0, 1}, 0}, {{-1, 1}, 0}, {{0.25, -3}, 0}, {{0, 1}, 2}, {{0, 1}, 3},
                                      {{0, 1}, 6}};

static inline ebm_space space_of(const columns *s)
{
    return (ebm_space){.values = s->labels ? NULL : s->value, .labels = s->labels, .one_hot = s->labels != 0};
}

static inline double *random_states(const columns *s, int64_t rows, int64_t dim, uint64_t seed)
{
    gibbs_words words = gibbs_words_start(seed, 8, 9);
    double *x = (double *)calloc((size_t)(rows * dim), sizeof *x);
    int64_t width = s->labels ? s->labels : 1;
    for (int64_t v = 0; v < rows * dim / width; v++) {
        uint64_t label = gibbs_words_below(&words, s->labels ? (uint64_t)s->labels : 2);
        if (s->labels) x[v * width + (int64_t)label] = 1;
        else x[v] = s->value[label];
    }
    return x;
}

#endif
