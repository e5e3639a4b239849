/* coupled.h — a discrete model whose energy is of degree at most 2 in x, as couplings at its present parameters: handed
 * over by the energy, or taken from the tape. On the states of its space a variable's own columns have linear terms
 * alone, and so they have here: conditionals follow from the fields F = linear + xJ. */
#ifndef GIBBS_COUPLED_H
#define GIBBS_COUPLED_H

#include "ebm/model/program.h"

typedef struct ebm_coupled {
    ebm_model *model;
    ebm_space space; /* filled in; its values are the caller's */
    ebm_couplings c;
    uint64_t at[2];  /* a print of the parameters at which c is */
    bool current;
    ebm_program program; /* constant, linear and J of what hands over nothing */
    ad_var *leaf;
} ebm_coupled;

/* How the couplings of an energy are had. */
typedef enum ebm_coupled_way {
    EBM_COUPLED_NOT,   /* no polynomial of degree 2, conditional, or with too many columns for the tape */
    EBM_COUPLED_GIVEN, /* the energy hands them over */
    EBM_COUPLED_TAPE   /* ∇²E at x = 0 */
} ebm_coupled_way;

/* Columns of x up to which couplings are taken from the tape. */
enum { EBM_MOST_TAPE_COUPLINGS = 4096 };

/* *way NOT: nothing is made. `who` begins the sentence. To be freed after an error as well. */
gibbs_status ebm_coupled_new(const char *who, ebm_model *model, const ebm_space *space, ebm_coupled *coupled,
                             ebm_coupled_way *way, gibbs_error *error);
void ebm_coupled_free(ebm_coupled *coupled);

/* Makes the couplings those of the model's present parameters. NUMERIC where one is not finite, or fields could be. */
gibbs_status ebm_coupled_update(const char *who, ebm_coupled *coupled, gibbs_error *error);

/* The degree of the model's energy in x, −1: none. The tape is one of the energy at a shared x, a variable, with its
 * parameters on it. */
int ebm_model_degree(const ebm_recording *recording, ad_var *x, ad_var *energy);

#endif
