/* compose.h — models built from models: one parameter list from several, each part reading its own stretch. */
#ifndef GIBBS_COMPOSE_H
#define GIBBS_COMPOSE_H

#include "build.h"

typedef struct ebm_part {
    const ebm_model *model; /* the caller's; it records the part's energy */
    double beta;
} ebm_part;

/* The context of a composed energy. Its theta is `own` parameters, then the parts' in order. */
typedef struct ebm_composition {
    int own, parts;
    ebm_part part[];
} ebm_composition;

/* Makes one with that energy. Names get the prefixes "1.", "2.", … unless `plain`; beta NULL means ones; `own` is the
 * composed model's own first parameter, or NULL. The parts' values are copied. */
gibbs_status ebm_compose(const char *name, ebm_model *const *parts, const double *beta, int count, bool plain,
                         const ebm_parameter *own, ebm_energy_fn energy, ebm_model **model, gibbs_error *error);

/* Records the energies of all parts at x into E[parts]. */
void ebm_composition_energies(const ebm_composition *c, ad_var x, const ad_var *theta, ad_var *E);

#endif
