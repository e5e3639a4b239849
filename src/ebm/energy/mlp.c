/* mlp.c — a network with one output as the energy, over a Gaussian base measure if one is asked for. */
#include "ebm/model.h"

#include <math.h>
#include <stdio.h>

enum { MAX_LAYERS = 16, NAME_SIZE = 16 };

typedef struct mlp {
    int layers;
    ebm_activation activation;
    double base; /* 1/(2 base_sd²), or 0 */
} mlp;

/* theta is W1, b1, …, v. */
static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const mlp *net = context;
    ad_var h = x;
    for (int l = 0; l < net->layers; l++, theta += 2) h = net->activation(ad_add(ad_matmul(h, theta[0]), theta[1]));
    ad_var E = ad_matmul(h, *theta); /* which, unlike ad_dot, repeats nothing when an activation changed the shape */
    return net->base > 0 ? ad_add(E, ad_scale(ad_sum(ad_square(x)), net->base)) : E;
}

static gibbs_status check(const ebm_mlp_spec *spec, gibbs_error *error)
{
    if (spec->layers < 1 || spec->layers > MAX_LAYERS)
        return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: %d layers; 1 to %d are possible", spec->layers, MAX_LAYERS);
    if (!spec->widths) return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: no widths");
    for (int l = 0; l < spec->layers; l++)
        if (spec->widths[l] < 1)
            return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: layer %d has width %lld; it must be at least 1", l + 1,
                              (long long)spec->widths[l]);
    double sd = spec->base_sd;
    if (!(sd >= 0) || !isfinite(sd) || (sd > 0 && !isfinite(0.5 / (sd * sd))))
        return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: base_sd is %g; it must be 0 (none) or a standard deviation", sd);
    return GIBBS_OK;
}

/* Returns how many parameters there are. */
static int list_parameters(const ebm_mlp_spec *spec, char names[][NAME_SIZE], ebm_parameter *list)
{
    int count = 0;
    int64_t from = spec->dim;
    for (int l = 0; l < spec->layers; from = spec->widths[l++]) {
        snprintf(names[count], NAME_SIZE, "W%d", l + 1);
        list[count] = (ebm_parameter){names[count], ad_mat(from, spec->widths[l]), EBM_INIT_GLOROT, 1};
        count++;
        snprintf(names[count], NAME_SIZE, "b%d", l + 1);
        list[count] = (ebm_parameter){names[count], ad_vec(spec->widths[l]), EBM_INIT_CONSTANT, 0};
        count++;
    }
    list[count++] = (ebm_parameter){"v", ad_vec(from), EBM_INIT_GLOROT, 1};
    return count;
}

static gibbs_status make_model(const ebm_mlp_spec *spec, mlp *net, ebm_model **model, gibbs_error *error)
{
    char names[2 * MAX_LAYERS][NAME_SIZE];
    ebm_parameter list[2 * MAX_LAYERS + 1];
    ebm_model_spec made = ebm_model_defaults();
    made.dtype = spec->dtype;
    made.dim = spec->dim;
    made.parameter_count = list_parameters(spec, names, list);
    made.parameters = list;
    made.energy = energy;
    made.context = net;
    made.seed = spec->seed;
    made.allocator = spec->allocator;
    return ebm_model_new(&made, model, error);
}

gibbs_status ebm_model_mlp(const ebm_mlp_spec *spec, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("mlp", spec && model, error);
    *model = NULL;
    gibbs_status status = check(spec, error);
    if (status) return status;
    gibbs_allocator a = gibbs_allocator_or_default(spec->allocator);
    mlp *net = gibbs_alloc(&a, 1, sizeof *net);
    if (!net) return gibbs_fail(error, GIBBS_MEMORY, "mlp: out of memory");
    *net = (mlp){spec->layers, spec->activation ? spec->activation : ad_softplus, 0};
    if (spec->base_sd > 0) net->base = 0.5 / (spec->base_sd * spec->base_sd);
    status = make_model(spec, net, model, error);
    if (status) gibbs_release(&a, net);
    else (*model)->release_context = gibbs_release;
    return status;
}
