/* gibbs/op.h — an op of your own, and the table of those that there are. */
#ifndef GIBBS_OP_H
#define GIBBS_OP_H

#include <gibbs/ad.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One call computes `rows` samples: in[i] points to rows × elements (or one value when shared[i]), out likewise.
 * Memory is of the tape's dtype. Must be a pure function, callable from several threads. */
typedef void (*ad_user_kernel)(void *context, gibbs_dtype dtype, int64_t rows, const void *const *in,
                               const int *shared, void *out);

typedef struct ad_user_op {
    const char *name;
    int arguments; /* 1 … AD_MAX_ARGUMENTS */
    /* The shape of the result; return non-zero (and a sentence, if you like) when the shapes do not fit. */
    int (*shape)(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error);
    ad_user_kernel kernel;
    /* The derivative: ∂(Σ ȳ y)/∂in[which], recorded in ops of the tape, of in[which]'s shape. NULL: an op that
     * cannot be differentiated. Called with per-sample and shared inputs alike; return ad_lift-free formulas. */
    ad_var (*vjp)(void *context, const ad_var *in, ad_var y, ad_var ybar, int which);
    int smooth; /* non-zero when twice continuously differentiable, else Hessian diagonals refuse it */
    void *context; /* must outlive tape and plans */
} ad_user_op;

/* Records a call of the op. The struct must outlive the tape and its plans (make it static). */
ad_var ad_user(const ad_user_op *op, const ad_var *in);

/* The table of built-in ops (src/autodiff/ops.def), for tools and tests. */
typedef struct ad_op_info {
    const char *name;
    int arguments;
    int smooth;        /* 2: smooth; 1: smooth almost everywhere only; 0: derivative zero or none */
    const char *kind;  /* "leaf", "unary", "binary", "select", "structural", "batch" */
    double low, high;  /* test domain of an elementwise op's arguments */
} ad_op_info;
int ad_op_count(void);
ad_op_info ad_op_describe(int op);

#ifdef __cplusplus
}
#endif
#endif
