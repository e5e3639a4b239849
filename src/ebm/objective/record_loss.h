/* record_loss.h — what several losses record: copies of each data row, the score, a user's callbacks with their results
 * checked (a wrong shape or the null var is an error on the tape). */
#ifndef GIBBS_OBJECTIVE_RECORD_H
#define GIBBS_OBJECTIVE_RECORD_H

#include "ebm/model/model.h"

/* An axis with `count` elements for each data row. */
ad_axis ebm_graph_copies(const ebm_graph *g, int64_t count, const char *name);

/* ∇E at x; the null var after an error. SMOOTH where ∇E jumps at a place that a parameter moves: the derivative of a
 * loss of ∇E by that parameter would lack what the jumps contribute. */
ad_var ebm_graph_gradient(const ebm_graph *g, ad_var x);

/* v of the shape [d], on `axis`; `what` begins the sentence when it cannot be. */
ad_var ebm_graph_vector(const ebm_graph *g, ad_axis axis, ad_var v, const char *what);

/* options.field at x, [d]. */
ad_var ebm_graph_field(const ebm_graph *g, ad_axis axis, ad_var x);

/* Number k of the random directions of a row of the data axis, [d]: ±1, or standard normals with options.gaussian. */
ad_var ebm_graph_direction(const ebm_graph *g, int k);

/* An ebm_loss's check: not more directions than there are streams for them. */
enum { EBM_MOST_DIRECTIONS = EBM_STREAM_LOSS_LAST - EBM_STREAM_LOSS_NORMAL };
gibbs_status ebm_check_directions(const ebm_loss *loss, const ebm_loss_options *options, int64_t dim,
                                  gibbs_error *error);

#endif
