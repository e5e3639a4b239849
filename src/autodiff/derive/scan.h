/* scan.h — shared by the files that record derivatives of scans. A derivative of a scan is a scan over the
 * derivative of its body, whose nodes it reads: of what the body has computed, some is kept for all steps and given
 * to the new loop (scan_cut.c), the rest is computed again. */
#ifndef GIBBS_DERIVE_SCAN_H
#define GIBBS_DERIVE_SCAN_H

#include "derive.h"

/* A scan that is differentiated. */
typedef struct ad_scan_site {
    ad_tape *tape;
    ad_var scan;
    ad_node node;
    ad_loop *loop;
    const ad_paths *outer;
    ad_paths paths;   /* in the body, from what is given and captured to the results */
    bool *active;     /* of what is given */
    int given, x;     /* what is given; that and what is captured: the scan's inputs, but for the length */
    int32_t *at;      /* [x] their nodes in the body */
    int32_t *result;  /* the scan's results that matter */
    int results;
} ad_scan_site;

/* Of the scan's results those that `matters` says. False, with the tape's error set, when memory is out.
 * (scan_site.c) */
bool ad_scan_site_new(ad_var scan, const ad_paths *outer, const void *context,
                      bool (*matters)(const void *context, int32_t result), ad_scan_site *site);
void ad_scan_site_free(ad_scan_site *site);
/* The node of the body that a result is of; its state's next. */
int32_t ad_scan_root(const ad_scan_site *site, int32_t result);

/* A list of vars that grows. Where memory is out the tape's error is set, and nothing is added. */
typedef struct ad_vars {
    ad_var *at;
    int64_t count, capacity;
} ad_vars;
void ad_vars_add(ad_tape *tape, ad_vars *vars, ad_var v);

/* A scan while it is made. */
typedef struct ad_scan_build {
    ad_vars state, first, next, input, from, listed;
} ad_scan_build;
void ad_scan_add_state(ad_tape *tape, ad_scan_build *b, ad_var given, ad_var first, ad_var next);
void ad_scan_add_input(ad_tape *tape, ad_scan_build *b, ad_var given, ad_var from);
/* Adds as inputs what `next`, `listed` and `also` read of the body that is differentiated: kept for all steps, or made
 * again of what is. (scan_cut.c) */
void ad_scan_cut(const ad_scan_site *site, ad_scan_build *b, const ad_vars *also);
/* Records it, of as many steps, with that loop's length, its last step first where `reverse` differs. The null var
 * after an error. */
ad_var ad_scan_finish(const ad_scan_site *site, const ad_scan_build *b, bool reverse);
void ad_scan_build_free(ad_tape *tape, ad_scan_build *b);

/* Sums over all steps, and samples, of shared values of the body, which are linear in sums over the samples. First
 * what is to be summed is added to `listed`; when the scan is there, the sum is made. (scan_sums.c) */
void ad_scan_list_sums(const ad_scan_site *site, ad_scan_build *b, ad_var value);
ad_var ad_scan_sum_of(const ad_scan_site *site, const ad_scan_build *b, ad_var scan, ad_var value);

#endif
