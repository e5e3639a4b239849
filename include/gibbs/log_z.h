/* gibbs/log_z.h — log Z: by quadrature, by enumeration, in closed form. */
#ifndef GIBBS_PUBLIC_LOG_Z_H
#define GIBBS_PUBLIC_LOG_Z_H

#include <gibbs/data.h>
#include <gibbs/model.h>
#include <gibbs/space.h>

GIBBS_API_BEGIN

/* ---- Normalised densities by quadrature, d <= 3 ---- */

typedef struct ebm_quadrature {
    double log_z;         /* log ∫ exp(−E) over the box, by the trapezoidal rule */
    double log_z_doubled; /* over the box of twice the width, at the same spacing; NaN when E is NaN or −∞ there */
    int normalisable;     /* 1: the two differ by at most 0.01; 0: by more; −1: that cannot be told, as E is NaN or −∞
                             in the wider box, such as −log x of a density on the half line */
} ebm_quadrature;

/* +∞ is an energy: the density is 0 there. Errors: ARGUMENT (dim > 3, an empty box, fewer than 2 points), SIZE, MEMORY,
 * NUMERIC (E is NaN or −∞ at a point of the box, which is named). */
gibbs_status ebm_integrate(ebm_model *model, const ebm_box *box, ebm_quadrature *result, gibbs_error *error);

/* mean of −E(xₙ) − log_z; −∞ where some E is +∞. Errors: DATA, SHAPE, ARGUMENT (log_z is not finite), NUMERIC (E is NaN
 * or −∞ at a row), MEMORY. */
gibbs_status ebm_mean_log_likelihood(ebm_model *model, const ebm_data *data, double log_z, double *result,
                                     gibbs_error *error);

/* ---- Exact log Z ---- */

/* log Σ exp(−E) over all states of the space (NULL: binary columns), at most 2²⁰, and their probabilities in that order
 * unless `probability` is NULL. Errors: ARGUMENT, SHAPE (the space's columns are not the model's), SIZE, MEMORY,
 * NUMERIC (E is NaN or −∞ in some state, or +∞ in all). */
gibbs_status ebm_enumerate(ebm_model *model, const ebm_space *space, double *log_z, double *probability,
                           gibbs_error *error);

/* The exact log Z of a model that has one: Gaussian; complete ICA with logcosh or Student-t experts; RBM, by
 * enumeration of its smaller side (Gaussian visibles: the hidden side) of at most 20 units. ARGUMENT for others;
 * NUMERIC where the density is not normalisable; SIZE, MEMORY. */
gibbs_status ebm_model_log_z(ebm_model *model, double *log_z, gibbs_error *error);

GIBBS_API_END
#endif
