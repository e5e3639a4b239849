/* gibbs/ad.h — the automatic-differentiation tape.
 *
 * You write a function for ONE sample, as in mathematics; the engine runs it for a batch. Recording an operation
 * gives an ad_var; a derivative is more recorded operations, so it can be differentiated again; a plan is a tape
 * compiled for chosen outputs, and a workspace is the memory that runs it.
 *
 *     ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
 *     ad_axis  data = ad_axis_new(t, "data");
 *     ad_var   x = ad_input(data, "x", ad_vec(2)), W = ad_parameter(t, "W", ad_mat(2, 8));
 *     ad_var   E = ad_sum(ad_softplus(ad_matmul(x, W))), dx, dW;
 *     ad_grad(E, &x, 1, &dx);            // ∇xE, one row a sample
 *     ad_grad(E, &W, 1, &dW);            // Σₙ ∇W E(xₙ)
 *     if (ad_tape_status(t)) puts(ad_tape_message(t));
 *
 * Order of this file: what a first program needs, then derivatives, and last the advanced parts; running is
 * gibbs/plan.h, which this file includes.
 *
 * Errors while recording are sticky: the first one stays on the tape as a sentence, everything recorded from a
 * failed op is the null var, and you check once (ad_compile checks for you). No function here prints or aborts.
 */
#ifndef GIBBS_AD_H
#define GIBBS_AD_H

#include <gibbs/status.h>

GIBBS_API_BEGIN

/* ---- Tape, shapes, axes, vars ------------------------------------------------------------------------------ */

enum { AD_MAX_RANK = 8, AD_MAX_ARGUMENTS = 4 };

/* The shape of one sample's value, row-major. rank 0 is a scalar. Dimensions are at least 1, and a value has at
 * most 2³¹ − 1 elements. */
typedef struct ad_shape {
    int rank;
    int64_t dim[AD_MAX_RANK];
} ad_shape;

ad_shape ad_scalar(void);
ad_shape ad_vec(int64_t n);
ad_shape ad_mat(int64_t rows, int64_t cols);
ad_shape ad_cube(int64_t a, int64_t b, int64_t c);

/* Number of elements; −1 when a dimension is below 1, the rank is out of range or the product too large. */
int64_t ad_shape_count(const ad_shape *shape);

typedef struct ad_tape ad_tape;

/* A recorded value: a small handle, copied freely, valid as long as its tape. id < 0 is the null var, and an id that
 * names nothing on the tape counts as null. A var is either SHARED (one value for all samples: parameters, constants,
 * reductions over a batch) or PER-SAMPLE (one value for each sample of one batch axis). */
typedef struct ad_var {
    ad_tape *tape;
    int32_t id;
} ad_var;

/* A batch axis: an unnamed number of independent samples, given when a plan runs. */
typedef struct ad_axis {
    ad_tape *tape;
    int32_t id;
} ad_axis;

/* A new empty tape whose numbers are all of `dtype`; NULL when memory is out, the dtype is none or the allocator lacks
 * a function. Free it after the last plan was compiled from it: plans do not refer to it, and vars and axes go on
 * naming what is bound. */
ad_tape *ad_tape_new(gibbs_dtype dtype, const gibbs_allocator *allocator);
void ad_tape_free(ad_tape *tape);

/* The first error, or GIBBS_OK; and its sentence, or "", which the tape owns. A tape with an error stays so. The status
 * of a NULL tape is TAPE. */
gibbs_status ad_tape_status(const ad_tape *tape);
const char *ad_tape_message(const ad_tape *tape);
gibbs_dtype ad_tape_dtype(const ad_tape *tape);
int64_t ad_tape_size(const ad_tape *tape); /* nodes recorded so far */

/* A named axis ("data", "noise"). Names are for messages and may repeat; the handle is what counts. The tape copies
 * them, here and below. After an error the handle is null (id −1). */
ad_axis ad_axis_new(ad_tape *tape, const char *name);

/* An axis with exactly `count` elements for each element of `parent` («negatives of data»): see ad_regroup. ARGUMENT
 * where count < 1, SIZE where an element of the root would have 2³¹ or more. */
