/* path.h — the geometric path from a base density to a model, as a model of its own that samplers record. */
#ifndef GIBBS_PATH_H
#define GIBBS_PATH_H

#include "ebm/model/model.h"

/* Lives while a graph is recorded. */
typedef struct ebm_path {
    const ebm_model *model;
    ad_var beta;              /* per-sample scalar */
    const ebm_proposal *base; /* NULL: βE alone */
    ebm_model along;          /* its energy is E_β; all else is the model's */
} ebm_path;

void ebm_path_start(ebm_path *path, const ebm_model *model, ad_var beta, const ebm_proposal *base);

#endif
