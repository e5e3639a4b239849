/* build.c — lists of parameters with prefixed names, and models that own their context. */
#include "build.h"

#include <stdio.h>
#include <string.h>

ebm_build ebm_build_start(const gibbs_allocator *allocator)
{
    return (ebm_build){.alloc = gibbs_allocator_or_default(allocator)};
}

/* prefix + name in memory of its own; NULL when that is short. */
static char *join(const gibbs_allocator *a, const char *prefix, const char *name)
{
    size_t size = strlen(prefix) + strlen(name) + 1;
    char *text = gibbs_alloc(a, size, 1);
    if (text) snprintf(text, size, "%s%s", prefix, name);
    return text;
}

void ebm_build_add(ebm_build *b, const char *prefix, const ebm_parameter *p)
{
    if (b->short_of_memory) return;
    bool named = p->name && *p->name;
    char *name = named ? join(&b->alloc, prefix ? prefix : "", p->name) : NULL;
    if ((named && !name) || !gibbs_grow(&b->alloc, &b->item, &b->capacity, b->count, b->count + 1, sizeof *p)) {
        gibbs_release(&b->alloc, name);
        b->short_of_memory = true;
        return;
    }
    b->item[b->count++] = (ebm_parameter){name, p->shape, p->init, p->scale};
}

void ebm_build_add_all(ebm_build *b, const char *prefix, const ebm_parameter *p, int count)
{
    for (int k = 0; k < count; k++) ebm_build_add(b, prefix, &p[k]);
}

void *ebm_build_copy(const ebm_build *b, const void *context, size_t bytes)
{
    void *own = gibbs_alloc(&b->alloc, bytes, 1);
    return own ? memcpy(own, context, bytes) : NULL;
}

void ebm_build_add_model(ebm_build *b, const char *prefix, const ebm_model *model)
{
    for (int k = 0; k < model->parameters; k++) {
        const ebm_model_parameter *p = &model->parameter[k];
        ebm_build_add(b, prefix, &(ebm_parameter){p->name, p->shape, p->init, p->scale});
    }
}

void ebm_build_drop(ebm_build *b)
{
    for (int k = 0; k < b->count; k++) gibbs_release(&b->alloc, (char *)b->item[k].name);
    gibbs_release(&b->alloc, b->item);
    *b = (ebm_build){.alloc = b->alloc};
}

gibbs_status ebm_build_model(ebm_build *b, ebm_model_spec spec, ebm_model **model, gibbs_error *error)
{
    gibbs_status status = gibbs_allocator_check(&b->alloc, error);
    if (!status && b->short_of_memory) status = gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    spec.parameters = b->item;
    spec.parameter_count = b->count;
    spec.allocator = &b->alloc;
    if (!status) status = ebm_model_new(&spec, model, error);
    ebm_build_drop(b);
    return status;
}

gibbs_status ebm_build_owner(ebm_build *b, ebm_model_spec spec, ebm_model **model, gibbs_error *error)
{
    b->short_of_memory |= !spec.context;
    gibbs_status status = ebm_build_model(b, spec, model, error);
    if (status) gibbs_release(&b->alloc, spec.context);
    else (*model)->release_context = gibbs_release;
    return status;
}

gibbs_status ebm_model_like(const ebm_model *model, const ebm_model_spec *spec, ebm_model **out, gibbs_error *error)
{
    *out = NULL;
    double *theta = gibbs_alloc(&model->alloc, (size_t)model->size, sizeof *theta);
    if (!theta) return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    ebm_build b = ebm_build_start(&model->alloc);
    ebm_build_add_model(&b, NULL, model);
    ebm_model_spec made = *spec;
    made.dtype = GIBBS_FLOAT64;
    gibbs_status status = ebm_build_model(&b, made, out, error);
    if (!status) {
        ebm_model_get(model, theta);
        ebm_model_set(*out, theta);
    }
    gibbs_release(&model->alloc, theta);
    return status;
}
