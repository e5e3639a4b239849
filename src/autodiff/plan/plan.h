/* plan.h — a compiled tape: stages of instructions over memory whose addresses are a base and an offset.
 *
 * A plan is a list of stages. A stage first runs its shared instructions once, then its body over the rows of one
 * root axis in blocks, split into shards that threads take; then the shards' accumulators are added up, in their
 * order, into shared memory. Which rows a shard and a block have depends on sizes only, never on threads.
 *
 * Invariants:
 *   1. A body instruction reads shared memory, what earlier instructions of its block wrote, inputs and rows
 *      stored by earlier stages; it writes the arena of its thread, the accumulators of its shard (which no body reads)
 *      or its own rows of stored memory. So blocks are independent.
 *   2. An operand's address is base[operand.base] + operand.offset. Bases of inputs and stored values are moved to
 *      the block's first row before it runs; arena offsets are the same for every block.
 */
#ifndef GIBBS_PLAN_H
#define GIBBS_PLAN_H

#include "autodiff/kernel/kernels.h"

enum { AD_BASE_ARENA, AD_BASE_SHARED, AD_BASE_ACCUMULATOR, AD_BASE_SLOTS };
enum { AD_MAX_LOOPS = AD_MAX_RANK + 1, AD_OPERANDS = 1 + AD_MAX_ARGUMENTS };
enum { AD_SHORT_BYTES = 256 }; /* an innermost loop over so much is made longer, see loops.c */

typedef struct ad_operand {
    int32_t base;
    int32_t span;       /* of the arena's or of shared memory's spans; −1: slots, accumulators, constants */
    int64_t offset;     /* bytes */
    int64_t row_stride; /* numbers from one row to the next; 0 for a value that all rows share */
} ad_operand;

/* A strided loop nest; operand 0 is written, and contiguous. The size of loop `rows` is multiplied by the number
 * of rows of the block. Most nests are one loop, and plans have 10⁵ instructions: so the numbers lie in the plan's
 * chunks, as many as there are. */
typedef struct ad_loops {
    int count, rows;     /* rows: −1 for none */
    const int64_t *size; /* [count], then the strides of each operand, in numbers */
} ad_loops;

static inline int64_t ad_stride(const ad_loops *l, int operand, int loop)
{
    return l->size[(1 + operand) * l->count + loop];
}

typedef enum ad_action {
#define INSTRUCTION(name, in_place, cut, first, others, operands, sizes) DO_##name,
#include "plan.def"
    DO_COUNT
} ad_action;

typedef struct ad_instruction {
    ad_action action;
    ad_op op;
    int32_t node;
    int32_t axis; /* −1 in a stage's shared part */
    int32_t nin;  /* how many operands are read, those that plan.def names behind them apart */
    int64_t factor;       /* rows for each row of the block (child axes) */
    int64_t count;        /* numbers written for one row */
    const int64_t *shape; /* of the result: its rank, then its dimensions */
    union {
        ad_operand operand[AD_OPERANDS]; /* whatever the action is; 0 is the result */
#define NAMES(...) __VA_ARGS__
#define INSTRUCTION(name, in_place, cut, first, others, operands, sizes) \
    struct {                                                             \
        union {                                                          \
            ad_operand operand[AD_OPERANDS];                             \
            struct {                                                     \
                ad_operand NAMES operands;                               \
            };                                                           \
        };                                                               \
        sizes                                                            \
    } name;
#include "plan.def"
#undef NAMES
    };
} ad_instruction;

static inline const ad_loops *ad_loops_of(const ad_instruction *i)
{
    return i->action == DO_copy ? &i->copy.loops : &i->elementwise.loops;
}

/* Whether it has an operand of that number: not all do that plan.def names. */
static inline bool ad_has_operand(const ad_instruction *i, int k)
{
    const int8_t *result = i->logistic.result;
    if (i->action == DO_logistic && k > 1) return result[0] == k || result[1] == k || result[2] == k;
    if (i->action == DO_loop) return k == 1 && i->loop.by_length;
    if (k <= i->nin || (i->action == DO_softmax && k == 2)) return true;
    bool adds_up = i->action == DO_batch_matmul || i->action == DO_window_batch;
    bool starts = i->action == DO_matmul ? i->matmul.starts : i->action == DO_window_matmul && i->window_matmul.starts;
    return k == 3 && (adds_up || starts);
}

/* One accumulator of a body: doubles, but for matrix products, which accumulate in the plan's number type, and those of
 * the first shard in the result itself. */
