/* tape.h — the tape's inside: nodes, hash-consing, axes, sticky errors.
 *
 * Invariants:
 *   1. A node's inputs have smaller ids, so the order of the array is a topological order.
 *   2. Two nodes never have the same op, inputs, attributes, shape and axis (leaves that are inputs or parameters
 *      are told apart by `side`). Recording the same thing twice gives the same id.
 *   3. The inputs of an elementwise node all have the node's own shape and axis: broadcasting is explicit, in
 *      `expand` (within a sample) and `lift` (shared → per-sample) nodes, which cost nothing when a plan runs.
 *   4. Where a value is lifted, `lift` is outermost: a lift's input is shared, an expand's input is never a lift.
 *   5. Once `error.status` is set nothing is recorded any more.
 *   6. Constructors look through many an op, recording on its argument what was asked of it (−(−z), a transpose in a
 *      product), but never through a variable: so derivatives are by inputs, parameters and variables alone.
 */
#ifndef GIBBS_TAPE_H
#define GIBBS_TAPE_H

#include "base/base.h"

#include <gibbs/ad.h>

typedef enum ad_op {
#define LEAF(name) OP_##name,
#define UNARY(name, value, dx, smooth, low, high) OP_##name,
#define BINARY(name, value, da, db, smooth, commutes, low, high) OP_##name,
#define TERNARY(name, value, da, db, dc, smooth, low, high) OP_##name,
#define STRUCTURAL(name, arguments, smooth) OP_##name,
#define BATCH(name, arguments, smooth) OP_##name,
#include "ops.def"
    OP_COUNT
} ad_op;

typedef enum ad_kind { KIND_LEAF, KIND_UNARY, KIND_BINARY, KIND_TERNARY, KIND_STRUCTURAL, KIND_BATCH } ad_kind;
typedef enum ad_class {
    CLASS_LEAF, CLASS_LINEAR, CLASS_SMOOTH, CLASS_KINK, CLASS_PICK, CLASS_FLAT, CLASS_STOP
} ad_class;

typedef struct ad_op_row {
    const char *name;
    ad_kind kind;
    ad_class smooth;
    int arguments;
    bool commutes;
    double low, high;
} ad_op_row;

extern const ad_op_row ad_ops[OP_COUNT];

/* The op in a sentence for users: by what they wrote. (ops.c) */
const char *ad_op_said(ad_op op);

/* What `attr` holds: permute: the order; slice: dim, start; pad: dim, before, after; concat: dim; reductions: first
 * dimension and how many; cumsum: dim, whether from its end; patches, overlap_add: rows and columns of a window,
 * stride, padding; matmul: transpose flags of a and b; solves: that of a; batch ops: the axis reduced over; a scan:
 * which loop, and 1 if its last input is a length; its results: the number of the state, or in the loop's list,
 * behind the axis of a sum; what a body is given: whose, what for, which; random leaves: the family of the body in
 * which they are drawn anew each step, 0 for none. */
typedef struct ad_node {
    ad_op op;
    int nin;
    int32_t axis; /* −1: shared */
    int32_t side; /* names, arrays, user ops: an index into the tape's side table; −1 for none */
    int32_t *in; /* nin ids, which the tape owns; they don't move */
    int32_t attr[AD_MAX_RANK];
    double value;    /* constant */
    uint64_t stream; /* random leaves; the number of a variable, 0 of those that are not unique */
    ad_shape shape;
} ad_node;

typedef struct ad_axis_info {
    char *name;
    int32_t parent; /* −1: a root */
    int64_t count;  /* elements for each of the parent's; 1 for a root */
} ad_axis_info;

typedef struct ad_side {
    char *name;
    double *array;
    bool identity; /* the array is a unit matrix */
    const ad_user_op *user;
} ad_side;

/* What a scan runs: a body, as nodes of this tape. The inputs of the scan's node are the first states, the inputs of
 * all steps, what is captured, and the length. Two scans of one loop differ in these only. */
