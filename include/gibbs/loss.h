/* gibbs/loss.h — losses, and the objective that a loss with its data is. */
#ifndef GIBBS_PUBLIC_LOSS_H
#define GIBBS_PUBLIC_LOSS_H

#include <gibbs/sampler.h>
#include <gibbs/space.h>

GIBBS_API_BEGIN

/* ---- Losses ----
 * Of a conditional model p(y | x) (gibbs/energy.h) the losses see y, with x given: score matching and its kin
 * differentiate by y and add noise to y alone, proposals draw y, chains move y. Each row then has its own log Z(x),
 * which changes four of them: exact and importance-sampled maximum likelihood (a log Z for each row, from all points or
 * from ν of its own), NCE (below), and those that compare whole rows, improved CD and the kernel Stein discrepancies,
 * which refuse such a model. */

typedef struct ebm_loss ebm_loss; /* a const struct, defined in gibbs/extend.h */

/* Maximum likelihood by importance sampling (Geyer 1994; S0 eq 8, 12): mean E(xₙ) + lse(−E(y_m) − log q(y_m)) −
 * log M, which is J_BL/N. Deterministic for one draw of y. Health: ESS. If q depends on θ, y = g(ε; θ) with common
 * random numbers ε, and the derivative flows through y and q (S0 §3.2). Of a conditional model each row has ν points of
 * its own, the health is the rows' mean ESS, and log Ẑ(x) falls short of log Z(x) by some (ν/ESS − 1)/2ν in the mean,
 * which more rows do not mend: take ν = 100 or so, or ranking NCE, which is consistent with any number. */
extern const ebm_loss ebm_loss_ml_is;
/* Exact maximum likelihood: mean E(xₙ) + log Z, log Z = lse_m(log weight_m − E(y_m)) over options.points: all states,
 * or the nodes of a quadrature, of y where the model is conditional. The oracle for every other loss. */
extern const ebm_loss ebm_loss_exact_ml;

/* Maximum likelihood with points of the model itself (S0 eq 14; §6): mean E(xₙ) − mean E(y_m), the M = ν·N points y
 * held constant. They come out of draws z of the proposal at each θ: resampled by weight (eq 19–20), or as the path of
 * one chain of independence Metropolis–Hastings that is offered them in turn. The value is the energy gap, no
 * objective, and there are no standard errors: ML-IS with the same draws is what the first one is on average, has both,
 * and errs less at the same q and M. Health: ESS of the weights; acceptance. Not for conditional models. */
extern const ebm_loss ebm_loss_ml_resampled;
extern const ebm_loss ebm_loss_ml_mh;

/* Contrastive divergence (Hinton 2002; S1 eq 3–7): mean E(xₙ) − mean E(yₙ), y from k transitions started at the
 * data and held constant. The value is the energy gap, no objective: validation uses the score matching loss (for
 * discrete data, copy the struct and set `validation` to &ebm_loss_pseudo_likelihood). Health: acceptance. */
extern const ebm_loss ebm_loss_cd;
/* Persistent contrastive divergence (Younes 1989; Tieleman 2008): as CD, with y from chains that never go back to the
 * data: stochastic maximum likelihood. A buffer larger than the batch is moved in turn, in place; `restart` of its
 * chains begin anew each time (a replay buffer: Du & Mordatch 2019), which is no longer maximum likelihood. Chains of a
 * conditional model keep the x of the row that they started at: ebm_fit takes one for each training row. */
extern const ebm_loss ebm_loss_pcd;
/* Improved contrastive divergence (Du et al. 2020; S1 §2.1, eq 5): CD plus options.coefficient times the derivative of
 * KL(q‖p) by θ through q alone, q being the density of y: mean E(yₙ) − H(q), E with its parameters held, through the
 * last of the k transitions. Coefficient +1 is Du et al.'s code; −1 is S1 eq 5, the gradient of what CD claims to
 * minimise, KL(data‖p) − KL(q‖p); 0 (EBM_ZERO) is CD. Entropy: nearest neighbours among the batch's y (Kozachenko &
 * Leonenko 1987), whose gradient has a mean for dim >= 2 only and a variance for dim >= 3. With one ULA step the term's
 * expected gradient is, to first order in h, minus that of CD itself: +1 cancels it, −1 doubles it. The value moves
 * with a constant in E, as the term has no log Z; the gradient does not. Sampler: ebm_ula by default; ARGUMENT for one
 * that accepts, rejects or jumps. DATA: fewer than 2 rows. Each draw compares all pairs. */
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
 * mean ‖x − (x̃ − σ²∇E(x̃))‖² = 2σ⁴ times the first; S4 eq 13 is N times that. SMOOTH, here and
 * of Stein discrepancies, where a parameter moves a kink of E (of k|x − m| m does, and any weight of a relu network):
 * ∇E jumps there, and its derivative by that parameter misses the jump. */
