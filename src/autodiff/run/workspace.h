/* workspace.h — bindings, results and scratch memory of one runner of a plan. */
#ifndef GIBBS_WORKSPACE_H
#define GIBBS_WORKSPACE_H

#include "frame.h"

typedef struct ad_memory {
    char *at;
    int64_t bytes;
} ad_memory;

struct ad_workspace {
    const ad_plan *plan;
    gibbs_allocator alloc;
    int64_t *rows;          /* of each root axis; 0 until set */
    char *shared;           /* constants and shared values */
    char **base;            /* slots: where each begins. [bases] */
    ad_memory *stored;      /* memory of stored slots. [slots] */
    ad_memory accumulators; /* all shards of the largest stage */
    ad_memory arena;        /* one for each thread */
    ad_memory tables;       /* one table of bases for each thread */
    ad_memory rooms;        /* one for products and factorisations for each thread */
    int64_t bases;
    bool ran;
    ad_workspace *storing; /* of the plan's twin; it has the same bindings and rows */
    bool twin_ran;         /* the last run was the twin's: the results are there */
};

static inline int32_t ad_root_of(const ad_plan *plan, int32_t axis)
{
    while (axis >= 0 && plan->axis[axis].parent >= 0) axis = plan->axis[axis].parent;
    return axis;
}

/* Makes memory hold `bytes`, keeping nothing; false when it is out. */
bool ad_memory_fit(const gibbs_allocator *a, ad_memory *m, int64_t bytes);

/* How a stage's rows are split: decided by sizes alone. */
typedef struct ad_split {
    int64_t rows, shards;
} ad_split;
ad_split ad_split_rows(const ad_stage *stage, int64_t rows);
int64_t ad_shard_start(ad_split split, int64_t shard);

/* shared.c: a stage's shared instructions; one accumulator of all shards, added up in their order. */
gibbs_status ad_run_shared(const ad_code *code, ad_frame *f, int threads, bool check);
void ad_add_up(const ad_workspace *w, const ad_stage *stage, const ad_accumulator *a, int64_t shards, int threads);

/* finite.c: NUMERIC when something bound, or the instruction's result, is not finite. */
gibbs_status ad_check_inputs(const ad_workspace *w, gibbs_error *error);
gibbs_status ad_check_finite(const ad_instruction *i, const ad_frame *f);

#endif
