/* energy_penalty.c — mean E(xₙ)² + mean E(y_m)², the second where there are artificial points: keeps energies near 0
 * (Du & Mordatch 2019). A term for ebm_loss_sum; it moves the minimum, and no loss has it unless asked. */
#include "record_loss.h"

static ad_var record(ebm_graph *g)
{
    ad_var penalty = ebm_graph_mean(g, g->data, ad_square(ebm_graph_energy(g, g->x)));
    if (ad_is_null(g->y)) return penalty;
    ad_var noise = ebm_graph_energy(g, ad_stop_gradient(g->y));
    return ad_add(penalty, ebm_graph_mean(g, g->noise, ad_square(noise)));
}

const ebm_loss ebm_loss_energy_penalty = {
    .name = "energy-penalty",
    .title = "energy penalty",
    .deterministic = 1,
    .record = record,
};
