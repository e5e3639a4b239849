/* mrf.c — pairwise Markov random fields on a graph (S3 §10.2.2.1), in one-hot blocks: a table of log potentials a
 * variable and a table an edge, or, tied, one coupling an edge for equal labels (Potts). Both are
 * −u·x − Σ over pairs of columns, with weights that are the tables, or couplings that repeat. */
#include "edges.h"
#include "ships.h"

typedef struct mrf {
    ebm_mrf_spec spec;
    bool tied;
    ebm_pairs pairs;
    double index[];
} mrf;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const mrf *own = context;
    ad_var weight = theta[0];
    if (own->tied) weight = ad_gather(weight, ad_constant_array(x.tape, ad_vec(own->pairs.count), own->pairs.edge));
    return ad_neg(ad_add(ebm_pair_sum(x, weight, &own->pairs), ad_dot(theta[1], x)));
}

/* Lists the pairs of columns of every edge, row by row of its table, or its diagonal; counts them where p has no
 * room. `start` is each variable's first column. −1 when they are too many. */
static int64_t list_pairs(const ebm_space *s, const ebm_edges *e, const int64_t *start, bool tied, ebm_pairs *p)
{
    int64_t n = 0;
    for (int64_t k = 0; k < e->count; k++) {
        int64_t i = e->pair[2 * k], j = e->pair[2 * k + 1];
        int64_t rows = ebm_space_labels(s, i), cols = ebm_space_labels(s, j);
        int64_t smaller = rows < cols ? rows : cols, entries;
        if (tied) entries = smaller;
        else if (!gibbs_mul_size(rows, cols, &entries)) return -1;
        if (entries > INT32_MAX - n) return -1;
        for (int64_t c = 0; c < entries && p; c++) {
            p->left[n + c] = (double)(start[i] + (tied ? c : c / cols));
            p->right[n + c] = (double)(start[j] + (tied ? c : c % cols));
            p->edge[n + c] = (double)k;
        }
        n += entries;
    }
    return n;
}

static gibbs_status mrf_new(const ebm_energy *kind, const ebm_mrf_spec *spec, const ebm_edges *e,
                            const gibbs_allocator *a, mrf **out, gibbs_error *error)
{
    const ebm_space *s = &spec->space;
    bool tied = kind == &ebm_energy_potts;
    int64_t count = list_pairs(s, e, NULL, tied, NULL), column = 0;
    if (count < 0) return gibbs_fail(error, GIBBS_SIZE, "mrf: the tables are too large");
    int64_t *start = gibbs_alloc(a, (size_t)s->variables, sizeof *start);
    mrf *own = ebm_context_new(kind, spec, sizeof *own + 3 * (size_t)count * sizeof *own->index, a);
    if (start && own) {
        own->tied = tied;
        own->pairs = (ebm_pairs){count, own->index, own->index + count, own->index + 2 * count};
        for (int64_t v = 0; v < s->variables; column += ebm_space_labels(s, v++)) start[v] = column;
        list_pairs(s, e, start, tied, &own->pairs);
    }
    gibbs_status status = start && own ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "mrf: out of memory");
    gibbs_release(a, start);
    if (status) gibbs_release(a, own);
    else *out = own;
    return status;
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
    ebm_edges edges;
    mrf *own = NULL;
    if (!spec->space.one_hot)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: variables are one-hot blocks: set space.one_hot", kind->name);
    gibbs_status status = ebm_edges_new(kind->name, spec, &b.alloc, &edges, error);
    if (status) return status;
    status = check(kind->name, &spec->space, error);
    if (!status) status = mrf_new(kind, spec, &edges, &b.alloc, &own, error);
    int64_t weights = own && !tied ? own->pairs.count : edges.count, dim = ebm_space_dim(&spec->space);
    ebm_edges_free(&b.alloc, &edges);
    if (status) return status;
    ebm_build_add(&b, NULL, &(ebm_parameter){tied ? "J" : "pairwise", ad_vec(weights), EBM_INIT_CONSTANT, 0});
    ebm_build_add(&b, NULL, &(ebm_parameter){tied ? "h" : "unary", ad_vec(dim), EBM_INIT_CONSTANT, 0});
    ebm_model_spec made = {.dtype = spec->dtype, .dim = dim, .kind = kind, .context = own};
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
    .name = "potts", .record = energy,
    EBM_MADE_OF(ebm_mrf_spec, ebm_mrf_options, make_potts),
};
const ebm_energy ebm_energy_mrf = {
    .name = "mrf", .record = energy,
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
