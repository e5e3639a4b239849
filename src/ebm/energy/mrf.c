/* mrf.c — pairwise Markov random fields on a graph (S3 §10.2.2.1), in one-hot blocks: a table of log potentials a
 * variable and a table an edge, or, tied, one coupling an edge for equal labels (Potts). Both are
 * −u·x − Σ over pairs of columns, with weights that are the tables, or couplings that repeat. */
#include "ebm/space/space.h"
#include "edges.h"
#include "ships.h"

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    return ad_neg(ad_add(ebm_pairwise_sum(context, x, theta[0]), ad_dot(theta[1], x)));
}

static ad_var slope(ad_var x, const ad_var *theta, void *context, int64_t *apart)
{
    const ebm_pairwise *own = context;
    *apart = own->labels ? own->labels : 1;
    return ad_neg(ad_add(ebm_pairwise_slope(own, x, theta[0]), theta[1]));
}

/* How many labels each variable has; 0 where they differ. */
static int64_t common_labels(const ebm_space *s)
{
    for (int64_t v = 1; s->labels_of && v < s->variables; v++)
        if (s->labels_of[v] != s->labels_of[0]) return 0;
    return ebm_space_labels(s, 0);
}

static gibbs_status check(const char *name, const ebm_space *space, gibbs_error *error)
{
    if (!ebm_space_has_labels(space)) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a variable has no labels", name);
    if (ebm_space_dim(space) < 0)
        return gibbs_fail(error, GIBBS_SIZE, "%s: the variables take more than 2^31-1 columns", name);
    return ebm_need_count(name, "columns", ebm_space_dim(space), 1, error);
}

static gibbs_status make_kind(const ebm_energy *kind, const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error)
{
    bool tied = kind == &ebm_energy_potts;
    ebm_build b = ebm_build_start(spec->allocator);
    int64_t edges;
    if (!spec->space.one_hot)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: variables are one-hot blocks: set space.one_hot", kind->name);
    gibbs_status status = ebm_pairwise_check(kind->name, spec, &edges, error);
    if (!status) status = check(kind->name, &spec->space, error);
    if (status) return status;
    ebm_pairwise about = {*spec, edges, common_labels(&spec->space), tied};
    int64_t pairs = ebm_pairwise_pairs(&about), dim = ebm_space_dim(&spec->space), weights = tied ? edges : pairs;
    if (pairs < 0) return gibbs_fail(error, GIBBS_SIZE, "%s: the tables are too large", kind->name);
    ebm_build_add(&b, NULL, &(ebm_parameter){tied ? "J" : "pairwise", ad_vec(weights), EBM_INIT_CONSTANT, 0});
    ebm_build_add(&b, NULL, &(ebm_parameter){tied ? "h" : "unary", ad_vec(dim), EBM_INIT_CONSTANT, 0});
    ebm_model_spec made = {.dtype = spec->dtype, .dim = dim, .kind = kind,
                           .context = ebm_pairwise_new(kind, &about, &b.alloc)};
    return ebm_build_model(&b, made, model, error);
}

static gibbs_status make_potts(const void *spec, ebm_model **model, gibbs_error *error)
{
    return make_kind(&ebm_energy_potts, spec, model, error);
}

static gibbs_status make_mrf(const void *spec, ebm_model **model, gibbs_error *error)
{
    return make_kind(&ebm_energy_mrf, spec, model, error);
}

const ebm_energy ebm_energy_potts = {
    .name = "potts", .record = energy, .slope = slope, .couplings = ebm_mrf_couplings,
    EBM_MADE_OF(ebm_mrf_spec, ebm_mrf_options, make_potts),
};
const ebm_energy ebm_energy_mrf = {
    .name = "mrf", .record = energy, .slope = slope, .couplings = ebm_mrf_couplings,
    EBM_MADE_OF(ebm_mrf_spec, ebm_mrf_options, make_mrf),
};

gibbs_status ebm_model_potts(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_potts, spec, model, error);
}

gibbs_status ebm_model_mrf(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_mrf, spec, model, error);
}
