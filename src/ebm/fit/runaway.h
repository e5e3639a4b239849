/* runaway.h — whether what looks like a minimum is one, or a place on an endless descent; private to src/ebm/fit. */
#ifndef GIBBS_RUNAWAY_H
#define GIBBS_RUNAWAY_H

#include "minimum.h"

/* Whether slope and curvature of a parameter may be what is left of an exponential: rows do not spread there as
 * elsewhere, or the curvature fell by orders of magnitude since the fit began. */
bool ebm_runaway_suspect(const ebm_minimum *m, int64_t parameter);

/* *parameter is the number of one that runs away, or −1, at what was looked at last; θ is put back.
 *
 * At a minimum (`arrived`): by the parameters that are suspect. One standard error away, or twice as far from 0 where
 * rows are alike, the loss must have risen as its curvature says, within a factor of 20, on both sides. Elsewhere:
 * along the last step, where it goes on falling or stays level a million steps on. */
gibbs_status ebm_runaway(ebm_minimum *m, bool arrived, ebm_value_fn value, void *context, int64_t *parameter,
                         gibbs_error *error);

#endif
