/* gibbs/proposal.h — proposals: normalised densities that can be drawn from. */
#ifndef GIBBS_PUBLIC_PROPOSAL_H
#define GIBBS_PUBLIC_PROPOSAL_H

#include <gibbs/data.h>
#include <gibbs/model.h>

GIBBS_API_BEGIN

/* ---- Proposals: normalised densities that can be drawn from ---- */

typedef struct ebm_proposal ebm_proposal; /* defined in gibbs/extend.h: you can write your own */

/* N(mean, diag(sd²)); N(mean, covariance). Arrays are copied. Errors: ARGUMENT (sd <= 0, dim < 1), NUMERIC (the
 * covariance is singular or not symmetric: the pivot is named), MEMORY. */
gibbs_status ebm_proposal_gaussian_diagonal(int64_t dim, const double *mean, const double *sd,
                                            const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);
gibbs_status ebm_proposal_gaussian_full(int64_t dim, const double *mean, const double *covariance,
                                        const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* The Gaussian with the data's mean and its covariance (divisor rows; the diagonal only unless `full`) times
 * widen²: «the shape of p, more variance» (S0 §3.2). NUMERIC when the data's covariance is singular. */
gibbs_status ebm_proposal_gaussian_fit(const ebm_data *data, int full, double widen, const gibbs_allocator *allocator,
                                       ebm_proposal **q, gibbs_error *error);

/* Independent Student t columns, y = location + scale·T with ν > 0 degrees of freedom, any real number (∞: the normal):
 * log q = Σᵢ lnΓ((ν+1)/2) − lnΓ(ν/2) − ½ ln πν − ln scaleᵢ − ½(ν+1) ln(1 + zᵢ²/ν), z = (y − location)/scale. Draws are
 * exact (Bailey 1994), from 2 dim uniforms; where ν is so small that T leaves the number type (|T| > 10³⁰⁸ has a
 * probability of the order of 10^(−308ν), in float32 10^(−38ν)), they are infinite. Arrays are copied. Errors: ARGUMENT
 * (dim < 1, ν or a scale that is not positive, a location that is not finite: the column is named), MEMORY. */
gibbs_status ebm_proposal_student_t(int64_t dim, const double *location, const double *scale, double nu,
                                    const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);
/* The location is the data's mean, the scale their standard deviation (divisor rows) times `widen`: for every ν, as
 * some have no variance to match. Errors as ebm_proposal_gaussian_fit. */
gibbs_status ebm_proposal_student_t_fit(const ebm_data *data, double nu, double widen, const gibbs_allocator *allocator,
                                        ebm_proposal **q, gibbs_error *error);

/* Uniform on the box low ≤ y ≤ high: log q = −Σ ln(highᵢ − lowᵢ), and −∞ outside. Data that lie outside tell NCE
 * nothing, and a chain of ebm_independence_mh that starts there stays: cover them. Errors: ARGUMENT (dim < 1, ends
 * that are not finite or not in order: the column is named), MEMORY. */
gibbs_status ebm_proposal_uniform(int64_t dim, const double *low, const double *high, const gibbs_allocator *allocator,
                                  ebm_proposal **q, gibbs_error *error);
/* The data's range, `widen` times as wide about its middle. NUMERIC when a column is constant. */
gibbs_status ebm_proposal_uniform_fit(const ebm_data *data, double widen, const gibbs_allocator *allocator,
                                      ebm_proposal **q, gibbs_error *error);

/* Independent columns that are `high` with probability pᵢ, 0 < pᵢ < 1, and `low` otherwise ({0, 1}, ±1):
 * log q(y) = Σ bᵢ ln pᵢ + (1 − bᵢ) ln(1 − pᵢ), b = (y − low)/(high − low), a probability (not a density) where every yᵢ
 * is low or high; elsewhere it is that formula. Errors: ARGUMENT (a probability, by its column; low = high), MEMORY. */
gibbs_status ebm_proposal_bernoulli(int64_t dim, const double *p, double low, double high,
                                    const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);
/* p = (count of high + smoothing)/(rows + 2 smoothing), smoothing > 0: 1 is Laplace's, a large one widens towards ½.
 * DATA when a number is neither low nor high (row and column are named). */
gibbs_status ebm_proposal_bernoulli_fit(const ebm_data *data, double low, double high, double smoothing,
                                        const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* Gaussian kernels over the data, q(y) = (1/n) Σⱼ Πᵢ N(yᵢ; xⱼᵢ, hᵢ²): a row is picked and noise added. The data are
 * copied. h: one bandwidth a column, or NULL for Silverman's rule. log q costs n·dim a point. In float32 the rows are
 * picked with probabilities 1/n ± 2⁻²³. Errors: DATA, ARGUMENT (a bandwidth that is not positive), NUMERIC (a constant
 * column has no rule), SIZE (n > 2²⁴), MEMORY. */
gibbs_status ebm_proposal_kernel_density(const ebm_data *data, const double *h, const gibbs_allocator *allocator,
                                         ebm_proposal **q, gibbs_error *error);

/* Bandwidths by rule of thumb (Scott 1992; Silverman 1986), times `widen`; sd has divisor n. Fills h[cols]. Errors as
 * ebm_proposal_gaussian_fit. */
typedef enum ebm_bandwidth_rule {
    EBM_BANDWIDTH_SCOTT,    /* hᵢ = sdᵢ n^(−1/(d+4)) */
    EBM_BANDWIDTH_SILVERMAN /* hᵢ = sdᵢ (4/((d+2)n))^(1/(d+4)) */
} ebm_bandwidth_rule;
gibbs_status ebm_bandwidth(const ebm_data *data, ebm_bandwidth_rule rule, double widen, double *h, gibbs_error *error);

/* log q of every row of its own data under the kernels of the *other* rows, log_q[n]: what to compare bandwidths by, as
 * log q itself counts each row's own kernel, and would choose h → 0. It is not the density that is drawn from: losses
 * need log q as it is. ARGUMENT when q is not what ebm_proposal_kernel_density made, or has one row. */
gibbs_status ebm_proposal_kernel_density_left_out(const ebm_proposal *q, double *log_q, gibbs_error *error);

/* Σ w_g q_g, weights positive and made to sum to 1 (NULL: equal): log q = lse(ln w_g + log q_g). A broad component
 * keeps importance weights bounded («defensive», Hesterberg 1995). A draw costs one of every component, which share its
 * random numbers. The components stay the caller's and must outlive the mixture; they may depend on θ, the weights do
 * not. Errors: ARGUMENT (no components, one that is NULL or lacks a callback, a weight), SHAPE (dims differ),
 * MEMORY. */
gibbs_status ebm_proposal_mixture(int count, const double *weight, const ebm_proposal *const *component,
                                  const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* Independent blocks of columns: y = (y₁, y₂, …), y_k ~ factor k with its own dim; log q = Σ log q_k(y_k). The factors
 * stay the caller's and must outlive the product. Errors: ARGUMENT, MEMORY. */
gibbs_status ebm_proposal_product(int count, const ebm_proposal *const *factor, const gibbs_allocator *allocator,
                                  ebm_proposal **q, gibbs_error *error);

/* Any proposal of real numbers, `widen` times as wide: y = c + widen (r − c), r ~ part, c its medians. It may not
 * depend on θ, stays the caller's and must outlive this one. Errors: ARGUMENT (also: what is discrete has no width),
 * MEMORY. */
gibbs_status ebm_proposal_widened(const ebm_proposal *part, double widen, const gibbs_allocator *allocator,
                                  ebm_proposal **q, gibbs_error *error);

/* Zeroed: the defaults. */
typedef struct ebm_following_options {
    double widen;  /* q is so many times as wide as the family; 0: 1 */
    int64_t rows;  /* draws that the slopes are found from, 100 at least; 0: 4096 */
    uint64_t seed; /* of them */
} ebm_following_options;

/* A fitted family that follows θ (S0 §3.2, eq 25): y = m(θ) + s(θ)∘(r − m₀), r ~ family. m − m₀ and log s are linear
 * in θ − θ₀, θ₀ the model's present parameters, with the slopes that the model's own mean and standard deviations have
 * there (in each column: at most 8 of these off, 8 times as wide, an eighth of it). At θ₀ it is the family, `widen`
 * times as wide: some 1.5 times the data's width is a good one. Losses draw with the same random numbers for every θ,
 * so that ML-IS stays deterministic; EBM_REDRAW_EACH_STEP takes new ones. The family, which may not depend on θ itself,
 * stays the caller's and must outlive q, which is for models with the same parameters. Errors: ARGUMENT (no parameters,
 * a conditional model, an option), SHAPE, NUMERIC (the family does not cover the model at θ₀: widen it first), what
 * recording reports, SIZE, MEMORY. */
gibbs_status ebm_proposal_following(const ebm_model *model, const ebm_proposal *family,
                                    const ebm_following_options *options, const gibbs_allocator *allocator,
                                    ebm_proposal **q, gibbs_error *error);

/* ---- Of y given x, for conditional models, whose rows are [x, y] with `given` columns x. An ordinary proposal of y's
 * columns is the other choice: their marginal density ---- */

/* The linear regression of the columns after the first `given` ones on those: coefficient[1 + given, cols − given], the
 * intercepts first, and what it leaves, a table of as many rows to be freed with ebm_data_free (zeroed on error). Units
 * do not matter; a column that is constant, or determined by those before it, has the coefficients 0. Errors: DATA,
 * ARGUMENT (no column given, or all), SIZE, MEMORY. */
gibbs_status ebm_least_squares(const ebm_data *data, int64_t given, double *coefficient, ebm_data *residuals,
                               gibbs_error *error);

/* y = a + Bᵀx + r, r ~ residual, any ordinary proposal: q(y | x) = q_r(y − a − Bᵀx); coefficient as above, copied. The
 * residuals' proposal stays the caller's and must outlive this one. Errors: ARGUMENT (no column given, a coefficient
 * that is not finite, no proposal), SIZE, MEMORY. */
gibbs_status ebm_proposal_regression(int64_t given, const double *coefficient, const ebm_proposal *residual,
                                     const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* Both in one, with Gaussian residuals of the covariance that was left (divisor rows − 1 − given; nu INFINITY), or
 * independent Student t ones with nu degrees of freedom, `widen` times as wide. Errors: DATA (as well where there are
 * not more rows than coefficients), ARGUMENT, NUMERIC (nothing is left, or its covariance is singular), SIZE, MEMORY.
 */
gibbs_status ebm_proposal_regression_fit(const ebm_data *data, int64_t given, double nu, double widen,
                                         const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error);

/* Frees a proposal that one of the functions above made. */
void ebm_proposal_free(ebm_proposal *q);

/* Draws y[rows × dim] and writes log q(y) to log_q[rows] (either may be NULL), in float64. Row r depends on seed, step
 * and r only. Errors, here and below: ARGUMENT (no q or one without a callback, one that depends on θ, fewer than 1
 * row), what recording its callbacks reports, SIZE, MEMORY. */
gibbs_status ebm_proposal_sample(const ebm_proposal *q, int64_t rows, uint64_t seed, uint64_t step,
                                 const gibbs_allocator *allocator, double *y, double *log_q, gibbs_error *error);
/* log q at `rows` points x[rows × dim] into log_q[rows]. DATA: no rows, NaN or infinity in x. */
gibbs_status ebm_proposal_log_density(const ebm_proposal *q, const double *x, int64_t rows,
                                      const gibbs_allocator *allocator, double *log_q, gibbs_error *error);

GIBBS_API_END
#endif
