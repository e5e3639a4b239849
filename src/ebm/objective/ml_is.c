/* ml_is.c — maximum likelihood by importance sampling (Geyer 1994; S0 eq 7–9, 12, 13, 18):
 *
 *     J/N ≈ mean E(xₙ) + log Ẑ,   log Ẑ = lse_m(−E(y_m) − log q(y_m)) − log M
 *
 * Its gradient is mean ∇E(xₙ) − Σ w̄_m ∇E(y_m), w̄ the softmax of the log weights: the derivative of logsumexp. Of a
 * conditional model each row has its own log Ẑ(xₙ), of K points of its own. */
#include "ebm/model/model.h"

static ad_var record(ebm_graph *g)
{
    ad_var log_w = ad_neg(ad_add(ebm_graph_energy(g, g->y), g->log_q));
    ad_var lse = ebm_graph_noise_logsumexp(g, log_w);
    g->log_z_estimate = ebm_graph_data_mean(g, ad_sub(lse, ad_log(ebm_graph_noise_count(g))));
    g->health = ebm_graph_data_mean(g, ebm_graph_noise_effective_size(g, log_w));
    return ad_add(ebm_graph_mean(g, g->data, ebm_graph_energy(g, g->x)), g->log_z_estimate);
}

const ebm_loss ebm_loss_ml_is = {
    .name = "ml-is",
    .title = "maximum likelihood by importance sampling",
    .noise = EBM_NOISE_PROPOSAL,
    .deterministic = 1,
    .health = "ESS",
    .noise_ratio = 10,
    .record = record,
};
