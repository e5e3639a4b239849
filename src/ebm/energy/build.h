/* build.h — what the energies that ship are put together with: a list of parameters, and a model that owns the context
 * of its energy. */
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

/* A copy of `bytes` bytes with the build's allocator, to be the model's context; NULL when memory is short. */
void *ebm_build_copy(const ebm_build *build, const void *context, size_t bytes);

void ebm_build_drop(ebm_build *build); /* ends it without a model */

/* Makes the model of `spec` with the build's parameters and allocator, and ends the build. */
gibbs_status ebm_build_model(ebm_build *build, ebm_model_spec spec, ebm_model **model, gibbs_error *error);

/* The same for a model that owns spec.context: one gibbs_release frees it, here already after an error. NULL is
 * MEMORY. */
gibbs_status ebm_build_owner(ebm_build *build, ebm_model_spec spec, ebm_model **model, gibbs_error *error);

/* A float64 model of spec's dim, energy and context (which stays the caller's) with another's parameters and their
 * present values. */
gibbs_status ebm_model_like(const ebm_model *model, const ebm_model_spec *spec, ebm_model **out, gibbs_error *error);

#endif
