/* conjugate.h — the distance to a minimum of a loss of many parameters, by products with its Hessian; private to
 * src/ebm/fit. */
#ifndef GIBBS_CONJUGATE_H
#define GIBBS_CONJUGATE_H

#include "ebm/objective/objective.h"

/* H of L + ½ decay‖θ‖² at the model's parameters, as products Hv. */
typedef struct ebm_products {
    ebm_model *model;         /* float64 */
    ebm_objective *objective; /* whose program computes Hv */
    int64_t size;
    double decay;
    double *direction;        /* v, which leaves of the graph are bound to */
} ebm_products;

/* ARGUMENT, SMOOTH, MEMORY and what recording reports; after an error there is nothing to free. */
gibbs_status ebm_products_new(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options, double decay,
                              const ebm_weighed_rows *rows, uint64_t seed, ebm_products *h, gibbs_error *error);
void ebm_products_free(ebm_products *h);

/* y = Hx. */
gibbs_status ebm_products_times(ebm_products *h, const double *x, double *y, gibbs_error *error);

/* x = H⁻¹b by conjugate gradients (Hestenes & Stiefel 1952) from 0; *form is bᵀx. NaN where H curves down or b is not
 * reached within some hundred products. `work` has 3·size places. */
gibbs_status ebm_products_solve(ebm_products *h, const double *b, double *x, double *form, double *work,
                                gibbs_error *error);

#endif
