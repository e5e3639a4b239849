/* record_proposal.h — a proposal's callbacks, recorded with their results checked: a wrong shape is an error on the
 * tape. */
#ifndef GIBBS_PROPOSAL_RECORD_H
#define GIBBS_PROPOSAL_RECORD_H

#include "ebm/model/model.h"

/* A draw y ~ q of its own random numbers: normals of `stream` and uniforms of a stream that belongs to it. `given` is
 * x on that axis where q is conditional, and is not looked at otherwise. theta may be NULL when q does not depend on
 * it, here and below. The results are per-sample values of `axis`. */
ad_var ebm_proposal_draw_at(const ebm_proposal *q, ad_axis axis, ad_var given, uint64_t stream, const ad_var *theta);
ad_var ebm_proposal_log_density_at(const ebm_proposal *q, ad_axis axis, ad_var given, ad_var y, const ad_var *theta);

/* Random numbers: so many standard normals, then so many uniforms on (0, 1). */
typedef struct ebm_random {
    int64_t normals, uniforms;
} ebm_random;

/* How many a draw takes, with the default filled in. */
ebm_random ebm_proposal_random(const ebm_proposal *q);

/* For proposals that are made of others: a draw of `part` by its share of `random`, which begins after `skip` of the
 * `all` that there are. */
ad_var ebm_proposal_draw_part(const ebm_proposal *part, ad_var random, ebm_random all, ebm_random skip,
                              const ad_var *theta);
ad_var ebm_proposal_log_density_part(const ebm_proposal *part, ad_var y, const ad_var *theta);

/* ARGUMENT for no q, one without its callbacks, dim < 1, numbers of random numbers that are none, one that depends on θ
 * when there is none, or a conditional one; SHAPE when `dim` is not q's (0: any will do). `what` begins the sentence.
 */
gibbs_status ebm_proposal_check(const char *what, const ebm_proposal *q, int64_t dim, bool has_theta,
                                gibbs_error *error);

/* The same for artificial points of a model: its rows, or where it is conditional y, given all of x or nothing. */
gibbs_status ebm_proposal_check_model(const char *what, const ebm_proposal *q, const ebm_model *model, bool has_theta,
                                      gibbs_error *error);

#endif
