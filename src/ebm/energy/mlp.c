/* mlp.c — a network with one output as the energy, over a Gaussian base measure if one is asked for. */
#include "build.h"

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

static void list_parameters(const ebm_mlp_spec *spec, ebm_build *b)
{
    char name[NAME_SIZE];
    int64_t from = spec->dim;
    for (int l = 0; l < spec->layers; from = spec->widths[l++]) {
        snprintf(name, sizeof name, "W%d", l + 1);
        ebm_build_add(b, NULL, &(ebm_parameter){name, ad_mat(from, spec->widths[l]), EBM_INIT_GLOROT, 1});
        snprintf(name, sizeof name, "b%d", l + 1);
        ebm_build_add(b, NULL, &(ebm_parameter){name, ad_vec(spec->widths[l]), EBM_INIT_CONSTANT, 0});
    }
    ebm_build_add(b, NULL, &(ebm_parameter){"v", ad_vec(from), EBM_INIT_GLOROT, 1});
}

gibbs_status ebm_model_mlp(const ebm_mlp_spec *spec, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("mlp", spec && model, error);
    *model = NULL;
    gibbs_status status = check(spec, error);
    if (status) return status;
    double base = spec->base_sd > 0 ? 0.5 / (spec->base_sd * spec->base_sd) : 0;
    const mlp net = {spec->layers, spec->activation ? spec->activation : ad_softplus, base};
    ebm_build b = ebm_build_start(spec->allocator);
    list_parameters(spec, &b);
    ebm_model_spec made = {.dtype = spec->dtype, .dim = spec->dim, .energy = energy,
                           .context = ebm_build_copy(&b, &net, sizeof net), .seed = spec->seed};
    return ebm_build_owner(&b, made, model, error);
}
