/* box.c — boxes of up to three dimensions, and their grids. */
#include "space.h"

#include <math.h>

static const int default_points[EBM_BOX_DIM] = {2000, 400, 100};

ebm_box ebm_box_around(const ebm_data *data, double margin)
{
    ebm_box box = {.points = 0};
    for (int64_t k = 0; k < data->cols && k < EBM_BOX_DIM && data->rows > 0; k++) {
        double low = data->x[k], high = low;
        for (int64_t row = 1; row < data->rows; row++) {
            double x = data->x[row * data->cols + k];
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        box.low[k] = low - margin * (high - low);
        box.high[k] = high + margin * (high - low);
    }
    return box;
}

/* Twice the width must be finite, too: ebm_integrate looks that far. */
gibbs_status ebm_grid_new(const char *who, int64_t dim, const ebm_box *box, ebm_grid *g, gibbs_error *error)
{
    if (dim < 1 || dim > EBM_BOX_DIM)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld dimensions; a box has 1 to %d", who, (long long)dim,
                          EBM_BOX_DIM);
    int64_t points = box->points ? box->points : default_points[dim - 1];
    if (points < 2)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld points a dimension; at least 2 are needed", who,
                          (long long)points);
    *g = (ebm_grid){.dim = (int)dim, .side = points};
    for (int k = 0; k < dim; k++) {
        double width = box->high[k] - box->low[k];
        if (!(width > 0) || !isfinite(2 * width))
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: dimension %d of the box goes from %g to %g", who, k + 1,
                              box->low[k], box->high[k]);
        g->low[k] = box->low[k];
        g->high[k] = box->high[k];
        g->step[k] = width / (double)(points - 1);
    }
    return GIBBS_OK;
}
