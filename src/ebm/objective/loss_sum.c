/* loss_sum.c — a weighted sum of losses, as a loss made at run time. The terms share data, artificial points and
 * options. */
#include "objective.h"

#include <math.h>

typedef struct sum {
    ebm_loss loss;
    gibbs_allocator alloc;
    ebm_loss *judge; /* the sum of the losses that judge held-out rows, where these are not the terms themselves */
    int count;
    ebm_loss_term term[];
} sum;

/* The graph as a term of it sees it. The first term with a health figure, or an estimate of log Z, gives the sum's. */
static ad_var record(ebm_graph *g)
{
    const sum *s = g->loss->own;
    ad_var total = ad_constant(g->tape, 0);
    for (int k = 0; k < s->count; k++) {
        ebm_graph part = *g;
        part.loss = s->term[k].loss;
        part.health = part.log_z_estimate = (ad_var){g->tape, -1};
        total = ad_add(total, ad_scale(part.loss->record(&part), s->term[k].weight));
        if (ad_is_null(g->health) && part.loss->health == s->loss.health) g->health = part.health;
        if (ad_is_null(g->log_z_estimate)) g->log_z_estimate = part.log_z_estimate;
    }
    return total;
}

static gibbs_status check(const ebm_loss *loss, const ebm_loss_options *o, int64_t dim, gibbs_error *error)
{
    const sum *s = loss->own;
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < s->count && !status; k++) {
        const ebm_loss *term = s->term[k].loss;
        if (term->check) status = term->check(term, o, dim, error);
    }
    return status;
}

static gibbs_status check_row(const ebm_loss *loss, const ebm_loss_options *o, const double *x, int64_t given,
                              int64_t dim, gibbs_error *error)
{
    const sum *s = loss->own;
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < s->count && !status; k++) {
        const ebm_loss *term = s->term[k].loss;
        if (term->check_row) status = term->check_row(term, o, x, given, dim, error);
    }
    return status;
}

/* What the sum needs is what any of its terms needs; defaults are those of the first term that has one. */
static gibbs_status add_term(sum *s, int k, const ebm_loss_term *term, gibbs_error *error)
{
    const ebm_loss *part = term->loss;
    ebm_loss *all = &s->loss;
    if (!part || !part->record || !isfinite(term->weight))
        return gibbs_fail(error, GIBBS_ARGUMENT, "loss sum: term %d has %s", k + 1,
                          part && part->record ? "a weight that is not finite" : "no loss");
    gibbs_status status = ebm_objective_check_loss(part, error);
    if (status) return status;
    if (part->noise != EBM_NOISE_NONE && all->noise != EBM_NOISE_NONE && part->noise != all->noise)
        return gibbs_fail(error, GIBBS_ARGUMENT, "loss sum: term %d, %s, takes its artificial points from elsewhere "
                          "than the terms before it", k + 1, part->name);
    if (part->models != EBM_MODELS_ANY && all->models != EBM_MODELS_ANY && part->models != all->models)
        return gibbs_fail(error, GIBBS_ARGUMENT, "loss sum: term %d, %s, and one before it are for different models: "
                          "conditional densities, and densities of whole rows", k + 1, part->name);
    s->term[k] = *term;
    if (part->models != EBM_MODELS_ANY) all->models = part->models;
    if (part->noise != EBM_NOISE_NONE) all->noise = part->noise;
    all->learns_log_z |= part->learns_log_z;
    all->needs_proposal |= part->needs_proposal;
    all->deterministic &= part->deterministic;
    all->redraw |= part->redraw;
    if (!all->health) all->health = part->health;
    if (all->noise_ratio == 0) all->noise_ratio = part->noise_ratio;
    if (!all->sampler) all->sampler = part->sampler;
    if (part->least_rows > all->least_rows) all->least_rows = part->least_rows;
    return GIBBS_OK;
}

static gibbs_status sum_new(const ebm_loss_term *terms, int count, const gibbs_allocator *a, ebm_loss **loss,
                            gibbs_error *error)
{
    sum *s = gibbs_alloc_zero(a, 1, sizeof *s + (size_t)count * sizeof *s->term);
    if (!s) return gibbs_fail(error, GIBBS_MEMORY, "loss sum: out of memory");
    s->alloc = *a;
    s->count = count;
    s->loss = (ebm_loss){.name = "sum", .title = "weighted sum", .deterministic = 1, .record = record, .own = s,
                         .check = check, .check_row = check_row};
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < count && !status; k++) status = add_term(s, k, &terms[k], error);
    if (status) gibbs_release(a, s);
    else *loss = &s->loss;
    return status;
}

/* Terms whose values are no objective have another loss to judge them. */
static gibbs_status add_judge(sum *s, gibbs_error *error)
{
    bool needed = false;
    for (int k = 0; k < s->count; k++) needed |= s->term[k].loss->validation != NULL;
    if (!needed) return GIBBS_OK;
    ebm_loss_term *judges = gibbs_alloc(&s->alloc, (size_t)s->count, sizeof *judges);
    if (!judges) return gibbs_fail(error, GIBBS_MEMORY, "loss sum: out of memory");
    for (int k = 0; k < s->count; k++) {
        const ebm_loss *own = s->term[k].loss, *other = own->validation;
        judges[k] = (ebm_loss_term){other ? other : own, s->term[k].weight};
    }
    gibbs_status status = sum_new(judges, s->count, &s->alloc, &s->judge, error);
    s->loss.validation = s->judge;
    gibbs_release(&s->alloc, judges);
    return status;
}

gibbs_status ebm_loss_sum(const ebm_loss_term *terms, int count, const gibbs_allocator *allocator, ebm_loss **loss,
                          gibbs_error *error)
{
    GIBBS_REQUIRE("loss sum", terms && loss, error);
    *loss = NULL;
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    if (count < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "loss sum: %d terms", count);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    gibbs_status status = sum_new(terms, count, &a, loss, error);
    if (!status) status = add_judge((sum *)(*loss)->own, error);
    if (status) {
        ebm_loss_free(*loss);
        *loss = NULL;
    }
    return status;
}

void ebm_loss_free(ebm_loss *loss)
{
    if (!loss || loss->record != record) return;
    sum *s = (sum *)loss->own;
    gibbs_allocator a = s->alloc;
    ebm_loss_free(s->judge);
    gibbs_release(&a, s);
}
