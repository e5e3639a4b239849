/* cd.c — contrastive divergence (Hinton 2002; S1 eq 3–7): mean E(xₙ) − mean E(yₙ), where y came from k transitions
 * of a sampler started at the data and is held constant. The value is the energy gap: it says nothing about
 * convergence, so held-out rows are judged by the score matching loss. */
#include "ebm/model/model.h"

static ad_var record(ebm_graph *g)
{
    return ad_sub(ebm_graph_mean(g, g->data, ebm_graph_energy(g, g->x)),
                  ebm_graph_mean(g, g->noise, ebm_graph_energy(g, g->y)));
}

const ebm_loss ebm_loss_cd = {
    .name = "cd",
    .title = "contrastive divergence",
    .noise = EBM_NOISE_CHAIN,
    .health = "acceptance",
    .redraw = 1,
    .record = record,
    .validation = &ebm_loss_score_matching,
};

/* The chains persist (Younes 1989; Tieleman 2008): y comes from near p itself, and the gradient is that of the
 * likelihood. */
const ebm_loss ebm_loss_pcd = {
    .name = "pcd",
    .title = "persistent contrastive divergence",
    .noise = EBM_NOISE_PERSISTENT,
    .health = "acceptance",
    .redraw = 1,
    .record = record,
    .validation = &ebm_loss_score_matching,
};

/* Points of the model at each θ out of draws of a proposal (S0 §6): the gradient is eq 14's. ML-IS with the same draws
 * is its mean over what is left to chance. */
const ebm_loss ebm_loss_ml_resampled = {
    .name = "ml-resampled",
    .title = "maximum likelihood by importance resampling",
    .noise = EBM_NOISE_RESAMPLED,
    .models = EBM_MODELS_WHOLE,
    .needs_proposal = 1,
    .health = "ESS",
    .noise_ratio = 10,
    .redraw = 1,
    .record = record,
    .validation = &ebm_loss_score_matching,
};

const ebm_loss ebm_loss_ml_mh = {
    .name = "ml-mh",
    .title = "maximum likelihood by independence Metropolis–Hastings",
    .noise = EBM_NOISE_INDEPENDENCE,
    .models = EBM_MODELS_WHOLE,
    .needs_proposal = 1,
    .health = "acceptance",
    .noise_ratio = 10,
    .redraw = 1,
    .record = record,
    .validation = &ebm_loss_score_matching,
};
