/* describe.c — a model's options as texts: one walk over the tables of its energy and of those that it is made of. */
#include "describe.h"

#include "ebm/data/data_private.h"

#include <stdarg.h>
#include <string.h>

typedef struct writer {
    ebm_description *out;
    char *text; /* the one being written */
    int64_t used, room;
    bool nameless, no_memory;
} writer;

static void put(writer *w, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int more = vsnprintf(NULL, 0, format, again);
    va_end(again);
    w->no_memory |= !gibbs_grow(&w->out->alloc, &w->text, &w->room, w->used, w->used + more + 1, 1);
    if (!w->no_memory) w->used += vsnprintf(w->text + w->used, (size_t)more + 1, format, list);
    va_end(list);
}

bool ebm_description_add(ebm_description *d, const char *key, const char *text)
{
    if (!gibbs_grow(&d->alloc, &d->item, &d->capacity, d->count, d->count + 1, sizeof *d->item)) return false;
    ebm_metadata item = {gibbs_strdup(&d->alloc, key), gibbs_strdup(&d->alloc, text)};
    d->item[d->count++] = item;
    return item.key && item.value;
}

/* What was put is the text under prefix + name. */
static void keep(writer *w, const char *prefix, const char *name)
{
    char key[EBM_KEY_SIZE];
    int length = snprintf(key, sizeof key, "%s%s", prefix, name);
    w->nameless |= length >= (int)sizeof key;
    w->used = 0;
    if (w->no_memory || w->nameless) return;
    w->no_memory |= !ebm_description_add(w->out, key, w->text);
}

/* ---- Each type of option ---- */

static void put_name(writer *w, const char *name)
{
    w->nameless |= !name;
    put(w, "%s", name ? name : "");
}

static void put_lists(writer *w, const ebm_option *o, const void *spec)
{
    const void *list = *(const void *const *)((const char *)spec + o->at);
    int64_t count = list ? o->count(spec) : 0;
    if (!list) put(w, EBM_NO_LIST);
    for (int64_t i = 0; i < count; i++) {
        put(w, i ? " " : "");
        if (o->type == EBM_OPTION_INT64S) put(w, "%lld", (long long)((const int64_t *)list)[i]);
        else put(w, "%.17g", ((const double *)list)[i]);
    }
}

static void put_option(writer *w, const ebm_option *o, const void *spec)
{
    const void *at = (const char *)spec + o->at;
    switch (o->type) {
    case EBM_OPTION_INT: put(w, "%d", *(const int *)at); break;
    case EBM_OPTION_INT64: put(w, "%lld", (long long)*(const int64_t *)at); break;
    case EBM_OPTION_DOUBLE: put(w, "%.17g", *(const double *)at); break;
    case EBM_OPTION_DTYPE: put(w, "%s", ebm_dtype_names[*(const gibbs_dtype *)at]); break;
    case EBM_OPTION_ACTIVATION: put_name(w, ebm_activation_name(*(const ebm_activation *)at)); break;
    case EBM_OPTION_FEATURES: put_name(w, ((const ebm_features *)at)->record ? NULL : EBM_IDENTITY); break;
    default: put_lists(w, o, spec); break;
    }
}

static void describe(writer *w, const char *prefix, const ebm_model *model);

static void describe_parts(writer *w, const char *prefix, const ebm_option *o, const void *spec)
{
    ebm_model *const *part = *(ebm_model *const *const *)((const char *)spec + o->at);
    for (int64_t k = 0; k < o->count(spec) && !w->nameless; k++) {
        char longer[EBM_KEY_SIZE];
        w->nameless = snprintf(longer, sizeof longer, "%s%lld.", prefix, (long long)k + 1) >= (int)sizeof longer;
        if (!w->nameless) describe(w, longer, part[k]);
    }
}

static void describe(writer *w, const char *prefix, const ebm_model *model)
{
    const ebm_energy *kind = model->kind;
    w->nameless |= !kind->name || !kind->make;
    if (w->nameless) return;
    put(w, "%s", kind->name);
    keep(w, prefix, "energy");
    for (int k = 0; k < kind->option_count && !w->nameless && !w->no_memory; k++) {
        const ebm_option *o = &kind->options[k];
        if (o->type == EBM_OPTION_ALLOCATOR) continue;
        if (o->type == EBM_OPTION_PARTS) describe_parts(w, prefix, o, model->context);
        else put_option(w, o, model->context), keep(w, prefix, o->name);
    }
}

gibbs_status ebm_describe(const ebm_model *model, ebm_description *d, gibbs_error *error)
{
    writer w = {.out = d};
    ebm_locale locale;
    *d = (ebm_description){.alloc = model->alloc};
    if (!ebm_locale_enter(&locale)) return gibbs_fail(error, GIBBS_MEMORY, "save: out of memory");
    describe(&w, "", model);
    ebm_locale_leave(&locale);
    gibbs_release(&d->alloc, w.text);
    if (w.nameless || w.no_memory) ebm_description_free(d);
    return w.no_memory ? gibbs_fail(error, GIBBS_MEMORY, "save: out of memory") : GIBBS_OK;
}

void ebm_description_free(ebm_description *d)
{
    for (int k = 0; k < d->count; k++) {
        gibbs_release(&d->alloc, d->item[k].key);
        gibbs_release(&d->alloc, d->item[k].value);
    }
    gibbs_release(&d->alloc, d->item);
    *d = (ebm_description){.alloc = d->alloc};
}
