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

void ebm_build_add_model(ebm_build *b, const char *prefix, const ebm_model *model)
{
    for (int k = 0; k < model->parameters; k++) {
        const ebm_model_parameter *p = &model->parameter[k];
        ebm_build_add(b, prefix, &(ebm_parameter){p->name, p->shape, p->init, p->scale});
    }
}

gibbs_status ebm_build_model(ebm_build *b, ebm_model_spec spec, ebm_model **model, gibbs_error *error)
{
    gibbs_status status = gibbs_allocator_check(&b->alloc, error);
    if (!status && (b->short_of_memory || !spec.context))
        status = gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    spec.parameters = b->item;
    spec.parameter_count = b->count;
    spec.allocator = &b->alloc;
    if (!status) status = ebm_model_new(&spec, model, error);
    if (status) gibbs_release(&b->alloc, spec.context);
    else (*model)->owns_context = true;
    for (int k = 0; k < b->count; k++) gibbs_release(&b->alloc, (char *)b->item[k].name);
    gibbs_release(&b->alloc, b->item);
    return status;
}

/* ---- Options ---- */

gibbs_status ebm_energy_make(const ebm_energy *energy, const void *spec, ebm_model **model, gibbs_error *error)
{
    if (model) *model = NULL;
    if (!spec || !model) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a required pointer is NULL", energy->name);
    return energy->make(spec, model, error);
}

/* Bytes of a list's elements; 0: no list. */
static size_t element_size(ebm_option_type type)
{
    return type == EBM_OPTION_INT64S    ? sizeof(int64_t)
           : type == EBM_OPTION_DOUBLES ? sizeof(double)
           : type == EBM_OPTION_PARTS   ? sizeof(ebm_model *)
                                        : 0;
}

/* Bytes of the list that an option of the spec is; 0: none. */
static size_t list_bytes(const ebm_option *o, const void *spec, const void **list)
{
    size_t size = element_size(o->type);
    *list = NULL;
    if (size) memcpy(list, (const char *)spec + o->at, sizeof *list);
    return *list ? (size_t)o->count(spec) * size : 0;
}

void *ebm_context_new(const ebm_energy *energy, const void *spec, size_t bytes, const gibbs_allocator *a)
{
    const void *list;
    size_t room = bytes = (bytes + 7) / 8 * 8; /* lists begin at whole words */
    for (int k = 0; k < energy->option_count; k++) room += list_bytes(&energy->options[k], spec, &list);
    char *context = gibbs_alloc(a, room, 1), *at = context + bytes;
    if (!context) return NULL;
    memcpy(context, spec, energy->spec_bytes);
    for (int k = 0; k < energy->option_count; k++) {
        size_t size = list_bytes(&energy->options[k], spec, &list);
        if (!list) continue;
        memcpy(at, list, size);
        memcpy(context + energy->options[k].at, &at, sizeof at);
        at += size;
    }
    return context;
}