/* By what number a step's draws are told from another's: in turn `t` of a loop, in turn q of the one around it, it is
 * q·all + first + t·stride. So a step has the same in a loop over segments as in one over all steps. */
typedef struct ad_scan_numbers {
    int64_t all, first, stride;
} ad_scan_numbers;

typedef struct ad_loop {
    int64_t steps, store_bytes;
    ad_scan_numbers numbers;
    int32_t axis;   /* −1: shared */
    int32_t family; /* whose random leaves are the body's */
    int states, inputs, captured;
    bool reverse;   /* the last step first */
    bool derived;   /* the derivative of another */
    bool by_length; /* the scan's last input is how many steps are run */
    int8_t steep;   /* 1 where the body has slopes that may not be finite, −1 where not; 0: not yet known */
    int32_t *given; /* states, then inputs: nodes to which each step gives a value, whatever they were recorded from */
    int32_t *next;  /* [states] */
    int32_t *capture; /* nodes from outside that the body reads, in their order */
    int32_t *listed; /* nodes of the body of which results are made */
    int64_t lists, list_capacity;
} ad_loop;

/* A block of inputs of nodes. */
typedef struct ad_ids {
    struct ad_ids *before;
    int64_t used, capacity;
    int32_t id[];
} ad_ids;

struct ad_tape {
    gibbs_allocator alloc;
    gibbs_dtype dtype;
    gibbs_error error;
    ad_node *node;
    int64_t size, capacity;
    int32_t *table; /* open addressing; −1 is empty; table_size is a power of two */
    int64_t table_size;
    ad_axis_info *axis;
    int64_t axes, axis_capacity;
    ad_side *side;
    int64_t sides, side_capacity;
    ad_ids *ids; /* the last block of the nodes' inputs */
    uint64_t variables, derivatives; /* how often these were asked for by users */
    ad_loop **loop;
    int64_t loops, loop_capacity;
    int32_t families, family; /* bodies recorded so far; the one that is being recorded, counted from 1; 0: none */
    ad_tape *partials; /* the second derivatives of elementwise ops; NULL until one is asked for (derive/partial.c) */
};

/* -- tape.c -- */
static inline const ad_node *ad_node_of(ad_var v) { return &v.tape->node[v.id]; }
static inline ad_var ad_handle(ad_tape *tape, int32_t id) { return (ad_var){tape, id}; }
static inline ad_var ad_input_of(ad_var v, int k) { return ad_handle(v.tape, ad_node_of(v)->in[k]); }