extern const ebm_loss ebm_loss_denoising;
extern const ebm_loss ebm_loss_denoising_autoencoder;
/* Sliced score matching (Song et al. 2019; S1 §3.3): mean ½(vᵀ∇E)² − vᵀ∇²E v over options.copies (at most 1000) random
 * directions v of each row, ±1 (Rademacher) or, with options.gaussian, standard normal; and the variance-reduced form
 * ½‖∇E‖² − vᵀ∇²E v. Energies must be smooth (SMOOTH). */
extern const ebm_loss ebm_loss_sliced;
extern const ebm_loss ebm_loss_sliced_reduced;

/* Noise contrastive estimation (Gutmann & Hyvärinen 2012; S1 eq 22–24): mean softplus(−G(xₙ)) + ν mean
 * softplus(G(y_m)), G = −E − c − log q − log ν, ν = M/N. c is learnt and estimates +log Z. A q that depends on θ is
 * held constant in the gradient. Health: accuracy of telling data from noise, ½ when they are alike. Of a conditional
 * model with ν noise points for each row c is one number for all x: right where Z does not depend on x, as of a
 * regression with constant residuals, or where E has a term of x alone that can make it so (Ma & Collins 2018). Where
 * neither holds take ranking NCE. */
extern const ebm_loss ebm_loss_nce;
/* Conditional NCE (Ceylan & Gutmann 2018): (2/κN) Σₙ Σ_k log(1 + exp(−(E(y_nk) − E(xₙ)))), y = x + σε, κ =
 * options.copies, σ = options.noise_sd. Needs no q and no Z; (loss − 2 log 2)·2/σ² tends to implicit score matching
 * as σ → 0. */
extern const ebm_loss ebm_loss_conditional_nce;
/* Ranking NCE (Jozefowicz et al. 2016; Ma & Collins 2018): −mean log softmax of the datum among K = options.copies
 * negatives from the proposal, logits −E − log q. Z cancels. Health: how often the datum comes first, 1/(K + 1) when
 * they are alike. */
extern const ebm_loss ebm_loss_ranking_nce;
/* The same of a conditional model with the y of options.copies other rows of the batch, new ones at each step, as
 * negatives of a row's own (van den Oord et al. 2018, «InfoNCE»; what CLIP does; S3 10.14): no proposal. −E then
 * estimates log p(y | x)/p(y), up to a function of x: which y goes with an x, and not how frequent y is. 15 copies and
 * more are usual. */
extern const ebm_loss ebm_loss_batch_ranking_nce;

/* Losses of discrete data that need no log Z: rows are states of options.space, of two-valued columns or one-hot
 * blocks; others are DATA errors, with their row. Of an energy of degree at most 2 in x (Ising, Potts, Boltzmann
 * machines, pairwise fields, a user's own: ad_degree) they take one ∇E a row; where the energy has change statistics
 * (struct ebm_energy) they are a regression on these; of any other d + 1 energies. Terms of a variable's own columns (as
 * xᵢ²) cost a density a Hessian an evaluation, and from 4097 columns on, or where y is given x, the d + 1 energies. */
/* Pseudo-likelihood (Besag 1975): mean Σᵢ −log p(xᵢ | x₋ᵢ). */
extern const ebm_loss ebm_loss_pseudo_likelihood;
/* Ratio matching (Hyvärinen 2007, «Some extensions of score matching»): mean Σ [p(x′)/(p(x) + p(x′))]² over all
 * changes x′ of one variable: to its other value, or to each other label. */
extern const ebm_loss ebm_loss_ratio_matching;

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
 * those of the first term that has them; it is for conditional models when one of the terms is. Held-out rows are
 * judged by the same sum of what judges them for each term: score matching for contrastive divergence. Terms are
 * copied, the losses must outlive the sum, which is freed by ebm_loss_free (it accepts NULL and leaves the library's
 * own losses alone). Errors: ARGUMENT (no terms, a weight that is not finite, terms whose artificial points are of
 * different kinds), MEMORY. */
