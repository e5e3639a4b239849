/* gibbs/ebm.h — energy-based models: p(x) = exp(−E(x; θ))/Z(θ), low energy = likely.
 *
 * An energy is written once, for one x, as a C callback that records ad_* operations. From that graph come the
 * training losses, ∇xE for samplers, ∇θE for optimisers and exact Hessian diagonals for score matching.
 *
 *     static ad_var energy(ad_var x, const ad_var *theta, void *context) { … }
 *
 *     ebm_model_spec spec = ebm_model_defaults();          // fill in: dim, parameters, energy
 *     ebm_model *model;
 *     ebm_model_new(&spec, &model, &error);
 *     ebm_fit_options options = ebm_fit_defaults();
 *     options.loss = &ebm_loss_score_matching;
 *     ebm_fit(model, &data, &options, &report, &error);
 *
 * Sources: S0 Martino et al., A note on gradient-based parameter estimation for energy-based models; S1 Jin, Notes
 * on training of energy-based models; S3 Dai, Lecture 10; S4 Hyvärinen, Energy-based models (docs/methods.md).
 *
 * Order of this file: models, proposals, samplers, losses, fitting, normalised densities, energies that ship. What you
 * need to write a loss, a sampler or a proposal of your own is in gibbs/extend.h, which this header includes.
 */
#ifndef GIBBS_EBM_H
#define GIBBS_EBM_H

#include <gibbs/ad.h>
#include <gibbs/data.h>
#include <gibbs/optim.h>
#include <gibbs/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Models ------------------------------------------------------------------------------------------------ */

/* Records E(x; θ) for one x of shape [dim] and returns a scalar. theta[i] is the i-th parameter of the model. It is
 * called once for each place where a graph needs the energy, and must record the same function every time. */
typedef ad_var (*ebm_energy_fn)(ad_var x, const ad_var *theta, void *context);

/* How a parameter starts. */
typedef enum ebm_init {
    EBM_INIT_CONSTANT, /* every element is `scale` */
    EBM_INIT_NORMAL,   /* independent normals of standard deviation `scale` */
    EBM_INIT_GLOROT,   /* uniform on ±scale·√(6/(rows + cols)) (Glorot & Bengio 2010) */
    EBM_INIT_IDENTITY  /* scale times the unit matrix */
} ebm_init;

typedef struct ebm_parameter {
    const char *name; /* for messages and files; names of one model differ */
    ad_shape shape;
    ebm_init init;
    double scale;
} ebm_parameter;

typedef struct ebm_model_spec {
    gibbs_dtype dtype; /* float64 for statistics, float32 for networks */
    int64_t dim;       /* of x */
    const ebm_parameter *parameters;
    int parameter_count;
    ebm_energy_fn energy;
    void *context;     /* passed to `energy`; must outlive the model */
    uint64_t seed;     /* of the initial parameters */
    const gibbs_allocator *allocator;
} ebm_model_spec;

typedef struct ebm_model ebm_model;

/* float64, nothing else set. */
ebm_model_spec ebm_model_defaults(void);

/* Checks the spec by recording the energy once, and draws the initial parameters. Names are copied. Errors:
 * ARGUMENT (dim < 1, no energy, names that are empty or twice), SHAPE (E is no scalar), whatever the energy's own
 * recording reports, SIZE, MEMORY. */
gibbs_status ebm_model_new(const ebm_model_spec *spec, ebm_model **model, gibbs_error *error);
void ebm_model_free(ebm_model *model);

gibbs_dtype ebm_model_dtype(const ebm_model *model);
int64_t ebm_model_dim(const ebm_model *model);
int ebm_model_parameters(const ebm_model *model);
const char *ebm_model_parameter_name(const ebm_model *model, int i);
ad_shape ebm_model_parameter_shape(const ebm_model *model, int i);

/* All parameters, one after the other in their order, of the model's dtype: n numbers. Owned by the model; write
 * to it between calls as you like. */
int64_t ebm_model_size(const ebm_model *model);
void *ebm_model_theta(ebm_model *model);

/* Copies all parameters out or in, converted from or to double. */
void ebm_model_get(const ebm_model *model, double *theta);
void ebm_model_set(ebm_model *model, const double *theta);

/* The first number of the parameter of that name, as a double; NaN when there is none. */
double ebm_model_value(const ebm_model *model, const char *name);

/* Draws the initial parameters again, from another seed. */
void ebm_model_reset(ebm_model *model, uint64_t seed);

