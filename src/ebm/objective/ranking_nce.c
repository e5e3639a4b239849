/* ranking_nce.c — ranking noise contrastive estimation (Jozefowicz et al. 2016; Ma & Collins 2018): tell the datum from
 * K negatives y_k ~ q,
 *
 *     mean −log( e^{g(xₙ)} / (e^{g(xₙ)} + Σ_k e^{g(y_nk)}) ),   g = −E − log q
 *
 * Z cancels and is not learnt, be it one number or a function of x. Noise that depends on θ is held constant, as in
 * nce.c. */
#include "record_loss.h"

static ad_var logit(const ebm_graph *g, ad_var x)
{
    return ad_neg(ad_add(ebm_graph_energy(g, x), ad_stop_gradient(ebm_graph_log_q(g, x))));
}

/* −log softmax of the datum's logit among the others', [K] for each data row. */
static ad_var ranked(ebm_graph *g, ad_var own, ad_var others)
{
    /* how often the datum has the highest logit; 1/(K + 1) when it is one of the noise */
    g->health = ebm_graph_mean(g, g->data, ad_step(ad_sub(own, ad_max_reduce(others))));
    ad_var all = ad_concat(ad_reshape(own, ad_vec(1)), others, 0);
    return ebm_graph_mean(g, g->data, ad_sub(ad_logsumexp(all), own));
}

static ad_var record(ebm_graph *g)
{
    ad_axis negatives = ebm_graph_copies(g, g->options->copies, "negatives");
    ad_var y = ad_stop_gradient(ebm_graph_draw(g, negatives));
    return ranked(g, ad_lift(g->data, logit(g, g->x)), ad_regroup(ad_lift(negatives, logit(g, y))));
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

/* ---- The others are the y of other rows: draws from the marginal density, whose log q is unknown and left out, so
 * that −E estimates log p(y | x)/p(y) up to a function of x (van den Oord et al. 2018) ---- */

static ad_var record_batch(ebm_graph *g)
{
    ad_var own = ad_neg(ad_lift(g->data, ebm_graph_energy(g, g->x)));
    return ranked(g, own, ad_neg(ad_regroup(ad_lift(g->noise, ebm_graph_energy(g, g->y)))));
}

const ebm_loss ebm_loss_batch_ranking_nce = {
    .name = "batch-ranking-nce",
    .title = "ranking noise contrastive estimation among the rows of a batch",
    .noise = EBM_NOISE_OTHERS,
    .models = EBM_MODELS_CONDITIONAL,
    .deterministic = 1,
    .health = "accuracy",
    .redraw = 1,
    .record = record_batch,
};
