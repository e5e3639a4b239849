/* ising.c — the Ising model on a graph, in coordinates of 0 and 1 as all binary models here have: spins are
 * s = 2x − 1, and couplings and fields are those of the spins. */
#include "edges.h"
#include "ships.h"

static ad_var spins(ad_var x) { return ad_shift(ad_scale(x, 2), -1); }

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    ad_var s = spins(x);
    return ad_neg(ad_add(ebm_pairwise_sum(context, s, theta[0]), ad_dot(theta[1], s)));
}

static ad_var slope(ad_var x, const ad_var *theta, void *context, int64_t *apart)
{
    *apart = 1;
    ad_var s = ad_variable(spins(x));
    return ad_scale(ad_add(ebm_pairwise_slope(context, s, theta[0]), theta[1]), -2);
}

static gibbs_status make(const void *from, ebm_model **model, gibbs_error *error)
{
    const ebm_mrf_spec *spec = from;
    const ebm_space *space = &spec->space;
    if (space->labels_of || space->values || space->one_hot || (space->labels != 0 && space->labels != 2))
        return gibbs_fail(error, GIBBS_ARGUMENT, "ising: a variable is one column of 0 and 1");
    ebm_build b = ebm_build_start(spec->allocator);
    int64_t edges;
    gibbs_status status = ebm_pairwise_check("ising", spec, &edges, error);
    if (status) return status;
    ebm_build_add(&b, NULL, &(ebm_parameter){"J", ad_vec(edges), EBM_INIT_CONSTANT, 0});
    ebm_build_add(&b, NULL, &(ebm_parameter){"h", ad_vec(space->variables), EBM_INIT_CONSTANT, 0});
    ebm_pairwise about = {*spec, edges, 1, true};
    ebm_model_spec made = {.dtype = spec->dtype, .dim = space->variables, .kind = &ebm_energy_ising,
                           .context = ebm_pairwise_new(&ebm_energy_ising, &about, &b.alloc)};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_ising = {
    .name = "ising", .record = energy, .slope = slope, .couplings = ebm_ising_couplings,
    EBM_MADE_OF(ebm_mrf_spec, ebm_mrf_options, make),
};

gibbs_status ebm_model_ising(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_ising, spec, model, error);
}
