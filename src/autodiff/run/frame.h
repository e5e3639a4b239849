/* frame.h — what an instruction runs in, and what runs it. */
#ifndef GIBBS_FRAME_H
#define GIBBS_FRAME_H

#include "autodiff/plan/plan.h"
#include "base/float_word.h"

typedef struct ad_frame {
    const ad_plan *plan;
    const ad_stage *stage;
    const ad_kernels *kernels;
    char **base;
    char *const *start; /* the bases of slots before they were moved to the block */
    char *room;        /* for a product or a factorisation: this thread's */
    int64_t rows;      /* of the root axis, in this block; 1 in shared code */
    int64_t all_rows;  /* the same, in all blocks */
    int64_t row0;      /* global number of the first */
    const int64_t *axis_rows; /* all rows of each root axis */
    bool first;        /* the shard's first block: start the accumulators */
    bool first_shard;
    uint64_t seed, step;
    int64_t turn;      /* which step of the loops that it is in, counted through; −1: in none */
    int64_t turns;     /* how often the loop that was begun last runs */
    gibbs_float_word host; /* of who called ad_run: users' kernels run under it */
    gibbs_error *error;
} ad_frame;

static inline char *ad_address(const ad_frame *f, const ad_operand *at)
{
    return f->base[at->base] + at->offset;
}

/* How often an instruction runs in the block. */
static inline int64_t ad_rows_of(const ad_frame *f, const ad_instruction *i) { return f->rows * i->factor; }

/* What instruction kinds are done by: exec.c, loops.c. */
typedef gibbs_status ad_executor(const ad_instruction *, ad_frame *);
#define INSTRUCTION(name, in_place, cut, first, others, operands, sizes) ad_executor ad_run_##name;
#include "autodiff/plan/plan.def"
extern ad_executor *const ad_executors[]; /* by action */

/* Sets the error to a sentence on why row `row` of the block's has no factors; false where that is not known.
 * (factorise.c) */
bool ad_explain_factors(const ad_instruction *i, const ad_frame *f, int64_t row);

gibbs_status ad_check_ranges(const ad_instruction *i, const ad_frame *f); /* ranges.c */

/* Runs `count` instructions; a loop among them, with those that it repeats, by ad_repeat. */
typedef gibbs_status ad_runner(void *context, const ad_instruction *i, int64_t count, ad_frame *f);
/* loop.c: runs the instructions behind a loop, which has been executed, for each of its turns. */
gibbs_status ad_repeat(const ad_instruction *loop, ad_frame *f, ad_runner *run, void *context);

static inline gibbs_status ad_execute(const ad_instruction *i, ad_frame *f)
{
#ifdef GIBBS_CHECK_RANGES
    gibbs_status status = ad_check_ranges(i, f);
    if (status) return status;
#endif
    return ad_executors[i->action](i, f);
}

#endif
