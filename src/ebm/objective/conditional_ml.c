/* conditional_ml.c — maximum conditional likelihood: the mean over the rows [xₙ, yₙ] of
 *
 *     −log p(yₙ | xₙ) = E(xₙ, yₙ) + log Z(xₙ)
 *
 * with log Z(x) as the conditional model says: recorded by it, or enumerated over its labels. */
#include "ebm/model.h"

static ad_var record(ebm_graph *g)
{
    return ad_neg(ad_batch_mean(g->data, ebm_conditional_log_likelihood(g->model, g->x, g->theta)));
}

const ebm_loss ebm_loss_conditional_ml = {
    .name = "conditional-ml",
    .title = "maximum conditional likelihood",
    .conditional = 1,
    .deterministic = 1,
    .record = record,
};
