/* draw.h — a plan that draws from a proposal that does not depend on θ, in a model's number type. */
#ifndef GIBBS_DRAW_H
#define GIBBS_DRAW_H

#include "ebm/model/model.h"

typedef struct ebm_draw ebm_draw;

/* ARGUMENT when q depends on θ (a loss records such a q in its own graph). */
gibbs_status ebm_draw_new(const ebm_proposal *q, gibbs_dtype dtype, const gibbs_allocator *allocator, ebm_draw **draw,
                          gibbs_error *error);
void ebm_draw_free(ebm_draw *draw);

/* Draws `rows` points; row r is a function of (seed, step, r). Nothing is allocated once a size has been run. */
gibbs_status ebm_draw_run(ebm_draw *draw, int64_t rows, uint64_t seed, uint64_t step, gibbs_error *error);

/* The last draw, of the draw's dtype: rows × dim, and rows. Owned by the draw, until the next run. */
const void *ebm_draw_y(const ebm_draw *draw);
const void *ebm_draw_log_q(const ebm_draw *draw);

#endif
