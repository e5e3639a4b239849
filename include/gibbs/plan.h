/* gibbs/plan.h — a tape compiled for chosen outputs, the memory that runs it, and what looks inside. */
#ifndef GIBBS_PLAN_PUBLIC_H
#define GIBBS_PLAN_PUBLIC_H

#include <gibbs/ad.h>

GIBBS_API_BEGIN

/* ---- Running ----------------------------------------------------------------------------------------------- */

typedef struct ad_plan ad_plan;           /* immutable; may be used by several workspaces and threads at once */
typedef struct ad_workspace ad_workspace; /* bindings, results and scratch memory; one thread at a time */

/* A per-sample output that becomes an input when the plan runs `repeat` times (K steps of a sampler, whose rows
 * stay in cache). `output` is an index into the plan's outputs; the input has its shape and axis. */
typedef struct ad_carry {
    int output;
    ad_var input;
} ad_carry;

typedef struct ad_plan_options {
    const ad_carry *carry; /* NULL for none. A plan with carries must be a single pass over a single axis. */
    int carries;
    int64_t block_bytes; /* scratch memory aimed at for a block of rows; 0: 1 MiB, or what 128 rows need up to 4 MiB */
} ad_plan_options;

/* Compiles the outputs. Errors: the tape's own first error; TAPE, ARGUMENT, AXIS, SIZE, MEMORY. Outputs that are made
 * of variables (ad_variable) are recorded again without them, on the tape. */
gibbs_status ad_compile(const ad_var *outputs, int count, const ad_plan_options *options, ad_plan **plan,
                        gibbs_error *error);
void ad_plan_free(ad_plan *plan);

/* A workspace of `plan`, which must outlive it. */
gibbs_status ad_workspace_new(const ad_plan *plan, ad_workspace **workspace, gibbs_error *error);
void ad_workspace_free(ad_workspace *workspace);

/* Binds an input or parameter to memory: numbers of the tape's dtype, row-major, one row a sample. It is read
 * when the plan runs and must live until then; it stays bound. Binding an input that the plan does not need is
 * allowed and does nothing. Errors: TAPE (`input` is no input or parameter), ARGUMENT (null memory), DTYPE. */
gibbs_status ad_bind(ad_workspace *workspace, ad_var input, const void *memory, gibbs_error *error);
gibbs_status ad_bind_f32(ad_workspace *workspace, ad_var input, const float *memory, gibbs_error *error);
gibbs_status ad_bind_f64(ad_workspace *workspace, ad_var input, const double *memory, gibbs_error *error);

/* The number of samples on a root axis (a child has K times its parent's). Errors: ARGUMENT (rows < 1), SIZE, AXIS (a
 * child), TAPE (null, of another tape, or made after the plan). */
gibbs_status ad_set_rows(ad_workspace *workspace, ad_axis axis, int64_t rows, gibbs_error *error);

/* Arguments of one run. Zero-initialise for the defaults. */
typedef struct ad_run_options {
    uint64_t seed, step; /* of the random leaves */
    int repeat;          /* times to run a plan with carries, repetition k with step + k; 0 means 1 */
    int threads;         /* at most so many; 0: OMP_NUM_THREADS, else all processors. The bits are the same. */
    int check;           /* stop at the first op whose value is not finite: NUMERIC, naming op, row and element */
} ad_run_options;

/* Runs the plan. Errors: UNBOUND (naming the input or axis), MEMORY, SIZE, DATA (an index out of range),
 * NUMERIC (with `check`), ARGUMENT. After the first run at a size nothing is allocated at that size or below.
 *
 * Arithmetic is the same whatever the caller's floating-point environment (x86-64, AArch64): rounding is to nearest,
 * nothing traps, and there are no subnormal numbers, which are slow. A result below the least normal number is 0, and
 * a subnormal argument counts as 0: its logarithm is −∞. Only what moves numbers, chooses among them or changes a sign
 * (neg, abs, max, min, select, gather, an input that is an output) hands on a subnormal that was bound. What is folded
 * while recording follows the same rules. Afterwards the environment is as it was, flags included. */
gibbs_status ad_run(ad_workspace *workspace, const ad_run_options *options, gibbs_error *error);

/* The k-th output of the last run: one value, or rows × elements. Owned by the workspace; valid until the next
 * run or its end. NULL before the first run. */
const void *ad_result(const ad_workspace *workspace, int output);
const float *ad_result_f32(const ad_workspace *workspace, int output);
const double *ad_result_f64(const ad_workspace *workspace, int output);
/* The output's first number as a double: for scalars. NaN before the first run. */
double ad_result_scalar(const ad_workspace *workspace, int output);

/* ---- Block-sparse Jacobians --------------------------------------------------------------------------------- */

/* Of residuals that read rows of tables by number, y(A[i], B[j], …) for each sample, the Jacobian by the tables has few
 * numbers that are not 0: those of ad_jacobian(y, {A[i], B[j], …}), by variables of the rows that were read. A block of
 * its columns belongs to a table: */
typedef struct ad_csr_block {
    int64_t columns;   /* numbers in a row of the table */
    int64_t rows;      /* of the table */
    int64_t first;     /* the column of the whole matrix at which it begins: row i at first + i·columns */
    const void *index; /* [samples], which row each sample read: numbers of the dtype, as they were bound. NULL: row
                          n of sample n where there are as many rows as samples (x is per-sample itself), row 0 of one */
} ad_csr_block;

