/* describe.h — a model's energy and its options as texts under names, and back.
 *
 * `energy` is the energy's name, and each option of its table a text under its own name. Those of a part have the
 * part's number in front, as its parameters have: 1.energy, 1.dim, 2.energy, 2.1.energy. */
#ifndef GIBBS_DESCRIBE_H
#define GIBBS_DESCRIBE_H

#include "ebm/model/model.h"

enum { EBM_KEY_SIZE = 128 }; /* of a name with its numbers: models nested more deeply are not described */
#define EBM_NO_LIST "none"
#define EBM_IDENTITY "identity"

typedef struct ebm_description {
    gibbs_allocator alloc;
    ebm_metadata *item;
    int count;
    int64_t capacity;
} ebm_description;

/* Describes the model; an empty description where something has no name: an energy of one's own without a table, a
 * callback that no table knows. MEMORY. To be released in any case. */
gibbs_status ebm_describe(const ebm_model *model, ebm_description *description, gibbs_error *error);
void ebm_description_free(ebm_description *description);

/* One more text, under a key that differs from the others. False when memory is short. */
bool ebm_description_add(ebm_description *description, const char *key, const char *text);

/* Makes the model that the texts describe. `file` begins the sentences. The texts are taken to pieces. */
gibbs_status ebm_make_described(const char *file, const ebm_metadata *item, int count, const ebm_energy *const *own,
                                const gibbs_allocator *allocator, ebm_model **model, gibbs_error *error);

/* ---- names.c ---- */

/* An energy that ships, or of the list `own`, which ends with NULL (and may be NULL); NULL where there is none. */
const ebm_energy *ebm_energy_named(const char *name, const ebm_energy *const *own);

/* The name of an activation, and back; NULL where there is none. */
const char *ebm_activation_name(ebm_activation activation);
ebm_activation ebm_activation_named(const char *name);

#endif
