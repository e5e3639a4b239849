/* gibbs/sampler.h — samplers and chains, importance sampling, annealed importance sampling, diagnostics. */
#ifndef GIBBS_PUBLIC_SAMPLER_H
#define GIBBS_PUBLIC_SAMPLER_H

#include <gibbs/proposal.h>
#include <gibbs/space.h>

GIBBS_API_BEGIN

/* ---- Samplers ---- */

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

/* Samplers of a discrete x, of options.space; a start that is none of its states is a DATA error. */
/* Gibbs: a step is a sweep over the variables (options.order), each drawn from p(xᵢ | x₋ᵢ). Where the energy is of
 * degree at most 2 in x and hands over its couplings, or has at most 4096 columns, by local fields, which are made at
 * the start of a run and anew after 64 sweeps: a label that changes costs a row of couplings (ebm_model_structure says
 * whether); by change statistics, where the energy has them. Else by the energies of all its values, one energy a
 * variable when binary, else K. Acceptance is 1. */
extern const ebm_sampler ebm_gibbs;
/* Gibbs with gradients (Grathwohl et al. 2021): a variable and its new value are proposed with probability
 * q(x′|x) ∝ exp(−½∇E(x)·(x′ − x)) over all changes of one variable; accepted with min(1, p(x′)q(x|x′)/p(x)q(x′|x)).
 * Exact, whatever the energy does between its states. */
extern const ebm_sampler ebm_gibbs_with_gradients;
/* Block Gibbs of two layers, each drawn at once given the other: needs `blocks`. Acceptance is 1. */
extern const ebm_sampler ebm_block_gibbs;

typedef struct ebm_blocks ebm_blocks; /* the conditionals of two layers, defined in gibbs/extend.h */

/* Whose turn it is in a sweep of ebm_gibbs. Any of them keeps the density. */
typedef enum ebm_order {
    EBM_ORDER_IN_TURN, /* all variables, in their order */
    EBM_ORDER_RANDOM,  /* as many as there are, each picked at random: reversible */
    EBM_ORDER_COLOURS  /* class by class of those that no coupling joins, each class at once: for couplings on a graph;
                          without couplings, as in turn */
} ebm_order;

/* Zeroed: ebm_mala with h = 0.01. */
typedef struct ebm_chain_options {
    const ebm_sampler *sampler;   /* NULL: ebm_mala */
    double step;                  /* h, > 0 for every sampler; 0: 0.01 */
    const ebm_proposal *proposal; /* of ebm_independence_mh; must outlive the chains */
    int threads;                  /* 0: OMP_NUM_THREADS, else all processors */
    int leapfrog_steps;           /* of ebm_hmc, at most 1000; 0: 10 */
    const double *mass;           /* dim numbers > 0, copied: of ebm_hmc and ebm_random_walk; NULL: all 1 */
    ebm_space space;              /* of a discrete x, values copied: two-valued columns (zeroed: 0 and 1), or one-hot
                                     blocks of equally many columns */
    ebm_order order;              /* of ebm_gibbs */
    const ebm_blocks *blocks;     /* of ebm_block_gibbs; must outlive the chains */
    const double *inverse_temperatures; /* β, copied: parallel tempering, see ebm_chains_swapped; NULL: none */
    int temperatures;             /* how many; rows are a multiple of it */
    int swap_every;               /* steps between swaps; 0: 10 */
} ebm_chain_options;

/* Many chains side by side, one a row; all that move together take their steps inside one block of cache. */
typedef struct ebm_chains ebm_chains;

/* Chains of the model (of whole rows, where it is conditional), freed by ebm_chains_free, which accepts NULL; the model
 * must outlive them. Options NULL: the defaults. Errors: ARGUMENT (options out of range or missing, also of a sampler
 * that does not use them), SHAPE (of a proposal, of the space), what recording reports, SIZE, MEMORY. */
