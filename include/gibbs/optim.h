/* gibbs/optim.h — optimisers. They see a parameter vector as (n, w, g) and know nothing of energies. */
#ifndef GIBBS_OPTIM_H
#define GIBBS_OPTIM_H

#include <gibbs/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What one update needs besides w and g. `step` counts from 0. */
typedef struct ebm_optim_step {
    int64_t step;
    double rate;         /* learning rate of this step, after the schedule */
    double momentum;     /* SGD: μ of v ← μv + g, w ← w − rate·v */
    double beta1, beta2; /* Adam */
    double epsilon;      /* Adam */
    double weight_decay; /* the L2 penalty ½·decay·‖w‖²; ebm_fit adds decay·w to g itself and passes 0 here */
} ebm_optim_step;

/* A first-order method: a const struct. It keeps `slots` vectors of n numbers of the model's dtype, zero at the
 * start, contiguous in `state`. `update` changes w and state in place; g is read only. You can write your own. */
typedef struct ebm_optimizer {
    const char *name;
    int slots;
    void (*update)(gibbs_dtype dtype, int64_t n, void *w, const void *g, void *state, const ebm_optim_step *args);
} ebm_optimizer;

extern const ebm_optimizer ebm_sgd;  /* v ← μv + g; w ← w − rate·v (Polyak 1964) */
extern const ebm_optimizer ebm_adam; /* Kingma & Ba 2015, algorithm 1, with bias correction */

/* Scales g so that its Euclidean norm is at most `limit` (no limit when limit <= 0). Returns the norm before. */
double ebm_clip_gradient(gibbs_dtype dtype, int64_t n, void *g, double limit);

/* A learning-rate schedule: rate(step) for step = 0 … steps−1. */
typedef enum ebm_schedule {
    EBM_SCHEDULE_CONSTANT, /* rate */
    EBM_SCHEDULE_LINEAR,   /* rate·(1 − step/steps) */
    EBM_SCHEDULE_COSINE,   /* rate·½(1 + cos(π·step/steps)) */
    EBM_SCHEDULE_INVERSE   /* rate/(1 + step/tenth), tenth = steps/10: Robbins-Monro */
} ebm_schedule;
double ebm_schedule_rate(ebm_schedule schedule, double rate, int64_t step, int64_t steps);

/* A deterministic objective: writes f(w) and ∇f(w); any status but OK stops the minimisation with it. */
typedef gibbs_status (*ebm_objective_fn)(void *context, int64_t n, const double *w, double *f, double *g,
                                         gibbs_error *error);

typedef struct ebm_lbfgs_options {
    int memory;           /* corrections kept; 0 means 6 */
    int max_iterations;   /* 0 means 500 */
    double tolerance;     /* stop when ‖g‖ ≤ tolerance·max(1, ‖w‖); 0 means 1e-6 */
    int (*progress)(void *context, int iteration, double f, double gradient_norm); /* non-zero: STOPPED */
    void *context;
} ebm_lbfgs_options;

typedef struct ebm_lbfgs_result {
    int iterations, evaluations;
    double f, gradient_norm;
    int converged; /* 0 when max_iterations or the line search ended it */
} ebm_lbfgs_result;

/* Minimises by L-BFGS (liblbfgs), from w, in place. When the objective fails or the callback stops it, w holds the
 * best point seen and the status comes back. The end of the line search at machine precision is no error. */
gibbs_status ebm_lbfgs(int64_t n, double *w, ebm_objective_fn objective, void *context,
                       const ebm_lbfgs_options *options, ebm_lbfgs_result *result, gibbs_error *error);

#ifdef __cplusplus
}
#endif
#endif