ad_axis ad_axis_child(ad_axis parent, int64_t count, const char *name);

/* Leaves. Inputs and parameters are bound to memory when a plan runs. A parameter is a shared input: θ, a step
 * size, anything that is one value for all samples. Each call makes a new leaf, also under a name used before.
 * Constants are known while recording and may be folded away; an array's values are copied. Errors: SIZE, ARGUMENT (no
 * values). */
ad_var ad_input(ad_axis axis, const char *name, ad_shape shape);
ad_var ad_parameter(ad_tape *tape, const char *name, ad_shape shape);
ad_var ad_constant(ad_tape *tape, double value);
ad_var ad_constant_array(ad_tape *tape, ad_shape shape, const double *values);

int ad_is_null(ad_var v);
int ad_is_shared(ad_var v);
ad_shape ad_shape_of(ad_var v);  /* rank −1 for the null var */
ad_axis ad_axis_of(ad_var v);    /* id −1 for a shared or null var */

/* ---- Elementwise operations --------------------------------------------------------------------------------
 * Operands broadcast: a shared operand is lifted to the other's axis, shapes are aligned at their last dimension
 * and dimensions of size 1 repeat. Operands on two different axes are an error that names both. */
ad_var ad_neg(ad_var x);
ad_var ad_exp(ad_var x);
ad_var ad_expm1(ad_var x);
ad_var ad_log(ad_var x);
ad_var ad_log1p(ad_var x);
ad_var ad_sqrt(ad_var x);
ad_var ad_recip(ad_var x);         /* 1/x */
ad_var ad_tanh(ad_var x);
ad_var ad_sigmoid(ad_var x);       /* 1/(1 + e⁻ˣ) */
ad_var ad_sigmoid_slope(ad_var x); /* its derivative σ(x)σ(−x), the logistic density */
ad_var ad_softplus(ad_var x);      /* log(1 + eˣ), without overflow */
ad_var ad_erf(ad_var x);
ad_var ad_erfc(ad_var x);          /* 1 − erf(x), without cancellation */
ad_var ad_log_erfc(ad_var x);      /* log erfc(x), without underflow: −x² − log(x√π) … far out, and so its slopes */
ad_var ad_log_ndtr(ad_var x);      /* log Φ(x) of the standard normal distribution, likewise */
ad_var ad_log1mexp(ad_var x);      /* log(1 − e⁻ˣ), x > 0 (Mächler 2012); −∞ at 0, NaN below */
ad_var ad_lgamma(ad_var x);        /* log Γ(x), x > 0; ∞ at 0, NaN below */
ad_var ad_digamma(ad_var x);       /* its derivative ψ(x), x > 0; NaN at 0, the pole, and below */
ad_var ad_polygamma(ad_var n, ad_var x); /* ψ⁽ⁿ⁾(x), x > 0; n a whole number in [0, 170], whose fraction is dropped: no
                                            derivative by n. ψ′ is ad_polygamma(ad_constant(tape, 1), x) */
ad_var ad_logcosh(ad_var x);       /* log cosh x, without cancellation or overflow */
ad_var ad_sinh(ad_var x);
ad_var ad_cosh(ad_var x);
ad_var ad_sin(ad_var x);
ad_var ad_cos(ad_var x);
ad_var ad_asin(ad_var x);          /* for |x| ≤ 1; the slope at ±1 is NaN */
ad_var ad_acos(ad_var x);          /* likewise */
ad_var ad_atan(ad_var x);
ad_var ad_atan2(ad_var y, ad_var x); /* the angle of the point (x, y), in (−π, π]; at 0 its derivative is NaN */
ad_var ad_hypot(ad_var a, ad_var b); /* √(a² + b²), without overflow; at 0 its derivative is NaN */
ad_var ad_abs(ad_var x);           /* not smooth; derivative sign(x) */
ad_var ad_sign(ad_var x);          /* −1, 0, 1; derivative 0 */
ad_var ad_step(ad_var x);          /* 1 where x > 0, else 0; derivative 0 */
ad_var ad_stop_gradient(ad_var x); /* x, with derivative 0 */

