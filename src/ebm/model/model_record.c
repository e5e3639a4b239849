/* model_record.c — what a graph has of a model: its parameters as leaves, its energy, its prior. */
#include "autodiff/op/op.h"
#include "model.h"

const ebm_energy ebm_energy_bare = {.name = NULL};

ad_var ebm_model_record_prior(const ebm_model *model, const ad_var *theta)
{
    ad_var U = model->prior(theta, model->prior_context);
    ad_tape *tape = theta[0].tape;
    if (ad_tape_status(tape)) return (ad_var){tape, -1};
    if (ad_is_null(U) || U.tape != tape)
        return ad_fail(tape, GIBBS_TAPE, "prior: it is the null var, or one of another tape");
    if (!ad_is_shared(U)) return ad_fail(tape, GIBBS_AXIS, "prior: it is per-sample; it must be one scalar");
    ad_shape shape = ad_shape_of(U);
    char text[AD_SHAPE_TEXT];
    if (shape.rank)
        return ad_fail(tape, GIBBS_SHAPE, "prior: it has shape %s; it must be one scalar, the sum of all its terms",
                       ad_shape_text(&shape, text, sizeof text));
    return U;
}

gibbs_status ebm_model_record(const ebm_model *model, ad_tape *tape, ad_var *theta)
{
    for (int k = 0; k < model->parameters; k++)
        theta[k] = ad_parameter(tape, model->parameter[k].name, model->parameter[k].shape);
    return ad_tape_status(tape);
}

gibbs_status ebm_recording_start(const char *who, const ebm_model *model, ebm_recording *r, gibbs_error *error)
{
    r->model = model;
    r->tape = ad_tape_new(model->dtype, &model->alloc);
    r->theta = gibbs_alloc(&model->alloc, (size_t)model->parameters, sizeof *r->theta);
    if (!r->tape || !r->theta) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", who);
    ebm_model_record(model, r->tape, r->theta);
    return ebm_tape_error(r->tape, error);
}

void ebm_recording_end(ebm_recording *r)
{
    gibbs_release(&r->model->alloc, r->theta);
    ad_tape_free(r->tape);
}

gibbs_status ebm_model_bind(const ebm_model *model, ad_workspace *workspace, const ad_var *theta, gibbs_error *error)
{
    size_t size = gibbs_dtype_size(model->dtype);
    for (int k = 0; k < model->parameters; k++) {
        gibbs_status status =
            ad_bind(workspace, theta[k], (char *)model->theta + (size_t)model->parameter[k].offset * size, error);
        if (status) return status;
    }
    return GIBBS_OK;
}

ad_var ebm_model_energy_at(const ebm_model *model, ad_var x, const ad_var *theta)
{
    ad_var E = model->energy(model->differentiates ? ad_as_variable(x) : x, theta, model->context);
    if (!x.tape || ad_tape_status(x.tape)) return (ad_var){x.tape, -1};
    if (ad_is_null(E) || E.tape != x.tape)
        return ad_fail(x.tape, GIBBS_TAPE, "model: the energy returned the null var, or one of another tape");
    ad_shape shape = ad_shape_of(E);
    char text[AD_SHAPE_TEXT];
    if (shape.rank)
        return ad_fail(x.tape, GIBBS_SHAPE, "model: the energy has shape %s; it must be a scalar",
                       ad_shape_text(&shape, text, sizeof text));
    return E;
}

ebm_model ebm_model_view(const ebm_model *model, int64_t dim, ebm_energy_fn energy, void *context)
{
    ebm_model view = *model;
    view.part = NULL;
    view.evaluator = NULL;
    view.owns_context = false;
    if (!energy) return view;
    view.kind = &ebm_energy_bare;
    view.energy = energy;
    view.differentiates = false;
    view.context = context;
    view.given = view.label_count = 0;
    view.dim = dim;
    return view;
}

ad_var ebm_value_on(ad_axis axis, ad_var v)
{
    ad_shape shape = ad_shape_of(v);
    if (shape.rank < 0 || axis.id < 0) return (ad_var){v.tape, -1};
    const ad_axis_info *info = &axis.tape->axis[axis.id];
    if (ad_is_shared(v) || ad_axis_of(v).id == axis.id || info->parent < 0) return ad_lift(axis, v);
    v = ebm_value_on((ad_axis){axis.tape, info->parent}, v);
    shape = ad_shape_prepend(1, &shape);
    v = ad_reshape(v, shape);
    shape.dim[0] = info->count;
    return ad_ungroup(axis, ad_expand(v, shape));
}

ad_var ebm_graph_energy(const ebm_graph *graph, ad_var x) { return ebm_model_energy_at(graph->model, x, graph->theta); }

ad_var ebm_sampler_energy(const ebm_sampler_graph *graph, ad_var x)
{
    return ebm_model_energy_at(graph->model, x, graph->theta);
}
