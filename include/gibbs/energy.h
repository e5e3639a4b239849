/* gibbs/energy.h — energies that ship, models made of models, conditional models. */
#ifndef GIBBS_PUBLIC_ENERGY_H
#define GIBBS_PUBLIC_ENERGY_H

#include <gibbs/loss.h>
#include <gibbs/model.h>
#include <gibbs/sampler.h>
#include <gibbs/space.h>

GIBBS_API_BEGIN

/* ---- Energies that ship ----
 * Each returns a model of its own parameters, to be freed by ebm_model_free. Specs are zero-initialised where nothing
 * is said; arrays in them are copied; callbacks and their contexts must outlive the model. Binary variables are 0 and
 * 1, variables with more labels one-hot blocks. Errors: ARGUMENT (a number out of its range, named), SIZE, SHAPE,
 * MEMORY, and what ebm_model_new reports. */

/* ½(x − μ)ᵀP(x − μ): parameters "mean" [d], "precision" [d,d], of which the symmetric part counts; starts at the
 * standard normal. log Z = ½d log 2π − ½ log det P. */
gibbs_status ebm_model_gaussian(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *allocator, ebm_model **model,
                                gibbs_error *error);

/* ½|Lᵀ(x − μ)|², the same with precision LLᵀ: parameters "mean" [d], "log_diagonal" [d] of L, and the elements below it
 * "lower" [d(d−1)/2], row by row (none for d = 1); P is positive definite wherever an optimiser goes, and no direction
 * of the parameters is redundant. Starts at the standard normal. log Z = ½d log 2π − Σ log_diagonal. SIZE above d =
 * 4096. */
gibbs_status ebm_model_gaussian_cholesky(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *allocator,
                                         ebm_model **model, gibbs_error *error);

typedef ad_var (*ebm_activation)(ad_var x); /* ad_softplus, ad_tanh, ad_silu, … or your own */

typedef struct ebm_mlp_spec {
    int64_t dim;
    const int64_t *widths; /* of the hidden layers */
    int64_t layers;        /* 1 … 16 */
    ebm_activation activation; /* NULL: ad_softplus */
    double base_sd;        /* adds ‖x‖²/(2 base_sd²): the base measure that keeps the energy integrable; 0: none */
    ebm_init start;        /* EBM_INIT_FAN_IN: weights, biases and v; 0: EBM_INIT_GLOROT, with biases at 0 */
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

/* The conditionals of a model's two layers, for ebm_block_gibbs: of an RBM, of one that is tempered or of sums of such
 * (the joint form), and of energies of one's own that have them. They refer to the model, which must outlive them.
 * ARGUMENT: there are none. */
gibbs_status ebm_model_blocks(const ebm_model *model, ebm_blocks *blocks, gibbs_error *error);

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
 * redundant parameters. ARGUMENT: an edge outside the graph, from a variable to itself, or twice; edge_count < 0. */
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
 * expectations; the model is then unchanged. At the edge of those that are possible (a die whose mean is 6) only η → ∞
 * has them: the result is then an η, large and one of many, at which they agree to that tolerance. */
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
 * the prefixes "1.", "2.", …; afterwards the parameters are the new model's own. Conditional parts with the
 * same columns given make a conditional model: it takes the labels of the parts that list them, and has no log Z(x)
 * otherwise. log Z (ebm_model_log_z) and conditionals are known where the parts' give them. SHAPE, DTYPE: the parts
 * differ; ARGUMENT: in what is given, or in their labels. */
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
 * log ξ_g unless `log_z_part` is NULL. Errors: ARGUMENT (no mixture, or conditional), SHAPE, DATA, NUMERIC, MEMORY. */
gibbs_status ebm_model_mixture_weights(ebm_model *mixture, const ebm_data *data, double log_z, double *pi,
                                       double *log_z_part, gibbs_error *error);

/* ---- Conditional models ----
 * p(y | x) = exp(−E(x, y))/Z(x) (S3's CEBM): the model's rows are [x, y], of which the first `given` columns (of
 * ebm_model_spec) are given and the others modelled, and the energy is an ordinary one of the row. What makes it
 * conditional is how log Z(x) is known, and two ways serve all: the labels y, when they can be listed, are enumerated
 * on a child axis (any energy); or log Z(x) is recorded (`conditional` of struct ebm_energy; regressions: the log
 * partition function; a chain: the forward algorithm). That is taken where both are there, and neither is needed by
 * losses that do without log Z, or sum over points of their own: see gibbs/loss.h. Losses, proposals and chains see y,
 * with x given. ebm_model_energy takes whole rows; what would integrate over x as well (ebm_integrate, ebm_enumerate,
 * AIS …) refuses such a model. */

/* Records log Z(x; θ) for x [given], and log p(y | x; θ) = −E − log Z(x) for a row. Errors on the tape: ARGUMENT (not
 * conditional, or neither labels nor log_z), AXIS (labels, and x is shared), what recording reports. */
ad_var ebm_conditional_log_z(const ebm_model *model, ad_var x, const ad_var *theta);
ad_var ebm_conditional_log_likelihood(const ebm_model *model, ad_var row, const ad_var *theta);

/* Maximum conditional likelihood: −mean log p(yₙ | xₙ) over the rows, with log Z(x) as the model knows it. Where it
 * does not, ebm_loss_exact_ml is the same by a quadrature of y. */
extern const ebm_loss ebm_loss_conditional_ml;

/* ---- Prediction ---- */

typedef struct ebm_predict_options {
    int mean;  /* y is E[y | x]; else the most probable y */
    const ebm_points *points; /* of y (dim − given columns, here D): a space, a quadrature, or draws with minus their
                                 log density as log weights. NULL: the model's formula or its labels */
    int refine; /* y is real: the most probable point is where L-BFGS starts from */
} ebm_predict_options;

/* y[rows × D] given x[rows × given] at the model's parameters: by the model's own formula (regressions: η/τ, σ(η),
 * softmax, or the label of the largest η; a chain: its marginals, or its best path, Viterbi 1967), else by its labels,
 * or by options.points. With points y is their weighted mean Σ w̄ₖyₖ, w̄ ∝ exp(log weightₖ − E(x, yₖ)), or the one of
 * lowest E, the first of several, among those that count. log Z(x) goes to log_z[rows], the w̄ of the labels or points
 * to probability[rows × count]; either may be NULL, and probability is NULL where there are none. Errors: ARGUMENT (not
 * conditional; neither a formula nor labels nor points; probabilities of neither), SHAPE (of the points), DATA (x or a
 * point is not finite), NUMERIC (E is NaN, no point has a density, or a box of points cuts it off, at a row: it is
 * named; or the search failed), what recording reports, SIZE, MEMORY. */
gibbs_status ebm_predict(ebm_model *model, const ebm_predict_options *options, const double *x, int64_t rows, double *y,
                         double *log_z, double *probability, gibbs_error *error);

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
    const double *labels; /* as in ebm_model_spec */
    int64_t label_count;
    gibbs_dtype dtype;
    uint64_t seed;
    const gibbs_allocator *allocator;
} ebm_bilinear_spec;

/* −Ψ(x)ᵀφ(y) (S3 eq 10.14), Ψ = Uᵀψ(x), φ = Vᵀf(y); "U" and "V" [features, width]. Linear in φ: it is normalisable for
 * labels, or on a bounded domain. */
gibbs_status ebm_model_bilinear(const ebm_bilinear_spec *spec, ebm_model **model, gibbs_error *error);

GIBBS_API_END
#endif