ad_var ad_add(ad_var a, ad_var b);
ad_var ad_sub(ad_var a, ad_var b);
ad_var ad_mul(ad_var a, ad_var b);
ad_var ad_div(ad_var a, ad_var b);
ad_var ad_max(ad_var a, ad_var b); /* not smooth; where equal the derivative goes to a */
ad_var ad_min(ad_var a, ad_var b);
ad_var ad_pow(ad_var a, ad_var b); /* aᵇ; the derivative by b needs a > 0 */
ad_var ad_less(ad_var a, ad_var b);              /* 1 where a < b, else 0; derivative 0 */
ad_var ad_select(ad_var c, ad_var a, ad_var b);  /* a where c ≠ 0, else b; the unused branch gets derivative 0 */

/* With a number on one side. */
ad_var ad_scale(ad_var x, double factor);
ad_var ad_shift(ad_var x, double offset);

/* Composed from the above. */
ad_var ad_square(ad_var x);
ad_var ad_relu(ad_var x);          /* not smooth; derivative 0 at 0 */
ad_var ad_clamp(ad_var x, double low, double high); /* not smooth; derivative 1 from low to high, else 0; a NaN stays.
                                                       ARGUMENT unless low <= high */
ad_var ad_silu(ad_var x);          /* x σ(x) */
ad_var ad_gelu(ad_var x);          /* x Φ(x) = x erfc(−x/√2)/2 */
ad_var ad_elu(ad_var x);           /* x or eˣ − 1: once continuously differentiable, so not smooth */

/* ---- Reductions and structure within a sample -------------------------------------------------------------- */

/* Over all elements → a scalar. The _dims forms reduce the dimensions whose bits are set in `mask` (bit 0 is
 * dimension 0) and drop them; ARGUMENT for a bit beyond the rank. */
ad_var ad_sum(ad_var x);
ad_var ad_sum_dims(ad_var x, unsigned mask);
ad_var ad_max_reduce(ad_var x);               /* not smooth; ties share the derivative equally */
ad_var ad_max_reduce_dims(ad_var x, unsigned mask);
ad_var ad_logsumexp(ad_var x);                /* log Σ exp, without overflow */
ad_var ad_logsumexp_dims(ad_var x, unsigned mask);
ad_var ad_softmax(ad_var x);                  /* over the last dimension */
ad_var ad_norm(ad_var x); /* √Σx², of any size; at 0 its slope is 0, a second one NaN, and ad_square of it smooth */
ad_var ad_dot(ad_var a, ad_var b);            /* Σ aᵢbᵢ over all elements, after broadcasting */

/* Matrix product. [m,k]·[k,n] → [m,n]; a vector on the left is a row, on the right a column, and its dimension
 * goes away: [k]·[k,n] → [n], [m,k]·[k] → [m], [k]·[k] → scalar. Rank 3 adds a leading batch dimension that both
 * share (or that one of them lacks): [b,m,k]·[b,k,n] → [b,m,n]. A shared factor is used by every sample. */
ad_var ad_matmul(ad_var a, ad_var b);

/* xᵀ A x for x [d], A [d,d] → scalar. */
ad_var ad_quadratic_form(ad_var x, ad_var A);

/* −vᵀa − Σⱼ softplus(bⱼ + (vW)ⱼ): the free energy of a binary RBM; v [d], W [d,h], a [d], b [h] → scalar. */
ad_var ad_rbm_free_energy(ad_var v, ad_var W, ad_var a, ad_var b);

/* log Σ_g exp(log_weight_g + log_density_g): both [G] → scalar. */
ad_var ad_log_mixture(ad_var log_weight, ad_var log_density);

/* Factorisations of a matrix [n,n], shared or each sample's own, of any n. Of a symmetric one the symmetric part (A
 * + Aᵀ)/2 is what counts, so that the derivative by A is symmetric, and right for any A. Where there is no result
 * all of it is NaN (of the determinant of a singular matrix −∞, and its derivative NaN), and a run with `check`
 * names row and pivot. What is singular but for rounding is not told from what is regular. SHAPE for other shapes. */
