/* source_proposal.c — artificial points from a proposal: inputs where q is fixed, else recorded functions of θ, of x
 * and of common random numbers. */
#include "source.h"

#include "ebm/proposal/record_proposal.h"

#include <math.h>

enum { MOST_A_ROW = 1 << 24 }; /* artificial points of a data row */

static bool recorded(const ebm_objective *o)
{
    return o->options.proposal->depends_on_theta || ebm_model_given(o->model);
}

static gibbs_status check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    return o->proposal ? GIBBS_OK : gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs a proposal", loss->name);
}

static void record(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    if (recorded(o)) {
        g->y = ebm_graph_draw(g, g->noise);
        g->log_q = ebm_graph_log_q(g, g->y);
        return;
    }
    ebm_source_input_y(o);
    ebm_source_input_log_q(o);
}

static gibbs_status make(ebm_objective *o, gibbs_error *error)
{
    const ebm_proposal *q = o->options.proposal;
    double ratio = o->options.noise_ratio;
    gibbs_status status = ebm_proposal_check_model(o->loss->name, q, o->model, true, error);
    if (status) return status;
    if (ebm_model_given(o->model) && (ratio != round(ratio) || !(ratio <= MOST_A_ROW)))
        return gibbs_fail(error, GIBBS_ARGUMENT,
                          "%s: of a conditional model each row has artificial points of its own, and the noise ratio "
                          "is their number: %g is no whole number up to %d", o->loss->name, ratio, MOST_A_ROW);
    return recorded(o) ? GIBBS_OK : ebm_draw_new(q, o->model->dtype, &o->alloc, &o->draw, error);
}

static double count(const ebm_objective *o, int64_t rows)
{
    return round(o->options.noise_ratio * (double)rows);
}

static gibbs_status refresh(ebm_objective *o, gibbs_error *error)
{
    if (!o->draw) return GIBBS_OK;
    gibbs_status status = ebm_draw_run(o->draw, o->noise_rows, o->seed, o->step, error);
    if (!status) status = ad_bind(o->program.workspace, o->y_leaf, ebm_draw_y(o->draw), error);
    return status ? status : ad_bind(o->program.workspace, o->log_q_leaf, ebm_draw_log_q(o->draw), error);
}

const ebm_source ebm_source_proposal = {
    .check = check, .record = record, .make = make, .rows = count, .refresh = refresh, .by_row = true,
};
