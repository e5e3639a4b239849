/* gibbs/scan.h — loops: a step recorded once and run many times. */
#ifndef GIBBS_SCAN_H
#define GIBBS_SCAN_H

#include <gibbs/ad.h>

GIBBS_API_BEGIN

/* A step of a scan, recorded once: from the states behind the step before (the first ones, at first) and this step's
 * row of each input, both vars of the tape, it writes a state of the same shape to next[k], and a value of any shape
 * to out[k]. What else it reads, parameters and whatever was recorded outside, is the same in all steps and computed
 * once. Random leaves recorded here are drawn anew each step; those recorded before are not. Derivatives may be taken
 * in it, by its states and inputs, too. It may be called twice, and must record the same. Its vars have no value
 * outside. Of a per-sample scan it may not mix samples (AXIS). */
typedef void ad_scan_body(const ad_var *state, const ad_var *input, ad_var *next, ad_var *out, void *context);

typedef struct ad_scan_spec {
    int64_t steps;       /* at least 1 */
    const ad_var *state; /* the first states, of any shapes, shared or on one axis */
    int states;
    const ad_var *input; /* [steps, s…] each; NULL for none */
    int inputs;
    int outputs;         /* how many out[] the body writes */
    ad_var length;       /* a shared scalar: so many steps are run, at most `steps`; zeroed: all. A whole number from 1
                            up, else DATA when the plan runs. Changing it takes no new plan */
    int reverse;         /* non-zero: the last row of each input, and of each output, belongs to the first step */
    int64_t store_bytes; /* a reverse derivative may keep so much of the steps, for each sample: where the values that
                            it reads take more, it computes them again from the states; and where the states of all
                            steps do, the scan is run in segments of √T steps, of which only the first states are kept
                            (not with a length, nor below four steps). 0 means 16 MiB */
    ad_scan_body *body;
    void *context;
} ad_scan_spec;

/* Runs the body: last[k] is state k behind the last step, out[k] [steps, s…] what each step wrote, 0 where no step
 * ran. A plan's size does not depend on `steps`. Derivatives of any order, forward and reverse, by states, inputs
 * and whatever is captured, are scans, and so are Hessian diagonals (by count(x) directions). `last` and `out` may
 * be NULL. Per-sample where anything that the body reads is. Errors: ARGUMENT (no body, no states and inputs,
 * nothing written), SHAPE, AXIS, TAPE, MEMORY; last and out are then null vars. */
gibbs_status ad_scan(const ad_scan_spec *spec, ad_var *last, ad_var *out);

GIBBS_API_END
#endif
