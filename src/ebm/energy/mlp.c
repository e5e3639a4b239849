/* mlp.c — a network with one output as the energy, over a Gaussian base measure if one is asked for. */
#include "build.h"
#include "ships.h"

#include <math.h>
#include <stdio.h>

enum { MAX_LAYERS = 16, NAME_SIZE = 16 };

/* 1/(2 base_sd²), or 0 */
static double base_of(const ebm_mlp_spec *s)
{
    return s->base_sd > 0 ? 0.5 / (s->base_sd * s->base_sd) : 0;
}

/* theta is W1, b1, …, v. */
static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_mlp_spec *s = context;
    ad_var h = x;
    for (int l = 0; l < s->layers; l++, theta += 2) h = s->activation(ad_add(ad_matmul(h, theta[0]), theta[1]));
    ad_var E = ad_matmul(h, *theta); /* which, unlike ad_dot, repeats nothing when an activation changed the shape */
    return base_of(s) > 0 ? ad_add(E, ad_scale(ad_sum(ad_square(x)), base_of(s))) : E;
}

static gibbs_status check(const ebm_mlp_spec *spec, gibbs_error *error)
{
    if (spec->layers < 1 || spec->layers > MAX_LAYERS)
        return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: %lld layers; 1 to %d are possible", (long long)spec->layers,
                          MAX_LAYERS);
    if (!spec->widths) return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: no widths");
    for (int l = 0; l < spec->layers; l++)
        if (spec->widths[l] < 1)
            return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: layer %d has width %lld; it must be at least 1", l + 1,
                              (long long)spec->widths[l]);
    if (spec->start && spec->start != EBM_INIT_GLOROT && spec->start != EBM_INIT_FAN_IN)
        return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: start is %d; EBM_INIT_GLOROT and EBM_INIT_FAN_IN are possible",
                          (int)spec->start);
    if (spec->base_sd >= 0 && isfinite(spec->base_sd) && isfinite(base_of(spec))) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "mlp: base_sd is %g; it must be 0 (none) or a standard deviation",
                      spec->base_sd);
}

static void list_parameters(const ebm_mlp_spec *spec, ebm_build *b)
{
    char name[NAME_SIZE];
    bool fan_in = spec->start == EBM_INIT_FAN_IN;
    ebm_init weights = fan_in ? EBM_INIT_FAN_IN : EBM_INIT_GLOROT;
    ebm_init biases = fan_in ? EBM_INIT_UNIFORM : EBM_INIT_CONSTANT;
    int64_t from = spec->dim;
    for (int l = 0; l < spec->layers; from = spec->widths[l++]) {
        snprintf(name, sizeof name, "W%d", l + 1);
        ebm_build_add(b, NULL, &(ebm_parameter){name, ad_mat(from, spec->widths[l]), weights, 1});
        snprintf(name, sizeof name, "b%d", l + 1);
        ebm_build_add(b, NULL, &(ebm_parameter){name, ad_vec(spec->widths[l]), biases,
                                             fan_in ? 1 / sqrt((double)from) : 0});
    }
    ebm_build_add(b, NULL, &(ebm_parameter){"v", ad_vec(from), weights, 1});
}

static int64_t layers_of(const void *spec)
{
    return ((const ebm_mlp_spec *)spec)->layers;
}

static const ebm_option options[] = {
    EBM_OPTION(INT64, ebm_mlp_spec, dim),
    EBM_OPTION(INT64, ebm_mlp_spec, layers),
    EBM_LIST(INT64S, ebm_mlp_spec, widths, layers_of),
    EBM_OPTION(ACTIVATION, ebm_mlp_spec, activation),
    EBM_OPTION(DOUBLE, ebm_mlp_spec, base_sd),
    EBM_COMMON_OPTIONS(ebm_mlp_spec),
};

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    ebm_mlp_spec s = *(const ebm_mlp_spec *)spec;
    gibbs_status status = check(&s, error);
    if (status) return status;
    if (!s.activation) s.activation = ad_softplus;
    ebm_build b = ebm_build_start(s.allocator);
    list_parameters(&s, &b);
    ebm_model_spec made = {.dtype = s.dtype, .dim = s.dim, .kind = &ebm_energy_mlp,
                           .context = ebm_context_new(&ebm_energy_mlp, &s, sizeof s, &b.alloc), .seed = s.seed};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_mlp = {.name = "mlp", .record = energy, EBM_MADE_OF(ebm_mlp_spec, options, make)};

gibbs_status ebm_model_mlp(const ebm_mlp_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_mlp, spec, model, error);
}
