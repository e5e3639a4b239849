/* moved.h — proposals that are another one, moved and scaled: by numbers, or by functions of θ. */
#ifndef GIBBS_PROPOSAL_MOVED_H
#define GIBBS_PROPOSAL_MOVED_H

#include "made.h"

/* Where y lies of a draw r of `part`: y = c + σ∘8tanh(a/8) + widen·eˢ∘(r − c), a = A(θ − θ₀), s = log 8·tanh(b/log 8),
 * b = B(θ − θ₀): near θ₀ both are linear, and nowhere is q more than 8 σ off, 8 times as wide or as narrow. */
typedef struct ebm_move {
    int parameters; /* vars of θ; 0: y = c + widen(r − c) */
    int64_t size;   /* numbers of θ */
    double widen;
    double *centre, *sd;     /* c, σ: dim each */
    double *theta;           /* θ₀ */
    double *shift, *stretch; /* A, B: dim × size each */
} ebm_move;

/* Room for one; the arrays are then the proposal's own, to be filled in. ARGUMENT (no proposal, one that depends on θ
 * or is given x, a widening that is not positive and finite), SIZE, MEMORY. */
gibbs_status ebm_moved_new(const char *name, const ebm_proposal *part, double widen, int parameters, int64_t size,
                           const gibbs_allocator *allocator, ebm_made **made, ebm_move *move, gibbs_error *error);

#endif
