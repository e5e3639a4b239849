/* fit_error.c — which step and which row of the caller's table a fit failed at. */
#include "fit.h"

#include "autodiff/tape/tape.h"

#include <string.h>

/* The row of the batch that an error is about, be it about an artificial point of its own; −1 when none is known. */
static int64_t row_of_batch(const ebm_objective *o, const gibbs_error *found)
{
    const ad_tape *tape = o->tape;
    int32_t data = o->graph.data.id, axis = found->axis;
    int64_t row = found->row;
    bool starts_there = o->chains && o->loss->noise != EBM_NOISE_PERSISTENT; /* chain i at row i */
    if (row < 0 || (starts_there && axis < 0)) return row;
    for (; axis >= 0 && axis < tape->axes && axis != data; axis = tape->axis[axis].parent)
        row /= tape->axis[axis].count;
    return axis == data ? row : starts_there ? found->row : -1;
}

gibbs_status ebm_fit_fail(ebm_trainer *f, int64_t step, const gibbs_error *found)
{
    int64_t row = row_of_batch(f->objective, found);
    bool of_data = row >= 0 && row < f->train.count;
    if (!of_data) return gibbs_fail(f->error, found->status, "step %lld: %.280s", (long long)step, found->message);
    if (f->train.rows_now) row = f->train.rows_now[row];
    if (f->row_number) row = f->row_number[row];
    gibbs_fail(f->error, found->status, "step %lld: %.230s (row %lld of the table)", (long long)step, found->message,
               (long long)row + 1);
    if (f->error) f->error->row = row;
    return found->status;
}

gibbs_status ebm_fit_not_finite(ebm_trainer *f, int64_t step)
{
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    ebm_objective_diagnose(f->objective, &found);
    memcpy(f->model->theta, f->good, f->bytes);
    if (!found.status) gibbs_fail(&found, GIBBS_NUMERIC, "the loss or its gradient is not finite");
    return ebm_fit_fail(f, step, &found);
}