ad_var ad_cholesky(ad_var A);       /* L, lower triangular, A = LLᵀ: A symmetric, positive definite */
ad_var ad_log_det(ad_var A);        /* log det A of such an A: 2Σ log Lᵢᵢ */
/* L⁻¹B or, transposed, L⁻ᵀB: B [n] or [n,m], a vector or columns. What lies above L's diagonal is not looked at. */
ad_var ad_triangular_solve(ad_var L, ad_var B, int transposed);
/* A⁻¹B or, transposed, A⁻ᵀB, of any A, by LU with partial pivoting; and log |det A|, likewise. */
ad_var ad_solve(ad_var A, ad_var B, int transposed);
ad_var ad_log_abs_det(ad_var A);
/* A symmetric: eigenvalues [n], ascending, and eigenvectors [n,n], a column each, A = V diag(λ) Vᵀ. A vector's sign
 * is not determined; its largest component is made positive. At equal eigenvalues vectors have no derivative, and
 * the values no second one: those are NaN there, and very large beside it. */
ad_var ad_eigenvalues(ad_var A);
ad_var ad_eigenvectors(ad_var A);

/* Moves of elements. What does not fit is an error: SHAPE of two shapes, ARGUMENT of a dimension, order or range. */
ad_var ad_reshape(ad_var x, ad_shape shape);            /* as many elements, in row-major order */
ad_var ad_expand(ad_var x, ad_shape shape);             /* broadcast to a larger shape */
ad_var ad_permute(ad_var x, const int *order);          /* dimension i of the result is dimension order[i] of x */
ad_var ad_transpose(ad_var x);                          /* swaps the last two dimensions */
ad_var ad_slice(ad_var x, int dim, int64_t start, int64_t count); /* start … start + count − 1 of a dimension */
ad_var ad_pad(ad_var x, int dim, int64_t before, int64_t after); /* with zeros */
ad_var ad_concat(ad_var a, ad_var b, int dim);

/* Elements one by one, and values put together. Indices count from 0; ARGUMENT for one that is out of range (the
 * sentence has index and shape), SHAPE where x is no vector, or no matrix, and where the listed shapes do not fit. */
ad_var ad_at(ad_var x, int64_t i);              /* xᵢ of a vector: a scalar */
ad_var ad_at2(ad_var x, int64_t i, int64_t j);  /* x_ij of a matrix: a scalar */
/* n >= 1 values joined along dimension `dim`, which alone may differ. (n < 1, or no list: the null var; there is no
 * tape to note it on, but whatever takes it does.) */
ad_var ad_concat_all(const ad_var *x, int n, int dim);
/* n >= 1 values of one shape s as [n, s…]: scalars become a vector, vectors the rows of a matrix. The second form puts
 * the new dimension before dimension `dim` of s, or behind the last one: vectors become the columns of a matrix. */
ad_var ad_stack(const ad_var *x, int n);
ad_var ad_stack_dim(const ad_var *x, int n, int dim);

/* Parts of dimension `dim` that are known while recording: the n >= 1 elements whose numbers are listed, in that order
 * and repeated as they are there; `count` elements from `start` on, `step` apart (below 0: backwards). Numbers count
 * from 0, and none from the end: ARGUMENT for one that is out of range, SIZE where the type cannot count them. What is
 * written in a derivative are the listed elements, and not all of x for each of them. */
ad_var ad_take(ad_var x, const int64_t *index, int64_t n, int dim);
ad_var ad_slice_step(ad_var x, int dim, int64_t start, int64_t count, int64_t step);

/* Cumulative sums along dimension `dim`: yᵢ = x₀ + … + xᵢ, or from the end, yᵢ = xᵢ + … + xₙ₋₁; added up in doubles. */
ad_var ad_cumsum(ad_var x, int dim);
ad_var ad_cumsum_reverse(ad_var x, int dim);

