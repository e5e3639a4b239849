/* gibbs/op.h — an op of your own, and the table of those that there are. */
#ifndef GIBBS_OP_H
#define GIBBS_OP_H

#include <gibbs/ad.h>

GIBBS_API_BEGIN

/* One call computes `rows` samples. in[k] points to rows × elements, tight and row-major, or to one value for all rows
 * where shared[k]; out to rows × elements of the result. A call of which all arguments are shared has one row. Memory
 * is of `dtype`, the tape's. Must be a pure function, callable from several threads; out overlaps no argument. On
 * every thread it has the floating-point environment of the caller of ad_run; what it does to it ends with the call. */
typedef void (*ad_user_kernel)(void *context, gibbs_dtype dtype, int64_t rows, const void *const *in,
                               const int *shared, void *out);

typedef struct ad_user_op {
    const char *name; /* for messages */
    int arguments;    /* 1 … AD_MAX_ARGUMENTS */
    /* Writes the shape of the result for one sample to *out. Non-zero when the shapes do not fit: the tape's error is
     * then SHAPE, with the sentence in error->message if there is one. */
    int (*shape)(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error);
    ad_user_kernel kernel;
    /* The derivative: ∂(Σ ȳ y)/∂in[which], recorded in ops of the tape (other user's ops included), of in[which]'s
     * shape, for one sample. Write it without regard to axes: where the result is per-sample and in[which] shared, what
     * comes back is summed over the samples. Second derivatives are derivatives of what is recorded here. NULL: an op
     * without derivative, which derivatives refuse (SMOOTH). */
    ad_var (*vjp)(void *context, const ad_var *in, ad_var y, ad_var ybar, int which);
    int smooth;    /* non-zero: twice continuously differentiable; else Hessian diagonals and divergences refuse it */
    void *context; /* handed to all three; must outlive the tape and its plans */
} ad_user_op;

/* Records a call of the op on in[0 … arguments − 1], of any shapes, on one axis or shared; the result is per-sample
 * where one of them is. The struct must outlive the tape and its plans (make it static), and its address is its
 * identity: two calls with one struct and the same arguments are one node. Errors: ARGUMENT (NULL, no name, shape or
 * kernel, a bad number of arguments), SHAPE, AXIS, TAPE, MEMORY. */
ad_var ad_user(const ad_user_op *op, const ad_var *in);

/* The table of built-in ops (src/autodiff/tape/ops.def), for tools and tests: `op` runs from 0 to ad_op_count() − 1,
 * and of another number all is zero. The name is static. */
typedef struct ad_op_info {
    const char *name;
    int arguments;     /* 0: none of a leaf, any number of concat */
    int smooth;        /* 2: smooth; 1: smooth almost everywhere only; 0: derivative zero or none */
    const char *kind;  /* "leaf", "unary", "binary", "select", "structural", "batch" */
    double low, high;  /* test domain of an elementwise op's arguments */
} ad_op_info;
int ad_op_count(void);
ad_op_info ad_op_describe(int op);

GIBBS_API_END
#endif
