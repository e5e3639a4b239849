/* record_objective.c — what a loss sees while it records, leaves for parameters, data and artificial points; and what
 * came of it. */
#include "autodiff/tape/tape.h"
#include "source.h"

#include <string.h>

/* A conditional model's own log Z for each data row: its artificial points are the row's children, so that x and the
 * row's share of the sum come with the row. Chains have a root axis, with x beside each. */
static void record_noise(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    const ebm_source *source = ebm_source_of(o->loss->noise);
    if (!source->record) return;
    o->by_row = source->by_row && !ad_is_null(g->given);
    g->noise = o->by_row ? ad_axis_child(g->data, (int64_t)source->rows(o, 1), "noise") : ad_axis_new(o->tape, "noise");
    o->y_given = o->by_row ? (ad_var){o->tape, -1} : ebm_conditioned_input(&o->of, g->noise);
    source->record(o);
    if (o->options.weighted && source->weigh) source->weigh(o);
}

ad_var ebm_objective_record(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    ad_var none = {o->tape, -1};
    ebm_conditioned_start(&o->of, o->model);
    *g = (ebm_graph){.tape = o->tape, .model = &o->of.of_y, .theta = o->theta, .loss = o->loss,
                     .options = &o->options, .x = none, .first = none, .second = none, .y = none, .log_q = none,
                     .given = none, .log_z = none, .health = none, .log_z_estimate = none,
                     .weight = none, .noise_weight = none,
                     .proposal = o->options.proposal, .context = o->options.context, .conditioned = &o->of};
    if (ebm_model_record(o->model, o->tape, o->theta)) return none;
    if (o->loss->learns_log_z) g->log_z = o->theta[o->model->parameters] = ad_parameter(o->tape, "log_z", ad_scalar());
    g->data = ad_axis_new(o->tape, "data");
    g->given = ebm_conditioned_input(&o->of, g->data);
    g->x = ad_input(g->data, ad_is_null(g->given) ? "x" : "modelled columns", ad_vec(g->model->dim));
    o->noise_weight = none;
    if (o->options.weighted) g->weight = ad_input(g->data, "weight", ad_scalar());
    ebm_objective_record_gains(o);
    record_noise(o);
    o->prior = o->share = none;
    if (o->model->prior) {
        o->share = ad_parameter(o->tape, "1/rows", ad_scalar());
        o->prior = ad_mul(ebm_model_record_prior(o->model, o->theta), o->share);
    }
    return o->loss->record(g);
}

/* ---- What was recorded ---- */

/* The tape's error. Of an op that is not smooth, for which loss and, where that is not only to judge, which losses do
 * not mind; where the loss has no artificial points, what that may have to do with a null var or axis. */
static gibbs_status recording_error(const ebm_objective *o, gibbs_error *error)
{
    gibbs_status status = ebm_tape_error(o->tape, error);
    if (status == GIBBS_SMOOTH) {
        const char *said = ad_tape_message(o->tape), *name = o->loss->name;
        size_t length = strlen(name);
        bool begins = !strncmp(said, name, length) && said[length] == ':';
        return gibbs_fail(error, status, "%s%s%.210s%s", begins ? "" : name, begins ? "" : ": ", said,
                          o->with_gradient ? "; or a loss without derivatives by x: nce, ml-is, conditional-nce" : "");
    }
    if (status != GIBBS_TAPE || o->loss->noise != EBM_NOISE_NONE) return status;
    return gibbs_fail(error, status,
                      "%s: %.120s (the loss declares no artificial points: without a `noise` there is no y, log_q or "
                      "noise axis)",
                      o->loss->name, ad_tape_message(o->tape));
}

static gibbs_status check_result(const ebm_objective *o, ad_var loss, gibbs_error *error)
{
    if (ad_is_null(loss)) return gibbs_fail(error, GIBBS_TAPE, "%s: `record` returned the null var", o->loss->name);
    ad_shape shape = ad_shape_of(loss);
    if (ad_is_shared(loss) && shape.rank == 0) return GIBBS_OK;
    char text[AD_SHAPE_TEXT];
    const char *axis = ad_is_shared(loss) ? NULL : o->tape->axis[ad_axis_of(loss).id].name;
    return gibbs_fail(error, GIBBS_SHAPE,
                      "%s: a loss must be one scalar for the whole batch; `record` returned the shape %s%s%s%s",
                      o->loss->name, ad_shape_text(&shape, text, sizeof text), axis ? " for each row of «" : "",
                      axis ? axis : "", axis ? "»" : "");
}

gibbs_status ebm_objective_check_recording(const ebm_objective *o, ad_var loss, gibbs_error *error)
{
    gibbs_status status = recording_error(o, error);
    if (!status) status = check_result(o, loss, error);
    if (status || !o->options.weighted || ad_degree(loss, o->graph.weight)) return status;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: rows have weights, and the loss does not read them: it must take its "
                      "means by ebm_graph_mean", o->loss->name);
}
