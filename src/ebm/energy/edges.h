/* edges.h — the edges of a pairwise model, and the sum over pairs of columns that all of them share. */
#ifndef GIBBS_GRAPH_H
#define GIBBS_GRAPH_H

#include "build.h"
#include "ebm/space/space.h"

typedef struct ebm_edges {
    int64_t count;
    int64_t *pair; /* count × 2 */
} ebm_edges;

/* The spec's edges, checked and copied; all pairs i < j where it has none. ARGUMENT: too few variables, an edge
 * outside them, from a variable to itself, or twice; SIZE. `model` begins the sentences. */
gibbs_status ebm_edges_new(const char *model, const ebm_mrf_spec *spec, const gibbs_allocator *a, ebm_edges *edges,
                           gibbs_error *error);
void ebm_edges_free(const gibbs_allocator *a, ebm_edges *edges);

/* The table of options of an ebm_mrf_spec, which three energies have. */
extern const ebm_option ebm_mrf_options[8];

/* Pairs of columns of x, as reals, because that is what a tape's indices are. */
typedef struct ebm_pairs {
    int64_t count;
    double *left, *right, *edge; /* edge: which edge the pair belongs to */
} ebm_pairs;

/* Records Σₖ weightₖ x[leftₖ] x[rightₖ] for x [D] and weight [count]. */
ad_var ebm_pair_sum(ad_var x, ad_var weight, const ebm_pairs *pairs);

#endif
