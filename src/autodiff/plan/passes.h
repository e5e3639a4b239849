/* passes.h — compiling is five passes, each of them linear; what one writes the next ones read, and none calls another.
 *
 *   live.c     what is needed                                         → live, inside, uses of each node; loops of steps
 *   order.c    in which stages and in which order                     → kept of each node; stages of steps
 *   values.c   what the value of each step is: the result of an instruction, of another's instruction, strides of what
 *              lies elsewhere, a part of something larger, a sum of terms → form of each step; into, at, gathers
 *   emit.c     instructions; their operands lie in spans of memory, which have no address yet   → the plan's code
 *   layout.c   the first and the last instruction that a span is needed by, and its address     → the plan
 *
 * Instructions come before lifetimes, as in other compilers: a value lives as long as instructions read it, and only
 * who writes an instruction sees which strides it cannot read, so that a copy is read instead.
 *
 * A node has one row in `value`. It is computed in one step, or in several where a later stage computes it again. */
#ifndef GIBBS_PASSES_H
#define GIBBS_PASSES_H

#include "node.h"
#include "plan.h"
#include "spans.h"

#include "autodiff/tape/print.h"

/* Where a node's value lies, contiguous. `stage` says for which stage's body: AD_EVERYWHERE, or AD_NOWHERE. */
enum { AD_EVERYWHERE = -1, AD_NOWHERE = -2, AD_RESERVED = -3 /* not yet, but it will be at `at` */ };
typedef struct ad_place {
    ad_operand at;
    int64_t stage;
} ad_place;

typedef struct ad_value {
    /* live.c */
    bool live;    /* some output depends on it */
    bool inside;  /* it has a value in the body of a scan only */
    bool lent;    /* a loop reads it again and again: it is computed, and stays as it is */
    int32_t uses; /* by live nodes and as an output */
    /* order.c */
    bool kept;    /* per-sample, and stored in whole */
    /* values.c */
    bool gathers; /* a sum of batch_matmuls and scatter_adds alone, which add up where it lies */
    bool hidden;  /* windows of images, or a product that is added up as such: made a panel at a time by who reads it */
    int32_t shown; /* a reshape that is kept, which alone reads this one: it is computed there; or −1 */
    int32_t into; /* the sum or the concat in whose place this one is written, or −1 */
    int32_t joined; /* the shared concat or pad of which this one is a piece without gaps: it is computed there;
                       or −1 */
    bool in_parts; /* of a concat or pad: a piece of it is read by others, too, where it lies */
    int32_t at;     /* of what is written into a concat or pad: at which number of the dimension it begins there */
    /* emit.c */
    int8_t depth; /* of the loop in which it is computed; 0: in none */
    ad_place place;
} ad_value;

/* What a step is for. */
typedef enum ad_form {
    FORM_OWN,          /* the instruction of its op */
    FORM_NONE,         /* nothing: the value is a view, or a gathering sum, or another step's instruction computes it */
    FORM_STORED_VIEW,  /* a view that is kept: a copy of what it shows */
    FORM_PRODUCT_SUM,  /* a product that is added to with[1] is written where the sum lies: with[0] */
    FORM_PIECE_SUM,    /* the same of what covers only a part of the sum: a pad, or a table that is scattered into */
    FORM_GIVEN,        /* nothing: it is what a step of the loop gives, number with[0] */
    FORM_FAMILY        /* one instruction for this function of its argument and for those of with[] */
} ad_form;

typedef struct ad_plan_step {
    int32_t node;
    ad_form form;
    int32_t with[2]; /* nodes, or −1 */
} ad_plan_step;

/* Steps `first` to `body` − 1 run once, then those up to `end` over the rows of the root axis, −1 for none. */
typedef struct ad_stage_steps {
    int32_t axis;
    int64_t first, body, end;
} ad_stage_steps;

/* The steps of a scan's body: what it is given among them. */
typedef struct ad_plan_loop {
    int32_t scan;
    int64_t first, end;
} ad_plan_loop;

/* Per-sample values of all steps of a loop, as it has written them: step by step, each with the rows of a full
 * block. The first is number `first` of what lies at `at`. */
typedef struct ad_stacked {
    int32_t node;
    int64_t stage, first;
    ad_operand at;
} ad_stacked;

enum { AD_MAX_DEPTH = 8 }; /* of loops in loops */

typedef struct ad_compiler {
    ad_plan *plan;
    const ad_tape *tape;
    const ad_var *output;
    int outputs;
    const ad_carry *carry;
    int carries;
    int64_t block_bytes; /* 0: chosen */
    ad_printer *show;    /* hears what each pass wrote; NULL: nobody */
    bool stores;         /* keep all that later stages read, rather than compute it again */
    gibbs_error *error;
    gibbs_status status;

    int64_t count; /* nodes looked at: 0 … the largest output */
    ad_value *value;
    ad_plan_step *step;
    int64_t steps, step_capacity;
    ad_stage_steps *stage_steps;
    int64_t stages, stage_capacity;
    ad_plan_loop *loop;
    int64_t loops, loop_capacity;
    bool recomputes; /* some body computes again what an earlier one did */

    ad_spans arena, shared; /* of all bodies; of what stages share */
    ad_stage *stage;        /* the one that instructions are written for */
    int64_t stage_number;
    ad_stacked *stacked;
    int64_t stacks, stacked_capacity;
    int depth;                      /* of the loop that instructions are written for */
    int64_t opened[AD_MAX_DEPTH]; /* where the instructions of the loops around begin */
    bool in_shared;                 /* these loops are shared code */
    double times;                   /* how often such instructions run */
} ad_compiler;

/* panels.c, of the second pass: which values are hidden. */
void ad_hide_windows(ad_compiler *c);
/* The hidden windows that a product, or one over a batch, has for a left factor; −1: it has others. */
int32_t ad_hidden_windows(const ad_compiler *c, int32_t product);
/* The hidden product that windows that are added up are; −1: none. */
int32_t ad_hidden_product(const ad_compiler *c, int32_t overlap);

/* print_passes.c: what the pass before wrote. */
void ad_print_live(const ad_compiler *c, ad_printer *p);
void ad_print_order(const ad_compiler *c, ad_printer *p);
void ad_print_values(const ad_compiler *c, ad_printer *p);

void ad_find_live(ad_compiler *c);
void ad_order(ad_compiler *c);
void ad_find_values(ad_compiler *c);
void ad_emit(ad_compiler *c);
void ad_layout(ad_compiler *c);

/* carry.c: ARGUMENT, SHAPE for what is no pair, before the first pass, and for what cannot be carried, behind it. */
void ad_check_pairs(ad_compiler *c);
void ad_check_one_pass(ad_compiler *c);

/* memory.c: the first error stays. */
gibbs_status ad_compile_fail(ad_compiler *c, gibbs_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
gibbs_status ad_out_of_memory(ad_compiler *c);
/* Room for one more of an array; false after the error. */
bool ad_one_more(ad_compiler *c, void *array, int64_t *capacity, int64_t count, size_t size);

static inline const ad_node *ad_node_at(const ad_compiler *c, int64_t id) { return &c->tape->node[id]; }
static inline int64_t ad_number_size(const ad_compiler *c) { return (int64_t)c->plan->kernels->size; }
static inline int64_t ad_aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/* What a reshape that is read once is made of. */
static inline int32_t ad_unshaped(const ad_compiler *c, int32_t id)
{
    while (ad_node_at(c, id)->op == OP_reshape && c->value[id].uses == 1 && !c->value[id].lent && !c->value[id].kept)
        id = ad_node_at(c, id)->in[0];
    return id;
}

#endif
