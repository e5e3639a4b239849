/* build.h — what the energies that ship are put together with: a list of parameters, a table of options, and a model
 * that owns the context of its energy. */
#ifndef GIBBS_BUILD_H
#define GIBBS_BUILD_H

#include "ebm/model/model.h"

/* Parameters of a model to be, with names of its own. Memory that was short is reported by ebm_build_model. */
typedef struct ebm_build {
    gibbs_allocator alloc;
    ebm_parameter *item;
    int64_t capacity;
    int count;
    bool short_of_memory;
} ebm_build;

ebm_build ebm_build_start(const gibbs_allocator *allocator);

/* Appends a parameter; its name gets the prefix, unless that is NULL or the name is missing (which ebm_model_new
 * reports). */
void ebm_build_add(ebm_build *build, const char *prefix, const ebm_parameter *parameter);
void ebm_build_add_all(ebm_build *build, const char *prefix, const ebm_parameter *parameters, int count);
void ebm_build_add_model(ebm_build *build, const char *prefix, const ebm_model *model); /* all of another model's */

/* Makes the model of `spec` with the build's parameters and allocator, and ends the build. The model owns spec.context,
 * which one gibbs_release frees, here already after an error; NULL is MEMORY. */
gibbs_status ebm_build_model(ebm_build *build, ebm_model_spec spec, ebm_model **model, gibbs_error *error);

/* ---- Options ---- */

/* Rows of an energy's table: a member of its spec, under its own name; a list with the function that counts it. */
#define EBM_OPTION(type, spec, member) {#member, EBM_OPTION_##type, offsetof(spec, member), NULL}
#define EBM_LIST(type, spec, member, count) {#member, EBM_OPTION_##type, offsetof(spec, member), count}

/* Members that every spec has. */
#define EBM_COMMON_OPTIONS(spec) EBM_OPTION(DTYPE, spec, dtype), EBM_OPTION(ALLOCATOR, spec, allocator)

/* What of struct ebm_energy is for files. */
#define EBM_MADE_OF(spec, table, function)                                                                      \
    .options = table, .option_count = GIBBS_COUNT(table), .spec_bytes = sizeof(spec), .make = function

/* Public constructors: the energy's make, with what all of them say of a NULL. */
gibbs_status ebm_energy_make(const ebm_energy *energy, const void *spec, ebm_model **model, gibbs_error *error);

/* A context of `bytes` that begins with a copy of the energy's spec, whose lists are copied with it; the rest is not
 * filled. One gibbs_release frees all. NULL when memory is short. */
void *ebm_context_new(const ebm_energy *energy, const void *spec, size_t bytes, const gibbs_allocator *a);

#endif
