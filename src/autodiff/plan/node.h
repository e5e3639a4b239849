/* node.h — what compiling reads of the tape's nodes: the names of what `attr` holds (tape.h). */
#ifndef GIBBS_NODE_H
#define GIBBS_NODE_H

#include "autodiff/kernel/kernels.h"

/* Ops that are strides, not work. */
static inline bool ad_is_view(ad_op op)
{
    return op == OP_lift || op == OP_expand || op == OP_reshape || op == OP_permute || op == OP_slice ||
           op == OP_regroup || op == OP_ungroup || op == OP_stop_gradient || op == OP_variable; /* of a body */
}

/* Leaves whose values are there before anything runs. */
static inline bool ad_is_given(ad_op op)
{
    return op == OP_input || op == OP_parameter || op == OP_constant || op == OP_array;
}

static inline bool ad_is_logistic(const ad_node *n)
{
    return n->op == OP_softplus || n->op == OP_sigmoid || n->op == OP_sigmoid_slope;
}

/* One of several functions of an argument that share most of their work. */
static inline bool ad_is_of_family(const ad_node *n)
{
    return n->axis >= 0 && (ad_is_logistic(n) || n->op == OP_logsumexp || n->op == OP_softmax);
}

/* Of the same one; of a logsumexp and shares, over the same dimensions. */
static inline bool ad_of_one_family(const ad_node *a, const ad_node *b)
{
    if (ad_is_logistic(a) || ad_is_logistic(b)) return ad_is_logistic(a) && ad_is_logistic(b);
    return a->attr[0] == b->attr[0] && a->attr[1] == b->attr[1];
}

/* A cumulative sum: whether it begins at the end. */
static inline bool ad_is_from_end(const ad_node *n) { return n->attr[1]; }

/* The windows that a matrix of patches has, or that are added up, of images of that shape. */
static inline ad_windows ad_windows_of(const ad_node *n, const ad_shape *image)
{
    const int64_t *d = image->dim + image->rank - 3;
    return (ad_windows){(int32_t)d[0], (int32_t)d[1], (int32_t)d[2], n->attr[0], n->attr[1], n->attr[2], n->attr[3]};
}

/* A slice, pad, concat or cumulative sum: along which dimension; where the slice, or what the pad is around, begins. */
static inline int ad_along(const ad_node *n) { return n->attr[0]; }
static inline int64_t ad_start(const ad_node *n) { return n->attr[1]; }

/* A permutation: the dimension of the argument that is dimension d of the result. */
static inline int ad_permuted(const ad_node *n, int d) { return n->attr[d]; }

/* A reduction within a sample: its first dimension, and the one behind its last. */
static inline int ad_first_reduced(const ad_node *n) { return n->attr[0]; }
static inline int ad_end_of_reduced(const ad_node *n) { return n->attr[0] + n->attr[1]; }

/* A product: which of its factors are transposed. */
static inline bool ad_left_is_transposed(const ad_node *n) { return n->attr[0]; }
static inline bool ad_right_is_transposed(const ad_node *n) { return n->attr[1]; }

/* A solve: of the transposed matrix. */
static inline bool ad_is_solved_transposed(const ad_node *n)
{
    return (n->op == OP_solve || n->op == OP_triangular_solve) && n->attr[0];
}

/* A batch op: the axis that it reduces over, counts, or has a table on. */
static inline int32_t ad_batch_axis(const ad_node *n) { return n->attr[0]; }

#endif
