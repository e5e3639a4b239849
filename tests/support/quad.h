/* quad.h — an interpreter of the tape in quadruple precision: the reference that the engine is compared with.
 *
 * It evaluates recorded nodes one by one with the plainest loops there are and shares no code with the engine's
 * plans, kernels or derivative rules; of elementwise ops it reads the value column of ops.def. Central differences
 * of it are right to 1e-18 in first, 1e-14 in second and 1e-12 in third order, so they stand for the truth. */
#ifndef TESTS_QUAD_H
#define TESTS_QUAD_H

#include "autodiff/tape/tape.h"

typedef _Float128 quad;

enum { QUAD_MOST_ARGUMENTS = 64 };
enum { QUAD_ROOTS = 4 };

typedef struct quad_machine {
    const ad_tape *tape;
    int64_t rows[QUAD_ROOTS];        /* samples on each axis that is a root, by its id */
    quad **value;                    /* by node id: rows × elements; NULL: not known yet */
    int64_t size;
    const struct quad_machine *held; /* stop_gradient takes its value from here, where not NULL */
    const char *failure;             /* why the last evaluation gave NULL */
} quad_machine;

/* What the context of a user op begins with, so that the interpreter can evaluate it: one sample at a time. */
typedef struct quad_user {
    void (*quad)(const quad *const *in, quad *out);
} quad_user;

bool quad_start(quad_machine *m, const ad_tape *tape, const int64_t *rows);
void quad_end(quad_machine *m);

/* The memory of a leaf's value, to be filled by the caller. NULL when memory is out. */
quad *quad_leaf(quad_machine *m, ad_var leaf);
/* Forgets every computed value, keeping those of inputs and parameters. */
void quad_forget(quad_machine *m);
/* The value of any node, computed from the leaves; NULL when it cannot be (see failure). */
const quad *quad_value(quad_machine *m, ad_var v);

/* Numbers in a value: rows of its axis × elements. */
int64_t quad_size(const quad_machine *m, ad_var v);
int64_t quad_rows(const quad_machine *m, int32_t axis);

/* -- quad_structure.c: one sample of a structural op; false for an op it does not know or a bad index -- */
bool quad_structural(const quad_machine *m, const ad_node *node, const quad *const *in, quad *out);
/* -- quad_batch.c: a whole op across samples -- */
bool quad_batch(const quad_machine *m, const ad_node *node, const quad *const *in, quad *out);

/* -- quad_factor.c: what is made of a matrix; false where there is no such thing -- */
bool quad_factor(const ad_node *node, const ad_shape *a, const quad *const *in, quad *out);
/* -- quad_scan.c: a result of a scan, whose inputs are known; out is 0 -- */
bool quad_scan(quad_machine *m, const ad_node *result, quad *out);

/* -- quad_special.c: by the plainest formulas, n from 0 on; x between about −100 and 100 -- */
quad quad_polygamma(int n, quad x);
quad quad_log_erfc(quad x);
quad quad_log_erfc_slope(int n, quad x);
quad quad_log_ndtr(quad x);
quad quad_log_ndtr_slope(int n, quad x);

quad quad_expm1(quad x);
quad quad_log1p(quad x);
quad quad_sqrt(quad x);
quad quad_atan(quad x);
quad quad_asin(quad x);
quad quad_acos(quad x);
quad quad_sinh(quad x);
quad quad_cosh(quad x);
quad quad_lgamma(quad x);
quad quad_atan2(quad a, quad b);
quad quad_hypot(quad a, quad b);

quad quad_exp(quad x);
quad quad_log(quad x);
quad quad_sin(quad x);
/* out[e] = log Σ_j exp(x[e + j·stride]) over `count`. */
quad quad_logsumexp(const quad *x, int64_t count, int64_t stride);
quad quad_max(const quad *x, int64_t count, int64_t stride);

#endif
