/* conditional_ml.c — maximum conditional likelihood: the mean over the rows [xₙ, yₙ] of
 *
 *     −log p(yₙ | xₙ) = E(xₙ, yₙ) + log Z(xₙ)
 *
 * with log Z(x) as the conditional model says: recorded by it, or enumerated over its labels. */
#include "ebm/model/conditioned.h"

static ad_var record(ebm_graph *g)
{
    ad_var log_z = ebm_conditional_log_z(g->conditioned->model, g->given, g->theta);
    return ebm_graph_mean(g, g->data, ad_add(ebm_graph_energy(g, g->x), log_z));
}

const ebm_loss ebm_loss_conditional_ml = {
    .name = "conditional-ml",
    .title = "maximum conditional likelihood",
    .models = EBM_MODELS_CONDITIONAL,
    .deterministic = 1,
    .record = record,
};