gibbs_status ebm_chains_new(ebm_model *model, const ebm_chain_options *options, ebm_chains **chains,
                            gibbs_error *error);
void ebm_chains_free(ebm_chains *chains);

/* Places `rows` chains at x (rows × dim), and forgets acceptances. Errors: DATA (no rows, NaN or infinity, what is no
 * state of a discrete sampler: row and column are named), ARGUMENT (no whole ladders of temperatures), SIZE, MEMORY. */
gibbs_status ebm_chains_start(ebm_chains *chains, const double *x, int64_t rows, gibbs_error *error);

/* Moves every chain `steps` times; the draws are a function of seed, of the number of steps taken since the start plus
 * `step0`, and of the row, and so is where ladders swap: other chains that start where these stood after k steps, and
 * are told a step0 of k more, go on with the same bits. Parameters are read from the model as they are now. Never
 * changes the step size. Errors:
 * ARGUMENT (before a start, steps < 0), NUMERIC (E or its gradient is not finite where a chain starts: the row is
 * named), MEMORY. */
gibbs_status ebm_chains_run(ebm_chains *chains, int64_t steps, uint64_t seed, uint64_t step0, gibbs_error *error);

/* Moves every chain `steps` times while h is adapted, so that moves are accepted at the rate `target` (0: the sampler's
 * own, 0.234 for random walks, 0.44 in one dimension, 0.574 for MALA, 0.8 for HMC), by dual averaging of log h
 * (Nesterov 2009; Hoffman & Gelman 2014 §3.2) on the share of all chains that moved. h is then frozen at the average
 * that the method keeps, and acceptances are forgotten: what later runs report was not adapted. Chains stay where they
 * end. Of a conditional model one h serves all x: where the widths of y given x differ much, the acceptance is that of
 * the wide ones, and chains stick where y is narrow; start them at the data's y with a small h, without warm-up.
 * Errors: those of a run (h is then as it was); ARGUMENT: steps < 1, a target outside (0, 1), a sampler whose
 * acceptance does not follow from h. */
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

/* What M importance weights w are worth. Of the largest min(M/5, 3√M) of them k̂ is the index of a Pareto tail: moments
 * below 1/k exist. Above ½ they have no variance, and no standard error; above 0.7, or 1 − 1/log₁₀ M where that is
 * less, not even smoothed weights are of use (Zhang & Stephens 2009; Vehtari et al. 2024). */
typedef struct ebm_importance {
    double log_z;          /* log Ẑ = log mean w */
    double ess;            /* (Σw)²/Σw², at most M */
    double standard_error; /* of log Ẑ, by the delta method: sd(w)/(mean w·√M); ∞ where there is none, NaN for M = 1 */
    double k;              /* k̂; −∞ where the largest weights are equal, NaN where fewer than 5 can be fitted */
    double largest;        /* the largest weight's share of their sum */
} ebm_importance;

/* ---- What is known of a discrete energy ---- */

/* How its conditionals are had, from the slowest way on. */
typedef enum ebm_conditionals {
    EBM_CONDITIONALS_ENERGIES, /* an energy for each label of each variable */
    EBM_CONDITIONALS_GRADIENT, /* in losses by one gradient a row; in chains by energies */
    EBM_CONDITIONALS_TAPE,     /* in chains by couplings that are second derivatives of E */
    EBM_CONDITIONALS_CHANGES,  /* by change statistics that the energy hands over (struct ebm_energy) */
    EBM_CONDITIONALS_COUPLINGS /* in chains by couplings that the energy hands over (struct ebm_energy) */
} ebm_conditionals;

typedef struct ebm_structure {
    int degree;           /* of E in x (modelled columns), an upper bound: ad_degree; −1: no polynomial that is known */
    ebm_conditionals way;
    int64_t couplings;    /* numbers that chains keep of J */
    char text[320];       /* all that as a sentence */
} ebm_structure;

/* Looks at the model's energy as one of that space (NULL: columns of 0 and 1). Errors: what ebm_chains_new says of a
 * space, what recording reports, MEMORY; *structure is then as it was. */
