/* derive.h — shared by the files that record derivatives. */
#ifndef GIBBS_DERIVE_H
#define GIBBS_DERIVE_H

#include "tape.h"

/* Marks, for the nodes 0 … y.id. All arrays are owned by the caller. */
typedef struct ad_paths {
    int64_t count;
    bool *active;  /* the value depends differentiably on some x, x itself included */
    bool *depends; /* it depends on some x at all, other than through stop_gradient */
    bool *is_x;
    bool *needed;  /* y depends on it without passing through an x */
} ad_paths;

bool ad_paths_new(ad_var y, const ad_var *x, int n, ad_paths *paths); /* false: memory is out, tape error set */
void ad_paths_free(ad_tape *tape, ad_paths *paths);

/* True when argument k of the node can carry a derivative (an index or a condition cannot). */
bool ad_differentiable(const ad_node *node, int k);

/* The adjoints of all nodes 0 … y.id, −1 where zero. `adjoint` has y.id + 1 places. */
void ad_adjoints(ad_var y, ad_var ybar, const ad_paths *paths, int32_t *adjoint);

/* The derivative of a node's value along D directions of x at once. DENSE: a var [D, s…] on the node's axis.
 * DIAGONAL: the node has D elements and direction i moves element i only, by v (of shape s). */
typedef enum ad_tangent_kind { TANGENT_ZERO, TANGENT_DIAGONAL, TANGENT_DENSE } ad_tangent_kind;
typedef struct ad_tangent {
    ad_tangent_kind kind;
    ad_var v;
} ad_tangent;

/* Fills tangent[0 … y.id] for the active and needed nodes; the entries of the x must be set, the rest zero. */
void ad_tangents(ad_var y, const ad_paths *paths, int64_t directions, ad_tangent *tangent);

/* The dense form [D, s…] of a tangent of `node`, zero included. */
ad_var ad_tangent_dense(ad_var node, ad_tangent t, int64_t directions);

/* A leaf that stands for a value to be substituted; the same one for the same number, type and tape. */
ad_var ad_placeholder(ad_tape *tape, int number, int32_t axis, ad_shape shape);

/* ∂²op/∂(argument i)∂(argument j) of an elementwise op at (a, b); b is ignored for unary ops. */
ad_var ad_second_partial(ad_op op, int i, int j, ad_var a, ad_var b);

/* Records the node again on other inputs. */
ad_var ad_rebuild(const ad_node *node, const ad_var *in);

/* [D, s…] → [D] by summing; and dimension `from` moved to place `to`, the others in order. */
ad_var ad_sum_but_first(ad_var x);
ad_var ad_move_dim(ad_var x, int from, int to);

#endif
