/* emit.h — what the pass that writes instructions is made of, each of these files standing on those before it: place.c,
 * view.c, code.c, emit_windows.c, emit_sums.c, emit_moves.c, emit_scan.c, carry.c, emit.c. */
#ifndef GIBBS_EMIT_H
#define GIBBS_EMIT_H

#include "passes.h"

/* A value as its consumer sees it: an address and a stride for each dimension. */
typedef struct ad_view {
    ad_operand at;
    int64_t stride[AD_MAX_RANK];
} ad_view;

/* A loop nest while it is made: see ad_loops. */
typedef struct ad_nest {
    int count, rows;
    int64_t n[AD_MAX_LOOPS];
    int64_t stride[AD_OPERANDS][AD_MAX_LOOPS];
} ad_nest;

/* What a consumer asks of an operand: nothing; that each row be contiguous; that besides the rows lie behind each
 * other, something else between them or not; that nothing lie between, or one row be for all; that nothing lie
 * between. */
typedef enum ad_need { NEED_STRIDES, NEED_ROW, NEED_ROWS_APART, NEED_ROWS_OR_ONE, NEED_ROWS } ad_need;

/* place.c — where values live */
static inline bool ad_is_placed(const ad_compiler *c, int32_t node)
{
    int64_t stage = c->value[node].place.stage;
    return stage == AD_EVERYWHERE || stage == c->stage_number;
}
void ad_place_given(ad_compiler *c); /* leaves, in slots and among the constants */
ad_operand ad_place_new(ad_compiler *c, int32_t node); /* memory for a node's value, in the current stage */
ad_operand ad_arena_new(ad_compiler *c, int64_t row_bytes, int64_t row_stride);
ad_operand ad_shared_new(ad_compiler *c, int64_t bytes);
ad_operand ad_moved_new(ad_compiler *c, const ad_move *move, int64_t row_stride); /* where a loop is in some memory */

/* view.c — strides and loop nests */
ad_view ad_tight_view(const ad_shape *shape, ad_operand at);
bool ad_row_tight(const ad_shape *shape, const int64_t *stride); /* a sample's numbers follow each other */
/* A view node's strides from those of its source, of that shape; false when the source must be copied first. */
bool ad_derive_view(const ad_node *node, const ad_shape *source, int64_t number_size, ad_view v, ad_view *out);
/* The nest that runs over a node's rows and dimensions with the strides of view[0 … n−1]; view[0] is the result. */
ad_nest ad_plan_nest(const ad_node *node, const ad_view *view, int n);
bool ad_inner_ok(const ad_nest *nest, int operand); /* the innermost loop reads it with stride 0 or 1 */
bool ad_is_spread(const ad_nest *nest, int operand, int64_t size); /* by the executor, each time */

/* code.c — instructions, and what they read; copies that this takes come before them */
ad_instruction ad_blank(ad_compiler *c, int32_t node, ad_action action);
void ad_append(ad_compiler *c, const ad_instruction *i);
ad_loops ad_pack_nest(ad_compiler *c, const ad_nest *nest, int operands);
/* An axis whose rows an instruction has to know, as its root and the elements for each of the root's. */
void ad_count_axis(ad_compiler *c, int32_t axis, int32_t *root, int64_t *factor);
void ad_copy(ad_compiler *c, int32_t node, const ad_view *from); /* into a new place of the node's */
/* What a loop of this stage has written of the node step by step; NULL: there is none. */
const ad_stacked *ad_stacked_of(const ad_compiler *c, int32_t node);
void ad_unstack(ad_compiler *c, int32_t node); /* row by row, into a new place of the node's */
void ad_store(ad_compiler *c, int32_t node, ad_operand to); /* the node's value, tight, in the code as it is now */
ad_view ad_view_of(ad_compiler *c, int32_t node);
ad_operand ad_read(ad_compiler *c, int32_t node, ad_need need);
/* All inputs as plan.def says; where rows may be apart, only if they are wide. */
void ad_read_inputs(ad_compiler *c, int32_t node, ad_instruction *i, bool wide);
ad_instruction ad_begin(ad_compiler *c, int32_t node, ad_action action); /* with inputs, and a place for the result */

/* emit_windows.c — products with panels of windows. The windows, or the product, are hidden (panels.c). */
void ad_emit_window_matmul(ad_compiler *c, int32_t node, int32_t windows, const ad_operand *to,
                           const ad_operand *start);
ad_instruction ad_blank_window_batch(ad_compiler *c, int32_t node, int32_t windows);
void ad_emit_patches(ad_compiler *c, int32_t node);
void ad_emit_overlap(ad_compiler *c, int32_t node);

/* Room for what an instruction works in, of which each thread has one. */
static inline void ad_want_room(ad_compiler *c, int64_t bytes)
{
    if (bytes > c->plan->room) c->plan->room = ad_aligned(bytes);
}

/* emit_sums.c, emit_moves.c — instructions of their own kinds of ops */
void ad_emit_matmul(ad_compiler *c, int32_t node);
void ad_emit_product_sum(ad_compiler *c, const ad_plan_step *step);
void ad_emit_reduce(ad_compiler *c, int32_t node);
void ad_reduced_of(const ad_compiler *c, int32_t node, int64_t *outer, int64_t *reduced, int64_t *inner);
void ad_emit_cumsum(ad_compiler *c, int32_t node);
void ad_emit_accumulate(ad_compiler *c, int32_t node);
void ad_emit_batch_matmul(ad_compiler *c, int32_t node);
/* Where a term of a sum is written: the place of the sum that gathers it with others, else its own. True where another
 * term has been written there, to which this one is added. */
bool ad_place_of_sum(ad_compiler *c, int32_t node, ad_operand *at);
void ad_emit_pad(ad_compiler *c, int32_t node);
void ad_emit_concat(ad_compiler *c, int32_t node);
void ad_emit_gather(ad_compiler *c, int32_t node);
void ad_emit_scatter(ad_compiler *c, int32_t node);
void ad_emit_batch_gather(ad_compiler *c, int32_t node);
void ad_emit_batch_scatter(ad_compiler *c, int32_t node);
void ad_emit_piece_sum(ad_compiler *c, const ad_plan_step *step);

/* carry.c — inputs that are read from a buffer of the body's, and the outputs that fill it again */
void ad_place_carried(ad_compiler *c);
void ad_find_carried_slots(ad_compiler *c);

/* emit_scan.c — a scan and its results; its body's steps are emitted by `emit` */
void ad_emit_scan(ad_compiler *c, int32_t node, void (*emit)(ad_compiler *c, const ad_plan_step *step));

/* emit.c */
bool ad_has_emitter(ad_op op);
void ad_emit_step(ad_compiler *c, const ad_plan_step *step);

#endif