gibbs_status ebm_model_structure(ebm_model *model, const ebm_space *space, ebm_structure *structure,
                                 gibbs_error *error);

/* Importance sampling (S0 eq 7, 13): y ~ q, weights w̄ ∝ w = exp(−E(y))/q(y). Fills y[rows × dim] and weight[rows]
 * (summing to 1; either may be NULL, as may `result`). Errors: ARGUMENT, SHAPE (of q), NUMERIC (a weight is infinite or
 * NaN, naming its row; all are 0), MEMORY. */
gibbs_status ebm_importance_sample(ebm_model *model, const ebm_proposal *q, int64_t rows, uint64_t seed, double *y,
                                   double *weight, ebm_importance *result, gibbs_error *error);
/* The same with the largest weights replaced by the quantiles of their Pareto tail, none above the largest: some bias
 * for much less variance, and a standard error up to k̂ = 0.7 (Vehtari et al. 2024). */
gibbs_status ebm_importance_smoothed(ebm_model *model, const ebm_proposal *q, int64_t rows, uint64_t seed, double *y,
                                     double *weight, ebm_importance *result, gibbs_error *error);
/* The same, plain or with `smooth`, of logarithms of weights that come from elsewhere; −∞ is one. */
gibbs_status ebm_importance_of(const double *log_weight, int64_t rows, int smooth, const gibbs_allocator *allocator,
                               double *weight, ebm_importance *result, gibbs_error *error);

/* Importance sampling plus resampling (S0 eq 19–20): `count` rows drawn from `rows` weighted ones, with
 * replacement; systematic resampling (one uniform) or, with `multinomial`, independent draws. Weights must be
 * finite, not negative and not all 0 (DATA); they need not sum to 1. */
gibbs_status ebm_resample(const double *weight, int64_t rows, int64_t count, int multinomial, uint64_t seed,
                          const gibbs_allocator *allocator, int64_t *index, gibbs_error *error);

/* ---- Annealed importance sampling ---- */

/* Annealed importance sampling (Neal 2001) between a normalised base density q and the model along the geometric path
 * exp(−E_β), E_β = βE − (1 − β) log q. Needs a q that is positive where exp(−E) is. */
typedef struct ebm_ais_options {
    ebm_chain_options chain;  /* the transitions: any sampler, no temperatures. Block Gibbs: joint form and a product
                                 density over binary units as q */
    const ebm_proposal *base; /* q, independent of θ; must be set */
    int64_t bridges;          /* β goes from 0 to 1 in so many parts; 0: 1000 */
    const double *beta;       /* bridges + 1 rising numbers from 0 to 1; NULL: equal parts */
    int64_t steps;            /* transitions at each β between; 0: 1 */
    uint64_t seed;
} ebm_ais_options;

typedef struct ebm_ais {
    double log_z;          /* the estimate */
    double standard_error; /* of it, by the delta method: of one direction only, not of its bias */
    double ess;            /* (Σw)²/Σw² of the `rows` weights */
    double acceptance;     /* NaN with one bridge */
    double k, largest;     /* as of ebm_importance: above k̂ = ½ the standard error is ∞ */
} ebm_ais;

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

/* ---- Diagnostics of chains ---- */

/* A scalar of each of `chains` chains after each of `steps` steps: series[t · chains + c], steps >= 4. Chains are split
 * in halves (the middle step of an odd number is left out), so that a trend within a chain counts as well. Errors:
 * ARGUMENT, DATA (a number is not finite), NUMERIC (all numbers of the series are equal), MEMORY. */
