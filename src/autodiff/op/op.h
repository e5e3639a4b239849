/* op.h — structural ops: what is not computed element by element. Each is one const struct, its rules, in the file of
 * its constructor; an op and the ops that its rules are recorded in share a file where these are each other's adjoint
 * (slice and pad, gather and scatter_add, the two products). */
#ifndef GIBBS_OP_ROOM_H
#define GIBBS_OP_ROOM_H

#include "autodiff/tape/tape.h"

/* The derivative of a node's value along D directions of x at once. DENSE: a var [D, s…] on the node's axis.
 * DIAGONAL: the node has D elements and direction i moves element i only, by v (of shape s). */
typedef enum ad_tangent_kind { TANGENT_ZERO, TANGENT_DIAGONAL, TANGENT_DENSE } ad_tangent_kind;
typedef struct ad_tangent {
    ad_tangent_kind kind;
    ad_var v;
    ad_var mask; /* of a direction that was asked for: where it is not 0, a count; null: none (derive/derive.h) */
} ad_tangent;

/* A recorded node as its rules see it. The node is a copy, since recording moves the tape's own. */
typedef struct ad_call {
    ad_var y;
    ad_node node;
} ad_call;

static inline ad_call ad_call_of(ad_var y) { return (ad_call){y, *ad_node_of(y)}; }
static inline ad_var ad_arg(const ad_call *c, int k) { return ad_handle(c->y.tape, c->node.in[k]); }

/* All rules record ops of the table, so that derivatives of any order can be had. NULL where nothing is said. */
typedef struct ad_structure {
    int indices;   /* the last so many arguments are indices: they carry no derivative */
    bool keeps;    /* an element of the result comes from that element of the arguments alone, of this sample or others:
                      `tangent` is then also called with D = 0, for one direction without a dimension of its own */
    bool bilinear; /* a product: linear in each of its two arguments */
    bool picks;    /* some elements of the arguments are left out: what is not picked is not taken (derive/derive.h) */
    bool multiplies; /* its adjoint multiplies by its value, over which it may sum: under a mask, by what was taken */
    /* The node again, on other inputs. Every op has it. */
    ad_var (*again)(const ad_node *node, const ad_var *in);
    /* ∂(Σ ȳ y)/∂in[which], of in[which]'s shape. NULL: no derivative, which those who ask for one are told. */
    ad_var (*adjoint)(const ad_call *c, ad_var ybar, int which);
    /* The mask of in[which] where y's is `mask` (null: none), a count of what was taken. NULL: the adjoint of the mask,
     * as of a linear op, and none of none. */
    ad_var (*mask)(const ad_call *c, ad_var mask, int which);
    /* The tangent of y through argument `which`, whose dense one [D, s…] is t. NULL: by the transpose of `adjoint`. */
    ad_var (*tangent)(const ad_call *c, ad_var t, int which, int64_t D);
    /* The tangent of y from those of all arguments, where that is better than their sum; false: it is not. */
    bool (*joint)(const ad_call *c, const ad_tangent *t, int64_t D, ad_tangent *out);
    /* Σ over elements of v̄·D²y[t, t] for each direction, of v̄ under `mask` (null: none): [D]. NULL, of a SMOOTH op:
     * from `adjoint`, a direction at a time. */
    ad_var (*curvature)(const ad_call *c, ad_var vbar, ad_var mask, const ad_tangent *t, int64_t D);
    /* Of a reduction over samples: ⟨ȳ, ∂y/∂ωₙ⟩, ωₙ the weight of sample n (derive/influence.c). */
    ad_var (*weight)(const ad_call *c, ad_var ybar);
} ad_structure;

#define STRUCTURAL(name, arguments, smooth) extern const ad_structure ad_structure_##name;
#define BATCH(name, arguments, smooth) extern const ad_structure ad_structure_##name;
#include "autodiff/tape/ops.def"

/* NULL for leaves and elementwise ops. (structures.c) */
extern const ad_structure *const ad_structures[OP_COUNT];

/* -- shapes (reshape.c) -- */
ad_var ad_move_dim(ad_var x, int from, int to); /* the others in order */

/* -- sums (reduce.c, batch_reduce.c) -- */
ad_var ad_sum_range(ad_op op, ad_var x, int first, int count);
ad_var ad_sum_but_first(ad_var x); /* [D, s…] → [D] */
ad_var ad_softmax_range(ad_var x, int first, int count);
ad_var ad_batch_reduce(ad_op op, int32_t axis, ad_var x);
/* A reduction's result with its dropped dimensions back, repeated to the shape of its argument. */
ad_var ad_unreduce(const ad_node *node, ad_var reduced, ad_var argument);

