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

/* Independent Student t columns, y = location + scale·T with ν > 0 degrees of freedom, any real number (∞: the normal):
 * log q = Σᵢ lnΓ((ν+1)/2) − lnΓ(ν/2) − ½ ln πν − ln scaleᵢ − ½(ν+1) ln(1 + zᵢ²/ν), z = (y − location)/scale. Draws are
 * exact (Bailey 1994), from 2 dim uniforms; where ν is so small that T leaves the number type (|T| > 10³⁰⁸ has a
 * probability of the order of 10^(−308ν), in float32 10^(−38ν)), they are infinite. Arrays are copied. Errors: ARGUMENT
 * (dim < 1, ν or a scale that is not positive, a location that is not finite: the column is named), MEMORY. */
gibbs_status ebm_student_t(int64_t dim, const double *location, const double *scale, double nu,
                           const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);
/* The location is the data's mean, the scale their standard deviation (divisor rows) times `widen`: for every ν, as
 * some have no variance to match. Errors as ebm_gaussian_fit. */
gibbs_status ebm_student_t_fit(const ebm_data *data, double nu, double widen, const gibbs_allocator *allocator,
                               ebm_proposal **q, gibbs_error *error);

/* Uniform on the box low ≤ y ≤ high: log q = −Σ ln(highᵢ − lowᵢ), and −∞ outside. Data that lie outside tell NCE
 * nothing, and a chain of ebm_independence_mh that starts there stays: cover them. Errors: ARGUMENT (dim < 1, ends
 * that are not finite or not in order: the column is named), MEMORY. */
gibbs_status ebm_uniform(int64_t dim, const double *low, const double *high, const gibbs_allocator *allocator,
                         ebm_proposal **q, gibbs_error *error);
/* The data's range, `widen` times as wide about its middle. NUMERIC when a column is constant. */
gibbs_status ebm_uniform_fit(const ebm_data *data, double widen, const gibbs_allocator *allocator, ebm_proposal **q,
                             gibbs_error *error);

/* Independent columns that are `high` with probability pᵢ, 0 < pᵢ < 1, and `low` otherwise ({0, 1}, ±1):
 * log q(y) = Σ bᵢ ln pᵢ + (1 − bᵢ) ln(1 − pᵢ), b = (y − low)/(high − low), a probability (not a density) where every yᵢ
 * is low or high; elsewhere it is that formula. Errors: ARGUMENT (a probability, by its column; low = high), MEMORY. */
gibbs_status ebm_bernoulli(int64_t dim, const double *p, double low, double high, const gibbs_allocator *allocator,
                           ebm_proposal **q, gibbs_error *error);
/* p = (count of high + smoothing)/(rows + 2 smoothing), smoothing > 0: 1 is Laplace's, a large one widens towards ½.
 * DATA when a number is neither low nor high (row and column are named). */