/* The whole matrix, compressed by rows. `jacobian` is the result of a run, [samples][residuals][c], c the columns of
 * all blocks in their order; residual e of sample n is row n·residuals + e. row_start has samples·residuals + 1 places, the
 * last of which becomes the number of entries; column and value as many as that, at most samples·residuals·c. Columns
 * ascend in a row; where a sample reads one row twice, the two are added up. All is the caller's, and nothing is
 * written behind an error: ARGUMENT (NULL, sizes, more than 64 blocks, tables that overlap), DTYPE, SIZE, DATA (an
 * index that is no row of its table, with the sample). */
gibbs_status ad_csr(gibbs_dtype dtype, int64_t samples, int64_t residuals, const void *jacobian,
                    const ad_csr_block *block, int blocks, int64_t *row_start, int64_t *column, void *value,
                    gibbs_error *error);

/* ---- Looking inside ---------------------------------------------------------------------------------------- */

/* What a plan costs. Flops are counted per sample of a root axis, a multiplication and an addition as two. */
typedef struct ad_plan_info {
    int instructions;
    int stages;                   /* passes over the rows of an axis */
    int64_t block_rows;           /* rows that run together, in the largest stage */
    int64_t bytes_per_row;        /* scratch for one row of a block, in the largest stage */
    double gemm_flops_per_row;    /* matrix by matrix, all axes added up (per sample of each root axis) */
    double gemv_flops_per_row;    /* matrix by vector, dot and outer products */
    double shared_gemm_flops;     /* once a run */
} ad_plan_info;
ad_plan_info ad_plan_describe(const ad_plan *plan);

/* Takes text piece by piece; returns non-zero to stop. */
typedef int (*ad_write_fn)(void *context, const char *text, size_t length);

/* Writes what the outputs depend on, one line a node: id, op, inputs, shape, axis. ARGUMENT, TAPE, MEMORY; STOPPED when
 * the writer asked to. */
gibbs_status ad_print(const ad_var *outputs, int count, ad_write_fn write, void *context, gibbs_error *error);
/* The same as a Graphviz digraph. */
gibbs_status ad_print_dot(const ad_var *outputs, int count, ad_write_fn write, void *context, gibbs_error *error);
/* Writes what a plan does, a line a stage and a line an instruction: number, op («copy», «x + product», «softplus
 * family»), shape, axis, node of the tape, factors of a product, and where, as bytes behind the beginning of some
 * memory, the result lies and what it is made of: the arena of a block, what stages share, the accumulators of a shard,
 * an input or parameter, the stored values of a node. A storing twin as well. ARGUMENT, STOPPED. */
gibbs_status ad_plan_print(const ad_plan *plan, ad_write_fn write, void *context, gibbs_error *error);

/* What each pass of ad_compile finds on the way to that plan, for who asks why it is what it is: which nodes are needed
 * and how often they are read; the stages and the order of their steps; what the value of each step is, where it is not
 * simply computed: a view, a part of something larger, one of several results of an instruction; and the plan. Errors:
 * those of ad_compile; ARGUMENT (NULL), STOPPED. */
gibbs_status ad_compile_print(const ad_var *outputs, int count, const ad_plan_options *options, ad_write_fn write,
                              void *context, gibbs_error *error);

/* Compares ad_grad of the scalar y by each x with central differences of y in float64, at the values in `values`
 * (values[i] for the leaf x[i]: elements, or rows × elements) with `rows` samples on each root axis, along random
 * directions; then the second order, the gradient of u·∇y for random u with central differences of u·∇y. Where y is not
 * twice continuously differentiable in x, or not known to be (kinks, jumps, an op of a user's that is not declared
 * smooth), the second part is left out. Every input that y depends on must be among x (else UNBOUND). The result and
 * the options may be NULL. NUMERIC when an error exceeds `tolerance`, naming the input. Needs a float64 tape (DTYPE).
 * Records on the tape. */
typedef struct ad_check_options {
    int64_t rows;     /* samples on every root axis; 0 means 3 */
    int directions;   /* random directions an input; 0 means 4 */
    double step;      /* of the differences; 0 means 1e-3 (Richardson extrapolated to sixth order) */
    double tolerance; /* 0 means 1e-7 */
    uint64_t seed;
} ad_check_options;
typedef struct ad_check_result {
    double gradient; /* the largest relative error */
    double second;   /* that of the second order; NaN where it was left out, or not reached */
    char why[GIBBS_MESSAGE_SIZE]; /* why it was left out, naming the op; else "" */
} ad_check_result;
gibbs_status ad_check_gradient(ad_var y, const ad_var *x, const double *const *values, int n,
                               const ad_check_options *options, ad_check_result *result, gibbs_error *error);

/* Where products are BLAS's (no AVX2, or GIBBS_PRODUCTS=blas): warms it up and sets OpenBLAS' process-wide thread count
 * to 1 unless `keep_blas_threads` is non-zero; a host that keeps them loses speed and the promise of equal bits.
 * Elsewhere it does nothing. Called by ad_workspace_new with 0 when you did not. */
void ad_initialise(int keep_blas_threads);

GIBBS_API_END
#endif