/* safetensors files: names, shapes and dtype. Loading needs exactly the model's names, shapes and dtype (FORMAT,
 * naming the first difference) and changes nothing when it fails. */
gibbs_status ebm_model_save(const ebm_model *model, const char *path, gibbs_error *error);
gibbs_status ebm_model_load(ebm_model *model, const char *path, gibbs_error *error);

/* E at `rows` points x (rows × dim, in double whatever the model's dtype) into energy[rows], and ∇xE into
 * gradient[rows × dim] unless it is NULL. Errors: DATA (NaN or infinity in x), ARGUMENT, MEMORY. */
gibbs_status ebm_model_energy(ebm_model *model, const double *x, int64_t rows, double *energy, double *gradient,
                              gibbs_error *error);

/* ---- Proposals: normalised densities that can be drawn from --------------------------------------------------- */

typedef struct ebm_proposal ebm_proposal; /* defined in gibbs/extend.h: you can write your own */

/* N(mean, diag(sd²)); N(mean, covariance). Arrays are copied. Errors: ARGUMENT (sd <= 0, dim < 1), NUMERIC (the
 * covariance is singular or not symmetric: the pivot is named), MEMORY. */
gibbs_status ebm_gaussian_diagonal(int64_t dim, const double *mean, const double *sd, const gibbs_allocator *allocator,
                                   ebm_proposal **q, gibbs_error *error);
