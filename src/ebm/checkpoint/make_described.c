/* make_described.c — a model from the texts that describe it. A list is as long as its text, and parts are counted before
 * memory is asked for; parameters take what the options say, and are held against the file's afterwards. */
#include "describe.h"

#include "ebm/data/data_private.h"

#include <math.h>
#include <string.h>

typedef struct reader {
    const char *file;
    const ebm_metadata *item;
    int count;
    const ebm_energy *const *own;
    const gibbs_allocator *alloc;
    gibbs_error *error;
} reader;

/* The text under prefix + name; NULL, with FORMAT, where there is none. */
static char *find(const reader *r, const char *prefix, const char *name)
{
    size_t length = strlen(prefix);
    for (int k = 0; k < r->count; k++) {
        const char *key = r->item[k].key;
        if (!strncmp(key, prefix, length) && !strcmp(key + length, name)) return r->item[k].value;
    }
    gibbs_fail(r->error, GIBBS_FORMAT, "%s: what it says of the model's energy lacks «%s%s»", r->file, prefix, name);
    return NULL;
}

static gibbs_status wrong(const reader *r, const char *prefix, const ebm_option *o, const char *text, const char *what)
{
    return gibbs_fail(r->error, GIBBS_FORMAT, "%s: «%s%s» is '%.40s', which is no %s", r->file, prefix, o->name, text,
                      what);
}

/* ---- Numbers ---- */

/* A finite number; a whole one that an option of this type can hold. */
static bool number(const char *text, ebm_option_type type, double *value)
{
    const double most = type == EBM_OPTION_INT ? INT32_MAX : 0x1p53;
    if (!ebm_parse_number(text, (int64_t)strlen(text), value) || !isfinite(*value)) return false;
    bool real = type == EBM_OPTION_DOUBLE || type == EBM_OPTION_DOUBLES;
    return real || (*value == floor(*value) && fabs(*value) <= most);
}

static void set_number(void *to, int64_t i, ebm_option_type type, double value)
{
    if (type == EBM_OPTION_INT) *(int *)to = (int)value;
    else if (type == EBM_OPTION_INT64 || type == EBM_OPTION_INT64S) ((int64_t *)to)[i] = (int64_t)value;
    else ((double *)to)[i] = value;
}

static const char *number_name(ebm_option_type type)
{
    return type == EBM_OPTION_DOUBLE || type == EBM_OPTION_DOUBLES ? "finite number" : "whole number that it can be";
}

static int64_t words(const char *text)
{
    int64_t n = *text != 0;
    for (; *text; text++) n += *text == ' ';
    return n;
}

/* As many numbers as the options before it say, one space between two. */
static gibbs_status read_list(const reader *r, const char *prefix, const ebm_option *o, char *text, void *spec)
{
    int64_t count = words(text), needed = o->count(spec);
    if (!strcmp(text, EBM_NO_LIST)) return GIBBS_OK;
    if (count != needed)
        return gibbs_fail(r->error, GIBBS_FORMAT, "%s: «%s%s» has %lld number%s, not %lld", r->file, prefix, o->name,
                          (long long)count, gibbs_plural(count), (long long)needed);
    void *list = gibbs_alloc(r->alloc, (size_t)count, sizeof(double));
    if (!list) return gibbs_fail(r->error, GIBBS_MEMORY, "open: out of memory");
    memcpy((char *)spec + o->at, &list, sizeof list);
    for (int64_t i = 0; i < count; i++) {
        char *end = strchr(text, ' ');
        double value;
        if (end) *end = 0;
        if (!number(text, o->type, &value)) return wrong(r, prefix, o, text, number_name(o->type));
        set_number(list, i, o->type, value);
        text = end ? end + 1 : NULL;
    }
    return GIBBS_OK;
}

/* ---- Options ---- */

static gibbs_status read_option(const reader *r, const char *prefix, const ebm_option *o, void *spec)
{
    void *at = (char *)spec + o->at;
    double value = 0;
    char *text = find(r, prefix, o->name);
    if (!text) return GIBBS_FORMAT;
    switch (o->type) {
    case EBM_OPTION_INT64S:
    case EBM_OPTION_DOUBLES: return read_list(r, prefix, o, text, spec);
    case EBM_OPTION_DTYPE:
        for (int k = 0; k < TENSOR_DTYPES; k++)
            if (!strcmp(text, ebm_dtype_names[k])) return *(gibbs_dtype *)at = (gibbs_dtype)k, GIBBS_OK;
        return wrong(r, prefix, o, text, "number type: F32 or F64");
    case EBM_OPTION_ACTIVATION:
        *(ebm_activation *)at = ebm_activation_named(text);
        return *(ebm_activation *)at ? GIBBS_OK : wrong(r, prefix, o, text, "activation that is known here");
    case EBM_OPTION_FEATURES:
        return strcmp(text, EBM_IDENTITY) ? wrong(r, prefix, o, text, "feature map that is known here") : GIBBS_OK;
    default:
        if (!number(text, o->type, &value)) return wrong(r, prefix, o, text, number_name(o->type));
        return set_number(at, 0, o->type, value), GIBBS_OK;
    }
}

