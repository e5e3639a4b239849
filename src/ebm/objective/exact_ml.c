/* exact_ml.c — maximum likelihood with the exact log Z (S0 eq 2; S3 §10.2.7): mean E(xₙ) + lse_m(log w_m − E(y_m)).
 * The y are all states of a finite space or the nodes of a quadrature, and their log weights come as −log q. Of a
 * conditional model each row has its own log Z(xₙ) over all of them. */
#include "ebm/model/model.h"

static ad_var record(ebm_graph *g)
{
    ad_var log_z = ebm_graph_noise_logsumexp(g, ad_neg(ad_add(ebm_graph_energy(g, g->y), g->log_q)));
    g->log_z_estimate = ebm_graph_data_mean(g, log_z);
    return ad_add(ebm_graph_mean(g, g->data, ebm_graph_energy(g, g->x)), g->log_z_estimate);
}

const ebm_loss ebm_loss_exact_ml = {
    .name = "exact-ml",
    .title = "exact maximum likelihood",
    .noise = EBM_NOISE_POINTS,
    .deterministic = 1,
    .record = record,
};
