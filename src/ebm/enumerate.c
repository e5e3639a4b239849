/* enumerate.c — the states of discrete variables, and log Z by adding them all up. */
#include "energy/graph.h"

#include <math.h>

enum { MAX_STATES = 1 << 20, CHUNK_NUMBERS = 1 << 18 };

/* ---- Spaces ---- */

int64_t ebm_space_dim(const ebm_space *s)
{
    int64_t dim = 0;
    if (!s || s->variables < 1) return -1;
    for (int64_t v = 0; v < s->variables; v++) {
        int64_t labels = ebm_space_labels(s, v);
        if (labels < 1 || __builtin_add_overflow(dim, s->one_hot ? labels : 1, &dim)) return -1;
    }
    return dim;
}

int64_t ebm_space_size(const ebm_space *s)
{
    int64_t size = 1;
    if (ebm_space_dim(s) < 0) return -1;
    for (int64_t v = 0; v < s->variables; v++)
        if (!gibbs_mul_size(size, ebm_space_labels(s, v), &size)) return -1;
    return size;
}

/* One row: the digits of `number`, the last variable's the lowest. */
static void place(const ebm_space *s, int64_t dim, int64_t number, double *x)
{
    for (int64_t v = s->variables - 1, end = dim; v >= 0; v--) {
        int64_t labels = ebm_space_labels(s, v), digit = number % labels;
        number /= labels;
        if (!s->one_hot) {
            x[v] = (double)digit;
            continue;
        }
        end -= labels;
        for (int64_t k = 0; k < labels; k++) x[end + k] = k == digit;
    }
}

void ebm_space_rows(const ebm_space *s, int64_t first, int64_t rows, double *x)
{
    int64_t dim = ebm_space_dim(s);
    for (int64_t r = 0; r < rows && dim > 0; r++) place(s, dim, first + r, x + r * dim);
}

/* ---- Sums ---- */

static gibbs_status check(const ebm_model *model, const ebm_space *s, gibbs_error *error)
{
    int64_t dim = ebm_space_dim(s), size = ebm_space_size(s);
    if (dim < 0)
        return gibbs_fail(error, GIBBS_ARGUMENT, "enumerate: the space has no variables, or one without labels");
    if (dim != model->dim)
        return gibbs_fail(error, GIBBS_SHAPE, "enumerate: the space takes %lld columns, the model has dim %lld",
                          (long long)dim, (long long)model->dim);
    if (size < 0 || size > MAX_STATES)
        return gibbs_fail(error, GIBBS_SIZE, "enumerate: %lld variables have more than 2^20 states",
                          (long long)s->variables);
    return GIBBS_OK;
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
            return gibbs_fail(error, GIBBS_NUMERIC, "enumerate: E is %s in state %lld",
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
    ebm_space binary = {.variables = model->dim};
    if (!space) space = &binary;
    gibbs_status status = check(model, space, error);
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
