/* gibbs/log_z.h — log Z: by quadrature, by enumeration, in closed form. */
#ifndef GIBBS_PUBLIC_LOG_Z_H
#define GIBBS_PUBLIC_LOG_Z_H

#include <gibbs/data.h>
#include <gibbs/energy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Normalised densities by quadrature, d <= 3 ---- */

typedef struct ebm_box {
    double low[3], high[3];
    int points; /* a dimension; 0 means 2000, 400 and 100 for d = 1, 2 and 3 */
} ebm_box;

/* The box around the data's range, `margin` ranges wider on each side. */
ebm_box ebm_box_around(const ebm_data *data, double margin);

typedef struct ebm_quadrature {
    double log_z;         /* log ∫ exp(−E) over the box, by the trapezoidal rule */
    double log_z_doubled; /* over the box of twice the width, at the same spacing */
    int normalisable;     /* the two differ by at most 0.01 */
} ebm_quadrature;

/* Errors: ARGUMENT (dim > 3, an empty box), MEMORY, NUMERIC (E is NaN somewhere in the box). */
gibbs_status ebm_integrate(ebm_model *model, const ebm_box *box, ebm_quadrature *result, gibbs_error *error);

/* mean of −E(xₙ) − log_z */
gibbs_status ebm_mean_log_likelihood(ebm_model *model, const ebm_data *data, double log_z, double *result,
                                     gibbs_error *error);

/* ---- Exact log Z ---- */

/* Columns that a row of the space takes, and its number of states; −1 when it has none, or too many to count. */
int64_t ebm_space_dim(const ebm_space *space);
int64_t ebm_space_size(const ebm_space *space);
/* States first … first + rows − 1 into x[rows × dim]; the last variable changes fastest. */
void ebm_space_rows(const ebm_space *space, int64_t first, int64_t rows, double *x);

/* log Σ exp(−E) over all states of the space (NULL: binary columns), at most 2²⁰, and their probabilities in that order
 * unless `probability` is NULL. Errors: ARGUMENT, SHAPE (the space's columns are not the model's), SIZE, MEMORY,
 * NUMERIC (E is NaN or −∞ in some state, or +∞ in all). */
gibbs_status ebm_enumerate(ebm_model *model, const ebm_space *space, double *log_z, double *probability,
                           gibbs_error *error);

/* The exact log Z of a model that has one: Gaussian; complete ICA with logcosh or Student-t experts; RBM, by
 * enumeration of its smaller side (Gaussian visibles: the hidden side) of at most 20 units. ARGUMENT for others; NUMERIC where
 * the density is not normalisable. */
gibbs_status ebm_model_log_z(ebm_model *model, double *log_z, gibbs_error *error);

#ifdef __cplusplus
}
#endif
#endif