/* Rows by number along dimension 0: x [n, s…], index [m…] → [m…, s…]. Indices are whole numbers in [0, n), held
 * as the tape's reals; any other value is DATA when the plan runs. No derivative by the index. */
ad_var ad_gather(ad_var x, ad_var index);
/* The adjoint of gather: g [m…, s…], index [m…] → [n, s…]; rows with equal indices are added, in order. */
ad_var ad_scatter_add(ad_var g, ad_var index, int64_t n);

/* ---- Images: height, width, channels ----------------------------------------------------------------------- */

/* x [H,W,C] convolved with w [h,w,C,K] → [H',W',K], H' = ⌊(H + 2·padding − h)/stride⌋ + 1 and W' likewise (rows and
 * columns that no window reaches are left out):  y_pqk = Σ_ijc x_{p·stride+i−padding, q·stride+j−padding, c} w_ijck,
 * with zeros around x: the convention of networks, w is not turned over. w may be shared or per-sample; x may have
 * dimensions in front, of which each element is an image. A plan makes the windows a panel at a time. Errors: SHAPE,
 * ARGUMENT (stride < 1, padding < 0). */
ad_var ad_conv2d(ad_var x, ad_var w, int64_t stride, int64_t padding);
/* The means of windows of size × size numbers of a channel: [H,W,C] → [H',W',C], as above with padding 0. */
ad_var ad_avg_pool2d(ad_var x, int64_t size, int64_t stride);

/* What these are made of. The windows of rows × cols pixels as the rows of a matrix: [s…,H,W,C] → [s…, H'·W',
 * rows·cols·C]; and its adjoint, which adds windows up where they lie in an image of that shape [H,W,C] (a transposed
 * convolution is that of y·wᵀ). Errors as above. */
ad_var ad_patches(ad_var x, int64_t rows, int64_t cols, int64_t stride, int64_t padding);
ad_var ad_overlap_add(ad_var g, ad_shape image, int64_t rows, int64_t cols, int64_t stride, int64_t padding);

/* ---- Across a batch ---------------------------------------------------------------------------------------
 * Reductions turn a per-sample var of that axis into a shared one of its shape; of another axis: AXIS. They accept a
 * shared var, which counts once a sample. */
ad_var ad_batch_sum(ad_axis axis, ad_var x);
ad_var ad_batch_mean(ad_axis axis, ad_var x);
ad_var ad_batch_logsumexp(ad_axis axis, ad_var x);
ad_var ad_batch_max(ad_axis axis, ad_var x);
ad_var ad_batch_matmul(ad_axis axis, ad_var a, ad_var b); /* Σₙ aₙᵀbₙ: [m],[n] → [m,n]; [k,m],[k,n] → [m,n] */
ad_var ad_batch_count(ad_axis axis);                      /* the number of samples, as a real */
ad_var ad_lift(ad_axis axis, ad_var x);                   /* a shared value as a per-sample one (no copy is made) */

/* Between a child axis and its parent: on the child, shape s → on the parent, [K, s…]; and back. */
ad_var ad_regroup(ad_var child);                          /* child → parent */
ad_var ad_ungroup(ad_axis child, ad_var parent);          /* parent → child */

/* x on axis A; index a scalar on axis B, whole numbers in [0, count(A)) → x's row for each sample of B. */
ad_var ad_batch_gather(ad_var x, ad_var index);
/* g and index on axis B → on axis A: out[index] += g, in the order of B. */
ad_var ad_batch_scatter_add(ad_axis axis, ad_var g, ad_var index);

/* Random leaves: a standard normal, and a uniform on (0,1), per sample. The numbers are a pure function of the run's
 * seed and step, `stream`, the sample's global row and the element (Philox 4×32-10 of row and element, its key by
 * Philox 4×64-10 from the others): any number of threads draws the same. Two calls with one stream, axis and shape are
 * the same variable; independent draws take different streams. */
ad_var ad_normal(ad_axis axis, ad_shape shape, uint64_t stream);
ad_var ad_uniform(ad_axis axis, ad_shape shape, uint64_t stream);

