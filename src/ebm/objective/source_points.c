/* source_points.c — artificial points that are all points of a space. */
#include "source.h"

#include <math.h>

static gibbs_status check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    const ebm_points *p = o->points;
    if (p && p->rows > 0 && p->x && p->log_weight) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs options.points, all points of the space", loss->name);
}

/* One table for all data rows. */
static void record(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    if (!o->by_row) {
        ebm_source_input_y(o);
        ebm_source_input_log_q(o);
        return;
    }
    int64_t count = o->options.points->rows;
    o->y_leaf = ad_parameter(o->tape, "y", ad_mat(count, ebm_source_dim(o)));
    o->log_q_leaf = ad_parameter(o->tape, "log_q", ad_vec(count));
    g->y = ad_ungroup(g->noise, ad_lift(g->data, o->y_leaf));
    g->log_q = ad_ungroup(g->noise, ad_lift(g->data, o->log_q_leaf));
}

/* A point may count for nothing, but a weight that is infinite or no number has no sum. */
static gibbs_status check_points(const ebm_objective *o, const ebm_points *p, gibbs_error *error)
{
    gibbs_status status = ebm_check_points("the points of options.points", p->x, p->rows, p->dim, error);
    for (int64_t i = 0; i < p->rows && !status; i++)
        if (isnan(p->log_weight[i]) || p->log_weight[i] == INFINITY)
            status = gibbs_fail_row(error, GIBBS_DATA, i, "%s: the log weight of point %lld is %g", o->loss->name,
                                    (long long)i + 1, p->log_weight[i]);
    return status;
}

/* Of points that somebody has listed it is not known where there could be more. */
static bool make_hull(ebm_objective *o, const ebm_points *p)
{
    if (p->kind == EBM_POINTS_LISTED) return true;
    o->hull = gibbs_alloc(&o->alloc, 2 * (size_t)p->dim, sizeof *o->hull);
    for (int64_t k = 0; o->hull && k < p->dim; k++) {
        double *low = &o->hull[k], *high = &o->hull[p->dim + k];
        *low = *high = p->x[k];
        for (int64_t i = 1; i < p->rows; i++) {
            *low = fmin(*low, p->x[i * p->dim + k]);
            *high = fmax(*high, p->x[i * p->dim + k]);
        }
    }
    return o->hull;
}

static gibbs_status make(ebm_objective *o, gibbs_error *error)
{
    const ebm_points *p = o->options.points;
    size_t size = gibbs_dtype_size(o->model->dtype);
    if (p->dim != ebm_source_dim(o))
        return gibbs_fail(error, GIBBS_SHAPE, "%s: the points have %lld dimensions, the model %s%lld", o->loss->name,
                          (long long)p->dim, ebm_model_given(o->model) ? "has modelled columns: " : "",
                          (long long)ebm_source_dim(o));
    gibbs_status status = check_points(o, p, error);
    if (status) return status;
    o->buffer = gibbs_alloc_aligned(&o->alloc, (size_t)(p->rows * p->dim), size);
    o->moved = gibbs_alloc_aligned(&o->alloc, (size_t)p->rows, sizeof(double));
    double *minus = gibbs_alloc(&o->alloc, (size_t)p->rows, sizeof *minus);
    if (!o->buffer || !o->moved || !minus || !make_hull(o, p)) {
        gibbs_release(&o->alloc, minus);
        return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory for %lld points", o->loss->name, (long long)p->rows);
    }
    for (int64_t i = 0; i < p->rows; i++) minus[i] = -p->log_weight[i];
    ebm_to_dtype(o->model->dtype, p->rows * p->dim, o->buffer, p->x);
    ebm_to_dtype(o->model->dtype, p->rows, o->moved, minus);
    gibbs_release(&o->alloc, minus);
    return GIBBS_OK;
}

static double count(const ebm_objective *o, int64_t rows)
{
    (void)rows;
    return (double)o->options.points->rows;
}

static gibbs_status bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error)
{
    (void)x, (void)rows, (void)noise_rows;
    gibbs_status status = ad_bind(o->program.workspace, o->y_leaf, o->buffer, error);
    return status ? status : ad_bind(o->program.workspace, o->log_q_leaf, o->moved, error);
}

const ebm_source ebm_source_points = {
    .check = check, .record = record, .make = make, .rows = count, .bind = bind, .by_row = true,
};
