/* jacobian.h — shared by the files that record whole matrices of derivatives. */
#ifndef GIBBS_JACOBIAN_H
#define GIBBS_JACOBIAN_H

#include "derive.h"

/* What is asked of the ops between x and y: nothing; that y has no jumps, which a divergence by x, or a derivative of
 * an average of y by x (AD_FOLLOWED), would miss; two continuous derivatives. */
typedef enum ad_smoothness { AD_ANY, AD_CONTINUOUS, AD_FOLLOWED, AD_TWICE } ad_smoothness;

/* Batch ops, and moves between a child axis and its parent. */
bool ad_mixes_samples(ad_op op);

/* True, with error SMOOTH naming the op, when some op between the x and y is rougher than that or, with `apart`, mixes
 * samples. Also true when memory is out. */
bool ad_refuse(const char *what, ad_var y, const ad_var *x, int n, bool apart, ad_smoothness least);

/* True when the x are independent and all shared or all per-sample values of one axis; *axis is then −1 or that one.
 * Else the tape's error is set: null vars, two tapes, two axes, no x, what ad_check_independent refuses. */
bool ad_check_alike(const char *what, ad_var y, const ad_var *x, int n, ad_tape **tape, int32_t *axis);

/* A guess of what it takes to compute v where y is computed, too: numbers read and written, products at a fraction of
 * one. It does not depend on what else is on the tape. False, with the tape's error set, without memory. (cost.c) */
bool ad_cost_beyond(ad_var v, ad_var y, double *cost);

/* The tangent of y along every element of x: the transpose of ∂y/∂x, with count(x) directions. */
ad_tangent ad_forward(ad_var y, ad_var x);

#endif