/* ---- Derivatives: recorded, so they can be differentiated again ---------------------------------------------
 * x is an input, a parameter or a variable (ad_variable). Anything else, a constant or an expression, is ARGUMENT:
 * which of y's parts were meant is not known then, since y is recorded past an expression where that is better (y = x²
 * of x = −z is z²), and equal expressions are one node. y is taken as a function of x and of whatever else it was
 * recorded from. Where y does not depend on x the result is zero; but a y that reads all that a variable was made of,
 * and not the variable, was recorded from the wrong one: ARGUMENT. So are NULL lists and n < 0; null vars and vars of
 * another tape are TAPE. Functions that return a var return the null var then; those that return a status fill dx with
 * it. */

/* v, of its shape and axis, as something to differentiate by: no two calls give the same one, and what is recorded from
 * it is recorded from nothing else. A constant may be made one, too. Make it before y, and record y from it:
 *     ad_var s = ad_variable(ad_sin(x)), y = ad_mul(x, ad_square(s)), dy;
 *     ad_grad(y, &s, 1, &dy);     // 2 x s, x held
 * In a plan there are no variables: ad_compile records what is made of them again without, so that they cost nothing
 * when it runs. */
ad_var ad_variable(ad_var v);

/* dx[i] = ∂y/∂x[i], of x[i]'s shape and axis; y is a scalar (else SHAPE), shared or per-sample. By a per-sample x the
 * gradient is per-sample, each sample its own; by a shared x the gradient of a per-sample y is summed over the axis. */
gibbs_status ad_grad(ad_var y, const ad_var *x, int n, ad_var *dx);

/* Vector-Jacobian product: dx[i] = Σ ȳ ∂y/∂x[i], y of any shape, ȳ of y's shape and axis (or shared): else SHAPE. */
gibbs_status ad_vjp(ad_var y, ad_var ybar, const ad_var *x, int n, ad_var *dx);

/* Jacobian-vector product: the derivative of y along x[i] ← x[i] + ε v[i], of y's shape and axis. v[i] broadcasts to
 * x[i]'s shape, and a shared one to its axis (another axis: AXIS). */
ad_var ad_jvp(ad_var y, const ad_var *x, const ad_var *v, int n);

/* ∇²y v, of x's shape and axis; y a scalar, v as for ad_jvp. By a shared x the samples of y are added up. */
ad_var ad_hvp(ad_var y, ad_var x, ad_var v);

/* vᵀ ∇²y v: a scalar on x's axis. Refuses non-smooth ops as ad_hess_diag does. */
ad_var ad_directional_curvature(ad_var y, ad_var x, ad_var v);

/* The exact diagonal of ∇²y by x, of x's shape, by tangents × adjoint curvature: Σ over nodes of v̄·D²φ[ẋᵢ, ẋᵢ].
 * For an MLP loss Σ½|∇E|² − tr∇²E with its θ-gradient costs 6F − A + 3dB flops (docs/design.md). Error SMOOTH,
 * naming the op, where an op between x and y is not twice continuously differentiable (abs, max, select, …), or
 * where samples are mixed between a per-sample x and y (batch ops, regroup, ungroup). By a shared x the samples of a
 * per-sample y are added up, and memory is what count(x) directions take of each value that bends y: of x and its
 * elementwise functions nothing beyond themselves, so that x may be large (k-means). SIZE where a unit matrix of more
 * than 11585 rows would be needed. */
ad_var ad_hess_diag(ad_var y, ad_var x);
ad_var ad_laplacian(ad_var y, ad_var x); /* the sum of the diagonal */

/* ad_hess_diag for those who know that the kinks have measure zero and carry no curvature (k-means). What mixes samples
 * is still refused. */
ad_var ad_hess_diag_almost_everywhere(ad_var y, ad_var x);

/* An upper bound of the total degree of y as a polynomial in all elements of x together, of all samples; y of any
 * shape: that of the element with the highest. −1 where y is none, or is not known to be one (2³⁰ is the highest
 * known). Linear ops keep a degree, products add, a power by a known whole number multiplies, choices by what is not of x take
 * the larger; anything else of x, stop_gradient included, is none. −1 after an error, too, which the tape then has. */