gibbs_status ebm_gaussian_full(int64_t dim, const double *mean, const double *covariance,
                               const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* The Gaussian with the data's mean and its covariance (divisor rows; the diagonal only unless `full`) times
 * widen²: «the shape of p, more variance» (S0 §3.2). NUMERIC when the data's covariance is singular. */
gibbs_status ebm_gaussian_fit(const ebm_data *data, int full, double widen, const gibbs_allocator *allocator,
                              ebm_proposal **q, gibbs_error *error);

/* Frees a proposal that one of the functions above made. */
void ebm_proposal_free(ebm_proposal *q);

/* Draws y[rows × dim] and writes log q(y) to log_q[rows] (either may be NULL). Row r depends on seed, step and r
 * only. */
gibbs_status ebm_proposal_sample(const ebm_proposal *q, int64_t rows, uint64_t seed, uint64_t step, double *y,
                                 double *log_q, gibbs_error *error);
/* log q at given points. */
gibbs_status ebm_proposal_log_density(const ebm_proposal *q, const double *x, int64_t rows, double *log_q,
                                      gibbs_error *error);

/* ---- Samplers -------------------------------------------------------------------------------------------------- */

typedef struct ebm_sampler ebm_sampler; /* a const struct, defined in gibbs/extend.h */

/* Unadjusted Langevin: x − h∇E + √(2h) ε. Biased: on a Gaussian of precision λ its variance is 1/(λ(1 − hλ/2)). */
extern const ebm_sampler ebm_ula;
/* Metropolis-adjusted Langevin (Roberts & Tweedie 1996): the ULA step as a proposal, accepted with probability
 * min(1, p(x′)q(x|x′)/p(x)q(x′|x)). Exact. */
extern const ebm_sampler ebm_mala;
/* Independence Metropolis-Hastings (S0 §6): x′ ~ q, accepted with min(1, w(x′)/w(x)), w = exp(−E)/q. Needs a
 * proposal. */
extern const ebm_sampler ebm_independence_mh;

typedef struct ebm_chain_options {
    const ebm_sampler *sampler;   /* NULL: ebm_mala */
    double step;                  /* h of the Langevin samplers, > 0; default 0.01 */
    const ebm_proposal *proposal; /* of ebm_independence_mh; must outlive the chains */
    int threads;                  /* 0: OMP_NUM_THREADS, else all processors */
} ebm_chain_options;

/* Many chains side by side, one a row; all that move together take their steps inside one block of cache. */
typedef struct ebm_chains ebm_chains;

ebm_chain_options ebm_chain_defaults(void);
gibbs_status ebm_chains_new(ebm_model *model, const ebm_chain_options *options, ebm_chains **chains,
                            gibbs_error *error);
void ebm_chains_free(ebm_chains *chains);

/* Places `rows` chains at x (rows × dim), and forgets acceptances. */
gibbs_status ebm_chains_start(ebm_chains *chains, const double *x, int64_t rows, gibbs_error *error);

/* Moves every chain `steps` times; the draws are a function of seed, of the number of steps taken since the start
 * plus `step0`, and of the row. Parameters are read from the model as they are now. */
gibbs_status ebm_chains_run(ebm_chains *chains, int64_t steps, uint64_t seed, uint64_t step0, gibbs_error *error);

int64_t ebm_chains_rows(const ebm_chains *chains);
void ebm_chains_get(const ebm_chains *chains, double *x); /* rows × dim */
/* Accepted over proposed since the start, over all chains; 1 for ULA; NaN before a run. */
double ebm_chains_acceptance(const ebm_chains *chains);

/* Importance sampling (S0 eq 7, 13): y ~ q, weights w̄ ∝ exp(−E(y))/q(y). Fills y[rows × dim] and weight[rows]
 * (summing to 1; either may be NULL), log Ẑ = lse(log w) − log rows, and the effective sample size 1/Σw̄². */
typedef struct ebm_importance {
    double log_z, ess;
} ebm_importance;
gibbs_status ebm_importance_sample(ebm_model *model, const ebm_proposal *q, int64_t rows, uint64_t seed, double *y,
                                   double *weight, ebm_importance *result, gibbs_error *error);

/* Importance sampling plus resampling (S0 eq 19–20): `count` rows drawn from `rows` weighted ones, with
 * replacement; systematic resampling (one uniform) or, with `multinomial`, independent draws. Weights must be
 * finite, not negative and not all 0 (DATA); they need not sum to 1. */
gibbs_status ebm_resample(const double *weight, int64_t rows, int64_t count, int multinomial, uint64_t seed,
                          int64_t *index, gibbs_error *error);

/* ---- Losses ------------------------------------------------------------------------------------------------------ */

typedef struct ebm_loss ebm_loss; /* a const struct, defined in gibbs/extend.h */

/* A whole space as weighted points, so that Σ_m weight_m f(x_m) is the sum or integral of f: for exact maximum
 * likelihood. Free with ebm_points_free. */
typedef struct ebm_points {
    int64_t rows, dim;
    double *x;          /* rows × dim */
    double *log_weight; /* rows */
    gibbs_allocator allocator;
} ebm_points;

/* All values[0 … count−1]^dim, weight 1. Errors: ARGUMENT, SIZE (more than 2²⁰ points), MEMORY. */
gibbs_status ebm_points_states(int64_t dim, int count, const double *values, const gibbs_allocator *allocator,
                               ebm_points *points, gibbs_error *error);
/* A box's grid with trapezoidal weights, dim 1 to 3 (as ebm_integrate). */
struct ebm_box;
gibbs_status ebm_points_box(int64_t dim, const struct ebm_box *box, const gibbs_allocator *allocator,
                            ebm_points *points, gibbs_error *error);
void ebm_points_free(ebm_points *points);

/* Maximum likelihood by importance sampling (Geyer 1994; S0 eq 8, 12): mean E(xₙ) + lse(−E(y_m) − log q(y_m)) −
 * log M, which is J_BL/N. Deterministic for one draw of y. Health: ESS. If q depends on θ, y = g(ε; θ) with common
 * random numbers ε, and the derivative flows through y and q (S0 §3.2). */
extern const ebm_loss ebm_loss_ml_is;
/* Contrastive divergence (Hinton 2002; S1 eq 3–7): mean E(xₙ) − mean E(yₙ), y from k transitions started at the
 * data and held constant. The value is the energy gap, no objective: validation uses the score matching loss.
 * Health: acceptance. */
extern const ebm_loss ebm_loss_cd;
/* Implicit score matching (Hyvärinen 2005; S1 eq 12, S3 eq 10.34): mean Σᵢ ½(∂ᵢE)² − ∂²ᵢE, exact diagonal.
 * Has no lower bound for a free network on finite data: use a validation split. */
extern const ebm_loss ebm_loss_score_matching;
/* Noise contrastive estimation (Gutmann & Hyvärinen 2012; S1 eq 22–24): mean softplus(−G(xₙ)) + ν mean
 * softplus(G(y_m)), G = −E − c − log q − log ν, ν = M/N. c is learnt and estimates +log Z. A q that depends on θ is held
 * constant in the gradient. Health: accuracy of
 * telling data from noise, ½ when they are alike. */
extern const ebm_loss ebm_loss_nce;
/* Exact maximum likelihood: mean E(xₙ) + log Z, log Z = lse_m(log weight_m − E(y_m)) over options.points: all states,
 * or the nodes of a quadrature. The oracle for every other loss. */
extern const ebm_loss ebm_loss_exact_ml;
/* Persistent contrastive divergence (Younes 1989; Tieleman 2008): as CD, with y from chains that never go back to the
 * data: stochastic maximum likelihood. A buffer larger than the batch is moved in turn, in place; `restart` of its
 * chains begin anew each time (a replay buffer: Du & Mordatch 2019). */
extern const ebm_loss ebm_loss_pcd;

typedef struct ebm_loss_options {
    const ebm_proposal *proposal; /* ML-IS and NCE. NULL: ebm_fit takes a full Gaussian fitted to the training data
                                     and widened 1.5 times; ebm_objective_new refuses (ARGUMENT) */
    double noise_ratio;           /* ν = M/N of ML-IS and NCE, > 0; default 1 for NCE and 10 for ML-IS when 0 */
    int redraw; /* draw new artificial points before every step; default 0 for ML-IS, 1 for NCE when −1 */
    const ebm_sampler *sampler;   /* CD; NULL: ebm_mala */
    int sampler_steps;            /* k of CD-k; default 1 */
    double sampler_step;          /* h; default 0.01 */
    int64_t buffer;               /* PCD: chains that are kept, moved in turn; 0: as many as a batch has rows */
    double restart;               /* PCD: the fraction of chains that start anew, from the proposal or from a data row */
    const ebm_points *points;     /* exact ML: the whole space; must outlive the objective */
    double noise_sd;              /* σ of the noise on the data of the losses that add some; default 0.1 */
    int copies;                   /* κ, K or slices: noisy copies, negatives or directions for each row; default 1 */
    double coefficient;           /* of the term that a loss adds to another; see the loss */
    ad_var (*weight)(ad_var x, void *context); /* weighted score matching: h(x) [d], hᵢ of xᵢ alone; NULL: x² */
    ad_var (*field)(ad_var x, const ad_var *theta, void *context); /* [d]: a score network, or a Stein critic */
    double states[2];             /* pseudo-likelihood: the two values of a variable; default 0 and 1 */
    int categories;               /* pseudo-likelihood: x is blocks of so many one-hot columns; 0: two-valued columns */
    int threads;
    void *context;                /* for losses of your own, `weight` and `field` */
} ebm_loss_options;

ebm_loss_options ebm_loss_defaults(void);

/* A loss with its data and its artificial points: value and gradient by the model's parameters. */
typedef struct ebm_objective ebm_objective;

gibbs_status ebm_objective_new(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                               ebm_objective **objective, gibbs_error *error);
void ebm_objective_free(ebm_objective *objective);

/* Binds `rows` data rows of the model's dtype (they stay the caller's, and must live while they are bound). */
gibbs_status ebm_objective_bind(ebm_objective *objective, const void *x, int64_t rows, gibbs_error *error);

/* Draws artificial points, or runs the chains of CD from the bound data, at the model's present parameters. */
gibbs_status ebm_objective_refresh(ebm_objective *objective, uint64_t seed, uint64_t step, gibbs_error *error);

/* The loss at the model's present parameters; its gradient is then at ebm_objective_gradient. */
gibbs_status ebm_objective_evaluate(ebm_objective *objective, double *value, gibbs_error *error);
const void *ebm_objective_gradient(const ebm_objective *objective); /* of the model's dtype, size numbers */

/* The parameters that are optimised: the model's, then log Z when the loss learns it. */
int64_t ebm_objective_size(const ebm_objective *objective);
void *ebm_objective_theta(ebm_objective *objective);
double ebm_objective_health(const ebm_objective *objective); /* of the last evaluation; NaN when the loss has none */
double ebm_objective_log_z(const ebm_objective *objective);  /* the estimate of log Z; NaN when the loss has none */

/* ---- Fitting -------------------------------------------------------------------------------------------------------
 */

/* What a callback sees after a step. Return non-zero from it to stop with status STOPPED; the parameters stay. */
typedef struct ebm_progress {
    int64_t step, steps;
    double loss, gradient_norm, rate, validation, health; /* NaN where unknown at this step */
} ebm_progress;
typedef int (*ebm_progress_fn)(void *context, const ebm_progress *progress);

typedef struct ebm_fit_options {
    const ebm_loss *loss;            /* must be set */
    ebm_loss_options loss_options;
    const ebm_optimizer *optimizer;  /* default ebm_adam */
    int lbfgs;                       /* L-BFGS instead: full batches, deterministic losses only (ARGUMENT otherwise) */
    int64_t steps;                   /* default 1000; L-BFGS: most iterations */
    int64_t batch;                   /* rows a step; 0: all */
    double rate, momentum, beta1, beta2, epsilon, weight_decay; /* defaults: 1e-3, 0.9, 0.9, 0.999, 1e-8, 0 */
    double clip;                     /* largest gradient norm; 0: no limit */
    ebm_schedule schedule;           /* default constant */
    uint64_t seed;                   /* of minibatches, noise and chains */
    double validation_fraction;      /* of the rows kept for validation; 0: none, and the last parameters are kept */
    int64_t validation_every;        /* steps between validations; default 10 */
    int64_t patience;                /* validations without improvement before stopping; 0: never */
    int threads;
    ebm_progress_fn progress;
    void *context;
} ebm_fit_options;

ebm_fit_options ebm_fit_defaults(void);

typedef struct ebm_fit_report {
    int64_t steps;            /* taken */
    int64_t best_step;        /* the number of steps after which the kept parameters were those of the model */
    double seconds;
    double loss;              /* at the last step, without weight decay (which L-BFGS' history includes) */
    double best_validation;   /* NaN without validation */
    double health, log_z;     /* at the kept parameters, on the last batch; NaN when the loss has none, or on error */
    int converged;            /* L-BFGS */
    int64_t history_count;    /* one row a step: */
    double *history_loss, *history_norm, *history_validation; /* NaN where none was made */
    gibbs_allocator allocator;
} ebm_fit_report;

/* Fits the model's parameters in place. `report` (may be NULL) is filled even on error, and freed by
 * ebm_fit_report_free. Errors: DATA, ARGUMENT, what recording reports (SMOOTH for score matching of a relu
 * network, naming the op), STOPPED, and NUMERIC when loss or gradient is not finite: the sentence names the step,
 * the first op that was not finite and its row, and the parameters are those of the last finite step. */
gibbs_status ebm_fit(ebm_model *model, const ebm_data *data, const ebm_fit_options *options, ebm_fit_report *report,
                     gibbs_error *error);
void ebm_fit_report_free(ebm_fit_report *report);

/* ---- Normalised densities by quadrature, d <= 3
 * ---------------------------------------------------------------------- */

typedef struct ebm_box {
    double low[3], high[3];
    int points; /* a dimension; 0 means 2000, 400 and 100 for d = 1, 2 and 3 */
} ebm_box;

/* The box around the data's range, `margin` ranges wider on each side. */
ebm_box ebm_box_around(const ebm_data *data, double margin);

typedef struct ebm_quadrature {
    double log_z;         /* log ∫ exp(−E) over the box, by the trapezoidal rule */
    double log_z_doubled; /* over the box of twice the width, at the same spacing */
    int normalisable;     /* the two differ by at most 0.01 */
} ebm_quadrature;

/* Errors: ARGUMENT (dim > 3, an empty box), MEMORY, NUMERIC (E is NaN somewhere in the box). */
gibbs_status ebm_integrate(ebm_model *model, const ebm_box *box, ebm_quadrature *result, gibbs_error *error);

/* mean of −E(xₙ) − log_z */
gibbs_status ebm_mean_log_likelihood(ebm_model *model, const ebm_data *data, double log_z, double *result,
                                     gibbs_error *error);

/* ---- Energies that ship
 * ------------------------------------------------------------------------------------------------ */

/* ½(x − μ)ᵀP(x − μ): parameters "mean" [d], "precision" [d,d], of which the symmetric part counts; starts at the
 * standard normal. log Z = ½d log 2π − ½ log det P. */
gibbs_status ebm_model_gaussian(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *allocator, ebm_model **model,
                                gibbs_error *error);

typedef ad_var (*ebm_activation)(ad_var x); /* ad_softplus, ad_tanh, ad_silu, … or your own */

typedef struct ebm_mlp_spec {
    int64_t dim;
    const int64_t *widths; /* of the hidden layers */
    int layers;            /* 1 … 16 */
    ebm_activation activation; /* NULL: ad_softplus */
    double base_sd;        /* adds ‖x‖²/(2 base_sd²): the base measure that keeps the energy integrable; 0: none */
    gibbs_dtype dtype;
    uint64_t seed;
    const gibbs_allocator *allocator;
} ebm_mlp_spec;

/* E(x) = v·φ(W_Lᵀ φ(… φ(W₁ᵀx + b₁) …) + b_L) + ‖x‖²/(2 base_sd²); parameters W1, b1, …, v. */
gibbs_status ebm_model_mlp(const ebm_mlp_spec *spec, ebm_model **model, gibbs_error *error);

#ifdef __cplusplus
}
#endif

#include <gibbs/extend.h> /* the structs behind these names: losses, samplers and proposals of your own */

#endif