/* The number of independent draws that would give the mean as well: N/τ, τ = 1 + 2Σρ_t over Geyer's initial monotone
 * sequence (Geyer 1992; Stan Reference Manual; Vehtari et al. 2021 §3.2), N the numbers in all halves of n each, and
 * ρ_t = 1 − (W − C_t)/var⁺: C_t the mean over the halves of their autocovariances at lag t, divisor n, each about its
 * own mean; W that of their variances, divisor n − 1; var⁺ = W(n − 1)/n + the variance of their means, divisor the
 * number of halves − 1. At most N log₁₀ N, for chains that alternate. */
gibbs_status ebm_effective_size(const double *series, int64_t steps, int64_t chains, const gibbs_allocator *allocator,
                                double *ess, gibbs_error *error);
/* √(var⁺/W), as above: 1 when all halves of all chains agree in their means (Gelman et al. 2013 §11.4). Of normal
 * scores of the ranks and of their folded ranks with `ranks`, whichever is larger: heavy tails and spreads that differ
 * are then found as well (Vehtari et al. 2021 §4). */
gibbs_status ebm_split_r_hat(const double *series, int64_t steps, int64_t chains, int ranks,
                             const gibbs_allocator *allocator, double *r_hat, gibbs_error *error);

/* A number made of one x. */
typedef double (*ebm_scalar_fn)(const double *x, int64_t dim, void *context);
/* Coordinate *(const int64_t *)context of x; NaN when it has none such. */
double ebm_scalar_column(const double *x, int64_t dim, void *context);

typedef struct ebm_trace_options {
    int64_t steps;   /* noted; >= 4; 0: 1000 */
    int64_t every;   /* steps of the chains between two; 0: 1 */
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
 * number: the chain's row is named. */
gibbs_status ebm_chains_trace(ebm_chains *chains, const ebm_trace_options *options, double *series, ebm_trace *result,
                              gibbs_error *error);

/* ---- Draws in one call ---- */

/* Zeroed: the defaults. */
typedef struct ebm_draw_options {
    const ebm_chain_options *chain; /* sampler, first step, space, temperatures …; NULL: ebm_mala */
    int64_t warm_up;                /* steps in which h is adapted, of samplers whose h can be; 0: 1000 */
    int64_t steps;                  /* after those, at most, and 100 at least; 0: 102400 */
    double r_hat;                   /* with at most this R̂ chains count as mixed, > 1; 0: 1.05; ∞: all steps are
                                       taken, whatever it is then */
    uint64_t seed;
} ebm_draw_options;

typedef struct ebm_draw_report {
    double step, acceptance; /* h as adapted; accepted over proposed since */
    double r_hat;            /* the worst of the energy and all columns, by ranks, over the last half of the steps */
    int64_t worst;           /* whose that is: a column, from 0; −1 the energy */
    int64_t steps;           /* taken after the warm-up */
} ebm_draw_report;

/* `rows` independent draws of the model into x[rows × dim]: the ends of as many chains (100 at least, for the sake of
 * R̂), each started at a row of `start`, such as the data that the model was fitted to, picked at random. They run 100,
 * 200, 400, … steps until the split R̂ of that last stretch is at most options.r_hat: a chain of autocorrelation time τ
 * has R̂ = 1 + τ/n after n steps, so that at 1.05 each is some 20 τ long and its end has forgotten its start. R̂ is
 * taken of 1000 chains at most. What no chain has found, as a mode without a row of `start`, no R̂ shows. With
 * temperatures each draw has its own ladder. Options NULL: the defaults. `report` (may be NULL) is filled from the
 * first run on, on error as well; x only on success. Errors: NUMERIC (the chains are not mixed after all steps: R̂, and
 * what to do; those of a run), ARGUMENT (also a conditional model, unless r_hat is infinite: chains of different x
 * cannot be compared; each then draws y given the x of its row), what ebm_chains_new and ebm_chains_start report, DATA
 * and SHAPE (of `start`), SIZE, MEMORY. */
gibbs_status ebm_model_draw(ebm_model *model, const ebm_data *start, int64_t rows, const ebm_draw_options *options,
                            double *x, ebm_draw_report *report, gibbs_error *error);

GIBBS_API_END
#endif
