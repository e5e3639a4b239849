/* compose.h — models built from models: one parameter list from several, each part reading its own stretch. */
#ifndef GIBBS_COMPOSE_H
#define GIBBS_COMPOSE_H

#include "build.h"

/* The context of a composed energy, and its spec. */
typedef struct ebm_composition {
    int64_t count;
    const double *beta;      /* NULL: ones */
    ebm_model *const *parts; /* the caller's; they record their energies */
} ebm_composition;

extern const ebm_option ebm_composition_options[3];

/* Makes one of that kind, whose spec is an ebm_composition. Names get the prefixes "1.", "2.", … unless `plain`; `own`
 * is the composed model's own first parameter, or NULL. The parts' values are copied. */
gibbs_status ebm_compose(const ebm_energy *kind, const ebm_composition *spec, bool plain, const ebm_parameter *own,
                         ebm_model **model, gibbs_error *error);

/* Records the energies of all parts at x into E[count]; theta is the first part's first parameter. */
void ebm_composition_energies(const ebm_composition *c, ad_var x, const ad_var *theta, ad_var *E);

#endif