int ad_degree(ad_var y, ad_var x);

/* y with every from[i], inputs, parameters or variables, replaced by to[i] (same shape, else SHAPE; same axis, or a
 * shared to[i], else AXIS), recorded anew; of y's shape and axis. */
ad_var ad_substitute(ad_var y, const ad_var *from, const ad_var *to, int n);

/* ---- Matrices of derivatives, and derivatives of each sample ---- */

/* ∂y/∂x as one matrix [count(y), p], p the number of elements of all x together, in their order; y of any shape. The
 * x are all shared or all on one axis. With a per-sample y each sample has its own matrix, also by shared x, and
 * nothing is added up; with a shared y and per-sample x it is the derivative by each sample's x. Forward or backward:
 * both are recorded, what they would do is counted, and the cheaper is kept. Errors: AXIS, ARGUMENT; SMOOTH where an op
 * between per-sample x and y mixes samples. Of a y whose samples read tables by number: by the rows that were read
 * (ad_batch_gather's results), and ad_csr (gibbs/plan.h) puts them where they belong. */
ad_var ad_jacobian(ad_var y, const ad_var *x, int n);

/* The same, told: FORWARD carries a direction for each element of x, BACKWARD one for each of y. ARGUMENT where that
 * way would add samples up: forward by a per-sample x of a shared y; backward of a per-sample y by a shared x where
 * an op mixes samples, or a user's op takes a shared argument. */
typedef enum ad_way { AD_CHEAPER, AD_FORWARD, AD_BACKWARD } ad_way;
ad_var ad_jacobian_by(ad_var y, const ad_var *x, int n, ad_way way);

/* ∇²y [p, p] of a scalar y by all elements of all x together, exactly symmetric. By a shared x the samples of a
 * per-sample y are added up, as in ad_grad. Carries p directions: for small p. Refuses what ad_hess_diag refuses. */
ad_var ad_hessian(ad_var y, const ad_var *x, int n);

/* ad_grad of a per-sample scalar y by shared x without adding the samples up: dx[i] is per-sample, of x[i]'s shape, on
 * y's axis, and its batch sum is what ad_grad gives. Lifting x first would not do that: lifts are folded away. Products
 * with x stay products of many rows; what is written is p numbers a sample (a plan keeps those of one block, unless
 * dx is an output). Where y reaches other samples (through a batch reduction) each sample's whole derivative costs
 * p directions, as it does where a user's op takes x itself as a shared argument (ad_lift it there). */
gibbs_status ad_grad_per_sample(ad_var y, const ad_var *x, int n, ad_var *dx);

/* Σᵢ ∂vᵢ/∂xᵢ of a field v of x's shape: a scalar on x's axis (on v's for a shared x), exact, by count(x) directions.
 * v must be continuous in x: kinks are allowed, but sign, step, less, select and user's ops that are not declared
 * smooth are refused (SMOOTH, naming the op), since the divergence of a jump would be missed; so are ops that mix the
 * samples of a per-sample x. The second form is for those who know that v does not jump. */
ad_var ad_divergence(ad_var v, ad_var x);
ad_var ad_divergence_almost_everywhere(ad_var v, ad_var x);

/* How a batch's result depends on one sample: ∂y/∂ωₙ at ω = 1 where every reduction over `axis` (or a child of it)
 * weighs sample n by ωₙ; y a shared scalar, the result a per-sample one. ad_batch_count is not weighted: of a y that
 * depends on the sample's distribution alone, take the average over the samples away (the infinitesimal jackknife,
 * Jaeckel 1972). A mean Σxₙ/N gives xₙ/N, log Σ exp xₙ gives softmax(x)ₙ. SMOOTH where y depends on an ad_batch_max. */
ad_var ad_influence(ad_axis axis, ad_var y);

GIBBS_API_END

#include <gibbs/op.h>   /* an op of your own */
#include <gibbs/scan.h> /* a step run many times */
#include <gibbs/plan.h> /* running, and looking inside */

#endif
