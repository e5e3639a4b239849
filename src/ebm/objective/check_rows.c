/* check_rows.c — whether rows of data can be rows of the model: what the loss says of its columns (discrete ones), that
 * y is one of a conditional model's labels, and that it lies where the points are that a loss takes for the whole
 * space. A row that the model gives no probability would be answered by parameters that run away, or by a wrong
 * estimate. */
#include "objective.h"

/* Equal in the number type that has the fewest digits. */
static bool same(double x, double y) { return x == y || x == (double)(float)y; }

/* Whether the loss has a log Z(x) that is summed over the model's labels. */
static bool sums_labels(const ebm_objective *o)
{
    bool sums = o->loss->models == EBM_MODELS_CONDITIONAL && o->loss->noise == EBM_NOISE_NONE;
    return sums && o->model->labels && !o->model->kind->conditional.log_z;
}

static gibbs_status check_label(const ebm_objective *o, const double *y, int64_t width, gibbs_error *error)
{
    const ebm_model *m = o->model;
    int64_t furthest = 0;
    if (!sums_labels(o)) return GIBBS_OK;
    for (int64_t l = 0; l < m->label_count; l++) {
        int64_t k = 0;
        while (k < width && same(y[k], m->labels[l * width + k])) k++;
        if (k == width) return GIBBS_OK;
        if (k > furthest) furthest = k;
    }
    return gibbs_fail(error, GIBBS_DATA, "%s: y is none of the model's %lld labels (column %lld is %g)", o->loss->name,
                      (long long)m->label_count, (long long)(m->given + furthest) + 1, y[furthest]);
}

static gibbs_status check_hull(const ebm_objective *o, const double *y, int64_t width, gibbs_error *error)
{
    if (!o->hull) return GIBBS_OK;
    const double *low = o->hull, *high = o->hull + width;
    for (int64_t k = 0; k < width; k++)
        if ((y[k] < low[k] && (float)y[k] < (float)low[k]) || (y[k] > high[k] && (float)y[k] > (float)high[k]))
            return gibbs_fail(error, GIBBS_DATA,
                              "%s: column %lld is %g, outside of options.points, which go from %g to "
                              "%g there: they must hold all rows, a box with a margin (ebm_box_around)",
                              o->loss->name, (long long)(ebm_model_given(o->model) + k) + 1, y[k], low[k], high[k]);
    return GIBBS_OK;
}

static gibbs_status check_row(const ebm_objective *o, const double *x, int64_t r, const char *whose, gibbs_error *error)
{
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    int64_t dim = o->model->dim, given = ebm_model_given(o->model);
    gibbs_status status = check_label(o, x + given, dim - given, &found);
    if (!status) status = check_hull(o, x + given, dim - given, &found);
    if (!status && o->loss->check_row) status = o->loss->check_row(o->loss, &o->options, x, given, dim, &found);
    if (!status) return status;
    return gibbs_fail_row(error, status, r, "%.280s (row %lld%s)", found.message, (long long)r + 1, whose);
}

/* Whether there is anything to ask of a row. */
static bool asks(const ebm_objective *o)
{
    return o->loss->check_row || o->hull || sums_labels(o);
}

gibbs_status ebm_objective_check_table(const ebm_objective *o, const ebm_data *data, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    for (int64_t r = 0; asks(o) && r < data->rows && !status; r++)
        status = check_row(o, data->x + r * data->cols, r, " of the table", error);
    return status;
}

gibbs_status ebm_objective_check_values(const ebm_objective *o, const void *x, int64_t rows, gibbs_error *error)
{
    int64_t dim = o->model->dim;
    size_t bytes = (size_t)dim * gibbs_dtype_size(o->model->dtype);
    gibbs_status status = GIBBS_OK;
    for (int64_t r = 0; asks(o) && r < rows && !status; r++) {
        ebm_from_dtype(o->model->dtype, dim, o->row, (const char *)x + (size_t)r * bytes);
        status = check_row(o, o->row, r, "", error);
        if (status && error) error->axis = o->graph.data.id;
    }
    return status;
}
