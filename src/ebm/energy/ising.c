/* ising.c — the Ising model on a graph, in coordinates of 0 and 1 as all binary models here have: spins are
 * s = 2x − 1, and couplings and fields are those of the spins. */
#include "build.h"
#include "edges.h"

typedef struct ising {
    ebm_pairs pairs;
    double index[];
} ising;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ising *own = context;
    ad_var s = ad_shift(ad_scale(x, 2), -1);
    return ad_neg(ad_add(ebm_pair_sum(s, theta[0], &own->pairs), ad_dot(theta[1], s)));
}

static ising *ising_new(const gibbs_allocator *a, const ebm_edges *edges)
{
    ising *own = gibbs_alloc(a, 1, sizeof *own + 2 * (size_t)edges->count * sizeof *own->index);
    if (!own) return NULL;
    own->pairs = (ebm_pairs){edges->count, own->index, own->index + edges->count, NULL};
    for (int64_t k = 0; k < edges->count; k++) {
        own->pairs.left[k] = (double)edges->pair[2 * k];
        own->pairs.right[k] = (double)edges->pair[2 * k + 1];
    }
    return own;
}

gibbs_status ebm_model_ising(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("ising", spec && model, error);
    *model = NULL;
    const ebm_space *space = &spec->space;
    if (space->labels_of || space->values || space->one_hot || (space->labels != 0 && space->labels != 2))
        return gibbs_fail(error, GIBBS_ARGUMENT, "ising: a variable is one column of 0 and 1");
    gibbs_allocator a = gibbs_allocator_or_default(spec->allocator);
    ebm_edges edges;
    gibbs_status status = ebm_edges_new("ising", spec, &a, &edges, error);
    if (status) return status;
    const ebm_parameter parameters[] = {
        {"J", ad_vec(edges.count), EBM_INIT_CONSTANT, 0},
        {"h", ad_vec(space->variables), EBM_INIT_CONSTANT, 0},
    };
    ebm_build b = ebm_build_start(&a);
    ebm_build_add_all(&b, NULL, parameters, GIBBS_COUNT(parameters));
    ebm_model_spec made = {.dtype = spec->dtype, .dim = space->variables, .energy = energy,
                           .context = ising_new(&a, &edges)};
    ebm_edges_free(&a, &edges);
    return ebm_build_owner(&b, made, model, error);
}
