/* minimum.h — how far parameters are from a minimum of a deterministic loss, and the way there; private to the room. */
#ifndef GIBBS_MINIMUM_H
#define GIBBS_MINIMUM_H

#include "ebm/inference/curvature.h"

/* The loss around θ in its own units: H̃ = DHD with a diagonal of ones, D = diag |H|^−½, and its eigenvectors q.
 *
 * r = gᵀH⁻¹g / tr H⁻¹S, S the covariance of ∇L (standard_errors.c), compares how far the loss may still fall with what
 * chance moves it by: √r is the distance to the minimum in standard errors, in no unit of x, θ or E. On separated data
 * g, H and S vanish together, and r does not. Where rows do not differ, S = 0, it is gᵀH⁻¹g / θᵀHθ. */
typedef struct ebm_minimum {
    ebm_curvature *curvature; /* θ is its twin's */
    int64_t size;             /* p */
    double value, distance;   /* √r; ∞ where the loss curves down, NaN where something is not finite */
    double excess;            /* tr H⁻¹S, or θᵀHθ */
    bool alike;               /* S = 0: the rows do not differ */
    int64_t seen;             /* directions with a curvature */
    double flat;              /* eigenvalues between ± this count as 0 */
    double *gradient;         /* p, as is all but the last three */
    double *unit;             /* D */
    double *spread;           /* the diagonal of DSD */
    double *eigenvalue;       /* ascending; behind them the eigenvectors, a row each */
    double *slope;            /* qᵀDg of each */
    double *step, *start;     /* newton.c's */
    double *first;            /* |H|'s diagonal where the fit began */
    double *scaled, *squares; /* p × p: DHD and DSD */
    gibbs_allocator alloc;
    double *memory;
} ebm_minimum;

gibbs_status ebm_minimum_new(ebm_curvature *curvature, const gibbs_allocator *a, ebm_minimum *m, gibbs_error *error);
void ebm_minimum_free(ebm_minimum *m);

/* All of it at the twin's parameters. */
gibbs_status ebm_minimum_look(ebm_minimum *m, gibbs_error *error);

/* The loss alone at θ, which takes some p times less; a value that is not finite is none. */
typedef gibbs_status (*ebm_value_fn)(void *context, const double *theta, double *value, gibbs_error *error);

/* After each step that was taken: non-zero ends the search with status STOPPED. */
typedef int (*ebm_step_fn)(void *context, double value, double gradient_norm);

/* Newton's method in a trust region of those units (Moré & Sorensen 1983), from a point that was looked at, until the
 * distance is within `tolerance`, and one step beyond; at most `steps` of them. Steps that do not come nearer end it,
 * too. */
gibbs_status ebm_newton(ebm_minimum *m, double tolerance, int64_t steps, ebm_value_fn value, ebm_step_fn taken,
                        void *context, gibbs_error *error);

#endif
