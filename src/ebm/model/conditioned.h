/* conditioned.h — a conditional model while x is held: an ordinary model of y. Losses and samplers record this one, and
 * so know nothing of x: what they differentiate by, move and draw is y. Of a model that is not conditional it is the
 * model itself. */
#ifndef GIBBS_CONDITIONED_H
#define GIBBS_CONDITIONED_H

#include "ebm/model/model.h"

/* Lives while a graph is recorded, and is not moved: of_y points back to it. */
typedef struct ebm_conditioned {
    const ebm_model *model;
    ad_var given[2]; /* x, on each root axis on which there is a y */
    int givens;
    ebm_model of_y;  /* its dim is the number of columns modelled, its energy E(x, y); all else is the model's */
} ebm_conditioned;

void ebm_conditioned_start(ebm_conditioned *c, const ebm_model *model);

/* Records the given columns of an axis as an input, and holds them for that axis and those that descend from it. The
 * null var where nothing is given. */
ad_var ebm_conditioned_input(ebm_conditioned *c, ad_axis axis);

/* x for each element of `axis`: the null var where nothing is given, AXIS on the tape where no x was held for it. */
ad_var ebm_conditioned_given(const ebm_conditioned *c, ad_axis axis);

/* [x, y], or y where nothing is given. */
ad_var ebm_conditioned_row(const ebm_conditioned *c, ad_var y);

/* Rows of `given` and `modelled` numbers of `size` bytes, taken apart and put together; either part may be NULL. */
void ebm_split_rows(size_t size, int64_t rows, int64_t given, int64_t modelled, const void *from, void *x, void *y);
void ebm_join_rows(size_t size, int64_t rows, int64_t given, int64_t modelled, const void *x, const void *y, void *to);

#endif
