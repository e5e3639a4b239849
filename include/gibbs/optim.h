/* gibbs/optim.h — optimisers. They see a parameter vector as (n, w, g) and know nothing of energies. */
#ifndef GIBBS_OPTIM_H
#define GIBBS_OPTIM_H

#include <gibbs/status.h>

GIBBS_API_BEGIN

/* What one update needs besides w and g. `step` counts from 0. */
typedef struct ebm_optim_step {
    int64_t step;
    double rate;         /* learning rate of this step, after the schedule */
    double momentum;     /* SGD and RMSprop: μ */
    double beta1, beta2; /* Adam and AdamW; RMSprop: α is beta2 */
    double epsilon;      /* all but SGD */
    double weight_decay; /* λ: of the L2 penalty ½λ‖w‖², or of a decay of the weights (`decoupled` below). ebm_fit sees
                            to both itself, as a learnt log Z is no weight, and passes 0 here */
    int threads;         /* over which many parameters are shared out; 0: OMP_NUM_THREADS, else all processors. The bits
                            are the same */
} ebm_optim_step;

/* A first-order method: a const struct. It keeps `slots` vectors of n numbers of the model's dtype, zero at the
 * start, contiguous in `state`. `update` changes w and state in place; g is read only. You can write your own. w, state
 * and the number of the step are all that an update depends on: saved and loaded, they go on with the same bits. */
typedef struct ebm_optimizer {
    const char *name;
    int slots;
    void (*update)(gibbs_dtype dtype, int64_t n, void *w, const void *g, void *state, const ebm_optim_step *args);
    int decoupled; /* weight decay is w ← (1 − rate·λ)w before the update, and no part of the gradient */
} ebm_optimizer;

extern const ebm_optimizer ebm_sgd;  /* v ← μv + g; w ← w − rate·v (Polyak 1964) */
extern const ebm_optimizer ebm_adam; /* Kingma & Ba 2015, algorithm 1, with bias correction */
/* Adam with decoupled weight decay: w ← (1 − rate·λ)w − rate·m̂/(√v̂ + ε). Loshchilov & Hutter 2019, algorithm 2, whose
 * λ is rate·λ here, as it is in PyTorch: the decay follows the schedule. */
extern const ebm_optimizer ebm_adamw;
/* v ← αv + (1 − α)g²; u ← μu + g/(√v + ε); w ← w − rate·u. Tieleman & Hinton 2012, lecture 6.5, with PyTorch's ε and
 * momentum; its default α is 0.99. */
extern const ebm_optimizer ebm_rmsprop;

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

/* The same after a linear warm-up (Goyal et al. 2017): rate·(step + 1)/warmup for the first `warmup` steps, then the
 * schedule over the steps − warmup that remain. None when warmup <= 0. */
double ebm_schedule_warmed(ebm_schedule schedule, double rate, int64_t step, int64_t steps, int64_t warmup);

/* Adds the parameters w after update `step` (from 0) to an exponential moving average a ← βa + (1 − β)w from a = 0,
 * and keeps it with its bias corrected: average = a/(1 − β^(step+1)), after the first call w itself (Kingma & Ba 2015,
 * section 7.2; Polyak & Juditsky 1992). `average` has n doubles, whatever the dtype, which the first call sets.
 * 0 <= beta < 1. */
void ebm_average(gibbs_dtype dtype, int64_t n, double *average, const void *w, double beta, int64_t step);

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
 * best point seen and the status comes back. The end of the line search at machine precision is no error, nor is an f
 * without a lower bound: the line search runs far down it and gives up, with converged 0 and a huge w. */
gibbs_status ebm_lbfgs(int64_t n, double *w, ebm_objective_fn objective, void *context,
                       const ebm_lbfgs_options *options, ebm_lbfgs_result *result, gibbs_error *error);

GIBBS_API_END
#endif
