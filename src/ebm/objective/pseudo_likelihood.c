/* pseudo_likelihood.c — pseudo-likelihood of discrete data (Besag 1975): mean Σᵢ −log p(xᵢ | x₋ᵢ), which needs no Z.
 * With Δ = E(x′) − E(x) for each change x′ of one variable, −log p is softplus(−Δ) of two values, and lse(−Δ) over a
 * one-hot block, whose own column has Δ = 0. */
#include "ebm/conditionals/changes.h"
#include "ebm/space/space.h"

static ad_var record(ebm_graph *g)
{
    const ebm_space *s = &g->options->space;
    ad_var terms = ad_neg(ebm_graph_changes(g));
    if (s->one_hot) terms = ad_logsumexp_dims(ad_reshape(terms, ad_mat(s->variables, s->labels)), 1u << 1);
    else terms = ad_softplus(terms);
    return ebm_graph_mean(g, g->data, ad_sum(terms));
}

const ebm_loss ebm_loss_pseudo_likelihood = {
    .name = "pseudo-likelihood",
    .title = "pseudo-likelihood",
    .deterministic = 1,
    .record = record,
    .check_row = ebm_check_state,
};