typedef struct ebm_loss_term {
    const ebm_loss *loss;
    double weight;
} ebm_loss_term;
gibbs_status ebm_loss_sum(const ebm_loss_term *terms, int count, const gibbs_allocator *allocator, ebm_loss **loss,
                          gibbs_error *error);
void ebm_loss_free(ebm_loss *loss);

/* When artificial points and noise are drawn anew. Chains move before every step in any case. */
typedef enum ebm_redraw {
    EBM_REDRAW_AUTOMATIC, /* as the loss has it: never for ML-IS, in each step for all others that draw */
    EBM_REDRAW_NEVER,     /* one sample for the whole fit */
    EBM_REDRAW_EACH_STEP  /* before every step of ebm_fit */
} ebm_redraw;

/* Zeroed: the defaults. */
typedef struct ebm_loss_options {
    const ebm_proposal *proposal; /* ML-IS, ML by draws, NCE, ranking NCE. NULL: ebm_fit takes a full Gaussian fitted to
                                     the training data (for a conditional model, ebm_proposal_regression_fit) and widened
                                     1.5 times; ebm_objective_new refuses (ARGUMENT) */
    double noise_ratio;           /* ν = M/N of ML-IS and NCE, > 0; 0: 1 for NCE and 10 for ML. Of a conditional
                                     model the points of each row: a whole number */
    ebm_redraw redraw;
    const ebm_sampler *sampler;   /* CD; NULL: ebm_mala, ebm_ula for improved CD */
    int sampler_steps;            /* k of CD-k; 0: 1 */
    double sampler_step;          /* h; 0: 0.01 */
    const ebm_chain_options *chain; /* what else the sampler needs (leapfrog steps, blocks …), of which sampler, step,
                                       proposal and threads are not read, nor the space where it is zeroed: `space`
                                       below is then theirs */
    int64_t buffer;               /* PCD: chains that are kept, moved in turn; 0: as many as a batch has rows */
    double restart;               /* PCD: the fraction of chains that start anew, from the proposal (which must not
                                     depend on θ) or, without one, from a data row */
    const ebm_points *points;     /* exact ML: the whole space; must outlive the objective */
    double noise_sd;              /* σ of the noise on the data of the losses that add some; 0: 0.1. The length of a
                                     Stein kernel */
    int copies;                   /* κ, K or slices: noisy copies, negatives or directions for each row; 0: 1 */
    int gaussian;                 /* random directions are standard normal, not ±1 */
    double coefficient;           /* of the term that a loss adds to another; see the loss; 0: 1, EBM_ZERO: 0 */
    ad_var (*weight)(ad_var x, void *context); /* weighted score matching: h(x) [d], hᵢ of xᵢ alone; NULL: x² */
    ad_var (*field)(ad_var x, const ad_var *theta, void *context); /* [d]: a score network, or a Stein critic; of a
                                     conditional model x is the row, and d the modelled columns */
    ebm_space space;              /* discrete x: of pseudo-likelihood and of chains; must outlive the objective */
    int weighted;                 /* data rows have weights, which come by ebm_objective_weigh; a fit sees by its table
                                     whether they do */
    int threads;                  /* 0: OMP_NUM_THREADS, else all processors; those of ebm_fit_options go first */
    void *context;                /* for losses of your own, `weight` and `field` */
} ebm_loss_options;

/* A loss with its data and its artificial points: value and gradient by the model's parameters. What ebm_fit does, a
 * step at a time: bind, refresh, evaluate. */
typedef struct ebm_objective ebm_objective;

/* Records and compiles the loss with its gradient. The options are copied (NULL: the defaults), what they point to
 * and the model must outlive the objective, which is freed by ebm_objective_free (it accepts NULL). Errors: ARGUMENT
 * (an option out of its range or missing; a conditional model for a loss of whole rows, or the other way round), SHAPE
 * (of a proposal, a field …), what recording reports (SMOOTH, naming the op), SIZE, MEMORY. */
gibbs_status ebm_objective_new(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                               ebm_objective **objective, gibbs_error *error);
void ebm_objective_free(ebm_objective *objective);

