/* colours.h — the variables in classes of which none has a coupling inside. */
#ifndef GIBBS_COLOURS_H
#define GIBBS_COLOURS_H

#include "base/base.h"

#include <gibbs/extend.h>

/* Into order[variables] the variables, class after class, and into end[variables] where each class ends; returns how
 * many classes there are, or 0 when memory is short. A variable is `width` columns. Each takes, in their order, the
 * first class in which it is coupled to nobody. J's pieces count as couplings whatever their numbers are. */
int64_t ebm_colours(const ebm_couplings *c, int64_t width, const gibbs_allocator *a, int32_t *order, int64_t *end);

#endif
