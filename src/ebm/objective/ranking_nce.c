/* ranking_nce.c — ranking noise contrastive estimation (Jozefowicz et al. 2016; Ma & Collins 2018): tell the datum from
 * K negatives y_k ~ q,
 *
 *     mean −log( e^{g(xₙ)} / (e^{g(xₙ)} + Σ_k e^{g(y_nk)}) ),   g = −E − log q
 *
 * Z cancels and is not learnt. Noise that depends on θ is held constant, as in nce.c. */
#include "record.h"

static ad_var logit(const ebm_graph *g, ad_var x)
{
    return ad_neg(ad_add(ebm_graph_energy(g, x), ad_stop_gradient(ebm_graph_log_q(g, x))));
}

static ad_var record(ebm_graph *g)
{
    ad_axis negatives = ebm_graph_copies(g, g->options->copies, "negatives");
    ad_var y = ad_stop_gradient(ebm_graph_draw(g, negatives));
    ad_var own = ad_lift(g->data, logit(g, g->x)), others = ad_regroup(ad_lift(negatives, logit(g, y)));
    /* how often the datum has the highest logit; 1/(K + 1) when it is one of the noise */
    g->health = ad_batch_mean(g->data, ad_step(ad_sub(own, ad_max_reduce(others))));
    ad_var all = ad_concat(ad_reshape(own, ad_vec(1)), others, 0);
    return ad_batch_mean(g->data, ad_sub(ad_logsumexp(all), own));
}

const ebm_loss ebm_loss_ranking_nce = {
    .name = "ranking-nce",
    .title = "ranking noise contrastive estimation",
    .needs_proposal = 1,
    .deterministic = 1,
    .health = "accuracy",
    .redraw = 1,
    .record = record,
};
