/* record.h — a proposal's callbacks, recorded with their results checked: a wrong shape is an error on the tape. */
#ifndef GIBBS_PROPOSAL_RECORD_H
#define GIBBS_PROPOSAL_RECORD_H

#include "ebm/model.h"

/* theta may be NULL when q does not depend on it. The results are per-sample values of `axis`. */
ad_var ebm_proposal_draw_at(const ebm_proposal *q, ad_axis axis, ad_var normal, const ad_var *theta);
ad_var ebm_proposal_log_density_at(const ebm_proposal *q, ad_axis axis, ad_var y, const ad_var *theta);

/* ARGUMENT for no q, one without its callbacks, dim < 1, or one that depends on θ when there is none; SHAPE when
 * `dim` is not q's (0: any will do). `what` begins the sentence. */
gibbs_status ebm_proposal_check(const char *what, const ebm_proposal *q, int64_t dim, bool has_theta,
                                gibbs_error *error);

#endif
