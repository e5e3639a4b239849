/* curvature.h — a loss around the present parameters: value, gradient, Hessian, and how far its gradient varies. */
#ifndef GIBBS_CURVATURE_H
#define GIBBS_CURVATURE_H

#include "ebm/objective/objective.h"

enum { EBM_MOST_CURVED = 500 }; /* parameters, a learnt log Z included */

typedef struct ebm_curvature {
    ebm_model *twin;          /* the model with its parameters in double; last a learnt log Z: where to look */
    ebm_objective *objective; /* whose program computes all of it */
    int64_t size;             /* of the parameters, p */
    double decay;
    double seen;              /* rows that rows with counts stand for; else 0 */
    int samples;              /* the rows; 2: and the artificial points, where they are a sample of their own */
} ebm_curvature;

/* Of L + ½ decay‖θ‖² of a float64 twin of `model`, which is to live as long, over rows that weigh as these. Errors:
 * ARGUMENT where there are none or more than EBM_MOST_CURVED parameters, of a loss that holds a part of itself constant,
 * whose gradient is that of no function; SMOOTH, MEMORY and what recording reports. After an error there is nothing to
 * free. */
gibbs_status ebm_curvature_new(const ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                               double decay, const ebm_weighed_rows *rows, ebm_curvature *c, gibbs_error *error);
void ebm_curvature_free(ebm_curvature *c);

/* Binds the rows, which must stay, and draws the artificial points of step 0. */
gibbs_status ebm_curvature_bind(ebm_curvature *c, const ebm_weighed_rows *rows, uint64_t seed, gibbs_error *error);

/* Computes all of it at the twin's parameters. */
gibbs_status ebm_curvature_run(ebm_curvature *c, gibbs_error *error);

/* What the last run found: the value; gradient [p] and Hessian [p, p]; and of one of the samples Σ(u − ū)(u − ū)ᵀ
 * [p, p], u the derivative of the gradient by the weight of a row or a point. */
double ebm_curvature_value(const ebm_curvature *c);
void ebm_curvature_get(const ebm_curvature *c, double *gradient, double *hessian);
void ebm_curvature_squares(const ebm_curvature *c, int sample, double *squares);

#endif