typedef struct ad_accumulator {
    ad_op op;
    int64_t count;    /* numbers of the result */
    int64_t offset;   /* in a shard's accumulators, bytes */
    ad_operand result;
    int32_t axis;
    int32_t of; /* the node whose samples it adds up; −1: of two */
} ad_accumulator;

/* Doubles for each number: a logsumexp has a maximum and a sum. */
static inline int ad_accumulated(ad_op op) { return op == OP_batch_logsumexp || op == OP_batch_rest ? 2 : 1; }

/* Memory in slices, one for each step of a loop: a slot that is none of the user's lies at the step's. A state has a
 * slice more than there are steps, or two in turn: slice 0 is the first one, and a step writes the next. */
typedef struct ad_move {
    int32_t slot;
    bool state;   /* else by the step's number */
    bool written; /* slices of steps that are not run become 0 */
    bool by_row;  /* each row has all of its slices */
    ad_operand at;
    int64_t first, slices;     /* the slice of the first step; how many there are, and after the last comes the first */
    int64_t bytes, row_bytes;  /* from one slice to the next: so many, and so many for each row of a full block */
} ad_move;

/* What instructions point to. */
typedef struct ad_chunk {
    struct ad_chunk *next;
    int64_t used, number[4000];
} ad_chunk;

typedef struct ad_code {
    ad_instruction *at;
    int64_t count, capacity;
} ad_code;

typedef struct ad_stage {
    ad_code shared, body;
    int32_t axis; /* the root axis of the body; −1 when there is none */
    ad_accumulator *accumulator;
    int64_t accumulators, accumulator_capacity;
    int64_t accumulator_bytes; /* of one shard, in whole cache lines */
    int64_t arena_row_bytes;   /* of one row of the block; all buffers of the body share it by liveness */
    int64_t block_rows;
    double row_cost;           /* a guess in nanoseconds, that decides the number of shards */
    double gemm_flops, gemv_flops;
} ad_stage;

typedef enum ad_slot_kind { SLOT_INPUT, SLOT_STORED, SLOT_MOVED } ad_slot_kind;

/* Memory outside the arena: bound inputs, and per-sample values kept from stage to stage or as outputs. Or a name for
 * where a loop is in memory that lies elsewhere (moved). */
typedef struct ad_slot {
    ad_slot_kind kind;
    int32_t node, axis; /* axis −1: a parameter */
    int64_t count;      /* numbers a row */
    int64_t factor;
    int32_t leaf;       /* inputs: the node on the tape; moved: the plan's move */
    char *name;
} ad_slot;

typedef struct ad_output {
    ad_operand at;
    int32_t axis;  /* −1: shared */
    int64_t count;
} ad_output;

typedef struct ad_carried {
    int32_t from_slot;  /* the stored output */
    int32_t into_slot;  /* the bound input */
    ad_operand buffer;  /* where the body reads the input */
    int64_t row_bytes;
} ad_carried;

/* The memory of a span: bytes behind the base; in an arena, of one row. Kept in a build that checks them (ranges.c). */
typedef struct ad_range {
    int64_t begin, bytes;
} ad_range;

struct ad_plan {
    gibbs_allocator alloc;
    gibbs_dtype dtype;
    const ad_kernels *kernels;
    ad_stage *stage;
    int64_t stages, stage_capacity;
    ad_chunk *chunk;
    ad_move *move;
    int64_t moves, move_capacity;
    ad_slot *slot;
    int64_t slots, slot_capacity;
    char *constants;  /* the first `constant_bytes` of shared memory */
    int64_t constant_bytes, constant_capacity;
    int64_t shared_bytes;
    ad_output *output;
    int outputs;
    ad_carried *carried; /* those whose input the body reads */
    int carries;
    bool repeats;        /* carries were asked for */
    ad_axis_info *axis;
    int64_t axes;
    bool *counted; /* root axes whose rows must be known: those of bodies, and those that are counted or indexed */
    const ad_tape *tape; /* to tell vars of this tape from others by address only; never followed */
    int64_t tape_size;
    bool *leaf;          /* which nodes can be bound */
    double shared_gemm_flops;
    int64_t room;    /* bytes that products and factorisations take of a workspace, for each thread */
    ad_range *range[2]; /* [AD_BASE_ARENA], [AD_BASE_SHARED]: of each span; or NULL */
    ad_plan *storing; /* the twin that computes nothing twice, or NULL */
};

#endif
