/* enumerate.c — log Z of discrete variables, by adding up all states. */
#include "ebm/model/conditioned.h"
#include "ebm/model/model.h"
#include "ebm/space/space.h"

#include <math.h>

enum { CHUNK_NUMBERS = 1 << 18 };

static gibbs_status check(const ebm_model *model, const ebm_space *space, gibbs_error *error)
{
    int64_t dim = ebm_space_dim(space);
    if (dim > 0 && dim != model->dim)
        return gibbs_fail(error, GIBBS_SHAPE, "enumerate: the space takes %lld column%s, the model has dim %lld",
                          (long long)dim, gibbs_plural(dim), (long long)model->dim);
    return ebm_space_check("enumerate", space, error);
}

/* The energies of all states, chunk by chunk. */
static gibbs_status energies(ebm_model *model, const ebm_space *s, int64_t size, double *energy, gibbs_error *error)
{
    int64_t most = CHUNK_NUMBERS / model->dim < 1 ? 1 : CHUNK_NUMBERS / model->dim;
    gibbs_status status = GIBBS_OK;
    double *x = gibbs_alloc(&model->alloc, (size_t)((size < most ? size : most) * model->dim), sizeof *x);
    if (!x) return gibbs_fail(error, GIBBS_MEMORY, "enumerate: out of memory");
    for (int64_t first = 0; first < size && !status; first += most) {
        int64_t rows = size - first < most ? size - first : most;
        ebm_space_rows(s, first, rows, x);
        status = ebm_model_energy(model, x, rows, energy + first, NULL, error);
    }
    gibbs_release(&model->alloc, x);
    return status;
}

/* +∞ is an energy (the probability is 0); NaN and −∞ are none. */
static gibbs_status add_up(const double *energy, int64_t size, double *log_z, gibbs_error *error)
{
    double low = INFINITY, sum = 0;
    for (int64_t k = 0; k < size; k++) {
        if (isnan(energy[k]) || energy[k] == -INFINITY)
            return gibbs_fail_row(error, GIBBS_NUMERIC, k, "enumerate: E is %s in state %lld",
                                  isnan(energy[k]) ? "NaN" : "-infinity", (long long)k);
        low = energy[k] < low ? energy[k] : low;
    }
    if (low == INFINITY) return gibbs_fail(error, GIBBS_NUMERIC, "enumerate: E is infinite in every state");
    for (int64_t k = 0; k < size; k++) sum += exp(low - energy[k]);
    *log_z = log(sum) - low;
    return GIBBS_OK;
}

gibbs_status ebm_enumerate(ebm_model *model, const ebm_space *space, double *log_z, double *probability,
                           gibbs_error *error)
{
    GIBBS_REQUIRE("enumerate", model && log_z, error);
    ebm_space filled = space ? *space : (ebm_space){0};
    if (!filled.variables && !filled.labels_of)
        filled.variables = filled.one_hot ? model->dim / ebm_space_labels(&filled, 0) : model->dim;
    space = &filled;
    gibbs_status status = ebm_refuse_conditional("enumerate", model, "ebm_predict tells log Z(x) of each x", error);
    if (!status) status = check(model, space, error);
    if (status) return status;
    int64_t size = ebm_space_size(space);
    double *energy = gibbs_alloc(&model->alloc, (size_t)size, sizeof *energy), value = NAN;
    if (!energy) return gibbs_fail(error, GIBBS_MEMORY, "enumerate: out of memory");
    status = energies(model, space, size, energy, error);
    if (!status) status = add_up(energy, size, &value, error);
    for (int64_t k = 0; k < size && !status && probability; k++) probability[k] = exp(-energy[k] - value);
    if (!status) *log_z = value;
    gibbs_release(&model->alloc, energy);
    return status;
}
