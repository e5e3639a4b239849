/* compile.h — the state of one compilation; private to stages.c, view.c, emit.c, pieces.c, layout.c and compile.c. */
#ifndef GIBBS_COMPILE_H
#define GIBBS_COMPILE_H

#include "plan.h"
#include "spans.h"

/* Where a node's value lies, contiguous. `stage` says for which stage's body: −1 always, −2 nowhere. */
typedef struct ad_place {
    ad_operand at;
    int64_t stage;
} ad_place;

typedef struct ad_compiler {
    ad_plan *plan;
    const ad_tape *tape;
    gibbs_error *error;
    gibbs_status status;
    int64_t count;    /* nodes looked at: 0 … the largest output */
    bool *live;       /* some output depends on it */
    bool *keep;       /* per-sample values to be stored in whole */
    bool *done;       /* shared: computed by an earlier stage or shared part; per-sample: stored */
    bool *mark, *later; /* scratch of the scheduler */
    int32_t *uses;      /* by live nodes and as an output */
    int32_t *partner;   /* fuse.c: the node that is computed by the same instruction, or −1 */
    bool *fused;        /* fuse.c: another node's instruction computes it */
    bool *gathers;      /* fuse.c: a sum of batch_matmuls and scatter_adds alone, which add up where it lies */
    int32_t *into;      /* fuse.c: the sum or the concat in whose place this node is written, or −1 */
    int32_t *at;        /* of a concat within a concat: where it begins there */
    ad_place *place;
    ad_stage *stage;  /* the one being filled */
    int64_t stage_number;
    ad_spans arena;   /* of the stage being filled */
    ad_spans shared;  /* of all stages */
    int64_t block_bytes;
    bool stores;      /* keep all that later stages read, rather than compute it again */
    bool recomputes;  /* some body computes again what an earlier one did */
} ad_compiler;

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

/* What a consumer asks of an operand: that each row be contiguous; that the rows lie behind each other, something else
 * between them or not; or that nothing lie between. */
typedef enum ad_need { NEED_ROW, NEED_ROWS_APART, NEED_ROWS } ad_need;

gibbs_status ad_compile_fail(ad_compiler *c, gibbs_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* stages.c: fills the plan's stages */
void ad_schedule(ad_compiler *c, const ad_var *outputs, int count);

/* view.c */
bool ad_is_view(ad_op op);
bool ad_row_tight(const ad_shape *shape, const int64_t *stride); /* a sample's numbers follow each other */
ad_view ad_view_of(ad_compiler *c, int32_t node);
ad_operand ad_contiguous(ad_compiler *c, int32_t node, ad_need need);
ad_nest ad_plan_nest(const ad_tape *tape, int32_t node, const ad_view *view, int n);
ad_loops ad_pack_nest(ad_compiler *c, const ad_nest *nest, int operands);
bool ad_inner_ok(const ad_nest *nest, int operand);
bool ad_is_spread(const ad_nest *nest, int operand, int64_t size); /* by the executor, each time */

/* fuse.c */
void ad_fuse(ad_compiler *c, const bool *cone); /* fills `partner` and `fused` for the nodes of a body */
void ad_fuse_sums(ad_compiler *c);              /* fills `into`, `at` and `gathers`, once */
void ad_pull_family(ad_compiler *c, bool *cone); /* into the body: what a function in it shares work with */

/* pieces.c */
void ad_take_pieces(ad_compiler *c, int32_t node); /* fills `into` and `at` for what is part of the node */
int32_t ad_piece_of_sum(const ad_compiler *c, int32_t node); /* the term that is added where the other lies, or −1 */
bool ad_is_piece(const ad_compiler *c, int32_t node);        /* such a term: the sum's instruction computes it */
void ad_emit_pad(ad_compiler *c, int32_t node);
void ad_emit_concat(ad_compiler *c, int32_t node);
void ad_emit_sum_with_piece(ad_compiler *c, int32_t node, int32_t piece);

/* place.c */
static inline int64_t ad_number_size(const ad_compiler *c) { return (int64_t)c->plan->kernels->size; }
static inline int64_t ad_aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }
ad_operand ad_place_new(ad_compiler *c, int32_t node); /* memory for a node's value, in the current stage */
void ad_place_carried(ad_compiler *c); /* gives carried inputs a buffer, filled before each repetition */
int64_t *ad_chunk_new(ad_compiler *c, int64_t numbers); /* at most a few hundred; NULL after the error */
int32_t ad_slot_new(ad_compiler *c, ad_slot_kind kind, int32_t node);

/* emit.c */
void ad_emit_node(ad_compiler *c, int32_t node);
bool ad_has_emitter(ad_op op);
void ad_emit_copy(ad_compiler *c, int32_t node, const ad_view *from);
void ad_emit_indexed(ad_compiler *c, int32_t node, const ad_operand *to); /* to: to be added to; NULL: a new place */
ad_instruction ad_blank(ad_compiler *c, int32_t node, ad_action action);
void ad_append(ad_compiler *c, const ad_instruction *i, bool shared);

/* layout.c */
void ad_layout(ad_compiler *c, ad_stage *stage);
void ad_layout_shared(ad_compiler *c); /* when all stages are filled and the outputs known */

#endif
