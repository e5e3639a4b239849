/* kernels.h — the inner loops of the engine, once for each number type and instruction set.
 *
 * All of them work on contiguous memory of the table's number type, tolerate y == x (in place), and give an element
 * bits that depend on its value only, not on its place: the last, partial vector of an elementwise loop is computed
 * in a full one. A stride is 0 (one value for all) or 1. */
#ifndef GIBBS_KERNELS_H
#define GIBBS_KERNELS_H

#include "autodiff/tape/tape.h"
#include "windows.h"

/* C [m,n] = op(A) op(B), row-major, tight but for A: from row to row, as it lies in memory, are `next_a` numbers.
 * What each row of C starts from: zeros where `start` is NULL, what is there where it is c, else the n numbers at
 * `start`, for all of them. The rows are some of `rows`, in which they may be cut in any way: a row's bits depend on
 * that number, but not on m. (BLAS promises no such thing.) */
typedef struct ad_product {
    bool ta, tb;
    int64_t m, n, k, rows, next_a;
    const void *a, *b, *start;
    void *c, *room; /* kernels->room bytes, in whole cache lines, one thread's at a time */
} ad_product;

/* Matrices [n,n], and what they are made into: factors, or solutions of systems with m right sides, b [n,m]. From
 * row to row are next_a and next_b numbers, 0 where one is for all; the results follow each other. */
typedef struct ad_factor {
    int64_t rows, n, m, next_a, next_b;
    bool transposed;
    const void *a, *b;
    void *y, *room; /* factor_room(op, n) bytes, in whole cache lines, one thread's at a time */
} ad_factor;

typedef struct ad_kernels {
    size_t size;    /* of a number */
    bool uses_blas; /* for products */
    int64_t room;   /* bytes that a product takes */
    void (*unary[OP_COUNT])(int64_t n, void *y, const void *x);
    void (*binary[OP_COUNT])(int64_t n, void *y, const void *a, int64_t sa, const void *b, int64_t sb);
    void (*ternary[OP_COUNT])(int64_t n, void *y, const void *a, int64_t sa, const void *b, int64_t sb, const void *c,
                              int64_t sc);
    /* softplus, sigmoid and the sigmoid's slope, two or all of them; NULL for none. x may be any result. */
    void (*logistic)(int64_t n, void *const to[3], const void *x);
    void (*copy)(int64_t n, void *y, const void *x, int64_t stride); /* any stride; y may not overlap x */
    /* y [outer][rows][n] from x, whose steps from one to the next are in bytes */
    void (*spread)(int64_t outer, int64_t rows, int64_t n, void *y, const void *x, const int64_t step[3]);
    /* Pieces of n numbers; from one to the next are next_y and next_x numbers. */
    void (*place)(int64_t pieces, int64_t n, void *y, int64_t next_y, const void *x, int64_t next_x);
    /* y[r][j] = x[j][r], for r < rows and j < n; from row to row are next_y and next_x numbers */
    void (*transpose)(int64_t rows, int64_t n, void *y, int64_t next_y, const void *x, int64_t next_x);

    /* Row number index[k] of a table of so many rows, for k < n: y[k] = row; row += x[k]. Of `width` numbers; scatter's
     * rows and x's are `next` numbers apart. Both stop where an index is no row of the table, and return that k,
     * else n. */
    int64_t (*gather)(int64_t n, int64_t rows, int64_t width, void *y, const void *table, const void *index);
    int64_t (*scatter)(int64_t n, int64_t rows, int64_t width, int64_t next, void *table, const void *x,
                       const void *index);
    /* The matrix of an image's windows; and one added to an image. Strips are the rows of windows, the first of which
     * begins at number `first` across, that lie in row y of the image, outside of it zeros. */
    void (*patches)(const ad_windows *w, void *matrix, const void *image);
    void (*overlap)(const ad_windows *w, void *image, const void *matrix);
    void (*strips)(const ad_windows *w, int64_t y, int64_t first, int64_t count, void *strips, const void *image);
    void (*add_strips)(const ad_windows *w, int64_t y, int64_t first, int64_t count, void *image, const void *strips);
    void (*from_double)(int64_t n, void *y, const double *x);
    int64_t (*first_bad)(int64_t n, const void *x); /* the first NaN or infinity, or n */
    double (*get)(const void *x, int64_t i);

    /* x [outer][red][inner] → y [outer][inner] */
    void (*sum)(int64_t outer, int64_t red, int64_t inner, void *y, const void *x);
    void (*max)(int64_t outer, int64_t red, int64_t inner, void *y, const void *x);
    void (*logsumexp)(int64_t outer, int64_t red, int64_t inner, void *y, const void *x);
    void (*norm)(int64_t outer, int64_t red, int64_t inner, void *y, const void *x);
    /* y [outer][red][inner], and with it the logsumexp [outer][inner], unless that is NULL */
    void (*softmax)(int64_t outer, int64_t red, int64_t inner, void *y, void *logsumexp, const void *x);

    /* Of x [outer][n][inner], the sums of what lies before each and of itself, or behind it. */
    void (*cumsum)(int64_t outer, int64_t n, int64_t inner, bool from_end, void *y, const void *x);

    /* x [rows][n] into accumulators of doubles: n sums; n maxima; n maxima and n sums of exp(x − maximum). `first`
     * starts them. */
    void (*batch_sum)(int64_t rows, int64_t n, const void *x, double *acc, bool first);
    void (*batch_max)(int64_t rows, int64_t n, const void *x, double *acc, bool first);
    void (*batch_logsumexp)(int64_t rows, int64_t n, const void *x, double *acc, bool first);

    void (*matmul)(const ad_product *);

    /* Factorisations of the symmetric part of a (cholesky, eigen) or of a. What has none is NaN as a whole. The last
     * one finds why, of one matrix: the number of the first pivot that is none, and its value; n, if all are. It writes
     * to y. */
    int64_t (*factor_room)(ad_op op, int64_t n);
    void (*cholesky)(const ad_factor *);         /* → L [n,n] */
    void (*triangular_solve)(const ad_factor *); /* L⁻¹b or, transposed, L⁻ᵀb, of a's lower triangle */
    void (*solve)(const ad_factor *);            /* a⁻¹b or a⁻ᵀb */
    void (*log_abs_det)(const ad_factor *);      /* → [], −∞ where a is singular */
    void (*eigen)(const ad_factor *);            /* → [n+1,n]: the values, ascending, then a vector a row */
    int64_t (*first_pivot)(ad_op op, const ad_factor *, double *value);

    /* n numbers for each of `rows` rows, the first of which has global number row0. */
    void (*normal)(int64_t rows, int64_t n, void *y, uint64_t row0, const uint64_t key[2], uint64_t step);
    void (*uniform)(int64_t rows, int64_t n, void *y, uint64_t row0, const uint64_t key[2], uint64_t step);
} ad_kernels;

/* The best table that this machine runs. */
const ad_kernels *ad_kernels_for(gibbs_dtype dtype);

#endif