/* Binds `rows` data rows of the model's dtype (they stay the caller's, and must live while they are bound). What was
 * bound before stays so after an error. It does not look for NaN, as ebm_fit does: the loss is then NaN. Errors: DATA
 * (no rows, fewer than the loss compares, numbers that are no states of a discrete loss), ARGUMENT and SIZE (how many
 * artificial points), MEMORY. */
gibbs_status ebm_objective_bind(ebm_objective *objective, const void *x, int64_t rows, gibbs_error *error);

/* Gives the bound rows their weights, of an objective with options.weighted: as many numbers of the model's dtype, not
 * negative, with mean 1 over the whole table. The loss is then Σ wₙℓₙ/N over the N bound rows, of all rows Σ wℓ/Σ w;
 * chains start at rows drawn by weight, or weigh as the row that they start at, and a pair weighs the product. They stay
 * the caller's, and must live while they are bound. To be called after each ebm_objective_bind, before a refresh.
 * ARGUMENT: an objective without weights. */
gibbs_status ebm_objective_weigh(ebm_objective *objective, const void *weight, gibbs_error *error);

/* Draws artificial points, or runs the chains of CD from the bound data, at the model's present parameters; a function
 * of seed and step, which are also those of noise that a loss adds. Nothing to draw: only notes them. Errors: UNBOUND
 * (no data), NUMERIC (of a chain's energy, naming the row). */
gibbs_status ebm_objective_refresh(ebm_objective *objective, uint64_t seed, uint64_t step, gibbs_error *error);

/* The loss at the model's present parameters into *value (may be NULL); its gradient is then at ebm_objective_gradient,
 * until the next evaluation. A value that is not finite is no error: *value is that NaN or infinity, and the gradient
 * what came with it. Errors: UNBOUND (no data; fewer or more artificial points than the bound data need, or other rows
 * of a batch that is no longer bound: «refresh after binding»). Noise that is part of the graph (denoising, sliced,
 * conditional and ranking NCE, a q that depends on θ, or a conditional model's) needs no refresh: without one it is
 * that of seed 0 and step 0. */
gibbs_status ebm_objective_evaluate(ebm_objective *objective, double *value, gibbs_error *error);
const void *ebm_objective_gradient(const ebm_objective *objective); /* of the model's dtype, size numbers */

/* The parameters that are optimised, of the model's dtype: the model's own, in its memory, then log Z when the loss
 * learns it. */
int64_t ebm_objective_size(const ebm_objective *objective);
void *ebm_objective_theta(ebm_objective *objective);
double ebm_objective_health(const ebm_objective *objective); /* of the last evaluation; NaN when the loss has none */
double ebm_objective_log_z(const ebm_objective *objective);  /* the estimate of log Z; NaN when the loss has none */

/* A goodness-of-fit test by the kernel Stein discrepancy (Liu, Lee & Jordan 2016; Chwialkowski et al. 2016): is the
 * model, as it stands, the density of these independent rows? The p-value is that of the wild bootstrap, (1 + how
 * many of `bootstrap` signed sums Σ_{i<j} εᵢεⱼ u(xᵢ, xⱼ), ε = ±1, reach the one without signs)/(1 + bootstrap). Not
 * for data that the model was fitted to. Takes rows² time and memory. Only ∇E is asked of the model, which a kink
 * (relu) does not spoil. Errors: DATA (fewer than 2 rows), SHAPE, ARGUMENT, what
 * recording reports, NUMERIC (a gradient is not finite), SIZE, MEMORY. */
typedef struct ebm_ksd_options {
    int rbf;       /* exp(−r²/2b²) instead of (b² + r²)^−½ */
    double length; /* b; 0: the data's ebm_median_distance */
    int bootstrap; /* 0: 1000 */
    uint64_t seed;
    int threads;   /* 0: OMP_NUM_THREADS, else all processors */
} ebm_ksd_options;

typedef struct ebm_ksd {
    double statistic; /* the U-statistic, mean over pairs */
    double p_value;
    double length;    /* b as used */
} ebm_ksd;

gibbs_status ebm_ksd_test(ebm_model *model, const ebm_data *data, const ebm_ksd_options *options, ebm_ksd *result,
                          gibbs_error *error);

/* The median of ‖xᵢ − xⱼ‖ over all pairs of (at most 1000, evenly spaced) rows. DATA: fewer than 2 rows. NUMERIC: 0. */
gibbs_status ebm_median_distance(const ebm_data *data, double *median, gibbs_error *error);

GIBBS_API_END
#endif
