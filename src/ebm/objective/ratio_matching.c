/* ratio_matching.c — ratio matching of discrete data (Hyvärinen 2007): mean Σ σ(−Δ)² over the changes x′ of one
 * variable, Δ = E(x′) − E(x), so σ(−Δ) = p(x′)/(p(x) + p(x′)). Of a one-hot block the changes are to each other
 * label; its own column, where Δ = 0, adds ¼, which is taken away. */
#include "ebm/conditionals/changes.h"
#include "ebm/space/space.h"

static ad_var record(ebm_graph *g)
{
    const ebm_space *s = &g->options->space;
    ad_var sum = ad_sum(ad_square(ad_sigmoid(ad_neg(ebm_graph_changes(g)))));
    return ebm_graph_mean(g, g->data, s->one_hot ? ad_shift(sum, -0.25 * (double)s->variables) : sum);
}

const ebm_loss ebm_loss_ratio_matching = {
    .name = "ratio-matching",
    .title = "ratio matching",
    .deterministic = 1,
    .record = record,
    .check_row = ebm_check_state,
};
