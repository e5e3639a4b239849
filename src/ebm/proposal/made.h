/* made.h — what the proposals that are made of numbers, or of other proposals, have in common: one block of memory,
 * and the checks of what goes into it. */
#ifndef GIBBS_PROPOSAL_MADE_H
#define GIBBS_PROPOSAL_MADE_H

#include "base/base.h"

#include <gibbs/ebm.h>

typedef struct ebm_made {
    ebm_proposal proposal; /* its context points back here */
    gibbs_allocator alloc;
    double log_norm;             /* the part of log q that does not depend on y */
    int parts;
    const ebm_proposal **part;   /* the caller's */
    ebm_proposal *owned;         /* or one of them is freed with it; NULL */
    double number[];             /* what they mean is each file's own */
} ebm_made;

/* A proposal of that kind (its callbacks and name) and dim with room for `numbers` doubles, zeroed, and `parts` others.
 * ARGUMENT (dim < 1), SIZE (a dim above 2³¹ − 1 among others), MEMORY, in sentences that begin with the kind's name. */
gibbs_status ebm_made_new(const ebm_proposal *kind, int64_t dim, int64_t numbers, int parts,
                          const gibbs_allocator *allocator, ebm_made **made, gibbs_error *error);

/* `arrays` of dim numbers each and `more` others; 0 where ebm_made_new will refuse dim. */
static inline int64_t ebm_made_numbers(int64_t dim, int arrays, int64_t more)
{
    return dim > 0 && dim <= INT32_MAX ? arrays * dim + more : 0;
}

/* Hands it over, or frees it when `status` is an error. Returns status. */
gibbs_status ebm_made_finish(ebm_made *made, gibbs_status status, ebm_proposal **q);

/* Copies one number a column, `what` they are called. ARGUMENT when there are none, or one does not lie strictly
 * between `low` and `high` (which may be infinite; a NaN lies nowhere). */
gibbs_status ebm_made_columns(const ebm_made *made, const char *what, const double *from, double low, double high,
                              double *to, gibbs_error *error);

/* Takes `made->parts` others. ARGUMENT when one of them is no proposal; proposal.depends_on_theta is set when one of
 * them does. Their dims are the caller's to check. */
gibbs_status ebm_made_parts(ebm_made *made, const ebm_proposal *const *from, gibbs_error *error);

static inline const ebm_made *ebm_made_of(const ebm_proposal *q) { return q->context; }

/* dim of its numbers, as a constant vector. */
static inline ad_var ebm_made_vector(const ebm_made *made, ad_tape *tape, const double *numbers)
{
    return ad_constant_array(tape, ad_vec(made->proposal.dim), numbers);
}

#endif
