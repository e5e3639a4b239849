/* edges.h — the edges of a pairwise model, and the sum over pairs of columns that all of them share. */
#ifndef GIBBS_GRAPH_H
#define GIBBS_GRAPH_H

#include "build.h"

/* The context of a pairwise energy. */
typedef struct ebm_pairwise {
    ebm_mrf_spec spec;
    int64_t edges;
    int64_t labels; /* columns of each variable, 1 of spins; 0: they differ */
    bool tied;      /* an edge's weight is one number, of equal labels; else a table of labels × labels */
} ebm_pairwise;

/* Checks the spec's edges and counts them: all pairs i < j where it has none. ARGUMENT: too few variables, an edge
 * outside them, from a variable to itself, or twice; SIZE. `model` begins the sentences. */
gibbs_status ebm_pairwise_check(const char *model, const ebm_mrf_spec *spec, int64_t *edges, gibbs_error *error);

/* A context of its own, whose spec's lists are copied; NULL when memory is short. */
ebm_pairwise *ebm_pairwise_new(const ebm_energy *kind, const ebm_pairwise *about, const gibbs_allocator *a);

/* The edges in their order: ebm_edge e = EBM_FIRST_EDGE; while (ebm_next_edge(spec, &e)) … */
typedef struct ebm_edge {
    int64_t number, i, j;
} ebm_edge;
#define EBM_FIRST_EDGE {-1, 0, 0}
bool ebm_next_edge(const ebm_mrf_spec *spec, ebm_edge *e);

/* The table of options of an ebm_mrf_spec, which three energies have. */
extern const ebm_option ebm_mrf_options[8];

/* How many pairs of columns the edges join; −1 when they are too many. */
int64_t ebm_pairwise_pairs(const ebm_pairwise *p);

/* Records Σₖ weightₖ x[leftₖ] x[rightₖ] over those pairs, and its derivative by x, which is a variable. */
ad_var ebm_pairwise_sum(const ebm_pairwise *p, ad_var x, ad_var weight);
ad_var ebm_pairwise_slope(const ebm_pairwise *p, ad_var x, ad_var weight);

/* Whether that is a product with one matrix. */
bool ebm_pairwise_dense(const ebm_pairwise *p);

/* ebm_energy.couplings of the Ising model, and of the others (pair_couplings.c). */
void ebm_ising_couplings(const void *theta, void *context, ebm_couplings *c);
void ebm_mrf_couplings(const void *theta, void *context, ebm_couplings *c);

#endif
