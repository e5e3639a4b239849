/* floor.c — counts of GEMM calls by shape, and the clock around them. No product that a hand-written step needs is left
 * out and none is counted twice: they add up to 3F − A for ∇θE, 2F for ∇xE, 6F − A for denoising and 6F − A + 3dB for
 * exact score matching (docs/design.md; A = 2dh, B = 2(L−1)h², F = A + B); for the mixture to 4 Σ rows·columns over the
 * bands of its factors. */
#include "floor.h"

#include "gmm.h"
#include "timing.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

enum { FLOOR_ROWS = 16384 };

/* rows×from · from×to; rows×to · (from×to)ᵀ; (rows×from)ᵀ · rows×to, which is added up over the blocks */
enum { FORWARD, BACK, WEIGHT, PRODUCTS };

/* How often each product occurs in the first layer (d×h; a mixture's factors), in each other layer (h×h), and there
 * once more with d rows a sample (tangents). */
typedef struct part {
    int repeat, first[PRODUCTS], hidden[PRODUCTS], tangent[PRODUCTS];
} part;

#define GRADIENT_THETA {1, 0, 1}, {1, 1, 1}, {0, 0, 0}
#define GRADIENT_X {1, 1, 0}, {1, 1, 0}, {0, 0, 0}

/* Data and artificial points both have `rows` rows. */
static const part parts[BENCH_METHODS][2] = {
    [BENCH_NCE] = {{2, GRADIENT_THETA}},
    [BENCH_ML_IS] = {{2, GRADIENT_THETA}},
    [BENCH_FULL] = {{2, GRADIENT_THETA}},
    [BENCH_CD] = {{BENCH_CHAIN_STEPS, GRADIENT_X}, {2, GRADIENT_THETA}},
    [BENCH_LANGEVIN] = {{BENCH_CHAIN_STEPS, GRADIENT_X}},
    [BENCH_SCORE] = {{1, {2, 1, 2}, {2, 2, 2}, {1, 1, 1}}},
    [BENCH_DENOISE] = {{1, {2, 1, 2}, {2, 2, 2}, {0}}},
    [BENCH_GMM] = {{1, {1, 0, 1}, {0}, {0}}},
};

typedef struct floor_run {
    const bench_case *c;
    gibbs_dtype dtype;
    int64_t rows, block;
    void *left, *right, *out, *square; /* `square` holds one matrix of weights, or its gradient */
} floor_run;

/* ---- One product ---- */

static void gemm(const floor_run *f, int product, int64_t rows, int64_t from, int64_t to)
{
    CBLAS_TRANSPOSE ta = product == WEIGHT ? CblasTrans : CblasNoTrans;
    CBLAS_TRANSPOSE tb = product == BACK ? CblasTrans : CblasNoTrans;
    int m = (int)(product == WEIGHT ? from : rows), n = (int)(product == BACK ? from : to);
    int k = (int)(product == FORWARD ? from : product == BACK ? to : rows), beta = product == WEIGHT;
    int lda = (int)(product == BACK ? to : from), ldb = (int)to;
    const void *b = product == WEIGHT ? f->right : f->square;
    void *c = product == WEIGHT ? f->square : f->out;
    if (f->dtype == GIBBS_FLOAT64)
        cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, f->left, lda, b, ldb, beta, c, n);
    else cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, f->left, lda, b, ldb, (float)beta, c, n);
}

static void layer(const floor_run *f, const int *count, int64_t rows, int64_t from, int64_t to)
{
    for (int product = 0; product < PRODUCTS; product++)
        for (int i = 0; i < count[product]; i++) gemm(f, product, rows, from, to);
}

/* The matrices of the first layer: one, or a mixture's bands. Writes the shape of number i; 0 when there is none. */
static int first_matrix(const bench_case *c, int64_t i, int64_t *from, int64_t *to)
{
    int mixture = c->method == BENCH_GMM;
    int64_t band = mixture ? bench_gmm_band(c) : c->dim, at = i * band;
    if (mixture ? at >= c->dim : i > 0) return 0;
    int64_t rows = at + band < c->dim ? band : c->dim - at;
    *from = mixture ? at + rows : c->dim;
    *to = mixture ? rows * c->width : c->width;
    return 1;
}

/* ---- All of a block, all blocks ---- */

