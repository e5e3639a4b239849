/* compose.c — models built from models. */
#include "compose.h"
#include "conditional.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PARTS = EBM_MAX_PARTS, PREFIX_SIZE = 16 };

static gibbs_status check(const char *name, ebm_model *const *parts, const double *beta, int count, gibbs_error *error)
{
    if (count < 1 || count > MAX_PARTS)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %d parts; 1 to %d are possible", name, count, MAX_PARTS);
    for (int k = 0; k < count; k++) {
        if (!parts[k]) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: part %d is NULL", name, k + 1);
        if (parts[k]->dim != parts[0]->dim)
            return gibbs_fail(error, GIBBS_SHAPE, "%s: part 1 has dim %lld, part %d has %lld", name,
                              (long long)parts[0]->dim, k + 1, (long long)parts[k]->dim);
        if (parts[k]->dtype != parts[0]->dtype)
            return gibbs_fail(error, GIBBS_DTYPE, "%s: parts 1 and %d have different number types", name, k + 1);
        if (beta && !isfinite(beta[k]))
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the factor of part %d is %g", name, k + 1, beta[k]);
    }
    return GIBBS_OK;
}

static bool same_labels(const ebm_conditional *a, const ebm_conditional *b, int64_t dim)
{
    size_t bytes = (size_t)(a->label_count * (dim - a->given)) * sizeof *a->labels;
    return a->label_count == b->label_count && !memcmp(a->labels, b->labels, bytes);
}

/* What is given, and the values that y takes, are the same in all parts. Functions for log Z(x) are the parts' own, and
 * none of the composed energy: *is has only labels, of the first part that lists them. */
static gibbs_status agree(const char *name, ebm_model *const *parts, int count, ebm_conditional *is, gibbs_error *error)
{
    int64_t given = ebm_model_given(parts[0]);
    *is = (ebm_conditional){.given = given};
    for (int k = 0; k < count; k++) {
        const ebm_conditional *part = ebm_conditional_of(parts[k]);
        if (ebm_model_given(parts[k]) != given)
            return gibbs_fail(error, GIBBS_ARGUMENT,
                              "%s: part 1 has %lld given columns, part %d has %lld (0: not conditional)", name,
                              (long long)given, k + 1, (long long)ebm_model_given(parts[k]));
        if (!part || !part->labels) continue;
        if (is->labels && !same_labels(is, part, parts[0]->dim))
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: part %d lists other labels than a part before it", name,
                              k + 1);
        is->labels = part->labels;
        is->label_count = part->label_count;
    }
    return GIBBS_OK;
}

static void copy_values(ebm_model *model, int own, const ebm_composition *c)
{
    size_t size = gibbs_dtype_size(model->dtype);
    char *to = model->theta;
    if (own) to += (size_t)model->parameter[0].count * size;
    for (int k = 0; k < c->parts; k++) {
        size_t bytes = (size_t)c->part[k].model->size * size;
        memcpy(to, c->part[k].model->theta, bytes);
        to += bytes;
    }
}

gibbs_status ebm_compose(const char *name, ebm_model *const *parts, const double *beta, int count, bool plain,
                         const ebm_parameter *own, ebm_energy_fn energy, ebm_model **model, gibbs_error *error)
{
    *model = NULL;
    ebm_conditional is;
    gibbs_status status = check(name, parts, beta, count, error);
    if (!status) status = agree(name, parts, count, &is, error);
    if (status) return status;
    ebm_build b = ebm_build_start(&parts[0]->alloc);
    ebm_composition *c = gibbs_alloc(&b.alloc, 1, sizeof *c + (size_t)count * sizeof *c->part);
    if (own) ebm_build_add(&b, NULL, own);
    if (c) *c = (ebm_composition){.own = own != NULL, .parts = count};
    for (int k = 0; k < count; k++) {
        char prefix[PREFIX_SIZE];
        snprintf(prefix, sizeof prefix, "%d.", k + 1);
        ebm_build_add_model(&b, plain ? NULL : prefix, parts[k]);
        if (c) c->part[k] = (ebm_part){parts[k], beta ? beta[k] : 1};
    }
    ebm_model_spec made = {.dtype = parts[0]->dtype, .dim = parts[0]->dim, .energy = energy, .context = c};
    status = is.given ? ebm_conditional_build(&b, made, &is, model, error) : ebm_build_owner(&b, made, model, error);
    if (!status) copy_values(*model, own != NULL, c);
    return status;
}

void ebm_composition_energies(const ebm_composition *c, ad_var x, const ad_var *theta, ad_var *E)
{
    theta += c->own;
    for (int k = 0; k < c->parts; theta += c->part[k++].model->parameters)
        E[k] = ebm_model_energy_at(c->part[k].model, x, theta);
}
