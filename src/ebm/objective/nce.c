/* nce.c — noise contrastive estimation (Gutmann & Hyvärinen 2012; S1 eq 22–24, whose last line loses ν):
 *
 *     −mean log σ(G(xₙ)) − ν mean log σ(−G(y_m)),   G = −E − c − log q − log ν,   ν = M/N
 *
 * in softplus form. c is learnt beside θ and estimates log Z (Gutmann & Hyvärinen's c is −log Z). log q(xₙ) is
 * recorded from the proposal. Noise that depends on θ is held constant in the gradient: a q that could move would run
 * away to where it is told apart with ease. */
#include "ebm/model/model.h"

static ad_var log_odds(const ebm_graph *g, ad_var x, ad_var log_q, ad_var log_nu)
{
    return ad_neg(ad_add(ad_add(ebm_graph_energy(g, x), g->log_z), ad_add(log_q, log_nu)));
}

static ad_var record(ebm_graph *g)
{
    ad_var nu = ad_div(ad_batch_count(g->noise), ad_batch_count(g->data)), log_nu = ad_log(nu);
    ad_var data = log_odds(g, g->x, ad_stop_gradient(ebm_graph_log_q(g, g->x)), log_nu);
    ad_var noise = log_odds(g, ad_stop_gradient(g->y), ad_stop_gradient(g->log_q), log_nu);
    /* how often the densities tell data from noise, the prior log ν left aside and both kinds weighted alike */
    ad_var gap = ad_sub(ebm_graph_mean(g, g->data, ad_sign(ad_add(data, log_nu))),
                        ebm_graph_mean(g, g->noise, ad_sign(ad_add(noise, log_nu))));
    g->health = ad_shift(ad_scale(gap, 0.25), 0.5);
    g->log_z_estimate = g->log_z;
    return ad_add(ebm_graph_mean(g, g->data, ad_softplus(ad_neg(data))),
                  ad_mul(nu, ebm_graph_mean(g, g->noise, ad_softplus(noise))));
}

const ebm_loss ebm_loss_nce = {
    .name = "nce",
    .title = "noise contrastive estimation",
    .noise = EBM_NOISE_PROPOSAL,
    .learns_log_z = 1,
    .deterministic = 1,
    .health = "accuracy",
    .noise_ratio = 1,
    .redraw = 1,
    .record = record,
};
