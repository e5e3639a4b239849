/* score_matching.c — implicit score matching (Hyvärinen 2005; S1 eq 12, S3 eq 10.34):
 *
 *     mean over n of Σᵢ ½(∂ᵢE(xₙ))² − ∂²ᵢE(xₙ)
 *
 * with the exact Hessian diagonal; energies that are not twice differentiable are refused. The trace is not
 * divided by d. */
#include "ebm/model/model.h"

static ad_var record(ebm_graph *g)
{
    ad_var E = ebm_graph_energy(g, g->x), score;
    if (ad_grad(E, &g->x, 1, &score)) return score;
    ad_var squares = ad_scale(ad_sum(ad_square(score)), 0.5);
    return ebm_graph_mean(g, g->data, ad_sub(squares, ad_laplacian(E, g->x)));
}

const ebm_loss ebm_loss_score_matching = {
    .name = "score-matching",
    .title = "implicit score matching",
    .deterministic = 1,
    .record = record,
};
