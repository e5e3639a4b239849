/* random_graph.h — random programs over every kind of leaf and op, for the test of buffer sharing. Values stay of
 * order one and depend continuously on their arguments, so that rounding cannot grow into a difference. */
#ifndef GIBBS_TEST_RANDOM_GRAPH_H
#define GIBBS_TEST_RANDOM_GRAPH_H

#include "autodiff/tape/tape.h"
#include "plan_helpers.h"

enum { POOL = 150, CHILDREN = 3, LEAVES = 8, TABLE = 6 };

typedef struct graph {
    ad_tape *tape;
    ad_axis data, child;
    ad_var leaf[LEAVES]; /* those that are bound */
    int leaves;
    ad_var pool[POOL + 2];
    int size;
    uint64_t seed;
} graph;

static inline int64_t roll(graph *g, int64_t n) { return next_below(&g->seed, n); }

static inline void keep(graph *g, ad_var v)
{
    ad_shape s = ad_shape_of(v);
    if (!ad_is_null(v) && ad_shape_count(&s) <= 200 && g->size < POOL) g->pool[g->size++] = v;
}

/* Leaves on the root axis, on its child, and shared. */
static inline graph graph_new(gibbs_dtype dtype, uint64_t seed)
{
    graph g = {.tape = ad_tape_new(dtype, NULL), .seed = seed};
    g.data = ad_axis_new(g.tape, "data");
    g.child = ad_axis_child(g.data, CHILDREN, "child");
    static const double table[12] = {0.5, -1, 0.25, 2, 1, -0.75, 0.125, 1.5, -2, 0.375, 1, 0};
    ad_var bound[LEAVES] = {ad_input(g.data, "a", ad_mat(3, 4)),     ad_input(g.data, "b", ad_vec(4)),
                            ad_input(g.data, "c", ad_scalar()),      ad_input(g.child, "d", ad_vec(4)),
                            ad_parameter(g.tape, "e", ad_mat(3, 4)), ad_parameter(g.tape, "f", ad_vec(4)),
                            ad_parameter(g.tape, "g", ad_scalar()),  ad_input(g.data, "h", ad_cube(2, 3, 4))};
    for (int k = 0; k < LEAVES; k++) keep(&g, g.leaf[g.leaves++] = bound[k]);
    keep(&g, ad_constant_array(g.tape, ad_mat(3, 4), table));
    keep(&g, ad_normal(g.data, ad_mat(3, 4), 1));
    keep(&g, ad_uniform(g.child, ad_vec(4), 2));
    return g;
}

/* Rather a recent one than an old one, so that graphs are deep. */
static inline ad_var any(graph *g)
{
    int64_t back = roll(g, 3) ? roll(g, g->size < 10 ? g->size : 10) : roll(g, g->size);
    return g->pool[g->size - 1 - back];
}

/* ---- One random op on x; the null handle when it does not fit, which the caller passes over ---- */

static const ad_var NO_VAR = {NULL, -1};

static inline ad_var do_unary(graph *g, ad_var x)
{
    static ad_var (*const f[])(ad_var) = {ad_tanh,     ad_sin, ad_cos, ad_sigmoid,
                                          ad_softplus, ad_neg, ad_erf, ad_stop_gradient};
    return f[roll(g, LENGTH(f))](x);
}

/* With another operand that broadcasts: found by trying some. */
static inline ad_var do_binary(graph *g, ad_var x)
{
    for (int tries = 0; tries < 8; tries++) {
        ad_var y = any(g);
        ad_shape s = ad_shape_of(x), t = ad_shape_of(y), joint;
        if (!ad_is_shared(x) && !ad_is_shared(y) && ad_axis_of(x).id != ad_axis_of(y).id) continue;
        if (!ad_shape_broadcast(&s, &t, &joint)) continue;
        switch (roll(g, 5)) {
        case 0: return ad_add(x, y);
        case 1: return ad_sub(x, y);
        case 2: return ad_tanh(ad_mul(x, y));
        case 3: return ad_tanh(ad_div(x, ad_shift(ad_softplus(y), 1)));
        default: return ad_select(ad_less(g->leaf[6], ad_constant(g->tape, 0)), x, y);
        }
    }
    return NO_VAR;
}

static inline ad_var do_reduction(graph *g, ad_var x)
{
    unsigned mask = (unsigned)roll(g, 1 << ad_shape_of(x).rank);
    switch (roll(g, 4)) {
    case 0: return ad_tanh(ad_sum_dims(x, mask));
    case 1: return ad_logsumexp_dims(x, mask);
    case 2: return ad_shape_of(x).rank ? ad_softmax(x) : NO_VAR;
    default: return ad_tanh(ad_norm(ad_shift(ad_square(x), 0.1)));
    }
}