gibbs_status ebm_bernoulli_fit(const ebm_data *data, double low, double high, double smoothing,
                               const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* Gaussian kernels over the data, q(y) = (1/n) Σⱼ Πᵢ N(yᵢ; xⱼᵢ, hᵢ²): a row is picked and noise added. The data are
 * copied. h: one bandwidth a column, or NULL for Silverman's rule. log q costs n·dim a point. In float32 the rows are
 * picked with probabilities 1/n ± 2⁻²³. Errors: DATA, ARGUMENT (a bandwidth that is not positive), NUMERIC (a constant
 * column has no rule), SIZE (n > 2²⁴), MEMORY. */
gibbs_status ebm_kernel_density(const ebm_data *data, const double *h, const gibbs_allocator *allocator,
                                ebm_proposal **q, gibbs_error *error);

/* Bandwidths by rule of thumb (Scott 1992; Silverman 1986), times `widen`; sd has divisor n. Fills h[cols]. Errors as
 * ebm_gaussian_fit. */
typedef enum ebm_bandwidth_rule {
    EBM_BANDWIDTH_SCOTT,    /* hᵢ = sdᵢ n^(−1/(d+4)) */
    EBM_BANDWIDTH_SILVERMAN /* hᵢ = sdᵢ (4/((d+2)n))^(1/(d+4)) */
} ebm_bandwidth_rule;
gibbs_status ebm_bandwidth(const ebm_data *data, ebm_bandwidth_rule rule, double widen, double *h, gibbs_error *error);

/* log q of every row of its own data under the kernels of the *other* rows, log_q[n]: what to compare bandwidths by, as
 * log q itself counts each row's own kernel, and would choose h → 0. It is not the density that is drawn from: losses
 * need log q as it is. ARGUMENT when q is not what ebm_kernel_density made, or has one row. */
gibbs_status ebm_kernel_density_left_out(const ebm_proposal *q, double *log_q, gibbs_error *error);

/* Σ w_g q_g, weights positive and made to sum to 1 (NULL: equal): log q = lse(ln w_g + log q_g). A broad component
 * keeps importance weights bounded («defensive», Hesterberg 1995). A draw costs one of every component, which share its
 * random numbers. The components stay the caller's and must outlive the mixture; they may depend on θ, the weights do
 * not. Errors: ARGUMENT (no components, one that is NULL or lacks a callback, a weight), SHAPE (dims differ),
 * MEMORY. */
gibbs_status ebm_mixture(int count, const double *weight, const ebm_proposal *const *component,
                         const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* Independent blocks of columns: y = (y₁, y₂, …), y_k ~ factor k with its own dim; log q = Σ log q_k(y_k). The factors
 * stay the caller's and must outlive the product. Errors: ARGUMENT, MEMORY. */
gibbs_status ebm_product(int count, const ebm_proposal *const *factor, const gibbs_allocator *allocator,
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
/* Random-walk Metropolis (S3): x′ = x + h ε, so h is the standard deviation; accepted with min(1, p(x′)/p(x)).
 * With `mass`, coordinate i moves by h εᵢ/√massᵢ. */
extern const ebm_sampler ebm_random_walk;
/* Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011): momentum r ~ N(0, diag(mass)), `leapfrog_steps` leapfrog
 * steps of size h (half a step of r, then x and r in turn, half a step of r), accepted with
 * min(1, exp(E(x) + ½rᵀM⁻¹r − E(x′) − ½r′ᵀM⁻¹r′)). The length h·leapfrog_steps is fixed: near a period of the motion,
 * 2π/√λ on a Gaussian of precision λ, chains come back to where they were. */
extern const ebm_sampler ebm_hmc;

/* Samplers of a discrete x, whose values `states` and `categories` tell; a start with other values is a DATA error. */
/* Gibbs: a step is a sweep over the variables in their order, each drawn from p(xᵢ | x₋ᵢ) by the energies of all its
 * values. A sweep costs one energy a variable when binary, else K. Not reversible; acceptance is 1. */
extern const ebm_sampler ebm_gibbs;
/* Gibbs with gradients (Grathwohl et al. 2021): a variable and its new value are proposed with probability
 * q(x′|x) ∝ exp(−½∇E(x)·(x′ − x)) over all changes of one variable; accepted with min(1, p(x′)q(x|x′)/p(x)q(x′|x)).
 * Exact, whatever the energy does between its states. */
extern const ebm_sampler ebm_gibbs_with_gradients;
/* Block Gibbs of two layers, each drawn at once given the other: needs `blocks`. Acceptance is 1. */
extern const ebm_sampler ebm_block_gibbs;

typedef struct ebm_blocks ebm_blocks; /* the conditionals of two layers, defined in gibbs/extend.h */

/* Zero in a field means its default. */
typedef struct ebm_chain_options {
    const ebm_sampler *sampler;   /* NULL: ebm_mala */
    double step;                  /* h, > 0 for every sampler; default 0.01 */
    const ebm_proposal *proposal; /* of ebm_independence_mh; must outlive the chains */
    int threads;                  /* 0: OMP_NUM_THREADS, else all processors */
    int leapfrog_steps;           /* of ebm_hmc; default 10 */
    const double *mass;           /* dim numbers > 0, copied: of ebm_hmc and ebm_random_walk; NULL: all 1 */
    double states[2];             /* discrete x: the two values of a variable; both 0: 0 and 1 */
    int categories;               /* discrete x: blocks of so many one-hot columns; 0: two-valued columns */
    const ebm_blocks *blocks;     /* of ebm_block_gibbs; must outlive the chains */
    const double *inverse_temperatures; /* β, copied: parallel tempering, see ebm_chains_swapped; NULL: none */
    int temperatures;             /* how many; rows are a multiple of it */
    int swap_every;               /* steps between swaps; default 10 */
} ebm_chain_options;

/* Many chains side by side, one a row; all that move together take their steps inside one block of cache. */
typedef struct ebm_chains ebm_chains;

/* ARGUMENT: options out of range or missing, also of a sampler that does not use them. */
ebm_chain_options ebm_chain_defaults(void);
gibbs_status ebm_chains_new(ebm_model *model, const ebm_chain_options *options, ebm_chains **chains,
                            gibbs_error *error);
void ebm_chains_free(ebm_chains *chains);

/* Places `rows` chains at x (rows × dim), and forgets acceptances. */
gibbs_status ebm_chains_start(ebm_chains *chains, const double *x, int64_t rows, gibbs_error *error);

/* Moves every chain `steps` times; the draws are a function of seed, of the number of steps taken since the start
 * plus `step0`, and of the row. Parameters are read from the model as they are now. Never changes the step size. */
gibbs_status ebm_chains_run(ebm_chains *chains, int64_t steps, uint64_t seed, uint64_t step0, gibbs_error *error);

/* Moves every chain `steps` times while h is adapted, so that moves are accepted at the rate `target` (0: the
 * sampler's own, 0.234 for random walks, 0.44 in one dimension, 0.574 for MALA, 0.8 for HMC), by dual averaging of
 * log h (Nesterov 2009; Hoffman & Gelman 2014 §3.2) on the share of all chains that moved. h is then frozen at the
 * average that the method keeps, and acceptances are forgotten: what later runs report was not adapted. Chains stay
 * where they end. Errors: those of a run (h is then as it was); ARGUMENT: steps < 1, a target outside (0, 1), a
 * sampler whose acceptance does not follow from h. */
gibbs_status ebm_chains_warm_up(ebm_chains *chains, int64_t steps, double target, uint64_t seed, gibbs_error *error);

double ebm_chains_step(const ebm_chains *chains); /* h as it is now */
int64_t ebm_chains_rows(const ebm_chains *chains);
void ebm_chains_get(const ebm_chains *chains, double *x); /* rows × dim */
/* Accepted over proposed since the start or the warm-up, over all chains; 1 for ULA and Gibbs; NaN before a run. */
double ebm_chains_acceptance(const ebm_chains *chains);

/* Parallel tempering (Geyer 1991): with `temperatures` R, rows nR … nR + R − 1 are one ladder, row nR + i moves in
 * exp(−β_i E), and after every swap_every steps neighbours i, i + 1 exchange their places with probability
 * min(1, exp((β_i − β_{i+1})(E(x_i) − E(x_{i+1})))), even and odd pairs in turn. Exact: rows nR + i have that
 * density for ever once they have it. With β_0 = 1, rows 0, R, 2R, … are the samples of the model. This is the share
 * of swaps that were made; NaN before one was tried. */
double ebm_chains_swapped(const ebm_chains *chains);

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

/* ---- Annealed importance sampling -------------------------------------------------------------------------------- */

/* Annealed importance sampling (Neal 2001) between a normalised base density q and the model along the geometric path
 * exp(−E_β), E_β = βE − (1 − β) log q. Needs a q that is positive where exp(−E) is. */
typedef struct ebm_ais_options {
    ebm_chain_options chain;  /* the transitions: any sampler, no temperatures. Block Gibbs: joint form and a product
                                 density over binary units as q */
    const ebm_proposal *base; /* q, independent of θ; must be set */
    int64_t bridges;          /* β goes from 0 to 1 in so many parts; default 1000 */
    const double *beta;       /* bridges + 1 rising numbers from 0 to 1; NULL: equal parts */
    int64_t steps;            /* transitions at each β between; default 1 */
    uint64_t seed;
} ebm_ais_options;

typedef struct ebm_ais {
    double log_z;          /* the estimate */
    double standard_error; /* of it, by the delta method: of one direction only, not of its bias */
    double ess;            /* (Σw)²/Σw² of the `rows` weights */
    double acceptance;     /* NaN with one bridge */
} ebm_ais;

/* 1000 bridges in equal parts, one step of ebm_mala at 0.01. */
ebm_ais_options ebm_ais_defaults(void);

/* Forward: rows x ~ q are moved along the path to the model. E w = Z, so log Ẑ = log mean w lies below log Z on average
 * (Jensen). Fills log_weight[rows] and x[rows × dim], where the chains end (either may be NULL): with the weights, a
 * sample of the model. Errors: ARGUMENT, SHAPE, MEMORY, NUMERIC (E is not finite at a row). */
gibbs_status ebm_ais_forward(ebm_model *model, const ebm_ais_options *options, int64_t rows, double *log_weight,
                             double *x, ebm_ais *result, gibbs_error *error);
/* Reverse (Burda, Grosse & Salakhutdinov 2015): `rows` points x of the model itself are moved to the base. E w = 1/Z
 * if they are exact draws, so log Ẑ = −log mean w lies above log Z on average; from a long chain, as far as
 * that is true of it. The two together bracket log Z on average, and their gap falls as bridges are added. Fills
 * log_weight[rows] (may be NULL). */
gibbs_status ebm_ais_reverse(ebm_model *model, const ebm_ais_options *options, const double *x, int64_t rows,
                             double *log_weight, ebm_ais *result, gibbs_error *error);

/* ---- Diagnostics of chains --------------------------------------------------------------------------------------- */

/* A scalar of each of `chains` chains after each of `steps` steps: series[t · chains + c], steps >= 4. Chains are split
 * in halves (the middle step of an odd number is left out), so that a trend within a chain counts as well. Errors:
 * ARGUMENT, DATA (a number is not finite), NUMERIC (all numbers of the series are equal), MEMORY. */
/* The number of independent draws that would give the mean as well: N/τ, τ = 1 + 2Σρ_t over Geyer's initial monotone
 * sequence, ρ_t from within and between the chains (Geyer 1992; Stan Reference Manual; Vehtari et al. 2021 §3.2).
 * At most N log₁₀ N, for chains that alternate. */
gibbs_status ebm_effective_size(const double *series, int64_t steps, int64_t chains, double *ess, gibbs_error *error);
/* √(var⁺/W): 1 when all halves of all chains agree in their means (Gelman et al. 2013 §11.4). Of normal scores
 * of the ranks and of their folded ranks with `ranks`, whichever is larger: heavy tails and spreads that differ are
 * then found as well (Vehtari et al. 2021 §4). */
gibbs_status ebm_split_r_hat(const double *series, int64_t steps, int64_t chains, int ranks, double *r_hat,
                             gibbs_error *error);

/* A number made of one x. */
typedef double (*ebm_scalar_fn)(const double *x, int64_t dim, void *context);
/* Coordinate *(const int64_t *)context of x; NaN when it has none such. */
double ebm_scalar_column(const double *x, int64_t dim, void *context);

typedef struct ebm_trace_options {
    int64_t steps;   /* noted; >= 4 */
    int64_t every;   /* steps of the chains between two; default 1 */
    ebm_scalar_fn f; /* what is noted of each chain; NULL: its energy */
    void *context;
    uint64_t seed, step0; /* as of ebm_chains_run */
} ebm_trace_options;

typedef struct ebm_trace {
    double mean, sd;       /* of the series */
    double standard_error; /* sd/√ess: of the mean */
    double ess, r_hat;     /* r_hat by ranks; 1 is good, above 1.01 is not */
    double acceptance;     /* since the start or the warm-up */
} ebm_trace;

/* Runs the chains, notes f after every `every` steps into series[steps × chains] (may be NULL) and judges it. With
 * parallel tempering the chains are those of the first temperature: rows/temperatures. ESS and R̂ need several chains
 * from places far apart to mean much. Errors: those of a run and of the two above; DATA when f gives no finite
 * number. */
gibbs_status ebm_chains_trace(ebm_chains *chains, const ebm_trace_options *options, double *series, ebm_trace *result,
                              gibbs_error *error);

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
/* Exact maximum likelihood: mean E(xₙ) + log Z, log Z = lse_m(log weight_m − E(y_m)) over options.points: all states,
 * or the nodes of a quadrature. The oracle for every other loss. */
extern const ebm_loss ebm_loss_exact_ml;

/* Contrastive divergence (Hinton 2002; S1 eq 3–7): mean E(xₙ) − mean E(yₙ), y from k transitions started at the
 * data and held constant. The value is the energy gap, no objective: validation uses the score matching loss (for
 * discrete data, copy the struct and set `validation` to &ebm_loss_pseudo_likelihood). Health: acceptance. */
extern const ebm_loss ebm_loss_cd;
/* Persistent contrastive divergence (Younes 1989; Tieleman 2008): as CD, with y from chains that never go back to the
 * data: stochastic maximum likelihood. A buffer larger than the batch is moved in turn, in place; `restart` of its
 * chains begin anew each time (a replay buffer: Du & Mordatch 2019), which is no longer maximum likelihood. */
extern const ebm_loss ebm_loss_pcd;
/* Improved contrastive divergence (Du et al. 2020; S1 §2.1, eq 5): CD plus options.coefficient times the derivative of
 * KL(q‖p) by θ through q alone, q being the density of y: mean E(yₙ) − H(q), E with its parameters held, through the
 * last of the k transitions. Coefficient +1 is Du et al.'s code; −1 is S1 eq 5, the gradient of what CD claims to
 * minimise, KL(data‖p) − KL(q‖p); 0 is CD. Entropy: nearest neighbours among the batch's y (Kozachenko & Leonenko
 * 1987), whose gradient has a mean for dim >= 2 only and a variance for dim >= 3. Sampler: ebm_ula by default; ARGUMENT
 * for one that accepts, rejects or jumps. DATA: fewer than 2 rows. Each draw compares all pairs. */
extern const ebm_loss ebm_loss_improved_cd;

/* Implicit score matching (Hyvärinen 2005; S1 eq 12, S3 eq 10.34): mean Σᵢ ½(∂ᵢE)² − ∂²ᵢE, exact diagonal.
 * Has no lower bound for a free network on finite data: use a validation split. */
extern const ebm_loss ebm_loss_score_matching;
/* Weighted score matching, for data with a boundary (Hyvärinen 2007): mean Σᵢ ½hᵢ(∂ᵢE)² − hᵢ∂²ᵢE − hᵢ′∂ᵢE, with
 * h = options.weight, smooth, zero at the boundary, hᵢ a function of xᵢ alone. Energies must be smooth (SMOOTH). */
extern const ebm_loss ebm_loss_weighted_score_matching;
ad_var ebm_weight_half_line(ad_var x, void *context); /* x², for x > 0: the default */
ad_var ebm_weight_unit_box(ad_var x, void *context);  /* x²(1 − x)², for 0 < x < 1 */
/* Denoising score matching (Vincent 2011; S1 §3.2, S4 eq 13): mean ½‖(x̃ − x)/σ² − ∇E(x̃)‖², x̃ = x + σε, over
 * options.copies noisy copies of each row, σ = options.noise_sd; with options.field, the score network s(x̃; θ) takes
 * the place of −∇E. What is learnt is the density of x̃. Health: σ. The second has the autoencoder's scale,
 * mean ‖x − (x̃ − σ²∇E(x̃))‖² = 2σ⁴ times the first; S4 eq 13 is N times that. */
extern const ebm_loss ebm_loss_denoising;
extern const ebm_loss ebm_loss_denoising_autoencoder;
/* Sliced score matching (Song et al. 2019; S1 §3.3): mean ½(vᵀ∇E)² − vᵀ∇²E v over options.copies (at most 1000) random
 * directions v of each row, ±1 (Rademacher) or, with options.gaussian, standard normal; and the variance-reduced form
 * ½‖∇E‖² − vᵀ∇²E v. Energies must be smooth (SMOOTH). */
extern const ebm_loss ebm_loss_sliced;
extern const ebm_loss ebm_loss_sliced_reduced;

/* Noise contrastive estimation (Gutmann & Hyvärinen 2012; S1 eq 22–24): mean softplus(−G(xₙ)) + ν mean
 * softplus(G(y_m)), G = −E − c − log q − log ν, ν = M/N. c is learnt and estimates +log Z. A q that depends on θ is
 * held constant in the gradient. Health: accuracy of telling data from noise, ½ when they are alike. */
extern const ebm_loss ebm_loss_nce;
/* Conditional NCE (Ceylan & Gutmann 2018): (2/κN) Σₙ Σ_k log(1 + exp(−(E(y_nk) − E(xₙ)))), y = x + σε, κ =
 * options.copies, σ = options.noise_sd. Needs no q and no Z; (loss − 2 log 2)·2/σ² tends to implicit score matching
 * as σ → 0. */
extern const ebm_loss ebm_loss_conditional_nce;
/* Ranking NCE (Jozefowicz et al. 2016; Ma & Collins 2018): −mean log softmax of the datum among K = options.copies
 * negatives from the proposal, logits −E − log q. Z cancels. Health: how often the datum comes first, 1/(K + 1) when
 * they are alike. */
extern const ebm_loss ebm_loss_ranking_nce;

/* Pseudo-likelihood of discrete data (Besag 1975): mean Σᵢ −log p(xᵢ | x₋ᵢ). Columns have the two values of
 * options.states, or are one-hot blocks of options.categories columns; other numbers are DATA errors, with their
 * row. Costs d + 1 energies a row. */
extern const ebm_loss ebm_loss_pseudo_likelihood;

/* Kernel Stein discrepancy (Liu, Lee & Jordan 2016; Chwialkowski et al. 2016; Gorham & Mackey 2017), the U-statistic
 * mean over pairs of k s·s′ + s·∇′k + s′·∇k + tr ∇∇′k, s = −∇E, with k = exp(−r²/2b²) or (b² + r²)^−½, r = ‖x − x′‖,
 * b = options.noise_sd (see ebm_median_distance). All pairs of a batch: the cost is its square. Not negative in
 * expectation, and 0 where the model is the data's density. */
extern const ebm_loss ebm_loss_ksd_rbf;
extern const ebm_loss ebm_loss_ksd_imq;
/* Learned Stein discrepancy (Grathwohl et al. 2020; S1 §4.2): D = mean [−∇E·f + tr ∇f] − λ mean ‖f‖², λ =
 * options.coefficient > 0, critic f = options.field, whose parameters are among the model's (the energy ignores
 * them). The gradient descends D by the energy's parameters and climbs it by the critic's; the value is D, at best
 * D_F/2λ with the Fisher divergence D_F = mean ½‖∇E + ∇log p_data‖² (f = (−∇E − ∇log p_data)/2λ). The second
 * estimates the trace by vᵀ∇f v over options.copies directions (Hutchinson). ARGUMENT: no field, λ <= 0. */
extern const ebm_loss ebm_loss_stein;
extern const ebm_loss ebm_loss_stein_hutchinson;

/* mean E(xₙ)² + mean E(y_m)², the second where the losses it is added to have artificial points (Du & Mordatch 2019):
 * a term for ebm_loss_sum. Moves the minimum; no loss has it unless asked. */
extern const ebm_loss ebm_loss_energy_penalty;

/* Σ weight_k loss_k of the same data, artificial points and options, as one loss. Health and estimates of log Z are
 * those of the first term that has them. Terms are copied, the losses must outlive the sum, which is freed by
 * ebm_loss_free (it accepts NULL and leaves the library's own losses alone). Errors: ARGUMENT (no terms, a weight
 * that is not finite, terms whose artificial points are of different kinds), MEMORY. */
typedef struct ebm_loss_term {
    const ebm_loss *loss;
    double weight;
} ebm_loss_term;
gibbs_status ebm_loss_sum(const ebm_loss_term *terms, int count, const gibbs_allocator *allocator, ebm_loss **loss,
                          gibbs_error *error);
void ebm_loss_free(ebm_loss *loss);

typedef struct ebm_loss_options {
    const ebm_proposal *proposal; /* ML-IS and NCE, ranking NCE. NULL: ebm_fit takes a full Gaussian fitted to the
                                     training data and widened 1.5 times; ebm_objective_new refuses (ARGUMENT) */
    double noise_ratio;           /* ν = M/N of ML-IS and NCE, > 0; default 1 for NCE and 10 for ML-IS when 0 */
    int redraw; /* draw new artificial points and noise before every step; when −1 the loss's default: 0 for ML-IS,
                   1 for all others that draw */
    const ebm_sampler *sampler;   /* CD; NULL: ebm_mala, ebm_ula for improved CD */
    int sampler_steps;            /* k of CD-k; default 1 */
    double sampler_step;          /* h; default 0.01 */
    const ebm_chain_options *chain; /* what else the sampler needs (leapfrog steps, blocks, states …), of which sampler,
                                       step, proposal and threads are not read; NULL: defaults, and `states` and
                                       `categories` as below */
    int64_t buffer;               /* PCD: chains that are kept, moved in turn; 0: as many as a batch has rows */
    double restart;               /* PCD: the fraction of chains that start anew, from the proposal (which must not
                                     depend on θ) or, without one, from a data row */
    const ebm_points *points;     /* exact ML: the whole space; must outlive the objective */
    double noise_sd;              /* σ of the noise on the data of the losses that add some; default 0.1. The length of
                                     a Stein kernel */
    int copies;                   /* κ, K or slices: noisy copies, negatives or directions for each row; default 1 */
    int gaussian;                 /* random directions are standard normal, not ±1 */
    double coefficient;           /* of the term that a loss adds to another; see the loss; default 1 */
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

/* A goodness-of-fit test by the kernel Stein discrepancy (Liu, Lee & Jordan 2016; Chwialkowski et al. 2016): is the
 * model, as it stands, the density of these independent rows? The p-value is that of the wild bootstrap, (1 + how
 * many of `bootstrap` signed sums Σ_{i<j} εᵢεⱼ u(xᵢ, xⱼ), ε = ±1, reach the one without signs)/(1 + bootstrap). Not
 * for data that the model was fitted to. Takes rows² time and memory. Errors: DATA (fewer than 2 rows), SHAPE,
 * ARGUMENT, SMOOTH, NUMERIC (a gradient is not finite), MEMORY. */
typedef struct ebm_ksd_options {
    int rbf;       /* exp(−r²/2b²) instead of (b² + r²)^−½ */
    double length; /* b; 0: the data's ebm_median_distance */
    int bootstrap; /* default 1000 */
    uint64_t seed;
    int threads;
} ebm_ksd_options;

typedef struct ebm_ksd {
    double statistic; /* the U-statistic, mean over pairs */
    double p_value;
    double length;    /* b as used */
} ebm_ksd;

ebm_ksd_options ebm_ksd_defaults(void);
gibbs_status ebm_ksd_test(ebm_model *model, const ebm_data *data, const ebm_ksd_options *options, ebm_ksd *result,
                          gibbs_error *error);

/* The median of ‖xᵢ − xⱼ‖ over all pairs of (at most 1000, evenly spaced) rows. DATA: fewer than 2 rows. NUMERIC: 0. */
gibbs_status ebm_median_distance(const ebm_data *data, double *median, gibbs_error *error);

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
    int64_t warmup;                  /* steps in which the rate rises to `rate`, before the schedule; default 0 */
    double average;                  /* β of ebm_average after every step: validation and the fitted model then have the
                                        averages (of a learnt log Z as well), training and callbacks see the
                                        parameters themselves; default 0: none. Not for L-BFGS (ARGUMENT) */
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

/* ---- Standard errors --------------------------------------------------------------------------------------------- */

/* How far an estimate θ̂ that minimises a loss L may be from what the loss is after: the sandwich covariance (Godambe
 * 1960, Huber 1967, White 1982)
 *
 *     H⁻¹ S H⁻¹,   H = ∇²L(θ̂),   S = Σₙ uₙuₙᵀ + Σ_m v_m v_mᵀ
 *
 * uₙ is the derivative of ∇L by the weight of data row n, less its average (∇ℓ(xₙ)/N for a mean of ℓ), v_m likewise of
 * artificial point m (w̄_m(∇E(y_m) − Σw̄∇E) for ML-IS, the delta method): the rows and the points are two independent
 * samples. It holds whether or not the model is true, for every loss whose gradient is a function of such samples. */
typedef struct ebm_uncertainty {
    int64_t size;           /* p: the model's parameters, then log Z when the loss learns it */
    int64_t identified;     /* directions of them that the loss sees; p when it sees all */
    double *covariance;     /* p × p, in the directions that the loss sees */
    double *standard_error; /* p: the roots of its diagonal; NaN where the loss does not see the parameter at all */
    double *noise_error;    /* p: the part of them that the artificial sample adds: total² = data² + noise² */
    double newton;          /* √(gᵀH⁻¹g/tr H⁻¹S): how far L is from its minimum against how far chance puts it (for one
                               parameter the step left, in standard errors): far below 1, or θ̂ is no minimum */
    gibbs_allocator allocator;
} ebm_uncertainty;

/* The uncertainty of the model's present parameters, fitted to `data` with these options: of them, loss, loss_options,
 * weight_decay, seed, threads and the validation split (the rows trained on count) are read. The artificial points are
 * those of ebm_fit with redraw 0; where the fit drew new ones each step, noise_error says too much. Rows are taken as
 * independent, and a minimum as reached: early stopping is no estimate of this kind. Computed in double whatever the
 * model's dtype, with p directions a row. result is zeroed on error; free it with ebm_uncertainty_free. Errors:
 * ARGUMENT (p > 500, no parameters, a loss whose points come from chains and so has no such structure, one that holds
 * part of itself constant), SMOOTH, NUMERIC (H is not finite, or has a negative eigenvalue: no minimum), DATA, MEMORY. */
gibbs_status ebm_standard_errors(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                                 ebm_uncertainty *result, gibbs_error *error);
void ebm_uncertainty_free(ebm_uncertainty *uncertainty);

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

/* ---- Energies that ship ------------------------------------------------------------------------------------
 * Each returns a model of its own parameters, to be freed by ebm_model_free. Specs are zero-initialised where nothing
 * is said; arrays in them are copied; callbacks and their contexts must outlive the model. Binary variables are 0 and
 * 1, variables with more labels one-hot blocks. Errors: ARGUMENT (a number out of its range, named), SIZE, SHAPE,
 * MEMORY, and what ebm_model_new reports. */

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

typedef struct ebm_rbm_spec {
    int64_t visible, hidden;
    int joint;        /* x = [v, h] with E(v, h); else x = v with F(v) = −log Σ_h exp(−E(v, h)) */
    int gaussian;     /* real visibles, p(v | h) = N(a + Wh, sd²); else they are 0 and 1 */
    double sd;        /* of Gaussian visibles; 0 means 1 */
    int learn_sd;     /* it is a parameter, "log_sd" [visible], that starts at log sd */
    double weight_sd; /* of the initial W; 0 means 0.01 */
    gibbs_dtype dtype;
    uint64_t seed;
    const gibbs_allocator *allocator;
} ebm_rbm_spec;

/* The restricted Boltzmann machine (S3 §10.2.2.2), hidden units 0 and 1: E(v, h) = −vᵀWh − a·v − b·h, or
 * ½‖(v − a)/sd‖² − (v/sd²)ᵀWh − b·h for Gaussian visibles. "W" [visible,hidden], "a" [visible], "b" [hidden]. */
gibbs_status ebm_model_rbm(const ebm_rbm_spec *spec, ebm_model **model, gibbs_error *error);

/* An RBM's conditionals, for ebm_block_gibbs: they refer to the model, which must outlive them. ARGUMENT: no RBM. */
gibbs_status ebm_rbm_blocks(const ebm_model *rbm, ebm_blocks *blocks, gibbs_error *error);

/* A space of discrete variables. In a row each takes one column with a number from 0 on or, one-hot, as many columns
 * as it has labels, one of them 1. */
typedef struct ebm_space {
    int64_t variables;
    int64_t labels;        /* of each; 0 means 2 */
    const int64_t *states; /* labels of each variable, where they differ; or NULL */
    int one_hot;
} ebm_space;

typedef struct ebm_mrf_spec {
    ebm_space space;
    const int64_t *edges; /* edge_count × 2 numbers of variables, from 0; NULL: all pairs i < j, in order */
    int64_t edge_count;
    gibbs_dtype dtype;
    const gibbs_allocator *allocator;
} ebm_mrf_spec;

/* Pairwise Markov random fields (S3 §10.2.2.1); each edge is counted once. All start at 0.
 * Ising: −Σ J_ij sᵢsⱼ − Σ hᵢsᵢ with spins s = 2x − 1 of binary columns; "J" [edges], "h" [variables].
 * Potts, one-hot: −Σ J_ij [xᵢ = xⱼ] − Σ hᵢ[xᵢ]; "J" [edges], "h" [columns].
 * Any, one-hot: −Σ P_ij[xᵢ, xⱼ] − Σ uᵢ[xᵢ], log potentials; "pairwise" (the tables of the edges one after the other,
 * each labels of i × labels of j), "unary" [columns]. A constant can move between tables: the last two have
 * redundant parameters. ARGUMENT: an edge outside the graph, from a variable to itself, or twice. */
gibbs_status ebm_model_ising(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error);
gibbs_status ebm_model_potts(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error);
gibbs_status ebm_model_mrf(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error);

/* A recorded map x → vector, in several specs below. */
typedef struct ebm_features {
    ad_var (*record)(ad_var x, const ad_var *theta, void *context); /* NULL: the identity */
    int64_t size;                    /* of the result; 0 for the identity */
    const ebm_parameter *parameters; /* its own: theta[0], theta[1], … */
    int parameter_count;
    void *context;
} ebm_features;

typedef struct ebm_exponential_spec {
    int64_t dim;
    ebm_features statistics; /* T, without parameters */
    gibbs_dtype dtype;
    const gibbs_allocator *allocator;
} ebm_exponential_spec;

/* The exponential family, E(x) = −η·T(x) (S3's EF); "eta" [size] starts at 0. */
gibbs_status ebm_model_exponential(const ebm_exponential_spec *spec, ebm_model **model, gibbs_error *error);

/* Maximum entropy (S3 eq 10.7–10.13): sets η so that E T = μ [size] under exp(η·T) on the support, which is `rows`
 * points x with weights ≥ 0 (NULL: ones): all states of a space, or a quadrature grid. Where μ is the data's mean of T
 * this is maximum likelihood, from the statistics alone. Newton on the dual log Z(η) − η·μ, to 1e-11 of |μ| + sd T in
 * float64; log Z goes to *log_z unless that is NULL. NUMERIC, naming the statistic: no density on the support has these
 * expectations; the model is then unchanged. */
gibbs_status ebm_maxent(ebm_model *model, const double *mu, const double *x, const double *weight, int64_t rows,
                        double *log_z, gibbs_error *error);

typedef struct ebm_experts_spec {
    int64_t dim, experts;
    ebm_activation expert; /* G; NULL: ad_logcosh */
    int learn_weights;     /* αᵢ = exp("log_alpha" [experts]), starting at 1; else 1 */
    gibbs_dtype dtype;
    uint64_t seed;
    const gibbs_allocator *allocator;
} ebm_experts_spec;

/* Independent component analysis, and products of experts where there are more experts than dimensions:
 * Σᵢ αᵢ G((xW)ᵢ), "W" [dim,experts] (Hyvärinen 2005; Welling, Hinton & Osindero 2003). */
gibbs_status ebm_model_experts(const ebm_experts_spec *spec, ebm_model **model, gibbs_error *error);
ad_var ebm_student_expert(ad_var u); /* log(1 + u²/2): a Student t, whose weight must exceed ½ */

/* ---- Models from models ----
 * The parts record their energies in the new model: they must outlive it. Their values are copied, and their names get
 * the prefixes "1.", "2.", …; afterwards the parameters are the new model's own. SHAPE, DTYPE: the parts differ. */
enum { EBM_MAX_PARTS = 64 };

/* Σ βₖ Eₖ: a product of densities (S3 eq 10.17). `beta` NULL: ones. */
gibbs_status ebm_model_sum(ebm_model *const *parts, const double *beta, int count, ebm_model **model,
                           gibbs_error *error);
/* β E, without a prefix: the density at temperature 1/β. */
gibbs_status ebm_model_tempered(ebm_model *part, double beta, ebm_model **model, gibbs_error *error);

/* −log Σ_g ξ_g exp(−E_g), ξ_g = π_g/Z_g (S0 eq 26; Matsuda & Hyvärinen 2019); "log_xi" [count − 1] holds
 * log ξ_2, … relative to ξ_1, because the scale of all is log Z, which NCE learns beside them. */
gibbs_status ebm_model_mixture(ebm_model *const *parts, int count, ebm_model **model, gibbs_error *error);

/* Of a mixture, from data and its log Z (NCE's): π_g = mean of ξ_gφ_g/Σξφ over the data, and log Z_g = log π_g −
 * log ξ_g unless `log_z_part` is NULL. Errors: ARGUMENT (no mixture), SHAPE, DATA, NUMERIC, MEMORY. */
gibbs_status ebm_mixture_weights(ebm_model *mixture, const ebm_data *data, double log_z, double *pi,
                                 double *log_z_part, gibbs_error *error);

/* ---- Conditional models ----
 * p(y | x) = exp(−E(x, y))/Z(x) (S3's CEBM): the model's rows are [x, y], of which the first `given` columns are given
 * and the others modelled, and the energy is an ordinary one of the row. What makes it conditional is how log Z(x) is
 * known, and two ways serve all: the labels y, when they can be listed, are enumerated on a child axis (any energy);
 * or log Z(x) is recorded (regressions: the log partition function; a chain: the forward algorithm). log_z is taken
 * where both are there. Other losses than ebm_loss_conditional_ml, and samplers, model the whole row. */
typedef struct ebm_conditional {
    int64_t given;
    const double *labels; /* label_count × (dim − given), or NULL; copied */
    int64_t label_count;
    ad_var (*log_z)(ad_var x, const ad_var *theta, void *context); /* x [given] → scalar; context is the energy's */
} ebm_conditional;

/* A conditional model with the spec's energy, of dim columns. */
gibbs_status ebm_model_conditional(const ebm_model_spec *spec, const ebm_conditional *conditional, ebm_model **model,
                                   gibbs_error *error);
int64_t ebm_model_given(const ebm_model *model); /* 0: not conditional */

/* Records log Z(x; θ) for x [given], and log p(y | x; θ) = −E − log Z(x) for a row. Errors on the tape: ARGUMENT (not
 * conditional, or neither labels nor log_z), AXIS (labels, and x is shared), what recording reports. */
ad_var ebm_conditional_log_z(const ebm_model *model, ad_var x, const ad_var *theta);
ad_var ebm_conditional_log_likelihood(const ebm_model *model, ad_var row, const ad_var *theta);

/* Maximum conditional likelihood: −mean log p(yₙ | xₙ) over the rows. */
extern const ebm_loss ebm_loss_conditional_ml;

typedef enum ebm_response {
    EBM_LINEAR,   /* y real: B = ½τ‖y‖², τ = exp("log_precision"); the least squares coefficients are W/τ */
    EBM_LOGISTIC, /* y of 0 and 1 */
    EBM_SOFTMAX   /* y one-hot blocks, one an output */
} ebm_response;

typedef struct ebm_regression_spec {
    ebm_response response;
    int64_t given;
    int64_t outputs; /* 0 means 1 */
    int64_t labels;  /* of softmax, >= 2 */
    int pinned;      /* softmax: the first label has η = 0 and no parameters, which else are redundant */
    ebm_features features; /* Ψ; its parameters get the prefix "psi." */
    gibbs_dtype dtype;
    uint64_t seed;
    const gibbs_allocator *allocator;
} ebm_regression_spec;

/* E(x, y) = B(y) − η·y, η = WᵀΨ(x) + b (S3 eq 10.4): linear, logistic and softmax regression, which with several
 * outputs is the factorising CRF (S3 eq 10.5–10.6): Z(x) is a product over the outputs. "W" [size, columns of y],
 * "b" start at 0. */
gibbs_status ebm_model_regression(const ebm_regression_spec *spec, ebm_model **model, gibbs_error *error);

typedef struct ebm_chain_crf_spec {
    int64_t given, length, labels;
    ebm_features features; /* of x, the same number for each position, one position after the other */
    gibbs_dtype dtype;
    uint64_t seed;
    const gibbs_allocator *allocator;
} ebm_chain_crf_spec;

/* The linear-chain CRF (Lafferty, McCallum & Pereira 2001): E = −Σₜ (ψₜW + b)·yₜ − Σₜ yₜᵀAyₜ₊₁, y of `length`
 * one-hot blocks; "W" [features of a position, labels], "b" [labels], "A" [labels,labels] start at 0. */
gibbs_status ebm_model_chain_crf(const ebm_chain_crf_spec *spec, ebm_model **model, gibbs_error *error);

typedef struct ebm_bilinear_spec {
    int64_t given, modelled;
    int64_t width;        /* of the embedding; 0: that of the features, without projections */
    ebm_features x, y;    /* ψ and f; their parameters get the prefixes "x." and "y." */
    const double *labels; /* as in ebm_conditional */
    int64_t label_count;
    gibbs_dtype dtype;
    uint64_t seed;
    const gibbs_allocator *allocator;
} ebm_bilinear_spec;

/* −Ψ(x)ᵀφ(y) (S3 eq 10.14), Ψ = Uᵀψ(x), φ = Vᵀf(y); "U" and "V" [features, width]. Linear in φ: it is normalisable for
 * labels, or on a bounded domain. */
gibbs_status ebm_model_bilinear(const ebm_bilinear_spec *spec, ebm_model **model, gibbs_error *error);

/* ---- Exact log Z ---- */

/* Columns that a row of the space takes, and its number of states; −1 when it has none, or too many to count. */
int64_t ebm_space_dim(const ebm_space *space);
int64_t ebm_space_size(const ebm_space *space);
/* States first … first + rows − 1 into x[rows × dim]; the last variable changes fastest. */
void ebm_space_rows(const ebm_space *space, int64_t first, int64_t rows, double *x);

/* log Σ exp(−E) over all states of the space (NULL: binary columns), at most 2²⁰, and their probabilities in that order
 * unless `probability` is NULL. Errors: ARGUMENT, SHAPE (the space's columns are not the model's), SIZE, MEMORY,
 * NUMERIC (E is NaN or −∞ in some state, or +∞ in all). */
gibbs_status ebm_enumerate(ebm_model *model, const ebm_space *space, double *log_z, double *probability,
                           gibbs_error *error);

/* The exact log Z of a model that has one: Gaussian; complete ICA with logcosh or Student-t experts; RBM, by
 * enumeration of its smaller side (Gaussian visibles: the hidden side) of at most 20 units. ARGUMENT for others; NUMERIC where
 * the density is not normalisable. */
gibbs_status ebm_model_log_z(ebm_model *model, double *log_z, gibbs_error *error);

#ifdef __cplusplus
}
#endif

#include <gibbs/extend.h> /* the structs behind these names: losses, samplers and proposals of your own */

#endif
