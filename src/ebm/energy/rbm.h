/* rbm.h — a restricted Boltzmann machine's conditionals, recorded: what block Gibbs sampling needs of a model. */
#ifndef GIBBS_RBM_H
#define GIBBS_RBM_H

#include "ebm/model/model.h"

typedef struct ebm_rbm {
    int64_t visible, hidden;
    bool joint;    /* x is [v, h]; else v */
    bool gaussian; /* real visibles; else 0 and 1 */
    bool learn_sd; /* theta[EBM_RBM_LOG_SD] is there */
    double sd;     /* of Gaussian visibles where it is not learnt; 1 for binary ones */
} ebm_rbm;

enum { EBM_RBM_W, EBM_RBM_A, EBM_RBM_B, EBM_RBM_LOG_SD }; /* places in theta */

/* What the model is, owned by it; NULL when it is no RBM. */
const ebm_rbm *ebm_rbm_of(const ebm_model *model);

/* The log odds of hⱼ = 1 given v [visible]: b + (v/sd²)W, of shape [hidden]. Their sigmoids are p(hⱼ = 1 | v). */
ad_var ebm_rbm_hidden_logits(const ebm_rbm *rbm, ad_var v, const ad_var *theta);

/* a + Wh of h [hidden], of shape [visible]: the log odds of vᵢ = 1 given h, or the mean of Gaussian visibles. */
ad_var ebm_rbm_visible_field(ad_var h, const ad_var *theta);

/* The standard deviations of Gaussian visibles given h, of shape [visible] or a scalar. */
ad_var ebm_rbm_visible_sd(const ebm_rbm *rbm, ad_tape *tape, const ad_var *theta);

#endif
