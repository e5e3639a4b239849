/* record_loss.c — what several losses record. */
#include "record_loss.h"

#include "autodiff/derive/jacobian.h"
#include "ebm/model/conditioned.h"

ad_axis ebm_graph_copies(const ebm_graph *g, int64_t count, const char *name)
{
    return ad_axis_child(g->data, count, name);
}

ad_var ebm_graph_gradient(const ebm_graph *g, ad_var x)
{
    ad_var slope = {g->tape, -1};
    int parameters = g->model->parameters;
    x = ad_as_variable(x);
    if (ad_grad(ebm_graph_energy(g, x), &x, 1, &slope)) return slope;
    bool missed = parameters && ad_refuse(g->loss->name, slope, g->theta, parameters, false, AD_FOLLOWED);
    return missed ? (ad_var){g->tape, -1} : slope;
}

ad_var ebm_graph_vector(const ebm_graph *g, ad_axis axis, ad_var v, const char *what)
{
    ad_shape own = ad_shape_of(v);
    char text[AD_SHAPE_TEXT];
    if (ad_tape_status(g->tape)) return (ad_var){g->tape, -1};
    if (ad_is_null(v) || v.tape != g->tape)
        return ad_fail(g->tape, GIBBS_TAPE, "%s: %s is the null var, or one of another tape", g->loss->name, what);
    if (own.rank != 1 || own.dim[0] != g->model->dim)
        return ad_fail(g->tape, GIBBS_SHAPE, "%s: %s has shape %s; it must be [%lld]", g->loss->name, what,
                       ad_shape_text(&own, text, sizeof text), (long long)g->model->dim);
    return ad_lift(axis, v);
}

ad_var ebm_graph_field(const ebm_graph *g, ad_axis axis, ad_var x)
{
    ad_var row = ebm_conditioned_row(g->conditioned, x);
    return ebm_graph_vector(g, axis, g->options->field(row, g->theta, g->context), "the field");
}

ad_var ebm_graph_direction(const ebm_graph *g, int k)
{
    uint64_t stream = EBM_STREAM_LOSS_NORMAL + (uint64_t)k;
    ad_shape shape = ad_vec(g->model->dim);
    if (g->options->gaussian) return ad_normal(g->data, shape, stream);
    return ad_sign(ad_shift(ad_uniform(g->data, shape, stream), -0.5));
}

gibbs_status ebm_check_directions(const ebm_loss *loss, const ebm_loss_options *o, int64_t dim, gibbs_error *error)
{
    (void)dim;
    if (o->copies <= EBM_MOST_DIRECTIONS) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %d directions; at most %d are possible", loss->name, o->copies,
                      EBM_MOST_DIRECTIONS);
}