/* -- products (matmul.c) -- */
ad_var ad_matmul_core(ad_var a, bool ta, ad_var b, bool tb); /* [L,m,k] and [L,k,n], L may be 1 in either */
ad_var ad_batch_matmul_core(int32_t axis, ad_var a, ad_var b); /* [k,m] and [k,n] → [m,n] */

/* -- factorisations (solve.c) -- */
bool ad_check_square(const char *op, ad_var A); /* false, with the tape's error set, where A is no matrix [n,n] */
ad_var ad_solve_core(ad_op op, ad_var A, bool transposed, ad_var B); /* [n,n], [n,m] → [n,m] */
ad_var ad_symmetric_part(ad_var v); /* (A + Aᵀ)/2, of the last two dimensions */
ad_var ad_lower(ad_tape *tape, int64_t n, double diagonal); /* 1 below the diagonal, 0 above */
ad_var ad_mask_whole(const ad_call *c, ad_var mask, int which); /* all of the argument, where anything was taken */
/* [D,n,m] as the D·m columns of one matrix, and back. */
ad_var ad_beside(ad_var t);
ad_var ad_apart(ad_var columns, int64_t D);

/* -- variables (variable.c) -- */
bool ad_is_independent(ad_var v); /* an input, a parameter or a variable */
/* v itself where it is independent, else a variable of v: the same one each time, for callers that hand v to somebody
 * who may differentiate by it, and to nobody else. Null of null. */
ad_var ad_as_variable(ad_var v);

/* -- recording again (again.c) -- */
ad_var ad_rebuild(const ad_node *node, const ad_var *in); /* the node on other inputs */
/* Records the nodes 0 … count − 1 that are marked on now[] of their inputs, and writes where they are to now[]; with
 * `erase` a variable is what it was made of. What is not marked stays what now[] says. */
void ad_record_again(ad_tape *tape, int64_t count, const bool *again, bool erase, int32_t *now);
/* The outputs, recorded again without variables; nothing is recorded where they need none. After an error, MEMORY
 * mostly, the tape is as good as it was. */
gibbs_status ad_erase_variables(ad_var *output, int outputs, gibbs_error *error);
int ad_most_arguments(const ad_tape *tape, int64_t count); /* of the nodes 0 … count − 1, at least 1 */

/* -- scans (scan.c) -- */
/* A loop while it is made. `from` has the first states, then the inputs of all steps. */
typedef struct ad_scan_parts {
    ad_loop loop; /* but for its lists of nodes */
    const ad_var *given, *from; /* [states + inputs] */
    const ad_var *next;         /* [states] */
    const ad_var *listed;
    int lists;
    ad_var length; /* null: none */
} ad_scan_parts;
ad_var ad_scan_record(ad_tape *tape, const ad_scan_parts *parts); /* the scan's node */
ad_var ad_scan_last(ad_var scan, int state);
ad_var ad_scan_of(ad_op op, ad_var scan, ad_var of); /* a stack or a sum of a node of the body */
/* What the body is: nodes that depend on what a step gives, those included. NULL, with the tape's error set, when
 * memory is out; the caller's, one place a node of the tape. */
bool *ad_scan_inside(ad_tape *tape, const ad_loop *loop);
/* The scan again on other inputs, its body by `rebuild`, which keeps a node's axis. (scan_again.c) */
typedef ad_var ad_rebuilder(const ad_node *node, const ad_var *in);
ad_var ad_scan_again(const ad_node *node, const ad_var *in, ad_rebuilder *rebuild);

/* -- masks and tangents (dense.c) -- */
ad_var ad_masked_if(ad_var mask, ad_var v); /* v where there is no mask */
/* The dense form [D, s…] of a tangent of `node`, zero included. */
ad_var ad_tangent_dense(ad_var node, ad_tangent t, int64_t directions);
/* v where the unit matrix of n rows, in `shape`, is 1, else 0; v itself where n is 1. */
ad_var ad_where_equal(int64_t n, ad_shape shape, ad_var v);

/* Lifts whichever of two operands is shared while the other is per-sample; false when their axes differ. (slice.c) */
bool ad_same_axis(const char *op, ad_var *a, ad_var *b);
bool ad_check_dim(const char *op, ad_var x, int dim);
/* n values that fit along dimension `dim`, side by side: one node of n inputs. (slice.c) */
ad_var ad_join(const ad_var *x, int n, int dim);

#endif
