/* derive.h — shared by the files that record derivatives. */
#ifndef GIBBS_DERIVE_H
#define GIBBS_DERIVE_H

#include "autodiff/op/op.h"

/* Marks, for the nodes 0 … y.id, in one block of memory that ad_paths_free takes. */
typedef struct ad_paths {
    int64_t count;
    bool *active;  /* the value depends differentiably on some x, x itself included */
    bool *depends; /* it depends on some x at all, other than through stop_gradient */
    bool *reads;   /* … or through that */
    bool *is_x;
    bool *needed;  /* y depends on it without passing through an x */
    bool apart;    /* in the body of a scan */
    bool *steep;   /* it is active, and what lies between some x and it may have slopes that are not finite */
} ad_paths;

/* Marks the paths from the x, which may be any nodes, to y. False, with the tape's error set, when memory is out.
 * `what` begins the sentence. */
bool ad_paths_new(const char *what, ad_var y, const ad_var *x, int n, ad_paths *paths);
/* The paths from x[0 … n − 1], of which some carry derivatives (active), some after slopes that may not be finite
 * (steep), to the roots, among the nodes 0 … count − 1: what is an x is not walked through. False when memory is
 * out. */
bool ad_paths_between(ad_tape *tape, int64_t count, const int32_t *x, const bool *active, const bool *steep, int n,
                      const int32_t *root, int roots, ad_paths *paths);
/* Whether the body of a loop has slopes that may not be finite. */
bool ad_loop_is_steep(ad_tape *tape, ad_loop *loop);
void ad_paths_free(ad_tape *tape, ad_paths *paths);

/* True when y and x[0 … n − 1] are valid and of one tape, and `other`, a list of as many, is there. */
bool ad_check_lists(const char *op, ad_var y, const ad_var *x, int n, const ad_var *other, ad_tape **tape);

/* What users may differentiate by: inputs, parameters and variables that y was recorded from. Else false, with the
 * tape's error set (ARGUMENT). (independent.c) */
bool ad_check_independent(const char *what, ad_var y, const ad_var *x, int n);

/* True when argument k of the node can carry a derivative (an index or a condition cannot). */
bool ad_differentiable(const ad_node *node, int k);

/* An adjoint and where it was taken: a zero that was not taken is not the number zero, and 0·∞ and 0·NaN are then 0,
 * too. A mask is a count, 0 where nothing was: it has the value's shape and axis, and the value is 0 outside of it. So
 * what a linear op hands down has its adjoint of the mask for a mask, and a sum of adjoints has the sum of theirs. */
typedef struct ad_adjoint {
    int32_t value; /* −1: zero */
    int32_t mask;  /* −1: taken everywhere, or none is needed: what the node is made of has finite slopes */
} ad_adjoint;

/* The adjoints of all nodes 0 … y.id. Of a concat in a concat that is no x it may be a node of which its adjoint is a
 * part. `adjoint` has y.id + 1 places. */
void ad_adjoints(ad_var y, ad_var ybar, const ad_paths *paths, ad_adjoint *adjoint);

/* The same from several roots, which may be the same node: of the nodes 0 … paths->count − 1. */
typedef void ad_sweep(ad_tape *tape, const int32_t *root, const ad_adjoint *bar, int roots, const ad_paths *paths,
                      ad_adjoint *adjoint);
void ad_adjoints_of(ad_tape *tape, const int32_t *root, const ad_adjoint *bar, int roots, const ad_paths *paths,
                    ad_adjoint *adjoint);

/* Of a scan whose results' adjoints are there: part[k], for each of its inputs, value −1 where there is none. The
 * body is swept by `sweep`. (scan_reverse.c) */
void ad_scan_adjoints(ad_var scan, const ad_paths *paths, const ad_adjoint *adjoint, ad_adjoint *part, ad_sweep *sweep);

/* Fills tangent[0 … y.id] for the nodes that `paths` calls active and needed; the entries of the x must be set before,
 * the rest zero. */
void ad_tangents(ad_var y, const ad_paths *paths, int64_t directions, ad_tangent *tangent);

/* Fills the tangents of a scan's results from those of its inputs; of the body by `push`, which is ad_tangents.
 * (scan_tangent.c) */
typedef void ad_pusher(ad_var y, const ad_paths *paths, int64_t directions, ad_tangent *tangent);
void ad_scan_tangents(ad_var scan, const ad_paths *paths, int64_t directions, ad_tangent *tangent, ad_pusher *push);

/* The tangents of a node's arguments, zero of those that carry none. `t` has a place for each: ad_most_arguments of the
 * nodes there are serve for all of them. */
void ad_tangents_of_arguments(const ad_node *node, const ad_paths *paths, const ad_tangent *tangent, ad_tangent *t);

/* The tangent of y, of its shape, along v[i] for x[i]: one direction. v[i] has x[i]'s shape; it may be per-sample
 * though x[i] is shared, and the result is then. */
ad_var ad_tangent_along(const char *what, ad_var y, const ad_var *x, const ad_var *v, int n);

/* The numbers of placeholders, all uses in one place: from each on, as many as it says. */
enum ad_placeholder_use {
    PLACE_PARTIAL = 0,     /* the arguments of an elementwise op (partial.c) */
    PLACE_ARGUMENT = 10,   /* the arguments of an op, then its cotangent (curvature.c) */
    PLACE_TRANSPOSED = 20, /* a cotangent by which a reverse sweep is transposed (tangent.c) */
    PLACE_COTANGENT = 21,  /* … of a Jacobian (jacobian.c) */
    PLACE_DIRECTION = 32   /* any number of directions, one of each x (jacobian.c) */
};

/* A leaf that stands for a value to be substituted; the same one for the same number, type and tape. */
ad_var ad_placeholder(ad_tape *tape, int number, int32_t axis, ad_shape shape);

/* ∂²op/∂(argument i)∂(argument j) of an elementwise op at (a, b); b is ignored for unary ops. (partial.c) */
ad_var ad_second_partial(ad_op op, int i, int j, ad_var a, ad_var b);

/* ∂(Σ ȳ y)/∂in[which], of in[which]'s shape and axis. (vjp.c) */
ad_var ad_vjp_node(ad_var y, ad_var ybar, int which);

/* The same where ȳ was taken where `mask` is not 0 (null: everywhere), which becomes the mask of the result. `apart`:
 * nothing may be recorded that mixes samples and is read by them; a shared factor then has no mask. (vjp.c) */
ad_var ad_vjp_masked(ad_var y, ad_var ybar, int which, bool apart, ad_var *mask);

/* Of elementwise ops: ∂y/∂in[which], recorded (of a PICK where it is in[which]); that times v, 0 where in[which] was
 * not picked; and the mask of in[which] under that of y (null: none), 0 where it was not picked. (slopes.c) */
ad_var ad_slope(ad_op op, const ad_var *in, ad_var y, int which);
ad_var ad_times_slope(const ad_call *c, ad_var v, int which);
ad_var ad_mask_of(const ad_call *c, ad_var mask, int which);

#endif
