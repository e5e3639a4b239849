/* conditional_nce.c — conditional noise contrastive estimation (Ceylan & Gutmann 2018):
 *
 *     (2/κN) Σₙ Σ_k log(1 + exp(−(E(y_nk) − E(xₙ)))),   y = x + σε, κ noisy copies of each row
 *
 * The noise is symmetric, so its density cancels, and so does Z. As σ → 0 the loss is 2 log 2 + ½σ² times implicit
 * score matching + o(σ²). */
#include "record_loss.h"

static ad_var record(ebm_graph *g)
{
    ad_axis noisy = ebm_graph_copies(g, g->options->copies, "noisy copies");
    ad_var noise = ad_normal(noisy, ad_vec(g->model->dim), EBM_STREAM_LOSS_NORMAL);
    ad_var y = ad_add(ebm_value_on(noisy, g->x), ad_scale(noise, g->options->noise_sd));
    ad_var E = ebm_value_on(noisy, ebm_graph_energy(g, g->x));
    return ad_scale(ebm_graph_mean(g, noisy, ad_softplus(ad_sub(E, ebm_graph_energy(g, y)))), 2);
}

const ebm_loss ebm_loss_conditional_nce = {
    .name = "conditional-nce",
    .title = "conditional noise contrastive estimation",
    .deterministic = 1,
    .redraw = 1,
    .record = record,
};
