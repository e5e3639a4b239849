/* space.h — spaces and boxes, checked: what enumeration, quadrature and weighted points begin with. */
#ifndef GIBBS_SPACE_H
#define GIBBS_SPACE_H

#include "base/base.h"

#include <gibbs/space.h>

/* How many labels a variable of the space has. */
static inline int64_t ebm_space_labels(const ebm_space *s, int64_t variable)
{
    return s->labels_of ? s->labels_of[variable] : s->labels ? s->labels : 2;
}

/* Whether there are variables, and labels for each. */
bool ebm_space_has_labels(const ebm_space *space);

/* Whether all states can be listed: ARGUMENT (no variables, one without labels, a value that is not finite), SIZE (more
 * than EBM_MOST_POINTS states). `who` begins the sentences, here and below. */
enum { EBM_MOST_POINTS = 1 << 20 };
gibbs_status ebm_space_check(const char *who, const ebm_space *space, gibbs_error *error);

/* The space of rows of `dim` columns as samplers and losses take it: two-valued columns, or one-hot blocks of equally
 * many. What is 0 is filled in, the values as well, which are 0 and 1 in one-hot columns. ARGUMENT where `from` is
 * another; SHAPE where it has other columns. *space may be *from. */
gibbs_status ebm_space_of_rows(const char *who, const ebm_space *from, int64_t dim, ebm_space *space,
                               gibbs_error *error);

/* DATA, naming the column, when numbers first, first + 1, … of `x` are no state of such a space: in double, or in float
 * where they are floats' numbers. `column`, from 0, is that of the first one in the table. */
gibbs_status ebm_space_check_row(const char *who, const ebm_space *space, gibbs_dtype dtype, const void *x,
                                 int64_t first, int64_t column, gibbs_error *error);

/* The grid of a box: `side` points a dimension, `step` apart from `low` on, the last one at `high`. */
enum { EBM_BOX_DIM = 3 };
typedef struct ebm_grid {
    int dim;
    int64_t side;
    double low[EBM_BOX_DIM], high[EBM_BOX_DIM], step[EBM_BOX_DIM];
} ebm_grid;

/* ARGUMENT: dim, the number of points, an empty box. */
gibbs_status ebm_grid_new(const char *who, int64_t dim, const ebm_box *box, ebm_grid *grid, gibbs_error *error);

/* Whether a point lies on the edge of a box outside of which there may be more. Where the density there is above
 * EBM_EDGE of its highest, the box cuts it off. */
#define EBM_EDGE 0.01
bool ebm_points_on_edge(const ebm_points *points, int64_t point);

#endif