/* Sets the tape's error unless it has one, and returns the null var. */
ad_var ad_fail(ad_tape *tape, gibbs_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The node itself, found or appended. Null when the tape has an error or memory is out. */
ad_var ad_record(ad_tape *tape, const ad_node *node);

/* Where the tape ends, and taking back what was recorded behind that, an error too: nobody may keep a var of it. */
typedef struct ad_mark {
    int64_t size, sides, used;
    ad_ids *ids;
} ad_mark;
ad_mark ad_tape_mark(const ad_tape *tape);
void ad_tape_rewind(ad_tape *tape, ad_mark mark);

/* A node of `op` on these inputs with their axis, and the given shape; fill in the rest and ad_record it. Without
 * memory it has no inputs, and the tape's error is set. */
ad_node ad_proto(ad_op op, const ad_var *in, int nin, ad_shape shape);

/* True when all vars are valid and of one tape; else the error is recorded and *tape is the tape to blame. */
bool ad_check_args(const char *op, const ad_var *v, int n, ad_tape **tape);

static inline bool ad_is_scan_result(ad_op op)
{
    return op == OP_scan_last || op == OP_scan_stack || op == OP_scan_sum;
}

static inline ad_loop *ad_loop_of(const ad_tape *tape, const ad_node *scan) { return tape->loop[scan->attr[0]]; }
/* The node of the body that a stack or a sum is of. */
static inline int32_t ad_listed(const ad_tape *tape, const ad_node *result)
{
    const ad_loop *loop = ad_loop_of(tape, &tape->node[result->in[0]]);
    return loop->listed[result->attr[result->op == OP_scan_sum]];
}

/* Marks what the marked nodes among 0 … last are made of, but not below those of `stop` (NULL: none). */
void ad_mark_sources(const ad_tape *tape, int64_t last, const bool *stop, bool *mark);

int32_t ad_side_new(ad_tape *tape, const char *name); /* −1 when memory is out */
const char *ad_axis_name(const ad_tape *tape, int32_t axis);
int32_t ad_axis_root(const ad_tape *tape, int32_t axis);
int64_t ad_axis_factor(const ad_tape *tape, int32_t axis); /* elements for each element of the root */

bool ad_rank_check(const char *op, ad_tape *tape, const ad_shape *shape); /* false, with the tape's error set */

/* True when the axis is one of the tape's; else the error is recorded. */
bool ad_axis_check(const char *op, ad_axis axis, ad_tape *tape);

/* -- shape.c -- */
bool ad_shape_equal(const ad_shape *a, const ad_shape *b);
int64_t ad_shape_part(const ad_shape *s, int from, int to); /* the product of these dimensions, without `to` */
int64_t ad_count(ad_var v);
/* Numpy's rule, aligned at the last dimension. False when they do not fit. */
bool ad_shape_broadcast(const ad_shape *a, const ad_shape *b, ad_shape *out);
ad_shape ad_shape_prepend(int64_t n, const ad_shape *s);
ad_shape ad_shape_drop(const ad_shape *s, int first, int count);
const char *ad_shape_text(const ad_shape *s, char *buffer, size_t size); /* "[3,4]" */
enum { AD_SHAPE_TEXT = 96 };

/* -- broadcast.c -- */
ad_var ad_strip(ad_var v);  /* the value below lifts and expands: what is broadcast */
ad_var ad_unlift(ad_var v); /* below a lift */
ad_var ad_on_axis(ad_var v, int32_t axis); /* a shared value on that axis; −1: as it is */
ad_var ad_broadcast_to(ad_var v, int32_t axis, ad_shape shape); /* expand, then lift */
ad_var ad_fill(ad_tape *tape, int32_t axis, ad_shape shape, double value);
bool ad_is_constant(ad_var v, double *value); /* every element is the same known number */
bool ad_is_zero(ad_var v);
/* Records proto, on the sources of its lifts when all of them are lifted. */
ad_var ad_hoist(ad_tape *tape, const ad_node *proto);

/* -- elementwise.c -- */
ad_var ad_elementwise(ad_op op, const ad_var *v, int n);
ad_var ad_chain(ad_var ybar, ad_var d);   /* ȳ·d, and 0 where ȳ is 0 and d infinite */
ad_var ad_masked(ad_var mask, ad_var v);  /* v where mask is not 0, else 0 */
ad_var ad_pole(ad_var x);                 /* x, and NaN where it is infinite */
ad_var ad_pow_slope(ad_var a, ad_var b);  /* a^b, and NaN at its pole */
/* Ops of ops.def that are there to be slopes: of the function of x, or of its derivative of order n. */
ad_var ad_tanh_slope(ad_var x);
ad_var ad_asin_slope(ad_var x);
ad_var ad_atan_slope(ad_var x);
ad_var ad_log1mexp_slope(ad_var x);
ad_var ad_log_erfc_slope(ad_var n, ad_var x);
ad_var ad_log_ndtr_slope(ad_var n, ad_var x);
ad_var ad_unit(ad_var x, ad_var norm);

/* -- leaf.c -- */
ad_var ad_eye(ad_tape *tape, int64_t n);

/* A leaf that a scan gives its value: the same one for the same owner, use, number and type. */
enum ad_scan_use { SCAN_STATE, SCAN_INPUT, SCAN_BAR, SCAN_MASK, SCAN_LIST_BAR, SCAN_LIST_MASK, SCAN_SUM, SCAN_SUM_MASK,
                   SCAN_TANGENT };
ad_var ad_scan_value(ad_tape *tape, int32_t owner, int use, int number, int32_t axis, ad_shape shape);

#endif
