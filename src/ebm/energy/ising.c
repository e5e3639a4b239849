/* ising.c — the Ising model on a graph, in coordinates of 0 and 1 as all binary models here have: spins are
 * s = 2x − 1, and couplings and fields are those of the spins. */
#include "edges.h"
#include "ships.h"

typedef struct ising {
    ebm_mrf_spec spec;
    ebm_pairs pairs;
    double index[];
} ising;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ising *own = context;
    ad_var s = ad_shift(ad_scale(x, 2), -1);
    return ad_neg(ad_add(ebm_pair_sum(s, theta[0], &own->pairs), ad_dot(theta[1], s)));
}

static ising *ising_new(const ebm_mrf_spec *spec, const gibbs_allocator *a, const ebm_edges *edges)
{
    size_t bytes = sizeof(ising) + 2 * (size_t)edges->count * sizeof(double);
    ising *own = ebm_context_new(&ebm_energy_ising, spec, bytes, a);
    if (!own) return NULL;
    own->pairs = (ebm_pairs){edges->count, own->index, own->index + edges->count, NULL};
    for (int64_t k = 0; k < edges->count; k++) {
        own->pairs.left[k] = (double)edges->pair[2 * k];
        own->pairs.right[k] = (double)edges->pair[2 * k + 1];
    }
    return own;
}

static gibbs_status make(const void *from, ebm_model **model, gibbs_error *error)
{
    const ebm_mrf_spec *spec = from;
    const ebm_space *space = &spec->space;
    if (space->labels_of || space->values || space->one_hot || (space->labels != 0 && space->labels != 2))
        return gibbs_fail(error, GIBBS_ARGUMENT, "ising: a variable is one column of 0 and 1");
    ebm_build b = ebm_build_start(spec->allocator);
    ebm_edges edges;
    gibbs_status status = ebm_edges_new("ising", spec, &b.alloc, &edges, error);
    if (status) return status;
    ebm_build_add(&b, NULL, &(ebm_parameter){"J", ad_vec(edges.count), EBM_INIT_CONSTANT, 0});
    ebm_build_add(&b, NULL, &(ebm_parameter){"h", ad_vec(space->variables), EBM_INIT_CONSTANT, 0});
    ebm_model_spec made = {.dtype = spec->dtype, .dim = space->variables, .kind = &ebm_energy_ising,
                           .context = ising_new(spec, &b.alloc, &edges)};
    ebm_edges_free(&b.alloc, &edges);
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_ising = {
    .name = "ising", .record = energy,
    EBM_MADE_OF(ebm_mrf_spec, ebm_mrf_options, make),
};

gibbs_status ebm_model_ising(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_ising, spec, model, error);
}