static void block_of_rows(const floor_run *f, int64_t rows)
{
    const bench_case *c = f->c;
    int64_t from, to;
    for (const part *p = parts[c->method], *end = p + 2; p < end; p++)
        for (int r = 0; r < p->repeat; r++) {
            for (int64_t i = 0; first_matrix(c, i, &from, &to); i++) layer(f, p->first, rows, from, to);
            for (int l = 1; l < c->layers; l++) {
                layer(f, p->hidden, rows, c->width, c->width);
                layer(f, p->tangent, rows * c->dim, c->width, c->width);
            }
        }
}

static gibbs_status all_blocks(void *context, gibbs_error *error)
{
    const floor_run *f = context;
    (void)error;
    for (int64_t row = 0; row < f->rows; row += f->block)
        block_of_rows(f, f->rows - row < f->block ? f->rows - row : f->block);
    return GIBBS_OK;
}

/* ---- The best blocking ---- */

static int64_t rows_a_sample(const bench_case *c) { return c->method == BENCH_SCORE ? c->dim : 1; }

static gibbs_status allocate(floor_run *f, gibbs_error *error)
{
    int64_t from, to;
    size_t wide = (size_t)(f->c->dim > f->c->width ? f->c->dim : f->c->width), size = gibbs_dtype_size(f->dtype);
    for (int64_t i = 0; first_matrix(f->c, i, &from, &to); i++) wide = (size_t)to > wide ? (size_t)to : wide;
    size_t tall = (size_t)(f->rows * rows_a_sample(f->c));
    f->left = calloc(tall * wide, size);
    f->right = calloc(tall * wide, size);
    f->out = calloc(tall * wide, size);
    f->square = calloc(wide * wide, size);
    if (f->left && f->right && f->out && f->square) return GIBBS_OK;
    *error = (gibbs_error){.status = GIBBS_MEMORY, .message = "floor: out of memory"};
    return GIBBS_MEMORY;
}

static int64_t next_block(int64_t block, int64_t rows) { return block < rows && 2 * block > rows ? rows : 2 * block; }

/* The first row blocking has 64 rows in the largest products. */
static int64_t first_block(const floor_run *f)
{
    int64_t block = 64 / rows_a_sample(f->c);
    return block < 1 ? 1 : block > f->rows ? f->rows : block;
}

static gibbs_status try_blocks(floor_run *f, double seconds, double *microseconds, int64_t *best, gibbs_error *error)
{
    int blocks = 0;
    for (int64_t b = first_block(f); b <= f->rows; b = next_block(b, f->rows)) blocks++;
    *microseconds = INFINITY;
    for (f->block = first_block(f); f->block <= f->rows; f->block = next_block(f->block, f->rows)) {
        double time;
        gibbs_status status = bench_median(all_blocks, f, seconds / blocks, &time, error);
        if (status) return status;
        if (time < *microseconds) *best = f->block;
        *microseconds = fmin(*microseconds, time);
    }
    *microseconds *= (double)f->c->rows / (double)f->rows;
    return GIBBS_OK;
}

gibbs_status bench_floor(const bench_case *c, gibbs_dtype dtype, double seconds, double *microseconds, int64_t *block,
                         gibbs_error *error)
{
    floor_run f = {.c = c, .dtype = dtype, .rows = c->rows < FLOOR_ROWS ? c->rows : FLOOR_ROWS};
    *microseconds = NAN;
    *block = 0;
    if (!parts[c->method][0].repeat) return GIBBS_OK;
    gibbs_status status = allocate(&f, error);
    if (!status) status = try_blocks(&f, seconds, microseconds, block, error);
    free(f.square);
    free(f.out);
    free(f.right);
    free(f.left);
    return status;
}

double bench_floor_flops(const bench_case *c)
{
    double A = 0, B = 2.0 * (double)(c->width * c->width), flops = 0;
    int64_t from, to;
    for (int64_t i = 0; first_matrix(c, i, &from, &to); i++) A += 2.0 * (double)(from * to);
    for (const part *p = parts[c->method], *end = p + 2; p < end; p++)
        for (int k = 0; k < PRODUCTS; k++)
            flops += p->repeat * (A * p->first[k] +
                                  (double)(c->layers - 1) * B * (p->hidden[k] + (double)c->dim * p->tangent[k]));
    return flops * (double)c->rows;
}