static inline ad_var do_batch(graph *g, ad_var x)
{
    if (ad_is_shared(x)) return NO_VAR;
    ad_axis axis = ad_axis_of(x);
    ad_var y = any(g);
    bool pair = ad_shape_of(x).rank == 1 && ad_shape_of(y).rank == 1 && ad_axis_of(y).id == axis.id;
    switch (roll(g, pair ? 4 : 3)) {
    case 0: return ad_batch_mean(axis, x);
    case 1: return ad_sub(ad_batch_logsumexp(axis, x), ad_log(ad_batch_count(axis)));
    case 2: return ad_batch_mean(axis, ad_square(x));
    default: return ad_mul(ad_batch_matmul(axis, x, y), ad_recip(ad_batch_count(axis)));
    }
}

/* ---- Views and moves ---- */

static inline ad_var do_permute(graph *g, ad_var x)
{
    int order[AD_MAX_RANK], rank = ad_shape_of(x).rank;
    for (int i = 0; i < rank; i++) order[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        int j = (int)roll(g, i + 1), old = order[i];
        order[i] = order[j], order[j] = old;
    }
    return ad_permute(x, order);
}

static inline ad_var do_reshape(graph *g, ad_var x)
{
    ad_shape s = ad_shape_of(x), to = {.rank = 0};
    int64_t left = ad_shape_count(&s);
    while (left > 1 && to.rank < 5) {
        int64_t n = 2 + roll(g, 5);
        if (left % n) n = to.rank == 4 ? left : 1;
        to.dim[to.rank++] = n;
        left /= n;
    }
    if (left > 1) to.dim[to.rank++] = left;
    return ad_reshape(x, to);
}

static inline ad_var do_cut(graph *g, ad_var x)
{
    ad_shape s = ad_shape_of(x);
    if (s.rank == 0) return NO_VAR;
    int dim = (int)roll(g, s.rank);
    int64_t count = 1 + roll(g, s.dim[dim]);
    switch (roll(g, 4)) {
    case 0: return ad_pad(x, dim, roll(g, 3), roll(g, 3));
    case 1: return ad_concat(x, do_unary(g, x), dim);
    default: return ad_slice(x, dim, roll(g, s.dim[dim] - count + 1), count);
    }
}

static inline ad_var do_expand(graph *g, ad_var x)
{
    ad_shape s = ad_shape_of(x);
    if (s.rank > 3) return NO_VAR;
    return ad_expand(x, ad_shape_prepend(1 + roll(g, 3), &s));
}

/* Rows of x by number, and back to a table of another size. */
static inline ad_var do_indexed(graph *g, ad_var x)
{
    ad_shape s = ad_shape_of(x);
    double at[4];
    if (s.rank == 0 || s.rank > 3) return NO_VAR;
    for (int k = 0; k < 4; k++) at[k] = (double)roll(g, s.dim[0]);
    ad_var index = ad_constant_array(g->tape, ad_vec(4), at), rows = ad_gather(x, index);
    return roll(g, 2) ? rows : ad_tanh(ad_scatter_add(rows, index, s.dim[0]));
}

static inline ad_var do_axes(graph *g, ad_var x)
{
    ad_shape s = ad_shape_of(x);
    if (!ad_is_shared(x) && ad_axis_of(x).id == g->child.id) return ad_regroup(x);
    return s.rank && s.dim[0] == CHILDREN ? ad_ungroup(g->child, x) : NO_VAR;
}

static inline ad_var do_matmul(graph *g, ad_var x)
{
    for (int tries = 0; tries < 8; tries++) {
        ad_var y = any(g);
        ad_shape s = ad_shape_of(x), t = ad_shape_of(y);
        if (!ad_is_shared(x) && !ad_is_shared(y) && ad_axis_of(x).id != ad_axis_of(y).id) continue;
        if (s.rank < 1 || s.rank > 2 || t.rank != 2) continue;
        if (s.dim[s.rank - 1] == t.dim[0]) return ad_tanh(ad_matmul(x, y));
        if (s.dim[s.rank - 1] == t.dim[1]) return ad_tanh(ad_matmul(x, ad_transpose(y)));
    }
    return NO_VAR;
}

/* The gradient of something by a leaf. */
static inline ad_var do_gradient(graph *g, ad_var x)
{
    ad_var y = ad_sum(ad_tanh(x)), leaf = g->leaf[roll(g, g->leaves)], d;
    if (ad_tape_size(g->tape) > 600) return NO_VAR;
    return ad_grad(y, &leaf, 1, &d) || ad_is_zero(d) ? NO_VAR : ad_tanh(d);
}

static inline void graph_grow(graph *g, int ops)
{
    static ad_var (*const f[])(graph *, ad_var) = {do_unary,     do_unary,   do_binary,  do_binary,  do_binary,
                                                   do_reduction, do_batch,   do_permute, do_reshape, do_cut,
                                                   do_expand,    do_indexed, do_axes,    do_matmul,  do_gradient};
    for (int k = 0; k < ops; k++) keep(g, f[roll(g, LENGTH(f))](g, any(g)));
    cr_assert_eq(ad_tape_status(g->tape), GIBBS_OK, "%s", ad_tape_message(g->tape));
}

#endif
