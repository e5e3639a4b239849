/* compose.c — models built from models. */
#include "compose.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX_SIZE = 16 };

static int64_t parts_of(const void *spec) { return ((const ebm_composition *)spec)->count; }

const ebm_option ebm_composition_options[] = {
    EBM_OPTION(INT64, ebm_composition, count),
    EBM_LIST(DOUBLES, ebm_composition, beta, parts_of),
    EBM_LIST(PARTS, ebm_composition, parts, parts_of),
};

static gibbs_status check(const char *name, const ebm_composition *c, gibbs_error *error)
{
    if (!c->parts) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a required pointer is NULL", name);
    if (c->count < 1 || c->count > EBM_MAX_PARTS)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld parts; 1 to %d are possible", name, (long long)c->count,
                          EBM_MAX_PARTS);
    const ebm_model *first = c->parts[0];
    for (int k = 0; k < c->count; k++) {
        const ebm_model *part = c->parts[k];
        if (!part) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: part %d is NULL", name, k + 1);
        if (part->dim != first->dim)
            return gibbs_fail(error, GIBBS_SHAPE, "%s: part 1 has dim %lld, part %d has %lld", name,
                              (long long)first->dim, k + 1, (long long)part->dim);
        if (part->dtype != first->dtype)
            return gibbs_fail(error, GIBBS_DTYPE, "%s: parts 1 and %d have different number types", name, k + 1);
        if (c->beta && !isfinite(c->beta[k]))
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the factor of part %d is %g", name, k + 1, c->beta[k]);
    }
    return GIBBS_OK;
}

static bool same_labels(const ebm_model *a, const ebm_model *b)
{
    size_t bytes = (size_t)(a->label_count * (a->dim - a->given)) * sizeof *a->labels;
    return a->label_count == b->label_count && !memcmp(a->labels, b->labels, bytes);
}

/* What is given, and the values that y takes, are the same in all parts: *listed is the first part that lists them.
 * Functions for log Z(x) are the parts' own, and none of the composed energy. */
static gibbs_status agree(const char *name, const ebm_composition *c, const ebm_model **listed, gibbs_error *error)
{
    int64_t given = c->parts[0]->given;
    *listed = NULL;
    for (int k = 0; k < c->count; k++) {
        const ebm_model *part = c->parts[k];
        if (part->given != given)
            return gibbs_fail(error, GIBBS_ARGUMENT,
                              "%s: part 1 has %lld given columns, part %d has %lld (0: not conditional)", name,
                              (long long)given, k + 1, (long long)part->given);
        if (!part->labels) continue;
        if (*listed && !same_labels(*listed, part))
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: part %d lists other labels than a part before it", name,
                              k + 1);
        if (!*listed) *listed = part;
    }
    return GIBBS_OK;
}

static void copy_values(ebm_model *model, bool own, const ebm_composition *c)
{
    size_t size = gibbs_dtype_size(model->dtype);
    char *to = model->theta;
    if (own) to += (size_t)model->parameter[0].count * size;
    for (int k = 0; k < c->count; k++) {
        size_t bytes = (size_t)c->parts[k]->size * size;
        memcpy(to, c->parts[k]->theta, bytes);
        to += bytes;
    }
}

gibbs_status ebm_compose(const ebm_energy *kind, const ebm_composition *c, bool plain, const ebm_parameter *own,
                         ebm_model **model, gibbs_error *error)
{
    const ebm_model *listed;
    gibbs_status status = check(kind->name, c, error);
    if (!status) status = agree(kind->name, c, &listed, error);
    if (status) return status;
    const ebm_model *first = c->parts[0];
    ebm_build b = ebm_build_start(&first->alloc);
    if (own) ebm_build_add(&b, NULL, own);
    for (int k = 0; k < c->count; k++) {
        char prefix[PREFIX_SIZE];
        snprintf(prefix, sizeof prefix, "%d.", k + 1);
        ebm_build_add_model(&b, plain ? NULL : prefix, c->parts[k]);
    }
    ebm_model_spec made = {.dtype = first->dtype, .dim = first->dim, .kind = kind, .given = first->given,
                           .labels = listed ? listed->labels : NULL, .label_count = listed ? listed->label_count : 0,
                           .context = ebm_context_new(kind, c, sizeof *c, &b.alloc)};
    status = ebm_build_model(&b, made, model, error);
    if (!status) copy_values(*model, own != NULL, c);
    return status;
}

void ebm_composition_energies(const ebm_composition *c, ad_var x, const ad_var *theta, ad_var *E)
{
    for (int k = 0; k < c->count; theta += c->parts[k++]->parameters)
        E[k] = ebm_model_energy_at(c->parts[k], x, theta);
}
