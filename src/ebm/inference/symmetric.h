/* symmetric.h — eigenvalues of a small symmetric matrix, and what a sandwich covariance takes from them. */
#ifndef GIBBS_SYMMETRIC_H
#define GIBBS_SYMMETRIC_H

#include "base/base.h"

/* A = Σₖ λₖ qₖqₖᵀ of a symmetric n × n matrix: `made` holds the n values, ascending, then the vectors, a row each.
 * NUMERIC when a number is not finite; MEMORY. */
gibbs_status ebm_eigen(int64_t n, const double *a, double *made, const gibbs_allocator *allocator, gibbs_error *error);

/* The Moore–Penrose inverse of a Hessian: 0 in the directions that it does not see. */
typedef struct ebm_inverse {
    int64_t rank;
    double least;    /* the smallest eigenvalue, of the Hessian scaled to a diagonal of ones */
    double *inverse; /* n × n */
    double *seen;    /* n: how much of each coordinate lies in the directions seen, 0 … 1, but for rounding */
} ebm_inverse;

/* Fills inverse and seen, which the caller made; `h` is used up. NUMERIC when a number is not finite or an eigenvalue
 * is negative beyond rounding; MEMORY. */
gibbs_status ebm_invert_hessian(int64_t n, double *h, ebm_inverse *out, const gibbs_allocator *a, gibbs_error *error);

/* c = G S G for symmetric n × n matrices; `work` has n × n places. */
void ebm_sandwich(int64_t n, const double *g, const double *s, double *work, double *c);

#endif
