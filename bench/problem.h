/* problem.h — one case made ready to run with our library: the same parameters, data and seeds every time. */
#ifndef BENCH_PROBLEM_H
#define BENCH_PROBLEM_H

#include "direct.h"

typedef struct bench_problem {
    const bench_case *c;
    gibbs_dtype dtype;
    int threads;
    ebm_model *model;
    ebm_proposal *proposal;
    ebm_objective *objective; /* NULL for sampling alone */
    ebm_chains *chains;       /* sampling alone */
    bench_direct *direct;     /* a case without a model, which has nothing of what is above and below */
    double *data;             /* numbers that float32 holds exactly, so that both dtypes see the same */
    void *x;                  /* the data in the problem's dtype */
    void *moments;            /* Adam's state */
    uint64_t step;            /* timed steps taken */
} bench_problem;

enum { BENCH_SEED = 1 };

/* On error everything is freed. `threads` 0 means what OpenMP gives. */
gibbs_status bench_problem_open(const bench_case *c, gibbs_dtype dtype, int threads, bench_problem *p,
                                gibbs_error *error);
void bench_problem_close(bench_problem *p);

/* What the case minimises; NULL for sampling alone and for a case without a model. */
const ebm_loss *bench_problem_loss(const bench_problem *p);

/* The gradient that is compared: by the parameters, log Z included; for sampling ∇xE at the data; without a model, all
 * outputs but the value. */
int64_t bench_problem_size(const bench_problem *p);
/* Loss and gradient at the parameters and artificial points of the opened problem, before any step. */
gibbs_status bench_problem_answer(bench_problem *p, double *value, double *gradient, gibbs_error *error);

/* The work that is timed, once. */
gibbs_status bench_problem_step(bench_problem *p, gibbs_error *error);

/* The options that the problem's chains run with; reference.c repeats those of CD. */
ebm_chain_options bench_chain_options(int threads);

#endif
