/* sliced.c — sliced score matching (Song et al. 2019; S1 §3.3, left open there): along random directions v,
 *
 *     mean ½(vᵀ∇E)² − vᵀ∇²E v,   and with less variance   mean ½‖∇E‖² − vᵀ∇²E v
 *
 * One Hessian-vector product a direction; all directions of a row share E and ∇E. The second form is implicit score
 * matching itself, row by row, where the Hessian is diagonal and v = ±1. */
#include "record_loss.h"

static ad_var square_along(ad_var slope, ad_var v) { return ad_square(ad_dot(slope, v)); }
static ad_var square_whole(ad_var slope, ad_var v) { return (void)v, ad_sum(ad_square(slope)); }

static ad_var record_with(ebm_graph *g, ad_var (*square)(ad_var slope, ad_var v))
{
    ad_var E = ebm_graph_energy(g, g->x), sum = ad_constant(g->tape, 0), slope;
    if (ad_grad(E, &g->x, 1, &slope)) return (ad_var){g->tape, -1};
    for (int k = 0; k < g->options->copies; k++) {
        ad_var v = ebm_graph_direction(g, k);
        ad_var curvature = ad_directional_curvature(E, g->x, v);
        sum = ad_add(sum, ad_sub(ad_scale(square(slope, v), 0.5), curvature));
    }
    return ad_scale(ebm_graph_mean(g, g->data, sum), 1.0 / g->options->copies);
}

static ad_var record(ebm_graph *g) { return record_with(g, square_along); }
static ad_var record_reduced(ebm_graph *g) { return record_with(g, square_whole); }

const ebm_loss ebm_loss_sliced = {
    .name = "sliced",
    .title = "sliced score matching",
    .deterministic = 1,
    .redraw = 1,
    .record = record,
    .check = ebm_check_directions,
};

const ebm_loss ebm_loss_sliced_reduced = {
    .name = "sliced-reduced",
    .title = "sliced score matching, variance-reduced",
    .deterministic = 1,
    .redraw = 1,
    .record = record_reduced,
    .check = ebm_check_directions,
};
