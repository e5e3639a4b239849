/* gains.c — change statistics of the data, where the model's energy has them: the energies of all changes are then
 * −(gains)·θ, so that pseudo-likelihood is the regression that it is known to be of such models (Strauss & Ikeda 1990). */
#include "objective.h"

#include "autodiff/tape/tape.h"
#include "ebm/conditionals/toggles.h"

#include <math.h>

static int64_t numbers(const ebm_objective *o) { return o->model->dim * o->model->size; }

void ebm_objective_record_gains(ebm_objective *o)
{
    ebm_changes changes;
    const ebm_energy *kind = o->model->kind;
    o->graph.gains = (ad_var){o->tape, -1};
    if (o->model->given || !o->model->size || !kind->changes || !kind->changes(o->model->context, &changes)) return;
    o->graph.gains = ad_input(o->graph.data, "change statistics", ad_mat(o->model->dim, o->model->size));
}

/* Whether the loss has read them. */
static bool are_read(const ebm_objective *o)
{
    for (int64_t i = 0; i < ad_tape_size(o->tape) && !ad_is_null(o->graph.gains); i++)
        for (int k = 0; k < o->tape->node[i].nin; k++)
            if (o->tape->node[i].in[k] == o->graph.gains.id) return true;
    return false;
}

gibbs_status ebm_objective_room_for_gains(ebm_objective *o, int64_t rows, gibbs_error *error)
{
    int64_t all;
    ebm_changes changes;
    if (rows <= o->gains_rows || !are_read(o)) return GIBBS_OK;
    if (!gibbs_mul_size(rows, numbers(o), &all))
        return gibbs_fail(error, GIBBS_SIZE, "%s: the change statistics of %lld rows are too many", o->loss->name,
                          (long long)rows);
    o->model->kind->changes(o->model->context, &changes);
    void *gains = gibbs_alloc_aligned(&o->alloc, (size_t)all, gibbs_dtype_size(o->model->dtype));
    void *state = gibbs_alloc_aligned(&o->alloc, changes.bytes, 1);
    void *label = gibbs_alloc(&o->alloc, (size_t)o->model->dim, sizeof(int32_t));
    double *row = gibbs_alloc(&o->alloc, (size_t)numbers(o), sizeof *row);
    gibbs_status status = GIBBS_OK;
    if (!gains || !state || !label || !row)
        status = gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory for %lld rows", o->loss->name, (long long)rows);
    else if (o->rows) ad_bind(o->program.workspace, o->graph.gains, gains, NULL);
    if (status) {
        gibbs_release_aligned(&o->alloc, gains);
        gibbs_release_aligned(&o->alloc, state);
        gibbs_release(&o->alloc, label);
        gibbs_release(&o->alloc, row);
        return status;
    }
    ebm_objective_free_gains(o);
    o->gains = gains, o->gains_state = state, o->gains_label = label, o->gains_row = row;
    o->gains_rows = rows;
    return GIBBS_OK;
}

void ebm_objective_free_gains(ebm_objective *o)
{
    gibbs_release_aligned(&o->alloc, o->gains);
    gibbs_release_aligned(&o->alloc, o->gains_state);
    gibbs_release(&o->alloc, o->gains_label);
    gibbs_release(&o->alloc, o->gains_row);
    o->gains = NULL;
    o->gains_rows = 0;
}

/* The labels of a row that is one of the space's states. */
static void read_labels(const ebm_objective *o, int64_t row)
{
    const ebm_space *s = &o->options.space;
    int64_t width = s->one_hot ? s->labels : 1, first = row * o->model->dim;
    for (int64_t k = 0; k < o->model->dim; k++) {
        double x = ebm_number(o->model->dtype, o->x, first + k);
        if (width == 1) o->gains_label[k] = fabs(x - s->values[1]) <= fabs(x - s->values[0]);
        else if (x != 0) o->gains_label[k / width] = (int32_t)(k % width);
    }
}

void ebm_objective_fill_gains(const ebm_objective *o)
{
    const ebm_space *s = &o->options.space;
    ebm_toggles t = {.context = o->model->context, .parameters = o->model->size};
    size_t bytes = (size_t)numbers(o) * gibbs_dtype_size(o->model->dtype);
    if (!o->gains) return;
    o->model->kind->changes(o->model->context, &t.changes);
    for (int64_t r = 0; r < o->rows; r++) {
        read_labels(o, r);
        ebm_toggles_gains(&t, o->gains_label, s->variables, s->one_hot ? s->labels : 1, o->gains_state, o->gains_row);
        ebm_to_dtype(o->model->dtype, numbers(o), (char *)o->gains + (size_t)r * bytes, o->gains_row);
    }
}
