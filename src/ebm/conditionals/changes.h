/* changes.h — what the energy of a discrete x changes by when one variable takes another label, of all variables and
 * labels at once: what its conditionals are made of, recorded. */
#ifndef GIBBS_CHANGES_H
#define GIBBS_CHANGES_H

#include "ebm/model/model.h"

/* E(x′) − E(x) at the graph's data for every change x′, [dim], of options.space: of two-valued columns, each turned to
 * its other value; of one-hot blocks, each column made its block's 1 (0 for that which is). SIZE on the tape where the
 * energy is no polynomial of degree 2 and has more than 46340 columns. */
ad_var ebm_graph_changes(const ebm_graph *graph);

/* An ebm_loss's check_row: the row is a state of options.space. */
gibbs_status ebm_check_state(const ebm_loss *loss, const ebm_loss_options *options, const double *x, int64_t given,
                             int64_t dim, gibbs_error *error);

#endif