static gibbs_status make(const reader *r, const char *prefix, ebm_model **model);

static gibbs_status read_parts(const reader *r, const char *prefix, const ebm_option *o, void *spec)
{
    int64_t count = o->count(spec);
    if (count < 1 || count > EBM_MAX_PARTS)
        return gibbs_fail(r->error, GIBBS_FORMAT, "%s: «%s%s» are %lld; 1 to %d are possible", r->file, prefix, o->name,
                          (long long)count, EBM_MAX_PARTS);
    ebm_model **part = gibbs_alloc_zero(r->alloc, (size_t)count, sizeof *part);
    if (!part) return gibbs_fail(r->error, GIBBS_MEMORY, "open: out of memory");
    memcpy((char *)spec + o->at, &part, sizeof part);
    gibbs_status status = GIBBS_OK;
    for (int64_t k = 0; k < count && !status; k++) {
        char longer[EBM_KEY_SIZE];
        if (snprintf(longer, sizeof longer, "%s%lld.", prefix, (long long)k + 1) >= (int)sizeof longer)
            return gibbs_fail(r->error, GIBBS_FORMAT, "%s: models are nested too deeply", r->file);
        status = make(r, longer, &part[k]);
    }
    return status;
}

/* Lists, and the parts, which a model that was made owns from now on. */
static void release(const reader *r, const ebm_energy *kind, char *spec, ebm_model *model)
{
    for (int k = 0; k < kind->option_count; k++) {
        const ebm_option *o = &kind->options[k];
        void *list = NULL;
        if (!o->count) continue;
        memcpy(&list, spec + o->at, sizeof list);
        if (o->type != EBM_OPTION_PARTS || !list) gibbs_release(r->alloc, list);
        else if (model) model->part = list, model->parts = o->count(spec);
        else {
            for (int64_t i = 0; i < o->count(spec); i++) ebm_model_free(((ebm_model **)list)[i]);
            gibbs_release(r->alloc, list);
        }
    }
    gibbs_release(r->alloc, spec);
}

/* What is wrong with a spec is wrong with the file. */
static gibbs_status make_of(const reader *r, const char *prefix, const ebm_energy *kind, void *spec, ebm_model **model)
{
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    gibbs_status status = kind->make(spec, model, &found);
    if (status == GIBBS_MEMORY) return gibbs_fail(r->error, status, "open: out of memory");
    if (status)
        return gibbs_fail(r->error, GIBBS_FORMAT, "%s: the energy «%s» of «%senergy» cannot be made: %.250s", r->file,
                          kind->name, prefix, found.message);
    return GIBBS_OK;
}

static gibbs_status make(const reader *r, const char *prefix, ebm_model **model)
{
    const char *name = find(r, prefix, "energy");
    const ebm_energy *kind = name ? ebm_energy_named(name, r->own) : NULL;
    if (!name) return GIBBS_FORMAT;
    if (!kind || !kind->make)
        return gibbs_fail(r->error, GIBBS_FORMAT, "%s: the energy «%.60s» is none that ships; where it is one of your "
                          "own, that can be made, list it in `own`", r->file, name);
    char *spec = gibbs_alloc_zero(r->alloc, 1, kind->spec_bytes);
    if (!spec) return gibbs_fail(r->error, GIBBS_MEMORY, "open: out of memory");
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < kind->option_count && !status; k++) {
        const ebm_option *o = &kind->options[k];
        if (o->type == EBM_OPTION_ALLOCATOR) memcpy(spec + o->at, &r->alloc, sizeof r->alloc);
        else if (o->type == EBM_OPTION_PARTS) status = read_parts(r, prefix, o, spec);
        else status = read_option(r, prefix, o, spec);
    }
    if (!status) status = make_of(r, prefix, kind, spec, model);
    release(r, kind, spec, *model);
    return status;
}

gibbs_status ebm_make_described(const char *file, const ebm_metadata *item, int count, const ebm_energy *const *own,
                                const gibbs_allocator *allocator, ebm_model **model, gibbs_error *error)
{
    reader r = {file, item, count, own, allocator, error};
    ebm_locale locale;
    if (!ebm_locale_enter(&locale)) return gibbs_fail(error, GIBBS_MEMORY, "open: out of memory");
    gibbs_status status = make(&r, "", model);
    ebm_locale_leave(&locale);
    return status;
}
