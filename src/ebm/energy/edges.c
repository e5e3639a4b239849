/* edges.c — edges, and Σ over pairs of columns. */
#include "edges.h"

#include <stdlib.h>
#include <string.h>

/* ---- Edges ---- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* No pair is there twice, whichever way round: sorts keys of the pairs. */
static gibbs_status check_twice(const char *model, const ebm_edges *e, int64_t variables, const gibbs_allocator *a,
                                gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    int64_t *key = gibbs_alloc(a, (size_t)e->count, sizeof *key);
    if (!key) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", model);
    for (int64_t k = 0; k < e->count; k++) {
        int64_t i = e->pair[2 * k], j = e->pair[2 * k + 1];
        key[k] = i < j ? i * variables + j : j * variables + i;
    }
    qsort(key, (size_t)e->count, sizeof *key, compare);
    for (int64_t k = 1; k < e->count && !status; k++)
        if (key[k] == key[k - 1])
            status = gibbs_fail(error, GIBBS_ARGUMENT, "%s: the edge (%lld, %lld) is there twice", model,
                                (long long)(key[k] / variables), (long long)(key[k] % variables));
    gibbs_release(a, key);
    return status;
}

static gibbs_status check(const char *model, const ebm_edges *e, int64_t variables, const gibbs_allocator *a,
                          gibbs_error *error)
{
    for (int64_t k = 0; k < e->count; k++) {
        int64_t i = e->pair[2 * k], j = e->pair[2 * k + 1];
        if (i < 0 || j < 0 || i >= variables || j >= variables || i == j)
            return gibbs_fail(error, GIBBS_ARGUMENT,
                              "%s: edge %lld is (%lld, %lld); it must join two of the %lld variables", model,
                              (long long)k, (long long)i, (long long)j, (long long)variables);
    }
    return check_twice(model, e, variables, a, error);
}

static void fill_all(int64_t variables, int64_t *pair)
{
    for (int64_t i = 0; i < variables; i++)
        for (int64_t j = i + 1; j < variables; j++) {
            *pair++ = i;
            *pair++ = j;
        }
}

gibbs_status ebm_edges_new(const char *model, const ebm_mrf_spec *spec, const gibbs_allocator *a, ebm_edges *edges,
                           gibbs_error *error)
{
    int64_t n = spec->space.variables, count;
    *edges = (ebm_edges){0};
    gibbs_status status = gibbs_allocator_check(a, error);
    if (!status) status = ebm_need_count(model, "variables", n, 2, error);
    if (!status) status = ebm_need_count(model, "edges", spec->edge_count, spec->edges ? 1 : 0, error);
    if (status) return status;
    count = spec->edges ? spec->edge_count : n * (n - 1) / 2;
    status = ebm_need_count(model, "edges", count, 1, error);
    if (status) return status;
    *edges = (ebm_edges){count, gibbs_alloc(a, (size_t)count, 2 * sizeof *edges->pair)};
    if (!edges->pair) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", model);
    if (!spec->edges) fill_all(n, edges->pair);
    else memcpy(edges->pair, spec->edges, (size_t)count * 2 * sizeof *edges->pair);
    status = spec->edges ? check(model, edges, n, a, error) : GIBBS_OK;
    if (status) ebm_edges_free(a, edges);
    return status;
}

void ebm_edges_free(const gibbs_allocator *a, ebm_edges *edges)
{
    gibbs_release(a, edges->pair);
    *edges = (ebm_edges){0};
}

/* ---- Options ---- */

static int64_t variables(const void *spec) { return ((const ebm_mrf_spec *)spec)->space.variables; }
static int64_t edge_ends(const void *spec) { return 2 * ((const ebm_mrf_spec *)spec)->edge_count; }

const ebm_option ebm_mrf_options[] = {
    {"variables", EBM_OPTION_INT64, offsetof(ebm_mrf_spec, space.variables), NULL},
    {"labels", EBM_OPTION_INT64, offsetof(ebm_mrf_spec, space.labels), NULL},
    {"labels_of", EBM_OPTION_INT64S, offsetof(ebm_mrf_spec, space.labels_of), variables},
    {"one_hot", EBM_OPTION_INT, offsetof(ebm_mrf_spec, space.one_hot), NULL},
    EBM_OPTION(INT64, ebm_mrf_spec, edge_count),
    EBM_LIST(INT64S, ebm_mrf_spec, edges, edge_ends),
    EBM_COMMON_OPTIONS(ebm_mrf_spec),
};

/* ---- Sums over pairs ---- */

/* The weights as a D × D matrix, for one matrix product a block: faster than gathering pairs up to about 160 zeros a
 * pair (E and ∇xE, D from 30 to 400). Places in it are indices on the tape, exact up to 2²⁴ in float32. */
enum { MAX_DENSE = 4096, ZEROS_A_PAIR = 128 };

static ad_var dense(ad_var x, ad_var weight, const ebm_pairs *p, int64_t D)
{
    ad_var left = ad_constant_array(x.tape, ad_vec(p->count), p->left);
    ad_var right = ad_constant_array(x.tape, ad_vec(p->count), p->right);
    ad_var place = ad_add(ad_scale(left, (double)D), right);
    ad_var matrix = ad_reshape(ad_scatter_add(weight, place, D * D), ad_mat(D, D));
    return ad_dot(ad_matmul(x, matrix), x);
}

ad_var ebm_pair_sum(ad_var x, ad_var weight, const ebm_pairs *p)
{
    ad_shape shape = ad_shape_of(x);
    int64_t D = shape.rank == 1 ? shape.dim[0] : 1;
    if (D <= MAX_DENSE && p->count * ZEROS_A_PAIR >= D * D) return dense(x, weight, p, D);
    ad_var left = ad_gather(x, ad_constant_array(x.tape, ad_vec(p->count), p->left));
    ad_var right = ad_gather(x, ad_constant_array(x.tape, ad_vec(p->count), p->right));
    return ad_dot(weight, ad_mul(left, right));
}
