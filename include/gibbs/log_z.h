/* gibbs/log_z.h — log Z: by quadrature, by enumeration, in closed form. */
#ifndef GIBBS_PUBLIC_LOG_Z_H
#define GIBBS_PUBLIC_LOG_Z_H

#include <gibbs/data.h>
#include <gibbs/model.h>
#include <gibbs/space.h>

GIBBS_API_BEGIN

/* ---- Normalised densities by quadrature, d <= 3 ---- */

/* Whether ∫ exp(−E) is finite, and whether the box holds it. */
typedef enum ebm_verdict {
    EBM_NORMALISABLE,     /* at most 1 % lies outside the box, as far as one looked; or the box is the whole domain */
    EBM_BOX_TOO_SMALL,    /* more lies outside, but the integral ends growing as the box does: `widen` it */
    EBM_NOT_NORMALISABLE, /* it grows with the box for as far as one looked; or there is no mass at all */
    EBM_CANNOT_BE_TOLD    /* E is NaN or −∞ outside, such as −log x of a density on the half line, before either shows;
                             say whole_domain where there is no x outside the box */
} ebm_verdict;

/* «normalisable», «the box is too small», «not normalisable», «cannot be told». Static. */
const char *ebm_verdict_text(ebm_verdict verdict);

typedef struct ebm_quadrature {
    double log_z;         /* log ∫ exp(−E) over the box, by the trapezoidal rule */
    double log_z_doubled; /* over the box of twice the width, at the same spacing; NaN when E is NaN or −∞ there; log_z
                             itself where the box is the whole domain */
    ebm_verdict verdict;
    double widen;         /* how many times as wide a box holds all but 1 %: 1 for this one, 2, 4, … where it is too
                             small, ∞ where none within reach does; NaN where that is unknown */
} ebm_quadrature;

/* The verdict is found by doubling the box again and again, to 2²⁰ times its width, with a coarse grid in each shell:
 * densities that fall as a power of x are told from those that do not fall. It is about what a grid sees: a peak
 * between points, or a fall slower than 3 % a doubling, is missed. +∞ is an energy: the density is 0 there. Errors:
 * ARGUMENT (dim > 3, an empty box, fewer than 2 points), SIZE, MEMORY, NUMERIC (E is NaN or −∞ at a point of the box,
 * which is named). */
gibbs_status ebm_integrate(ebm_model *model, const ebm_box *box, ebm_quadrature *result, gibbs_error *error);

/* mean of −E(xₙ) − log_z; −∞ where some E is +∞. Errors: DATA, SHAPE, ARGUMENT (log_z is not finite), NUMERIC (E is NaN
 * or −∞ at a row), MEMORY. */
gibbs_status ebm_mean_log_likelihood(ebm_model *model, const ebm_data *data, double log_z, double *result,
                                     gibbs_error *error);

/* ---- Exact log Z ---- */

/* log Σ exp(−E) over all states of the space (zeroed or NULL: binary columns), at most 2²⁰, and their probabilities in
 * that order unless `probability` is NULL. Errors: ARGUMENT, SHAPE (the space's columns are not the model's), SIZE, MEMORY,
 * NUMERIC (E is NaN or −∞ in some state, or +∞ in all). */
gibbs_status ebm_enumerate(ebm_model *model, const ebm_space *space, double *log_z, double *probability,
                           gibbs_error *error);

/* The exact log Z of a model that has one: Gaussian; complete ICA with logcosh or Student-t experts; RBM, by
 * enumeration of its smaller side (Gaussian visibles: the hidden side) of at most 20 units; any of these tempered (an
 * RBM in its joint form); mixtures of such; energies of one's own that say it. ARGUMENT for others; NUMERIC where the
 * density is not normalisable; SIZE, MEMORY. */
gibbs_status ebm_model_log_z(ebm_model *model, double *log_z, gibbs_error *error);

GIBBS_API_END
#endif
