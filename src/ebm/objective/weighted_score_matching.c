/* weighted_score_matching.c — score matching where the data end at a boundary (Hyvärinen 2007; Yu, Drton & Shojaie
 * 2019):
 *
 *     mean Σᵢ ½hᵢ(∂ᵢE)² − hᵢ∂²ᵢE − hᵢ′∂ᵢE
 *
 * The weight h vanishes at the boundary, so that nothing is left there by the integration by parts: without it an
 * exponential distribution has no minimum but β = 0. hᵢ depends on xᵢ alone, hence h′ is the gradient of Σh. */
#include "record_loss.h"

ad_var ebm_weight_half_line(ad_var x, void *context) { return (void)context, ad_square(x); }

ad_var ebm_weight_unit_box(ad_var x, void *context)
{
    (void)context;
    return ad_square(ad_mul(x, ad_shift(ad_neg(x), 1)));
}

static ad_var record(ebm_graph *g)
{
    ad_var (*weight)(ad_var, void *) = g->options->weight ? g->options->weight : ebm_weight_half_line;
    ad_var h = ebm_graph_vector(g, g->data, weight(g->x, g->context), "the weight"), E = ebm_graph_energy(g, g->x);
    ad_var slope, rise;
    if (ad_grad(E, &g->x, 1, &slope) || ad_grad(ad_sum(h), &g->x, 1, &rise)) return (ad_var){g->tape, -1};
    ad_var squares = ad_scale(ad_square(slope), 0.5), curvature = ad_hess_diag(E, g->x);
    ad_var terms = ad_sub(ad_mul(h, ad_sub(squares, curvature)), ad_mul(rise, slope));
    return ebm_graph_mean(g, g->data, ad_sum(terms));
}

const ebm_loss ebm_loss_weighted_score_matching = {
    .name = "weighted-score-matching",
    .title = "weighted score matching",
    .deterministic = 1,
    .record = record,
};
