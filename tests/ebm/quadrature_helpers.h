/* quadrature_helpers.h — models of an energy without parameters, boxes with equal sides, and their integrals. */
#ifndef TESTS_QUADRATURE_HELPERS_H
#define TESTS_QUADRATURE_HELPERS_H

#include "ebm/sampling.h"

#define LOG_2PI 1.8378770664093454836

static inline ebm_model *new_model(ebm_energy_fn energy, int64_t dim, gibbs_dtype dtype)
{
    ebm_model_spec spec = {0};
    ebm_model *model;
    gibbs_error error = {.status = GIBBS_OK};
    spec.dtype = dtype;
    spec.dim = dim;
    spec.energy = energy;
    cr_assert(ebm_model_new(&spec, &model, &error) == GIBBS_OK, "%s", error.message);
    return model;
}

static inline ebm_box cube(int64_t dim, double low, double high, int points)
{
    ebm_box box = {.points = points};
    for (int k = 0; k < dim; k++) {
        box.low[k] = low;
        box.high[k] = high;
    }
    return box;
}

static inline ebm_quadrature integrate(ebm_model *model, ebm_box box)
{
    ebm_quadrature result;
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert(ebm_integrate(model, &box, &result, &error) == GIBBS_OK, "%s", error.message);
    return result;
}

static inline ebm_quadrature integrate_energy(ebm_energy_fn energy, int64_t dim, ebm_box box)
{
    ebm_model *model = new_model(energy, dim, GIBBS_FLOAT64);
    ebm_quadrature result = integrate(model, box);
    ebm_model_free(model);
    return result;
}

#endif
